"""Which frames of a growing picture are kept, and how long each is shown."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Frame = NDArray[np.uint8]
"""(H, W, 3), sRGB."""

MOST = 150
"""Frames: twice as many as a film has room for if nothing else is asked for."""

SLOT = 0.1
"""Frames last a multiple of so many seconds. With half of it, films look no different, and they
take longer to write."""

LOOK, LOOK_SHARE = 0.5, 0.06
"""How long the first frame is looked at: seconds, but at most so much of the film."""

HOLD, HOLD_SHARE = 2.0, 0.25
"""The same for the last one."""

PACE = 0.5
"""Power of a change that its time is proportional to. With 1, the first steps, which change nearly
everything, take most of the film; with 0, each takes as long, and they are over in a blink."""


class Moment(NamedTuple):
    """A frame, and after how many steps it was taken."""

    frame: Frame
    taken: int


class Growth:
    """The frames that are kept, at most `MOST` of them, as evenly apart as they can be.

    When there is one too many, that is left out whose neighbours are most alike. So long runs keep
    many frames where much changes, and memory has a bound.
    """

    def __init__(self) -> None:
        self.moments: list[Moment] = []
        self._changes: list[float] = []
        """From each to the next."""

    def add(self, moment: Moment) -> None:
        """Take in what comes next; nothing if it is no other picture.

        What was taken later than it, by a run that was stopped and has begun again before, goes.
        """
        while self.moments and self.moments[-1].taken > moment.taken:
            self.moments.pop()
            del self._changes[-1:]
        if self.moments:
            change = difference(self.moments[-1].frame, moment.frame)
            if change == 0:
                return
            self._changes.append(change)
        self.moments.append(moment)
        if len(self.moments) > MOST:
            self._leave_one_out()

    def durations(self, seconds: float) -> list[float]:
        """How long each is shown, s; 0 for those that are left out of a film of that length."""
        return durations(self._changes, seconds)

    def _leave_one_out(self) -> None:
        changes = self._changes
        least = min(range(1, len(changes)), key=lambda i: changes[i - 1] + changes[i])
        del self.moments[least]
        before, after = self.moments[least - 1].frame, self.moments[least].frame
        changes[least - 1 : least + 1] = [difference(before, after)]


def difference(one: Frame, other: Frame) -> float:
    """Mean absolute difference of two frames, 0 to 255."""
    return cv2.norm(one, other, cv2.NORM_L1) / one.size


def durations(changes: Sequence[float], seconds: float) -> list[float]:
    """How long each of some frames is shown, s, given the changes from each to the next.

    A frame is shown the longer the more the next one differs, the first and the last are looked at
    as well. Times are multiples of `SLOT`; of frames that share one, the last is shown.
    """
    look, hold = min(LOOK, LOOK_SHARE * seconds), min(HOLD, HOLD_SHARE * seconds)
    weights = [change**PACE for change in changes]
    first, slots = round(look / SLOT), round((seconds - hold) / SLOT)
    whole = sum(weights) or 1.0
    starts = [first + round((slots - first) * at / whole) for at in accumulate(weights)]
    growing = [SLOT * (end - start) for start, end in pairwise([0, *starts])]
    return [*growing, seconds - sum(growing)]

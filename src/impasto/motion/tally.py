"""How far a moving picture is, and how long it will take."""

import time
from bisect import bisect_right
from collections.abc import Sequence

from impasto.events import FrameDone, FrameStep
from impasto.motion.shots import FrameBegun, FrameMade, Shot

MAKING = 0.95
"""Share of the whole work that making frames is, usually; the rest writes them as a film."""


class Tally:
    """Counts frames that are made, by this run and by those before it."""

    def __init__(self, shots: Sequence[Shot], there: int) -> None:
        """`there`: how many frames earlier runs have made."""
        self.made, self.frames = there, shots[-1].stop
        self._there, self._shots = there, shots
        self._starts = [shot.start for shot in shots]
        self._at_work: dict[int, float] = {}
        self._began = time.monotonic()

    def event(self, report: FrameMade | FrameBegun) -> FrameStep:
        """What to tell of a report."""
        made = isinstance(report, FrameMade)
        if isinstance(report, FrameBegun):
            self._at_work[report.frame] = report.share
        else:
            self._at_work.pop(report.frame, None)
            self.made += 1
        kind = FrameDone if made else FrameStep
        return kind(
            frame=report.frame + 1,
            frames=self.frames,
            shot=bisect_right(self._starts, report.frame),
            shots=len(self._shots),
            made=self.made,
            done=MAKING * self._units / self.frames,
            left=self._left(),
            losses=report.losses,
        )

    @property
    def _units(self) -> float:
        return self.made + sum(self._at_work.values())

    def _left(self) -> float | None:
        """Seconds, at the pace of this run; None before its first frame is done."""
        if self.made == self._there:
            return None
        elapsed = time.monotonic() - self._began
        return elapsed / (self._units - self._there) * (self.frames - self._units)

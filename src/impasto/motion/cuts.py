"""Where one shot ends and the next begins, from small pictures of the frames."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

GROUP = 3
"""Frames before and after a cut that must differ; what flashes for fewer is none."""

LEAST = 0.05
"""Least difference of a cut."""

AROUND = 6
"""Frames on either side that a difference is compared with."""

STEEP = 4.5
"""How many times as large as the mean of theirs a cut's difference is. Where frames are shown three
times each, motion itself is three times as large at every third."""

SHORTEST = 0.3
"""Seconds of a shot: of two cuts nearer to each other, the clearer one stands."""


def changes(frames: Iterable[RGB]) -> Iterator[float]:
    """How much the picture changes at each frame and stays changed, in [0, 1].

    frames: small and of one size. The change at a frame is the least difference between one of the
    `GROUP` frames before it and one of as many from it on; 0 for the first.
    """
    window: deque[RGB] = deque(maxlen=2 * GROUP)
    count = 0
    for frame in frames:
        window.append(hue_chroma_value(frame))
        count += 1
        if count >= GROUP:
            yield _change(window, min(GROUP, count - GROUP))
    for left in range(min(GROUP - 1, count), 0, -1):
        before = min(GROUP, count - left)
        yield _change(list(window)[-before - left :], before)


def _change(window: Iterable[RGB], before: int) -> float:
    """The change at the first of the frames that follow the `before` first of a window."""
    shown = list(window)
    pairs = [(one, other) for one in shown[:before] for other in shown[before:]]
    return min((difference(*pair) for pair in pairs), default=0.0)


def difference(one: RGB, other: RGB) -> float:
    """Mean difference of hue, chroma and value, each in [0, 1], between two pictures.

    As PySceneDetect's content detector, which takes saturation; but that of black is anything, and
    so is the hue of grey. Hue is a circle here, and counts as much as there is of it. one, other:
    (H, W, 3) as `hue_chroma_value` gives them.
    """
    hue, chroma, value = cv2.split(cv2.absdiff(one, other))
    turn = np.minimum(hue, 360 - hue) / 180 * np.minimum(one[..., 1], other[..., 1])
    return float((turn.mean() + chroma.mean() + value.mean()) / 3)


def hue_chroma_value(rgb: RGB) -> RGB:
    """Hue in degrees; the brightest of the three colours less the darkest, and the brightest."""
    hue, saturation, value = cv2.split(cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV))
    return np.dstack([hue, saturation * value, value]).astype(np.float32)


def cuts(changed: Sequence[float], times: Sequence[float]) -> list[int]:
    """The frames that begin a shot, the first one always.

    changed: of each frame, as `changes` gives it. times: when each is shown, seconds. As
    PySceneDetect's adaptive detector: a cut is a change that is large by itself and against what
    changes around it, so fast motion is none, nor is a slow fade.
    """
    values = np.asarray(changed, np.float64)
    padded = np.pad(values, AROUND, mode="reflect" if len(values) > AROUND else "constant")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1)
    others = (windows.sum(1) - values) / (2 * AROUND)
    steep = np.flatnonzero((values >= LEAST) & (values > STEEP * others))
    found: list[int] = []
    for frame in sorted(steep.tolist(), key=lambda index: -values[index]):
        if all(abs(times[frame] - times[other]) >= SHORTEST for other in found):
            found.append(frame)
    return [0, *sorted(set(found) - {0})]

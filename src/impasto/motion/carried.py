"""What is known of the pixels of a frame, carried to the next along their motion."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.motion.coherence import alike
from impasto.motion.flow import Flow, Picture, estimate, followed, inside, warped

WINDOW = 9
"""Side of the neighbourhood in which two frames are compared, px."""

STAYING = 1.1
"""How much worse it may fit that a place stands still, beside that it moves. A flow says something
of flat and of noisy places too, but nothing that could be believed."""


class Origins(NamedTuple):
    """Where the pixels of a frame lay in the frame before it."""

    places: NDArray[np.intp]
    """(H, W): the number of a pixel there, row by row. Labels have nothing in between."""
    seen: NDArray[np.bool_]
    """(H, W): whether it was to be seen there at all."""


def origins(photo: Picture, before: Picture) -> Origins:
    """Follow the motion from a frame back to the one before it, (H, W, 3), sRGB in [0, 1]."""
    height, width = photo.shape[:2]
    flow = _coarse_flow(photo, before)
    moved = _apart(photo, warped(before, flow))
    flow[_apart(photo, before) <= STAYING * moved] = 0
    seen = inside(flow) & (alike(photo, warped(before, flow)) > 0)
    across, down = (np.rint(flow[..., axis]).astype(np.intp) for axis in (0, 1))
    across += np.arange(width)
    down += np.arange(height)[:, None]
    return Origins(down.clip(0, height - 1) * width + across.clip(0, width - 1), seen)


def _coarse_flow(photo: Picture, before: Picture) -> Flow:
    """The flow back to the frame before, worked out at half the size, in a quarter of the time.

    It leads to whole pixels anyway. Small frames stay as they are.
    """
    height, width = photo.shape[:2]
    half = width // 2, height // 2
    if not followed(*half):
        return estimate(photo, before)
    one, other = (
        np.asarray(cv2.resize(each, half, interpolation=cv2.INTER_AREA), np.float32)
        for each in (photo, before)
    )
    flow = cv2.resize(estimate(one, other), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(flow * np.array([width / half[0], height / half[1]]), np.float32)


def drawn_to(
    goal: NDArray[np.float32], before: NDArray[np.float32], slack: float | NDArray[np.float32]
) -> NDArray[np.float32]:
    """Values that follow others, (N, C), but stay while these are no further than `slack` away.

    The minimum over x of |x - goal|² / 2 + slack |x - before|, which is the block soft threshold
    (Yuan and Lin 2006, eq. 2.5): noise moves nothing, a slow change is followed without a jump.
    slack: one for all, or of each, (N,).
    """
    way = goal - before
    length = np.linalg.norm(way, axis=1)
    share = np.maximum(0, 1 - slack / np.maximum(length, np.finfo(np.float32).tiny))
    return np.asarray(before + share[:, None] * way, np.float32)


def _apart(one: Picture, other: Picture) -> Picture:
    """How far two frames are apart around each pixel, (H, W)."""
    difference = np.abs(one - other).sum(axis=-1)
    return np.asarray(cv2.blur(difference, (WINDOW, WINDOW)))

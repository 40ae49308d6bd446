"""Numbers as colours: how feature maps, filters and Gram matrices are shown.

Viridis runs evenly from dark to light, so that it is read without colours too, and by every eye.
It has no grey: what is drawn in the colours of the paper is no number.
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.studio.theme import THEMES, Paper

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

Floats = NDArray[np.float32]


@cache
def table() -> RGB:
    """Viridis from 0 to 1, (256, 3)."""
    steps = np.arange(256, dtype=np.uint8)
    blue_first = cv2.applyColorMap(steps, cv2.COLORMAP_VIRIDIS).reshape(-1, 3)
    return np.asarray(blue_first[:, ::-1] / np.float32(255), np.float32)


def heat(values: Floats) -> RGB:
    """(H, W) in [0, 1] -> (H, W, 3)."""
    return table()[np.rint(values * 255).astype(np.intp)]


def rooted(values: Floats) -> Floats:
    """The square root of what is from 0 up, (H, W), over its own maximum: the faint is seen too."""
    peak = values.max()
    return np.asarray(np.sqrt(values / (peak if peak > 0 else 1)), np.float32)


def decades(values: Floats, peak: float, count: int) -> Floats:
    """The logarithm of what is from 0 up, (H, W): 1 at the peak, 0 at `count` decades below."""
    shares = np.maximum(values / (peak if peak > 0 else 1), 10.0**-count)
    return np.asarray(1 + np.log10(shares) / count, np.float32)


def at_size(values: Floats, width: int, height: int) -> Floats:
    """Numbers (H, W) or (H, W, C) at a size: means where they become fewer, else as squares."""
    if values.shape[1::-1] == (width, height):
        return values
    fewer = width < values.shape[1]
    how = cv2.INTER_AREA if fewer else cv2.INTER_NEAREST_EXACT
    return np.asarray(cv2.resize(values, (width, height), interpolation=how), np.float32)


def nothing(width: int, height: int, paper: Paper) -> RGB:
    """An outline on the bare paper, in place of a map without a value."""
    theme = THEMES[paper]
    page = np.tile(np.array(theme.rule, np.float32), (height, width, 1))
    page[1:-1, 1:-1] = theme.paper
    return np.asarray(page / 255, np.float32)

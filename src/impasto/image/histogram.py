"""Which colours a picture has, and how often: exactly, at 8 bits a channel.

A colour is the number 0xRRGGBB, its code. A photo of millions of pixels has far fewer distinct
colours, so whatever depends on colour alone is computed once for each of them.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

COLOURS = 1 << 24
"""Number of codes."""

Codes = NDArray[np.uint32]
"""0xRRGGBB, of any shape."""


class Histogram(NamedTuple):
    """The distinct colours of a picture."""

    codes: Codes
    """(N,), ascending."""
    weights: NDArray[np.float64]
    """(N,), above 0: pixels of each colour, each counted by its alpha."""


def bits(rgb: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Round to 8 bits, (H, W, 3) in [0, 1] -> (H, W, 3)."""
    rounded = cv2.convertScaleAbs(np.ascontiguousarray(rgb), alpha=255)
    return np.asarray(rounded, np.uint8).reshape(rgb.shape)


def codes_of(colours: NDArray[np.uint8]) -> Codes:
    """Colours as numbers, (..., 3) -> (...)."""
    padded = np.zeros((*colours.shape[:-1], 4), np.uint8)  # blue, green, red, 0: little-endian
    flat = np.ascontiguousarray(colours).reshape(1, -1, 3)
    if flat.size:
        cv2.mixChannels([flat], [padded.reshape(1, -1, 4)], [0, 2, 1, 1, 2, 0])
    return padded.view("<u4")[..., 0]


def colours_of(codes: Codes) -> NDArray[np.uint8]:
    """Numbers as colours, (...) -> (..., 3)."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype(np.uint8)


def histogram(codes: Codes, weights: NDArray[np.float32] | None = None) -> Histogram:
    """Count the colours of pixels, each by its weight; those that weigh 0 do not appear."""
    if weights is None:
        found, counts = np.unique(codes, return_counts=True)
        return Histogram(found, counts.astype(np.float64))
    sums = np.bincount(codes.ravel(), weights.ravel(), minlength=COLOURS)
    present = np.flatnonzero(sums != 0)
    return Histogram(present.astype(np.uint32), sums[present].astype(np.float64))

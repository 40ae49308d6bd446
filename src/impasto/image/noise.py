"""How noisy a picture is, from the picture alone."""

import cv2
import numpy as np
from numpy.typing import NDArray

KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
"""Second differences both ways; white noise keeps its deviation (Immerkær 1996)."""

BLOCK = 16
"""Side of the blocks that are judged, px."""

QUIETEST = 0.2
"""Share of the blocks below the one that is believed: those without texture."""

SAMPLES = 4096
"""Blocks looked at, about."""

ENDS = 0.02, 0.98
"""Outside, noise is cut off."""


def deviations(
    rgb: NDArray[np.float32], mixing: NDArray[np.float32], alpha: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Standard deviations of the white noise in mixtures (C, 3) of the channels of (H, W, 3), (C,).

    Immerkær 1996, but in blocks, of which the quieter count: texture is not noise. Blocks that
    touch black or white and those with hidden pixels are left out; without others, zeros.
    """
    found = []
    for patch in _blocks(rgb, alpha):
        second = np.abs(cv2.filter2D(patch @ mixing.T, -1, KERNEL)[1:-1, 1:-1])
        found.append(second.reshape(-1, len(mixing)).mean(axis=0))
    if not found:
        return np.zeros(len(mixing))
    return np.asarray(np.quantile(found, QUIETEST, axis=0) * (np.pi / 2) ** 0.5, np.float64)


def _blocks(
    rgb: NDArray[np.float32], alpha: NDArray[np.float32] | None
) -> list[NDArray[np.float32]]:
    """Usable blocks with a border of 1 px, spread evenly over the picture."""
    rows, columns = ((size - 2) // BLOCK for size in rgb.shape[:2])
    every = max(1, round((rows * columns / SAMPLES) ** 0.5))
    blocks = []
    for top in range(0, rows * BLOCK, BLOCK * every):
        for left in range(0, columns * BLOCK, BLOCK * every):
            area = np.s_[top : top + BLOCK + 2, left : left + BLOCK + 2]
            patch = rgb[area]
            visible = alpha is None or alpha[area].min() > 0.5
            if visible and ENDS[0] < patch.min() and patch.max() < ENDS[1]:
                blocks.append(patch)
    return blocks

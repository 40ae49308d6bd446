"""Which colour of a palette is nearest to another."""

import numpy as np
from numpy.typing import NDArray

from impasto.image.metric import Points

CHUNK = 1 << 16
"""Distances that are taken together: they stay in the processor's cache, and products of matrices
so small are not shared out to threads, whose start would take longer."""


def nearest(points: Points, palette: Points) -> NDArray[np.uint8]:
    """Find the nearest of at most 256 points for each of others, (N, 3), (K, 3) -> indices (N,).

    In float64: two colours of 8 bits lie so far apart in every space that one which is in the
    palette is always its own nearest.
    """
    centres = palette.astype(np.float64)
    # |x - c|² without |x|², which is the same for all.
    slopes, offsets = -2 * centres.T, (centres * centres).sum(axis=1)
    indices = np.empty(len(points), np.uint8)
    step = CHUNK // len(palette)
    for start in range(0, len(points), step):
        distances = points[start : start + step].astype(np.float64) @ slopes
        distances += offsets
        indices[start : start + step] = distances.argmin(axis=1)
    return indices

"""Contrast of each part of a picture: CLAHE on lightness (Zuiderveld 1994; Pizer et al. 1987).

**Departure**: written anew, since OpenCV's and scikit-image's map through steps of 8 or 16 bits
and of 256 bins, which bands. Here the tiles' histograms give piecewise linear curves that are
applied in floating point. The clip limit falls to 0, no change, in tiles without contrast of their
own, whose noise it would only raise; no bin counts less than a little, so that no curve is flat.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.image.preview import quantiles
from impasto.image.tiles import Tile

Plane = NDArray[np.float32]
Curves = NDArray[np.float32]
"""(rows of tiles, tiles in a row, BINS + 1): lightness at equal steps, from 0 to 1."""

TILES = 8
"""Along the longer side."""

SMALLEST = 16
"""Side of a tile, px of the preview."""

BINS = 256

LIMIT = 2.0
"""Of a bin's count, as a multiple of the mean; what is cut off adds less than 1 to the slope."""

LEAST = 0.1
"""Of a bin's count, as a multiple of the mean: the flattest slope."""

FLAT = 0.06
"""Spread of a tile's lightness, 10th to 90th percentile, at which half of LIMIT is left."""


def curves(lightness: Plane, weight: Plane) -> Curves:
    """The tiles' curves for a preview's lightness (h, w), weighted by (h, w)."""
    height, width = lightness.shape
    side = max(SMALLEST, max(height, width) / TILES)
    rows, columns = max(1, round(height / side)), max(1, round(width / side))
    tops = np.linspace(0, height, rows + 1).round().astype(int)
    lefts = np.linspace(0, width, columns + 1).round().astype(int)
    tables = np.empty((rows, columns, BINS + 1), np.float32)
    for row in range(rows):
        for column in range(columns):
            tile = np.s_[tops[row] : tops[row + 1], lefts[column] : lefts[column + 1]]
            tables[row, column] = _curve(lightness[tile], weight[tile])
    return tables


def _curve(lightness: Plane, weight: Plane) -> NDArray[np.float32]:
    """One tile's curve, (BINS + 1,); the straight line where nothing is visible."""
    if not weight.any():
        return np.linspace(0, 1, BINS + 1, dtype=np.float32)
    low, high = quantiles(lightness, weight, [0.1, 0.9])
    spread = (high - low) ** 2
    limit = LIMIT * spread / (spread + FLAT**2)
    return equalised(histogram(lightness, weight), limit)


def histogram(lightness: Plane, weight: Plane) -> NDArray[np.float64]:
    """Weights of BINS equal bins of lightness in [0, 1], smoothed so that curves bend softly."""
    bins = (lightness.ravel() * BINS).astype(np.int64).clip(0, BINS - 1)
    counts = np.bincount(bins, weight.ravel(), BINS)
    return np.asarray(cv2.GaussianBlur(counts[:, None], (1, 9), 1.5)[:, 0], np.float64)


def equalised(counts: NDArray[np.float64], limit: float) -> NDArray[np.float32]:
    """The curve of a histogram with clipped counts, (BINS,) -> (BINS + 1,) from 0 to 1.

    What is cut off is shared by all bins, once, as in OpenCV.
    """
    density = counts / counts.mean()
    clipped = np.minimum(density, limit)
    clipped = np.maximum(clipped + 1 - clipped.mean(), LEAST)
    grown = np.concatenate([[0], np.cumsum(clipped)])
    return np.asarray(grown / grown[-1], np.float32)


def contrasted(
    lightness: Plane, tables: Curves, strength: float, part: Tile, size: tuple[int, int]
) -> Plane:
    """Move lightness towards what the curves of the four nearest tiles give, bilinearly.

    `lightness` is that of a `part` of a picture of `size` (height, width).
    """
    rows, columns = np.arange(part.top, part.bottom), np.arange(part.left, part.right)
    upper, lower, down = _nearest(rows, size[0], tables.shape[0])
    left, right, across = _nearest(columns, size[1], tables.shape[1])
    near = tables[:, left[0] : right[-1] + 1]
    down = down[:, None, None]
    blended = (near[upper] * (1 - down) + near[lower] * down).ravel()
    position = lightness * np.float32(BINS)
    bin_ = np.minimum(position.astype(np.int32), BINS - 1)
    beyond = position - bin_
    row = np.arange(len(rows))[:, None] * near.shape[1]
    mapped = np.zeros_like(lightness)
    for column, share in ((left, 1 - across), (right, across)):
        index = (row + column - left[0]) * (BINS + 1) + bin_
        low = blended[index]
        mapped += share * (low + beyond * (blended[index + 1] - low))
    return np.asarray(lightness + np.float32(strength) * (mapped - lightness))


def _nearest(
    pixels: NDArray[np.int64], size: int, tiles: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """For each pixel of a side: the tile before, the one after, and how far it is between them."""
    place = np.clip((pixels + 0.5) / size * tiles - 0.5, 0, tiles - 1)
    before = np.minimum(place.astype(np.int64), tiles - 1)
    return before, np.minimum(before + 1, tiles - 1), (place - before).astype(np.float32)

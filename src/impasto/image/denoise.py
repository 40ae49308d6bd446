"""Denoising by thresholds on overlapping cosine transforms (Yu and Sapiro 2011).

Against 8-bit or slow library functions this was measured best: see the table in the docs.
Departures: half of the 16 lattice shifts of 2 px, in a quincunx, which costs half the time; the
noise of each channel is taken from the picture.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from impasto.image.noise import deviations
from impasto.image.tiles import Tile, by_tiles

Plane = NDArray[np.float32]

SIDE = 8
"""Of a block, px."""

COSINES: NDArray[np.float32] = dct(np.eye(SIDE), axis=0, norm="ortho").astype(np.float32)

OPPONENTS = np.array(
    [[3**-0.5, 3**-0.5, 3**-0.5], [2**-0.5, 0, -(2**-0.5)], [6**-0.5, -2 * 6**-0.5, 6**-0.5]],
    np.float32,
)
"""Orthonormal: brightness and two colour differences, which share little."""

THRESHOLD = 2.6
"""Coefficients below so many deviations are taken for noise, at strength 1."""

SHIFTS = [(row, column) for row in range(0, SIDE, 2) for column in range(row % 4, SIDE, 4)]
"""Of the lattice of blocks, px: rows of 2 px, each beginning 2 px beside the last."""

LEAST = 1e-5
"""Deviation below which there is nothing to remove: less than a level of 16 bits."""


def denoised(
    rgb: NDArray[np.float32], strength: float, alpha: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Remove the noise of (H, W, 3); strength 0 to 1 scales the threshold.

    No value moves more than half of its way to 0 or 1, so overshoot at edges cannot clip.
    """
    if not strength:
        return rgb
    height, width = rgb.shape[:2]
    thresholds = [THRESHOLD * strength * sigma for sigma in deviations(rgb, OPPONENTS, alpha)]
    if max(thresholds) < LEAST:
        return rgb
    border = cv2.BORDER_REFLECT_101
    padded = np.asarray(cv2.copyMakeBorder(rgb, SIDE, SIDE, SIDE, SIDE, border), np.float32)

    def clean(tile: Tile) -> NDArray[np.float32]:
        # Tiles begin on multiples of a block, so blocks lie the same however a picture is cut.
        part = padded[tile.top : tile.bottom + 2 * SIDE, tile.left : tile.right + 2 * SIDE]
        mixed = part @ OPPONENTS.T
        for band, threshold in enumerate(thresholds):
            mixed[..., band] = _smooth(np.ascontiguousarray(mixed[..., band]), threshold)
        cleaned = (mixed @ OPPONENTS)[SIDE:-SIDE, SIDE:-SIDE]
        original = rgb[tile.area]
        return np.asarray(np.clip(cleaned, original / 2, (original + 1) / 2))

    return by_tiles(clean, height, width)


def _smooth(plane: Plane, threshold: float) -> Plane:
    """Mean over all shifts of the blocks without their small coefficients, (H, W)."""
    height, width = plane.shape
    total = np.zeros_like(plane)
    count = np.zeros_like(plane)
    for row, column in SHIFTS:
        rows, columns = (height - row) // SIDE, (width - column) // SIDE
        area = np.s_[row : row + rows * SIDE, column : column + columns * SIDE]
        total[area] += _kept(plane[area], threshold)
        count[area] += 1
    return np.where(count > 0, total / np.maximum(count, 1), plane)


def _kept(plane: Plane, threshold: float) -> Plane:
    """Blocks of 8 px without coefficients below a threshold; means are always kept."""
    height, width = plane.shape
    lines = np.ascontiguousarray(plane).reshape(-1, SIDE) @ COSINES.T
    blocks = COSINES @ lines.reshape(height // SIDE, SIDE, width)
    means = blocks[:, 0, ::SIDE].copy()
    blocks *= np.abs(blocks) > np.float32(threshold)
    blocks[:, 0, ::SIDE] = means
    lines = (COSINES.T @ blocks).reshape(-1, SIDE) @ COSINES
    return np.asarray(lines.reshape(height, width))

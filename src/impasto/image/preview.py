"""A small copy of a picture, from which its statistics are taken: only what can be seen counts."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 1024
"""Longer side of a preview, px, unless asked for another."""

FAINT = 1e-3
"""Pixels with less alpha than this are invisible."""


class Preview(NamedTuple):
    """What statistics are taken from."""

    rgb: NDArray[np.float32]
    """(h, w, 3), sRGB-encoded, in [0, 1]."""
    weight: NDArray[np.float32]
    """(h, w): the mean alpha, in [0, 1]."""


def preview(
    rgb: NDArray[np.float32], alpha: NDArray[np.float32] | None = None, side: int = SIDE
) -> Preview:
    """Reduce (H, W, 3) by means of areas, weighted by alpha; smaller pictures keep their size."""
    height, width = rgb.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if alpha is None:
        return Preview(_reduced(rgb, size), np.ones(size[::-1], np.float32))
    weight = _reduced(np.asarray(alpha, np.float32), size)
    if scale == 1:
        return Preview(rgb, weight)
    visible = _reduced(rgb * alpha[..., None], size) / np.maximum(weight, FAINT)[..., None]
    return Preview(visible.clip(0, 1), weight)


def _reduced(picture: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def quantiles(
    values: NDArray[np.float32], weight: NDArray[np.float32], shares: list[float]
) -> list[float]:
    """The values below which these shares of the weight lie; of equal shape; needs some weight."""
    order = np.argsort(values, axis=None)
    grown = np.cumsum(weight.ravel()[order], dtype=np.float64)
    places = np.searchsorted(grown, np.array(shares) * grown[-1]).clip(0, order.size - 1)
    return [float(value) for value in values.ravel()[order[places]]]

"""Lanczos resizing in floating point, sample for sample that of the plain reference."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.image.picture import MIN_SIDE


def fit(width: int, height: int, long_side: int) -> tuple[int, int]:
    """(width, height) of the same shape whose longer side is `long_side`, px.

    Rounded to even at halves, as the reference does; but no side below 16 px, where the reference
    allows 1: VGG-19 has nothing to say about less.
    """
    scale = long_side / max(width, height)
    return max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale))


def resize(rgb: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Lanczos-resize every channel by itself, (H, W, C) in [0, 1] -> (height, width, C) in [0, 1].

    Colours are not weighted by alpha: they are stored unmultiplied, so what lies under transparent
    pixels is a colour like any other, is painted like any other, and cannot darken an edge.
    """
    # Filtering in 0 to 255 rounds as the reference does, which starts from bytes.
    planes = [np.ascontiguousarray(plane) * np.float32(255) for plane in np.moveaxis(rgb, 2, 0)]
    resized = [_resize_plane(plane, width, height) for plane in planes]
    whole: NDArray[np.float32] = np.stack(resized, axis=2) / np.float32(255)
    return whole.clip(0, 1)


def _resize_plane(plane: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Pillow's Lanczos of one channel, (H, W) -> (height, width); it may overshoot."""
    image = Image.fromarray(plane)  # float32 becomes mode F
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))

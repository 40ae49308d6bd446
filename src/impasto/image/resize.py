"""Lanczos resizing in floating point, sample for sample that of the plain reference."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.sizes import scaled

STRIP = 64
"""Rows that pass between NumPy and Pillow together; each passing makes copies."""


def fit(width: int, height: int, long_side: int) -> tuple[int, int]:
    """(width, height) of the same shape whose longer side is `long_side`, px.

    Rounded to even at halves, as the reference does; but no side below 16 px, where the reference
    allows 1: VGG-19 has nothing to say about less.
    """
    return scaled(width, height, long_side / max(width, height))


def resize(rgb: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Lanczos-resize every channel by itself, (H, W, C) in [0, 1] -> (height, width, C) in [0, 1].

    Colours are not weighted by alpha: they are stored unmultiplied, so what lies under transparent
    pixels is a colour like any other, is painted like any other, and cannot darken an edge. Beside
    the result it needs memory for one channel before, one half resized, and one after.
    """
    result = np.empty((height, width, rgb.shape[2]), np.float32)
    for channel in range(rgb.shape[2]):
        _fill(result[:, :, channel], _image(rgb[:, :, channel]))
    return result


def _image(plane: NDArray[np.float32]) -> Image.Image:
    """One channel, (H, W) in [0, 1], as Pillow's floats in 0 to 255.

    Filtering in that range rounds as the reference does, which starts from bytes.
    """
    height, width = plane.shape
    image = Image.new("F", (width, height))
    for top in range(0, height, STRIP):
        strip = plane[top : top + STRIP] * np.float32(255)
        image.paste(Image.fromarray(strip), (0, top))
    return image


def _fill(plane: NDArray[np.float32], image: Image.Image) -> None:
    """Fill a channel, (height, width), with Pillow's Lanczos of an image, which may overshoot."""
    height, width = plane.shape
    resized = image.resize((width, height), Image.Resampling.LANCZOS)
    for top in range(0, height, STRIP):
        bottom = min(top + STRIP, height)
        strip = np.asarray(resized.crop((0, top, width, bottom))) / np.float32(255)
        np.clip(strip, 0, 1, out=plane[top:bottom])

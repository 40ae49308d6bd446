"""Pictures as small as an overview needs them."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.collection.task import THUMBNAIL
from impasto.image.resize import fit, resize
from impasto.image.srgb import to_bits

QUALITY = 80
"""Of the WebP: brushwork is hard to compress, and thousands of these lie in a folder."""


def thumbnail(rgb: NDArray[np.float32]) -> bytes:
    """A picture, (H, W, 3) sRGB in [0, 1], as WebP, its long side `THUMBNAIL` px or less."""
    height, width = rgb.shape[:2]
    if max(height, width) > THUMBNAIL:
        rgb = resize(rgb, *fit(width, height, THUMBNAIL))
    buffer = io.BytesIO()
    Image.fromarray(to_bits(rgb, 8)).save(buffer, "WebP", quality=QUALITY)
    return buffer.getvalue()

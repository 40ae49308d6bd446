"""Pictures as small as an overview needs them, and where they lie in a collection's folder."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.collection.task import THUMBNAIL, Material
from impasto.image.resize import fit, resize
from impasto.image.srgb import to_bits

FOLDER, INPUTS = "thumbnails", "inputs"
"""Of the artworks, and in it that of photos and styles."""

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


def thumbnail_of(name: str) -> str:
    """Where the thumbnail of an artwork lies, relative to the folder, with forward slashes."""
    return f"{FOLDER}/{name}.webp"


def input_thumbnail(material: Material) -> str:
    """Where that of a photo or a style lies; they have the same names in different folders."""
    return f"{FOLDER}/{INPUTS}/{material.sha256[:16]}.webp"

"""A picture in memory, and what of its file travels on to the artwork."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

STANDARD_STREAM = "-"
"""In place of a path: standard input or standard output."""

MM_PER_INCH = 25.4

Source = str | Path | Image.Image | NDArray[Any]
"""A path, `-` for standard input, a Pillow image, or an array of (H, W) or (H, W, 1 to 4)."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is carried from the photo to the artwork.

    The ICC profile is not: pixels are sRGB from reading to writing. EXIF comes without thumbnail
    and with orientation 1, for the pixels are already upright.
    """

    exif: bytes | None = None
    """`Exif\\0\\0` and a TIFF structure."""
    xmp: bytes | None = None
    """A packet of XML in UTF-8."""
    iptc: bytes | None = None
    """IIM records, without the Photoshop block that JPEG wraps around them."""
    dpi: tuple[float, float] | None = None
    """Horizontal and vertical resolution, pixels an inch; `None` where the file names none."""


@dataclass(frozen=True, slots=True, eq=False)
class Indexed:
    """Pixels that point into a palette."""

    indices: NDArray[np.uint8]
    """(H, W)."""
    colours: NDArray[np.uint8]
    """(K, 3), sRGB, K at most 256."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Upright sRGB pixels with where they came from."""

    rgb: NDArray[np.float32]
    """(H, W, 3), sRGB-encoded, in [0, 1]; not multiplied by alpha."""
    alpha: NDArray[np.float32] | None
    """(H, W) in [0, 1], 0 transparent; `None` for an opaque picture."""
    metadata: Metadata
    name: str
    """The file's name without folder and ending."""
    sha256: str
    """Of the file's bytes; of type, shape and samples where there is no file."""
    file_size: int | None = None
    """Bytes of the file, if there is one."""
    indexed: Indexed | None = None
    """The same colours as a palette, for files that hold one."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), px."""
        height, width = self.rgb.shape[:2]
        return width, height


def over_grey(rgb: NDArray[np.float32], alpha: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """A picture before a middle grey, (H, W, 3) with (H, W): what is hidden shows no colour."""
    if alpha is None:
        return rgb
    grey = np.float32(0.5)
    return (rgb - grey) * alpha[:, :, None] + grey

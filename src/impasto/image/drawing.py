"""The canvas of the style pictures that are drawn by code: its size, its grain, its reduction.

Drawings are made in units of their side. The canvas has one size whatever the picture's, for pens
and joints have a width on it: so thin lines come out clean, and the composition, its colours and
the memory that it needs are the same at every size.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.floating[Any]]

SIDE = 1536
"""Of the canvas, px: twice that of the usual picture."""


def picture(canvas: Floats, size: int) -> NDArray[np.uint8]:
    """Resize a canvas, (SIDE, SIDE, 3) in [0, 1], with Lanczos's filter -> (size, size, 3)."""
    pixels = np.round(canvas.clip(0, 1) * 255).astype(np.uint8)
    resized = Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS)
    return np.asarray(resized, np.uint8)


def grain(cells: int, seed: int) -> NDArray[np.float32]:
    """Smooth noise about 0 of deviation below 1, with `cells` values a side, (SIDE, SIDE)."""
    noise = np.random.default_rng(seed).standard_normal((cells, cells), np.float32)
    smooth = Image.fromarray(noise).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(smooth, np.float32)

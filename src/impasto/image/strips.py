"""Pixelwise work on all cores, a strip of rows at a time.

NumPy lets go of the interpreter while it computes, so threads share the work. A strip's
intermediates stay in the processor's cache, and a large picture needs little memory beyond its
result. Strips do not depend on the number of cores, so neither do the pixels.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIXELS = 2**15
"""Of a strip, about; measured: a dozen planes of them fit in the cache."""


def by_strips(
    function: Callable[[int, int], NDArray[Any]], height: int, width: int, bands: int = 3
) -> NDArray[np.float32]:
    """Join what `function(top, bottom)` makes of rows top to bottom - 1, -> (H, W, bands).

    It is called from several threads at once and returns (bottom - top, W, bands).
    """
    whole = np.empty((height, width, bands), np.float32)
    rows = max(1, PIXELS // width)

    def fill(top: int) -> None:
        bottom = min(top + rows, height)
        whole[top:bottom] = function(top, bottom)

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(fill, range(0, height, rows)))  # list() passes errors on
    return whole


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - macOS and Windows

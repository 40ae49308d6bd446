"""Work on all cores, a tile of the picture at a time.

NumPy lets go of the interpreter while it computes, so threads share the work. A tile's
intermediates stay in the processor's cache, and a large picture needs little memory beyond its
result. Tiles do not depend on the number of cores, so neither do the pixels.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.threads import processors

SIDE = 176
"""Of a tile, px: for larger ones, BLAS multiplies colours by threads of its own, in our way."""


class Tile(NamedTuple):
    """Rows top to bottom - 1, columns left to right - 1."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area(self) -> tuple[slice, slice]:
        """What cuts the tile out of a picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by: int, height: int, width: int) -> "Tile":
        """With so many pixels more on each side, as far as the picture goes."""
        return Tile(
            max(0, self.top - by),
            min(height, self.bottom + by),
            max(0, self.left - by),
            min(width, self.right + by),
        )

    def inside(self, larger: "Tile") -> tuple[slice, slice]:
        """What cuts the tile out of a larger one."""
        top, left = self.top - larger.top, self.left - larger.left
        return (
            slice(top, top + self.bottom - self.top),
            slice(left, left + self.right - self.left),
        )


def by_tiles(
    function: Callable[[Tile], NDArray[Any]], height: int, width: int, bands: int = 3
) -> NDArray[np.float32]:
    """Join what `function` makes of each tile, its (rows, columns, bands), -> (H, W, bands).

    It is called from several threads at once.
    """
    whole = np.empty((height, width, bands), np.float32)

    def fill(tile: Tile) -> None:
        whole[tile.area] = function(tile)

    tiles = [
        Tile(top, min(top + SIDE, height), left, min(left + SIDE, width))
        for top in range(0, height, SIDE)
        for left in range(0, width, SIDE)
    ]
    with ThreadPoolExecutor(processors()) as pool:
        list(pool.map(fill, tiles))  # list() passes errors on
    return whole

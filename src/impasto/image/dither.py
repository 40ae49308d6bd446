"""Dithering: colours between those of a palette, shown by mixing its dots.

The eye mixes light, so errors are kept in linear light: with a palette of pure colours, diffusing
what the file holds makes a picture too bright, its mean up to 0.2 of full light off. Which colour
comes next is decided by distances in sRGB; measured behind a blur, those of OKLab and of linear
light show more noise, or leave larger errors than their neighbours can make good.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from impasto.image.color import encoded
from impasto.image.histogram import COLOURS, Codes, codes_of, colours_of
from impasto.image.metric import light_of_bytes, points
from impasto.image.nearest import nearest
from impasto.image.srgb import to_bits

LEVELS = 1 << 14
"""Of linear light, when it is coded as 8 bits again: twenty times finer than their first step."""

UP_LEFT, UP, UP_RIGHT, LEFT = (np.float32(parts / 16) for parts in (1, 5, 3, 7))
"""Shares of the neighbours' errors that a pixel takes over (Floyd and Steinberg 1976)."""

Floats = NDArray[np.float32]


def bytes_of_light() -> NDArray[np.uint8]:
    """The 8-bit value of linear light in steps of 1 / LEVELS, (LEVELS + 1,)."""
    light = np.arange(LEVELS + 1, dtype=np.float32) / np.float32(LEVELS)
    return to_bits(encoded(light), 8).astype(np.uint8)


def most_error(light: Floats) -> np.float32:
    """The longest error that is passed on: from a colour of the palette to its loneliest neighbour.

    **Departure**: Floyd and Steinberg pass on all. Where a picture leaves the palette's colours,
    errors would then grow without end and smear over what follows.
    """
    if len(light) < 2:
        return np.float32(0)
    return np.float32(KDTree(light).query(light, k=2)[0][:, 1].max())


class Memory:
    """The nearest colour of a palette in sRGB, looked for once for each colour that comes up."""

    def __init__(self, palette: NDArray[np.uint8]) -> None:
        self._palette = points(palette, "srgb")
        self._table = np.full(COLOURS, -1, np.int16)

    def __call__(self, codes: Codes) -> NDArray[np.int16]:
        """Find the nearest of each colour, (N,) -> indices (N,)."""
        indices = self._table.take(codes)
        new = np.flatnonzero(indices < 0)
        if len(new):
            found = nearest(points(colours_of(codes[new]), "srgb"), self._palette)
            indices[new] = self._table[codes[new]] = found
        return indices


def floyd_steinberg(
    codes: Codes, palette: NDArray[np.uint8], visible: NDArray[np.bool_] | None
) -> NDArray[np.uint8]:
    """Dither, (H, W) with a palette (K, 3) -> indices (H, W); pixels not visible pass no error on.

    Error diffusion from left to right and from top to bottom (Floyd and Steinberg 1976). All pixels
    of equal x + 2 y depend on earlier ones only, so each such diagonal is one step of arrays: the
    result is that of the serial loop, bit for bit. Errors of the last three diagonals are kept, one
    row for each y, and one above the picture.
    """
    height, width = codes.shape
    flat, shown = codes.ravel(), None if visible is None else visible.ravel()
    to_light, to_bytes, memory = light_of_bytes(), bytes_of_light(), Memory(palette)
    # Blue, green, red and 0, as the bytes of a code lie.
    colours = to_light[codes_of(palette).view(np.uint8).reshape(-1, 4)]
    limit = most_error(colours)
    errors = np.zeros((4, height + 1, 4), np.float32)
    indices = np.zeros(height * width, np.uint8)
    starts = np.arange(height) * (width - 2)
    for diagonal in range(width + 2 * (height - 1)):
        top, end = max(0, (diagonal - width + 2) // 2), min(height, diagonal // 2 + 1)
        here = diagonal + starts[top:end]
        third, second, last = (errors[(diagonal - back) % 4] for back in (3, 2, 1))
        received = UP_LEFT * third[top:end]
        received += UP * second[top:end]
        received += UP_RIGHT * last[top:end]
        received += LEFT * last[top + 1 : end + 1]
        wanted = to_light.take(flat.take(here).view(np.uint8)).reshape(-1, 4)
        wanted += received
        levels = wanted.clip(0, 1) * np.float32(LEVELS) + np.float32(0.5)
        chosen = memory(to_bytes.take(levels.astype(np.int32)).view("<u4")[:, 0])
        indices[here] = chosen
        error = bounded(wanted - colours[chosen], limit)
        if shown is not None:
            error *= shown[here, None]
        errors[diagonal % 4] = 0
        errors[diagonal % 4, top + 1 : end + 1] = error
    return indices.reshape(height, width)


def bounded(error: Floats, limit: np.float32) -> Floats:
    """Shorten errors (N, 4) to a length."""
    squares = np.einsum("ij,ij->i", error, error)
    over = squares > limit * limit
    if over.any():
        error[over] *= limit / np.sqrt(squares[over, None])
    return error

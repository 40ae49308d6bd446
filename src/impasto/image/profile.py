"""ICC profiles made of one curve a channel and, for RGB, one matrix: those of cameras and screens.

libvips converts these through a coarse table, off by several steps of 8 bits near black and near
the gamut's edge; in closed form nothing of 16 bits is lost. ICC.1:2010, sections 7 and 10.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

CHANNELS = {b"RGB ": (b"r", b"g", b"b"), b"GRAY": (b"k",)}
"""{colour space: the first letters of its channels' tags}."""

TABLES = (b"A2B0", b"A2B1", b"D2B0", b"D2B1")
"""Tags that take precedence over curves and matrix."""

PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers each type of parametric curve has."""


@dataclass(frozen=True, slots=True, eq=False)
class Shaper:
    """A profile as numbers."""

    curves: tuple[bytes, ...]
    """A channel's `curv` or `para` element each."""
    matrix: Floats | None
    """(3, 3), linear RGB to XYZ under D50; `None` for grey."""

    def tables(self, codes: int) -> list[NDArray[np.float32]]:
        """A channel's linear light, 1 is white, for every code from 0 to `codes` - 1 each."""
        scale = np.linspace(0, 1, codes)
        return [_curve(curve, scale).astype(np.float32) for curve in self.curves]


def shaper(profile: bytes) -> Shaper | None:
    """The profile's curves and matrix; `None` for one of another make, and for a damaged one."""
    try:
        letters = CHANNELS[profile[16:20]]
        tags = _tags(profile)
        if any(table in tags for table in TABLES):
            return None
        curves = tuple(tags[letter + b"TRC"] for letter in letters)
        for curve in curves:
            _curve(curve, np.zeros(1))  # fails now rather than on the pixels
        matrix = None
        if len(letters) == 3:
            matrix = np.array([_xyz(tags[letter + b"XYZ"]) for letter in letters]).T
        return Shaper(curves, matrix)
    except (KeyError, ValueError, struct.error, ZeroDivisionError):
        return None


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """{signature: element}."""
    (count,) = struct.unpack_from(">I", profile, 128)
    entries = (struct.unpack_from(">4sII", profile, 132 + 12 * i) for i in range(min(count, 100)))
    return {signature: profile[at : at + size] for signature, at, size in entries}


def _xyz(element: bytes) -> tuple[float, ...]:
    """Three numbers of 16.16 bits."""
    return tuple(value / 65536 for value in struct.unpack_from(">3i", element, 8))


def _curve(element: bytes, x: Floats) -> Floats:
    """Linear light of encoded `x`, both in [0, 1]."""
    kind = element[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", element, 8)
        if count == 0:
            return x
        values = np.array(struct.unpack_from(f">{count}H", element, 12))
        if count == 1:
            return np.asarray(x ** (values[0] / 256))
        return np.interp(x, np.linspace(0, 1, count), values / 65535)
    if kind == b"para":
        (form,) = struct.unpack_from(">H", element, 8)
        if form >= len(PARAMETERS):
            raise ValueError(f"no parametric curve {form}")
        numbers = struct.unpack_from(f">{PARAMETERS[form]}i", element, 12)
        return _parametric(form, [number / 65536 for number in numbers], x)
    raise ValueError(f"no curve of kind {kind!r}")


def _parametric(form: int, numbers: list[float], x: Floats) -> Floats:
    """(a x + b)^g + e from d on, c x + f below: all five types are cases of it (table 65)."""
    g, a, b, c, d, e, f = (numbers + [1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(numbers) - 1 :])[:7]
    if form in {1, 2}:
        e = f = c if form == 2 else 0.0
        c, d = 0.0, -b / a
    power = np.maximum(a * x + b, 0) ** g + e
    return np.clip(np.where(x >= d, power, c * x + f), 0, 1)

"""Colour spaces: between sRGB as files code it, linear light, OKLab and CIE L*a*b*.

Functions work on arrays (..., 3) of float32 and keep their shape. Nothing is clipped: colours
outside sRGB keep their sign, so that what a function does another can undo.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]
"""(..., 3)."""

Space = Literal["oklab", "lab", "srgb", "linear"]

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
"""Linear sRGB to the cone responses of OKLab (Ottosson 2020); rows sum to 1."""

TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
"""Cube roots of cone responses to OKLab (Ottosson 2020)."""

TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Linear sRGB to CIE XYZ under D65 (IEC 61966-2-1)."""

WHITE = TO_XYZ.sum(axis=1)
"""XYZ of sRGB's white."""

# As rows of colours are multiplied from the right, in float32.
_LIGHT_TO_CONES = TO_CONES.T.astype(np.float32)
_CONES_TO_LIGHT = np.linalg.inv(TO_CONES).T.astype(np.float32)
_CONES_TO_OKLAB = TO_OKLAB.T.astype(np.float32)
_OKLAB_TO_CONES = np.linalg.inv(TO_OKLAB).T.astype(np.float32)
_LIGHT_TO_RATIOS = (TO_XYZ.T / WHITE).astype(np.float32)
_RATIOS_TO_LIGHT = np.linalg.inv(TO_XYZ.T / WHITE).astype(np.float32)

KNEE = (6 / 29) ** 3
"""Of CIE L*a*b*: below it the cube root becomes a straight line."""


def decoded(srgb: Colours) -> Colours:
    """Linear light of sRGB-coded values (IEC 61966-2-1), [0, 1] to [0, 1]."""
    size = np.abs(srgb)
    power = ((size + np.float32(0.055)) / np.float32(1.055)) ** np.float32(2.4)
    return np.copysign(np.where(size <= 0.04045, size / np.float32(12.92), power), srgb)


def encoded(light: Colours) -> Colours:
    """Linear light as sRGB codes it (IEC 61966-2-1), [0, 1] to [0, 1]."""
    size = np.abs(light)
    power = np.float32(1.055) * size ** np.float32(1 / 2.4) - np.float32(0.055)
    return np.copysign(np.where(size <= 0.0031308, size * np.float32(12.92), power), light)


def light_to_oklab(light: Colours) -> Colours:
    """Linear sRGB -> (L, a, b): L in [0, 1], a and b within about ±0.4 (Ottosson 2020)."""
    cones = np.cbrt(light @ _LIGHT_TO_CONES)
    return np.asarray(cones @ _CONES_TO_OKLAB)


def oklab_to_light(oklab: Colours) -> Colours:
    """(L, a, b) -> linear sRGB; outside [0, 1] where sRGB has no such colour."""
    cones = oklab @ _OKLAB_TO_CONES
    return np.asarray((cones * cones * cones) @ _CONES_TO_LIGHT)


def light_to_lab(light: Colours) -> Colours:
    """Linear sRGB -> CIE (L*, a*, b*) under D65: L* in [0, 100], a* and b* within about ±110."""
    ratios = light @ _LIGHT_TO_RATIOS
    line = ratios * np.float32(841 / 108) + np.float32(4 / 29)
    roots = np.where(ratios > KNEE, np.cbrt(ratios), line)
    x, y, z = roots[..., 0], roots[..., 1], roots[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_light(lab: Colours) -> Colours:
    """CIE (L*, a*, b*) under D65 -> linear sRGB; outside [0, 1] where sRGB has no such colour."""
    y = (lab[..., 0] + 16) / 116
    roots = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    line = (roots - np.float32(4 / 29)) * np.float32(108 / 841)
    ratios = np.where(roots > 6 / 29, roots * roots * roots, line)
    return np.asarray(ratios @ _RATIOS_TO_LIGHT)


def srgb_to_oklab(srgb: Colours) -> Colours:
    """sRGB-coded values -> OKLab."""
    return light_to_oklab(decoded(srgb))


def oklab_to_srgb(oklab: Colours) -> Colours:
    """OKLab -> sRGB-coded values, outside [0, 1] where sRGB has no such colour."""
    return encoded(oklab_to_light(oklab))


class Coordinates(NamedTuple):
    """A space in which distances between colours are taken."""

    of: Callable[[Colours], Colours]
    """From sRGB-coded values."""
    back: Callable[[Colours], Colours]
    """To sRGB-coded values."""


def _same(colours: Colours) -> Colours:
    return colours


def _srgb_to_lab(srgb: Colours) -> Colours:
    return light_to_lab(decoded(srgb))


def _lab_to_srgb(lab: Colours) -> Colours:
    return encoded(lab_to_light(lab))


SPACES: dict[Space, Coordinates] = {
    "oklab": Coordinates(srgb_to_oklab, oklab_to_srgb),
    "lab": Coordinates(_srgb_to_lab, _lab_to_srgb),
    "srgb": Coordinates(_same, _same),
    "linear": Coordinates(decoded, encoded),
}

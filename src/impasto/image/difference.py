"""How far a picture is from another, in two numbers."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000

from impasto.image.color import SPACES
from impasto.image.srgb import to_unit

Bytes = NDArray[np.uint8]

CHUNK = 1 << 14
"""Colours that are compared together; their intermediates stay in the processor's cache."""


class Difference(NamedTuple):
    """Of a picture from the original."""

    psnr: float
    """Peak signal-to-noise ratio of the 8-bit sRGB values, dB; infinite where nothing differs."""
    ciede2000: float
    """Mean colour difference, CIEDE2000 (Sharma, Wu and Dalal 2005): about 1 is just visible."""


def difference(original: Bytes, other: Bytes, weights: NDArray[np.float64]) -> Difference:
    """Compare colours (N, 3), sRGB, each pair with its weight (N,)."""
    return Difference(psnr(original, other, weights), ciede2000(original, other, weights))


def psnr(original: Bytes, other: Bytes, weights: NDArray[np.float64]) -> float:
    """10 log10(255² / mean square of the differences), over pixels and channels, dB."""
    total = 0.0
    for start in range(0, len(original), CHUNK):
        part = slice(start, start + CHUNK)
        gap = original[part].astype(np.int32) - other[part]
        total += float(np.einsum("ij,ij->i", gap, gap) @ weights[part])
    mean = total / (3 * float(weights.sum()))
    return math.inf if mean == 0 else 10 * math.log10(255**2 / mean)


def ciede2000(original: Bytes, other: Bytes, weights: NDArray[np.float64]) -> float:
    """The weighted mean of CIEDE2000."""
    to_lab = SPACES["lab"].of
    total = 0.0
    for start in range(0, len(original), CHUNK):
        part = slice(start, start + CHUNK)
        lab, other_lab = (to_lab(to_unit(side[part])) for side in (original, other))
        total += float(deltaE_ciede2000(lab, other_lab) @ weights[part])  # type: ignore[no-untyped-call]
    return total / float(weights.sum())

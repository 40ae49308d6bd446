"""Saturation and vibrance: OKLab's chroma is scaled, hue and lightness stay."""

import numpy as np
from numpy.typing import NDArray

from impasto.image.color import Colours

Plane = NDArray[np.float32]

FULL = 0.2
"""Chroma that vibrance takes for saturated; sRGB's primaries have 0.25 to 0.32."""

SKIN_HUE, SKIN_WIDTH = 52.0, 16.0
"""Middle and deviation of the hues of skin in OKLab, degrees."""

SKIN_CHROMA = 0.03, 0.16
"""Between which chroma is skin's."""

PROTECTION = 0.75
"""Share of vibrance that skin is spared."""


def vivid(oklab: Colours, vibrance: float, saturation: float) -> Colours:
    """Scale the chroma of OKLab colours (..., 3); both strengths in [-1, 1]."""
    if not vibrance and not saturation:
        return oklab
    a, b = oklab[..., 1], oklab[..., 2]
    factor: Plane | np.float32 = np.float32(1 + saturation)
    if vibrance:
        chroma = np.sqrt(a * a + b * b)
        muted = 1 / (1 + (chroma / np.float32(FULL)) ** 4)
        spared = 1 - np.float32(PROTECTION) * skin(a, b, chroma)
        factor = factor * (1 + np.float32(vibrance) * muted * spared)
    return np.stack([oklab[..., 0], a * factor, b * factor], axis=-1)


def skin(a: Plane, b: Plane, chroma: Plane) -> Plane:
    """How much a colour looks like skin, 0 to 1; of light and dark skin alike, for hues agree."""
    middle, width = np.radians(SKIN_HUE), np.radians(SKIN_WIDTH)
    along = a * np.float32(np.cos(middle)) + b * np.float32(np.sin(middle))
    cosine = along / np.maximum(chroma, np.float32(1e-6))
    near = np.exp((cosine - 1) / np.float32(width * width))  # as von Mises's distribution
    low, high = map(np.float32, SKIN_CHROMA)
    enough = chroma * chroma / (chroma * chroma + low * low)
    return np.asarray(near * enough / (1 + (chroma / high) ** 6))

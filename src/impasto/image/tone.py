"""Tone curves on lightness: functions of OKLab's L alone, [0, 1] to [0, 1], strictly increasing."""

import numpy as np
from numpy.typing import NDArray

from impasto.image.color import Colours, srgb_to_oklab
from impasto.image.preview import Preview, quantiles

Plane = NDArray[np.float32]

SHARES = 0.003, 0.997
"""Of the pixels: what lies outside is not what a picture's range is judged by."""

FURTHEST = 0.25
"""Ends beyond this are not stretched further: a picture of fog stays one."""

SOFTNESS = 0.12
"""Slope of a curve's end, next to that of its middle."""

BLACK = np.float32(0.05)
"""Lightness added below a quotient, so that chroma does not explode where there is no light."""


def ends(small: Preview) -> tuple[float, float]:
    """Where a picture's lightness begins, and how far below 1 it ends; each 0 to 0.25."""
    if not small.weight.any():
        return 0.0, 0.0
    lightness = srgb_to_oklab(small.rgb)[..., 0]
    low, high = quantiles(lightness, small.weight, list(SHARES))
    return min(max(low, 0.0), FURTHEST), min(max(1 - high, 0.0), FURTHEST)


def levelled(lightness: Plane, below: float, above: float) -> Plane:
    """Stretch lightness so that `below` comes near 0 and 1 - `above` near 1, with soft ends."""
    if above:
        lightness = 1 - _stretched(1 - lightness, above)
    if below:
        lightness = _stretched(lightness, below)
    return lightness


def _stretched(values: Plane, below: float) -> Plane:
    """Lower values by `below`, along a hyperbola through (0, 0) and (1, 1)."""
    start, bend = np.float32(below), np.float32(4 * SOFTNESS * below)
    moved = values - start
    # The larger root of y² - moved·y - bend/4·x = 0; written so that small values do not cancel.
    root = np.sqrt(moved * moved + bend * values)
    low = np.float32(0.5) * bend * values / np.maximum(root - moved, np.float32(1e-12))
    curve = np.where(moved > 0, np.float32(0.5) * (moved + root), low)
    top = 0.5 * ((1 - below) + ((1 - below) ** 2 + 4 * SOFTNESS * below) ** 0.5)
    return np.asarray(np.minimum(curve / np.float32(top), 1))


def brightened(lightness: Plane, gamma: float) -> Plane:
    """Lightness to the power 1 / gamma: above 1 brightens the midtones, ends stay."""
    return lightness if gamma == 1 else np.asarray(lightness ** np.float32(1 / gamma))


def relit(oklab: Colours, lightness: Plane) -> Colours:
    """Give colours (H, W, 3) a new lightness (H, W), with chroma in proportion, as light would."""
    change = (lightness + BLACK) / (oklab[..., 0] + BLACK)
    return np.stack([lightness, oklab[..., 1] * change, oklab[..., 2] * change], axis=-1)

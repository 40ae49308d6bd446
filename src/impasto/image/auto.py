"""What `--auto` chooses for a picture: little, and less the better the picture is already."""

import numpy as np
from numpy.typing import NDArray

from impasto.filter_settings import EnhanceSettings
from impasto.image.cast import automatic_gains
from impasto.image.color import decoded, encoded, light_to_oklab
from impasto.image.denoise import OPPONENTS
from impasto.image.noise import deviations
from impasto.image.preview import Preview, preview, quantiles
from impasto.image.tone import ends, levelled
from impasto.image.white_balance import balanced, weakened

Picture = NDArray[np.float32]
Plane = NDArray[np.float32]

WHITE_BALANCE = 0.7
"""Of the cast that is believed: a little of the light's mood stays."""

LEVELS = 0.7

RANGE = 0.02, 0.1
"""Unused lightness at both ends below which it is left, and from which LEVELS acts wholly."""

NIGHT, DUSK, DAY = 0.22, 0.38, 0.58
"""Median lightness: below the first a picture is meant to be dark, from the last on bright
enough; most is done for those at the second."""

GAMMA = 0.12
"""Added for a picture at DUSK."""

HELD = 0.8
"""Share of the median lightness's change by levels that gamma takes back."""

LOCAL_CONTRAST = 0.25
"""Of a picture without contrast."""

CONTRASTY = 0.7
"""Lightness from the 5th to the 95th percentile that needs no more contrast."""

VIBRANCE = 0.3
"""Of a grey picture."""

COLOURFUL = 0.12
"""Mean chroma that needs no more."""

SHARPEN = 0.3
"""Without noise."""

CLEAN, NOISY = 0.012, 0.05
"""Deviation of the noise below which none is removed, and at which DENOISE is."""

DENOISE = 0.8


def auto(rgb: Picture, alpha: Plane | None = None) -> EnhanceSettings:
    """Strengths for a picture (H, W, 3), of which what alpha (H, W) shows counts.

    Each is judged on the picture as the steps before it leave it; two decimals are kept.
    """
    small = preview(rgb, alpha)
    if not small.weight.any():
        return EnhanceSettings()
    gains = weakened(automatic_gains(rgb, alpha), WHITE_BALANCE)
    light = balanced(decoded(small.rgb), gains)
    below, above = ends(Preview(encoded(light), small.weight))
    oklab = light_to_oklab(light)
    before = oklab[..., 0].clip(0, 1)
    strength = LEVELS * _between(below + above, *RANGE)
    lightness = levelled(before, strength * below, strength * above)
    low, middle, high = quantiles(lightness, small.weight, [0.05, 0.5, 0.95])
    (usual,) = quantiles(before, small.weight, [0.5])
    chroma = float(np.average(np.hypot(oklab[..., 1], oklab[..., 2]), weights=small.weight))
    noise = float(deviations(rgb, OPPONENTS, alpha).min())  # texture has no colour, noise has
    dark = _between(middle, NIGHT / 2, NIGHT)
    return EnhanceSettings(
        white_balance=WHITE_BALANCE if np.abs(gains - 1).max() > 0.01 else 0.0,
        levels=round(strength, 2),
        gamma=round(_held(usual, middle) + GAMMA * _dusk(usual), 2),
        local_contrast=round(LOCAL_CONTRAST * _lack(high - low, CONTRASTY) * dark, 2),
        vibrance=round(VIBRANCE * _lack(chroma, COLOURFUL), 2),
        sharpen=round(SHARPEN * (1 - _between(noise, CLEAN, NOISY)), 2),
        denoise=round(DENOISE * _between(noise, CLEAN, NOISY), 2),
    )


def _between(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high` on, straight between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _lack(value: float, enough: float) -> float:
    """1 where there is nothing, 0 where there is enough."""
    return 1 - _between(value, 0, enough)


def _held(before: float, after: float) -> float:
    """The gamma that takes back most of what levels did to the median lightness; 0.8 to 1.25."""
    if not (0.01 < before < 0.99 and 0.01 < after < 0.99):
        return 1.0
    return float(np.clip((np.log(after) / np.log(before)) ** HELD, 0.8, 1.25))


def _dusk(middle: float) -> float:
    """1 for a picture at DUSK, falling to 0 at night and by day."""
    return min(_between(middle, NIGHT, DUSK), 1 - _between(middle, DUSK, DAY))

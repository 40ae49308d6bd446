"""What `--auto` chooses for a picture: little, and less the better the picture is already."""

import numpy as np
from numpy.typing import NDArray

from impasto.filter_settings import EnhanceSettings
from impasto.image.adjust import gains_of
from impasto.image.color import decoded, encoded, light_to_oklab
from impasto.image.denoise import OPPONENTS
from impasto.image.noise import deviations
from impasto.image.preview import Preview, preview, quantiles
from impasto.image.tone import ends, levelled
from impasto.image.white_balance import balanced

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

GREY = 0.002, 0.01
"""Mean chroma below which a picture is grey, and from which on it is not."""

FLAT = 0.02
"""Lightness from the 1st to the 99th percentile below which there is nothing to see."""

SHARPEN = 0.3
"""Without noise."""

CLEAN, NOISY = 0.012, 0.05
"""Deviation of the noise below which none is removed, and at which DENOISE is."""

DENOISE = 0.8

NOTHING = EnhanceSettings()


def auto(
    rgb: Picture, alpha: Plane | None = None, given: EnhanceSettings = NOTHING
) -> EnhanceSettings:
    """Strengths for a picture (H, W, 3), of which what alpha (H, W) shows counts.

    Each is judged on the picture as the steps before it leave it; two decimals are kept. The
    fields that were set in `given` stay as they are, and what follows is judged by them. A picture
    that has taken another's colours keeps its white balance, and a flat one is left alone.
    """
    fixed = {name: getattr(given, name) for name in given.model_fields_set - {"auto"}}
    small = preview(rgb, alpha)
    if not small.weight.any():
        return EnhanceSettings.checked(fixed)
    own_light = given.match is None and given.like_photo is None and given.neutral is None
    balance = {"white_balance": WHITE_BALANCE if own_light else 0.0, **fixed}
    gains = gains_of(rgb, EnhanceSettings.checked(balance), alpha)
    light = balanced(decoded(small.rgb), gains)
    below, above = ends(Preview(encoded(light), small.weight))
    oklab = light_to_oklab(light)
    before = oklab[..., 0].clip(0, 1)
    dark, bright = quantiles(before, small.weight, [0.01, 0.99])
    if bright - dark < FLAT:
        return EnhanceSettings.checked(fixed)
    strength = fixed.get("levels", LEVELS * _between(below + above, *RANGE))
    lightness = levelled(before, strength * below, strength * above)
    low, middle, high = quantiles(lightness, small.weight, [0.05, 0.5, 0.95])
    (usual,) = quantiles(before, small.weight, [0.5])
    chroma = float(np.average(np.hypot(oklab[..., 1], oklab[..., 2]), weights=small.weight))
    noise = float(deviations(rgb, OPPONENTS, alpha).min())  # texture has no colour, noise has
    contrast = LOCAL_CONTRAST * _lack(high - low, CONTRASTY) * _between(middle, NIGHT / 2, NIGHT)
    chosen = {
        "white_balance": WHITE_BALANCE if own_light and np.abs(gains - 1).max() > 0.01 else 0.0,
        "levels": round(strength, 2),
        "gamma": round(_held(usual, middle) + GAMMA * _dusk(usual), 2),
        "local_contrast": round(contrast, 2),
        "vibrance": round(VIBRANCE * _lack(chroma, COLOURFUL) * _between(chroma, *GREY), 2),
        "sharpen": round(SHARPEN * (1 - _between(noise, CLEAN, NOISY)), 2),
        "denoise": round(DENOISE * _between(noise, CLEAN, NOISY), 2),
    }
    return EnhanceSettings.checked(chosen | fixed)


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

"""Enhancement: which steps a picture takes, in which order.

Noise goes first, while it is still what the camera made. Then come colours from elsewhere, so that
all later steps act on them; the cast, before anything is judged by lightness; the range, the
midtones and the parts of lightness, from coarse to fine; chroma, which depends on lightness; and
detail last, so that nothing later exaggerates it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impasto.filter_settings import EnhanceSettings, rgb_of
from impasto.image.cast import automatic_gains
from impasto.image.chroma import vivid
from impasto.image.color import decoded, encoded, light_to_oklab
from impasto.image.denoise import denoised
from impasto.image.gamut import contained, inside, origin_of
from impasto.image.local_contrast import Curves, contrasted, curves
from impasto.image.noise import deviations
from impasto.image.preview import Preview, preview
from impasto.image.sharpen import HALO, sharpened
from impasto.image.tiles import Tile, by_tiles
from impasto.image.tone import brightened, ends, levelled, relit
from impasto.image.transfer import matched, recoloured
from impasto.image.white_balance import Gains, balanced, gains_for, weakened

Picture = NDArray[np.float32]
"""(H, W, 3), sRGB-encoded, in [0, 1]."""
Plane = NDArray[np.float32]

MEAN = np.full((1, 3), 1 / 3, np.float32)
"""Of the three channels: near enough to lightness to know its noise."""


@dataclass(frozen=True)
class Correction:
    """What the last pass does to each pixel, measured on the picture beforehand."""

    gains: Gains
    below: float
    above: float
    gamma: float
    tables: Curves | None
    local_contrast: float
    vibrance: float
    saturation: float
    sharpen: float
    noise: float


def enhance(
    rgb: Picture,
    settings: EnhanceSettings,
    *,
    alpha: Plane | None = None,
    match: Picture | None = None,
    photo: Picture | None = None,
) -> Picture:
    """Carry out the strengths in `settings`; `auto` itself is resolved by `auto.auto` before.

    `match` and `photo` are the pictures that the settings of these names point to. With every
    strength at zero the input itself is returned. Statistics count visible pixels only. A pixel
    inside (0, 1) in all channels stays inside.
    """
    grey = _is_grey(rgb)
    rgb = denoised(rgb, settings.denoise, alpha)
    if grey:
        rgb = np.repeat(rgb[..., :1], 3, axis=2) if settings.denoise else rgb
    if match is not None:
        rgb = matched(rgb, match, alpha)
    if photo is not None:
        rgb = recoloured(rgb, photo)
    if not acts(settings):
        return rgb
    return corrected(rgb, measured(rgb, settings, alpha), alpha)


def acts(settings: EnhanceSettings) -> bool:
    """Whether the last pass has anything to do."""
    tones = settings.levels or settings.gamma != 1 or settings.local_contrast
    colours = settings.white_balance or settings.neutral or settings.vibrance or settings.saturation
    return bool(tones or colours or settings.sharpen)


def measured(rgb: Picture, settings: EnhanceSettings, alpha: Plane | None = None) -> Correction:
    """Take each step on a preview to measure what the next one needs."""
    small = preview(rgb, alpha)
    gains = gains_of(rgb, settings, alpha)
    light = balanced(decoded(small.rgb), gains)
    below, above = ends(Preview(encoded(light), small.weight)) if settings.levels else (0.0, 0.0)
    below, above = below * settings.levels, above * settings.levels
    tables = None
    if settings.local_contrast:
        lightness = levelled(light_to_oklab(light)[..., 0], below, above)
        tables = curves(brightened(lightness, settings.gamma), small.weight)
    noise = float(deviations(rgb, MEAN, alpha)[0]) if settings.sharpen else 0.0
    return Correction(
        gains,
        below,
        above,
        settings.gamma,
        tables,
        settings.local_contrast,
        settings.vibrance,
        settings.saturation,
        settings.sharpen,
        noise,
    )


def gains_of(rgb: Picture, settings: EnhanceSettings, alpha: Plane | None) -> Gains:
    """The white balance asked for; a named neutral colour is believed wholly."""
    if settings.neutral is not None:
        return gains_for(rgb_of(settings.neutral))
    if not settings.white_balance:
        return np.ones(3, np.float32)
    return weakened(automatic_gains(rgb, alpha), settings.white_balance)


def corrected(rgb: Picture, correction: Correction, alpha: Plane | None = None) -> Picture:
    """The last pass: white balance, tone, chroma, detail."""
    height, width = rgb.shape[:2]
    beside = HALO if correction.sharpen else 0
    grey = bool((correction.gains == 1).all()) and _is_grey(rgb)

    def correct(tile: Tile) -> Picture:
        larger = tile.grown(beside, height, width)
        inner = tile.inside(larger)
        light = balanced(decoded(rgb[larger.area]), correction.gains)
        oklab, origin = origin_of(light)
        lightness = _toned(oklab[..., 0], correction, larger, (height, width))
        weight = None if alpha is None else alpha[larger.area]
        lightness = sharpened(lightness, correction.sharpen, correction.noise, weight)[inner]
        if grey:
            plane = encoded(lightness**3)[..., None]
            return inside(np.repeat(plane, 3, axis=2), rgb[tile.area])
        colours = relit(oklab[inner], lightness)
        colours = vivid(colours, correction.vibrance, correction.saturation)
        return inside(encoded(contained(colours, origin[inner])), rgb[tile.area])

    return by_tiles(correct, height, width)


def _toned(lightness: Plane, correction: Correction, tile: Tile, size: tuple[int, int]) -> Plane:
    """New lightness of a tile of a picture of `size` (height, width)."""
    lightness = lightness.clip(0, 1)  # white is 1 but for rounding
    lightness = levelled(lightness, correction.below, correction.above)
    lightness = brightened(lightness, correction.gamma)
    if correction.tables is not None:
        strength = correction.local_contrast
        lightness = contrasted(lightness, correction.tables, strength, tile, size)
    return lightness


def _is_grey(rgb: Picture) -> bool:
    return bool(
        np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 1], rgb[..., 2])
    )

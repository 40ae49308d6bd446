"""Colours brought back into sRGB without clipping: less chroma, at the same hue and lightness.

How far a colour is from grey is measured in linear light, on the straight line from the grey of
its lightness through the colour to the surface of sRGB's cube: 0 is grey, 1 lies on the surface.
"""

import numpy as np
from numpy.typing import NDArray

from impasto.image.color import Colours, light_to_oklab, oklab_to_light

Plane = NDArray[np.float32]

HARDNESS = 8
"""Of the shoulder: higher leaves more colours as they are and squeezes the outermost harder."""

FARTHEST = np.float32(1e4)
"""Reach beyond this, of colours that are all but black or white, counts as this: its power fits."""

LEVEL = np.float32(1 / 65535)
"""A level of 16 bits."""

UNSEEN = 3e-5
"""Relative change of chroma that is below a level of 16 bits and is not made."""

NEAR = 0.02
"""Relative difference in reach that may be taken in linear light."""

HALVINGS = 8

EDGE = np.float32(1e-6)
"""Greys closer than this to black or white count as that far from them."""


def reach(light: Colours, lightness: Plane) -> Plane:
    """How far linear colours (H, W, 3) lie from grey, (H, W): below 1 inside of sRGB.

    `lightness` is OKLab's, (H, W): its cube is the linear light of the grey.
    """
    grey = lightness * lightness * lightness
    red, green, blue = light[..., 0], light[..., 1], light[..., 2]
    highest = np.maximum(np.maximum(red, green), blue)  # ten times as fast as max(axis=-1)
    lowest = np.minimum(np.minimum(red, green), blue)
    up = (highest - grey) / np.maximum(1 - grey, EDGE)
    down = (grey - lowest) / np.maximum(grey, EDGE)
    return np.asarray(np.maximum(np.maximum(up, down), 0))


def eased(wanted: Plane, origin: Plane) -> Plane:
    """The reach that a colour is given, with the reach that it had; both at least 0, (H, W).

    wanted / (1 + wanted^p - origin^p)^(1/p) where wanted > origin, else wanted. So what does not
    move outwards stays, what lay inside stays inside, and the surface stays on the surface.
    """
    wanted = np.minimum(wanted, FARTHEST)
    grown = wanted**HARDNESS - np.minimum(origin, 1) ** HARDNESS
    power = np.float32(1 / HARDNESS)
    return np.asarray(np.minimum(wanted / (1 + np.maximum(grown, 0)) ** power, 1))


def contained(oklab: Colours, origin: Plane) -> Colours:
    """OKLab colours (H, W, 3) as linear sRGB inside [0, 1]; lightness must lie in [0, 1].

    `origin` is the reach that they had before they were changed, (H, W).
    """
    lightness = oklab[..., 0]
    light = oklab_to_light(oklab)
    wanted = reach(light, lightness)
    target = eased(wanted, origin)
    moved = target < wanted * np.float32(1 - UNSEEN)
    if moved.any():
        light[moved] = _drawn_in(oklab[moved], target[moved], wanted[moved])
    return light


def _drawn_in(oklab: Colours, target: Plane, wanted: Plane) -> Colours:
    """Take chroma from colours (N, 3) until their reach is `target`, -> linear (N, 3).

    Reach is nearly proportional to chroma, so two steps of that suffice for most; among blues it
    is not, and the rest is halved into. What is left then is taken in linear light, where it is
    exact and too little to be seen in the hue.
    """
    lightness = oklab[:, 0]
    share: Plane = np.ones_like(target)
    now = wanted
    for _ in range(2):
        share = np.asarray(share * target / np.maximum(now, EDGE), np.float32)
        light = _with_chroma(oklab, share)
        now = reach(light, lightness)
    far = np.abs(now - target) > NEAR * target
    if far.any():
        share[far] = _halved(oklab[far], target[far])
        light[far] = _with_chroma(oklab[far], share[far])
        now[far] = reach(light[far], lightness[far])
    grey = (lightness * lightness * lightness)[:, None]
    rest = np.minimum(target / np.maximum(now, EDGE), 1)[:, None]
    return np.asarray(grey + (light - grey) * rest)


def _halved(oklab: Colours, target: Plane) -> Plane:
    """The share of chroma (N,) at which colours (N, 3) have a reach, by bisection."""
    low, high = np.zeros_like(target), np.ones_like(target)
    for _ in range(HALVINGS):
        middle = np.asarray((low + high) / 2, np.float32)
        inner = reach(_with_chroma(oklab, middle), oklab[:, 0]) < target
        low, high = np.where(inner, middle, low), np.where(inner, high, middle)
    return low


def _with_chroma(oklab: Colours, share: Plane) -> Colours:
    """Colours (N, 3) with a share of their chroma, in linear sRGB."""
    return oklab_to_light(np.stack([oklab[:, 0], oklab[:, 1] * share, oklab[:, 2] * share], axis=1))


def origin_of(light: Colours) -> tuple[Colours, Plane]:
    """Linear sRGB (H, W, 3) in OKLab, and its reach."""
    oklab = light_to_oklab(light)
    return oklab, reach(light, oklab[..., 0])


def inside(rgb: Colours, before: Colours) -> Colours:
    """Keep what rounding did to sRGB-encoded colours (H, W, 3) from reaching 0 or 1.

    Acts on the last level of 16 bits alone, and only where `before` was inside in all channels.
    """
    if rgb.min() >= LEVEL and rgb.max() <= 1 - LEVEL:
        return rgb
    channels = (before > 0) & (before < 1)
    within = (channels[..., 0] & channels[..., 1] & channels[..., 2])[..., None]
    low = np.where(within, np.minimum(before, LEVEL), 0)
    high = np.where(within, np.maximum(before, 1 - LEVEL), 1)
    return np.asarray(np.clip(rgb, low, high), np.float32)

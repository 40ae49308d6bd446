"""The colour of the light in a picture, found from the picture alone, with doubt counted in.

Pixels are taken for grey where the light's own texture says so: on a grey surface the local
contrasts of the logarithms of R, G and B are equal whatever the lamp's colour (Yang et al. 2015;
Qian et al. 2019). **Departure**: their agreement among each other and with the brightest pixels
decides how much of the cast is believed, and lamps far from daylight and tungsten are believed
less. So a sunset and a meadow, where these disagree, keep their colours.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.image.color import decoded
from impasto.image.preview import preview
from impasto.image.white_balance import Gains, gains_against

Plane = NDArray[np.float32]

SIDE = 256
"""Longer side of the picture that is looked at, px."""

GREYEST = 0.02
"""Share of the pixels that are taken for grey."""

FEWEST = 24
"""Pixels that can say anything."""

DARK, BRIGHT = 0.02, 0.95
"""Linear light outside which a pixel says little."""

CONTRAST = 0.03
"""Local contrast of the logarithm below which there is only noise."""

DISAGREEMENT, SPREAD = 0.12, 0.06
"""Between grey and bright pixels, and among the grey ones, at which half is believed; natural
logarithms of ratios of channels."""

ALONG = np.array([0.51, -0.86])
"""From shade to tungsten, in (ln R/G, ln B/G)."""

FARTHEST = 2.4, 0.7
"""Cast along and across that line at which half is believed."""


def automatic_gains(rgb: NDArray[np.float32], alpha: NDArray[np.float32] | None = None) -> Gains:
    """Gains against the cast of (H, W, 3), as far as it is believed; ones where none is seen."""
    u, v = found(rgb, alpha)
    return gains_against(np.exp([u, 0.0, v]))


def found(
    rgb: NDArray[np.float32], alpha: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """The believed cast as (ln R/G, ln B/G), zeros for none."""
    small = preview(rgb, alpha, SIDE)
    light = decoded(small.rgb)
    useful = (light.max(axis=2) < BRIGHT) & (light.min(axis=2) > DARK / 10)
    useful &= (light.max(axis=2) > DARK) & _well_inside(small.weight)
    if (light == light[..., :1])[useful].all():
        return np.zeros(2)
    grey = _grey(light, useful)
    if grey.sum() < FEWEST:
        return np.zeros(2)
    ratios = _ratios(light[grey])
    cast = np.median(ratios, axis=0)
    spread = float(np.linalg.norm(np.median(np.abs(ratios - cast), axis=0)))
    apart = float(np.linalg.norm(cast - _brightest(light, useful)))
    doubt = (apart / DISAGREEMENT) ** 2 + (spread / SPREAD) ** 2
    across = np.array([ALONG[1], -ALONG[0]])
    doubt += (cast @ ALONG / FARTHEST[0]) ** 6 + (cast @ across / FARTHEST[1]) ** 6
    return np.asarray(cast / (1 + doubt), np.float64)


def _well_inside(weight: Plane) -> NDArray[np.bool_]:
    """Where no hidden pixel is near enough to be seen by the filters, (h, w)."""
    visible = (weight > 0.5).astype(np.uint8)
    return np.asarray(cv2.erode(visible, np.ones((9, 9), np.uint8)) > 0)


def _ratios(light: NDArray[np.float32]) -> NDArray[np.float64]:
    """(ln R/G, ln B/G) of linear colours, (N, 3) -> (N, 2)."""
    logs = np.log(np.maximum(light, 1e-6), dtype=np.float64)
    return np.stack([logs[:, 0] - logs[:, 1], logs[:, 2] - logs[:, 1]], axis=1)


def _brightest(light: NDArray[np.float32], useful: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Mean cast of the brightest 3 % of the useful pixels."""
    pixels = light[useful]
    brightness = pixels.mean(axis=1)
    bright = pixels[brightness >= np.quantile(brightness, 0.97)]
    return np.asarray(_ratios(bright.mean(axis=0)[None])[0], np.float64)


def _grey(light: NDArray[np.float32], useful: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose texture is that of a grey surface, (h, w, 3) linear -> (h, w)."""
    logs = np.log(np.maximum(cv2.blur(light, (3, 3)), 1e-3))
    contrast = logs - cv2.GaussianBlur(logs, (0, 0), 2)
    strength = np.abs(contrast).mean(axis=2)
    red, blue = contrast[..., 0] - contrast[..., 1], contrast[..., 2] - contrast[..., 1]
    colour = np.hypot(red, blue) / (strength + np.float32(1e-6))
    colour = cv2.blur(np.where(useful & (strength > CONTRAST), colour, np.float32(9)), (3, 3))
    colour = np.where(useful, colour, np.float32(99))
    wanted = min(max(round(GREYEST * colour.size), FEWEST), colour.size - 1)
    return np.asarray(useful & (colour <= np.partition(colour, wanted, axis=None)[wanted]))

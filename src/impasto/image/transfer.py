"""Colours taken from another picture: all of its palette, or only its chroma."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.image.color import Colours, decoded, encoded, light_to_oklab, srgb_to_oklab
from impasto.image.gamut import contained, inside, origin_of
from impasto.image.preview import Preview, preview
from impasto.image.resize import resize
from impasto.image.tiles import Tile, by_tiles

Picture = NDArray[np.float32]
Plane = NDArray[np.float32]
Floats = NDArray[np.float64]

GRAIN = 0.004
"""Deviation in OKLab, below which colours do not vary: a little more than 8 bits can show."""

KNEE = 0.06
"""Of lightness: within this of black and white, a map that leads outside bends off."""

SMOOTHING = 1 / 200
"""Radius of the guided filter for a photo's chroma, of the longer side."""

EDGE = 0.03
"""Lightness step of the artwork across which chroma is not mixed."""


class Palette(NamedTuple):
    """Mean (3,) and covariance (3, 3) of colours in OKLab."""

    mean: Floats
    covariance: Floats


def palette(small: Preview) -> Palette:
    """The palette of a preview's visible pixels."""
    colours = srgb_to_oklab(small.rgb).reshape(-1, 3).astype(np.float64)
    weight = small.weight.ravel().astype(np.float64)
    if not weight.any():
        weight = np.ones_like(weight)
    mean = np.average(colours, axis=0, weights=weight)
    return Palette(mean, np.cov(colours.T, aweights=weight, ddof=0))


def transport(of: Palette, to: Palette) -> Floats:
    """The linear map (3, 3) that moves one covariance to another and colours the least.

    A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2, the Monge-Kantorovich map of Gaussians (Pitié and Kokaram
    2007). Departure: both covariances are raised by that of invisible grain, so that flat pictures
    have an inverse and their noise is not blown up.
    """
    grain = GRAIN**2 * np.eye(3)
    root = _root(of.covariance + grain)
    inverse = np.linalg.inv(root)
    return np.asarray(inverse @ _root(root @ (to.covariance + grain) @ root) @ inverse)


def _root(matrix: Floats) -> Floats:
    """The square root of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def moved(oklab: Colours, of: Palette, to: Palette) -> Colours:
    """Give OKLab colours (..., 3) another palette; they may leave sRGB."""
    matrix = transport(of, to).astype(np.float32)
    return np.asarray((oklab - of.mean.astype(np.float32)) @ matrix.T + to.mean.astype(np.float32))


def bent(lightness: Plane) -> Plane:
    """Lightness of any size inside (0, 1): unchanged but within KNEE of the ends."""
    knee = np.float32(KNEE)
    over, under = lightness - (1 - knee), knee - lightness
    high = 1 - knee + knee * over / (knee + np.maximum(over, 0))
    low = knee - knee * under / (knee + np.maximum(under, 0))
    return np.asarray(np.where(over > 0, high, np.where(under > 0, low, lightness)))


def matched(rgb: Picture, reference: Picture, alpha: Plane | None = None) -> Picture:
    """Move the colours of (H, W, 3) to those of a reference of any size."""
    of, to = palette(preview(rgb, alpha)), palette(preview(reference))

    def move(tile: Tile) -> Picture:
        oklab, origin = origin_of(decoded(rgb[tile.area]))
        colours = moved(oklab, of, to)
        colours[..., 0] = bent(colours[..., 0])
        return inside(encoded(contained(colours, origin)), rgb[tile.area])

    return by_tiles(move, *rgb.shape[:2])


def recoloured(rgb: Picture, photo: Picture) -> Picture:
    """Keep the lightness of an artwork (H, W, 3), take the chroma of its photo of any size.

    The photo's chroma is smoothed along the artwork's lightness (He et al. 2013), so that colours
    end where strokes end.
    """
    height, width = rgb.shape[:2]
    chroma = photo_chroma(rgb, photo)

    def colour(tile: Tile) -> Picture:
        oklab, origin = origin_of(decoded(rgb[tile.area]))
        oklab[..., 1:] = chroma[tile.area]
        return inside(encoded(contained(oklab, origin)), rgb[tile.area])

    return by_tiles(colour, height, width)


def photo_chroma(rgb: Picture, photo: Picture) -> NDArray[np.float32]:
    """OKLab's a and b of a photo, smooth along an artwork's strokes, (H, W, 2)."""
    height, width = rgb.shape[:2]
    fitted = resize(photo, width, height)
    planes = by_tiles(
        lambda tile: np.concatenate(
            [
                light_to_oklab(decoded(rgb[tile.area]))[..., :1],
                light_to_oklab(decoded(fitted[tile.area]))[..., 1:],
            ],
            axis=-1,
        ),
        height,
        width,
    )
    guide, chroma = np.ascontiguousarray(planes[..., 0]), np.ascontiguousarray(planes[..., 1:])
    radius = max(1, round(SMOOTHING * max(height, width)))
    return np.asarray(cv2.ximgproc.guidedFilter(guide, chroma, radius, EDGE**2), np.float32)

"""Colour quantization: a picture in few colours."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.filter_settings import QuantizeSettings
from impasto.image.difference import Difference, ciede2000, difference, psnr
from impasto.image.dither import floyd_steinberg
from impasto.image.histogram import COLOURS, Codes, Histogram, bits, codes_of, colours_of, histogram
from impasto.image.kmeans import Bins, centroids
from impasto.image.metric import colours_at, points
from impasto.image.nearest import nearest

SAMPLE = 1 << 18
"""Pixels of a dithered picture whose colour difference is taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """The colours of a picture, most used first."""

    colours: NDArray[np.uint8]
    """(K, 3), sRGB, distinct."""
    shares: NDArray[np.float64]
    """(K,), above 0, of the visible pixels, each counted by its alpha; they sum to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Quantized:
    """A picture in few colours, and how far it is from the original."""

    palette: Palette
    indices: NDArray[np.uint8]
    """(H, W), into the palette; 0 where nothing is visible."""
    psnr: float
    """Of the visible pixels' 8-bit sRGB values, dB; infinite where no pixel changed."""
    ciede2000: float
    """Mean colour difference of the visible pixels; that of a dithered picture of more than 2^18
    pixels is taken from as many of them, evenly drawn: within about 0.02."""


def quantize(
    rgb: NDArray[np.float32],
    settings: QuantizeSettings,
    *,
    alpha: NDArray[np.float32] | None = None,
    colours: NDArray[np.uint8] | None = None,
) -> Quantized:
    """Reduce a picture to few colours, (H, W, 3), sRGB, in [0, 1]; rounded to 8 bits first.

    `alpha` (H, W) in [0, 1] says how much each pixel counts; where all are 0, all count.
    `colours` (K, 3), 1 to 256, sRGB, are used instead of a clustering's; `settings.k` has no say
    then, and colours that no pixel takes are left out. A picture of at most k colours keeps them,
    unchanged.
    """
    photo = photo_of(rgb, alpha)
    palette, indices = reduced(photo, settings, colours)
    if settings.dither == "none":
        found = _difference_by_colour(photo, palette, indices)
    else:
        found = _difference_by_pixel(photo, palette, indices)
    return Quantized(palette, indices, found.psnr, found.ciede2000)


class Photo(NamedTuple):
    """A picture as quantization sees it."""

    codes: Codes
    """(H, W)."""
    weights: NDArray[np.float32] | None
    """(H, W), alpha; `None` where all pixels count alike."""
    histogram: Histogram
    """Of the visible pixels."""

    @property
    def visible(self) -> NDArray[np.bool_] | None:
        """(H, W); `None` where all pixels are."""
        return None if self.weights is None else self.weights > 0


def photo_of(rgb: NDArray[np.float32], alpha: NDArray[np.float32] | None) -> Photo:
    """Round to 8 bits and count the colours."""
    codes = codes_of(bits(rgb))
    weights = alpha if alpha is not None and alpha.any() else None
    return Photo(codes, weights, histogram(codes, weights))


def reduced(
    photo: Photo, settings: QuantizeSettings, colours: NDArray[np.uint8] | None
) -> tuple[Palette, NDArray[np.uint8]]:
    """Choose the colours and give one to each pixel: the palette and (H, W) indices into it."""
    seen = photo.histogram
    distinct = colours_of(seen.codes)
    places = points(distinct, settings.space)
    if colours is not None:
        candidates = np.unique(colours, axis=0)
    elif len(distinct) <= settings.k:
        candidates = distinct
    else:
        means = centroids(Bins(seen.codes, places, seen.weights), settings.k, settings.seed)
        candidates = np.unique(colours_at(means, settings.space), axis=0)
    if settings.dither == "none":
        return _mapped(photo, candidates, nearest(places, points(candidates, settings.space)))
    return _dithered(photo, candidates)


def _mapped(
    photo: Photo, candidates: NDArray[np.uint8], chosen: NDArray[np.uint8]
) -> tuple[Palette, NDArray[np.uint8]]:
    """Give each pixel what was chosen for its colour, one of the histogram's."""
    codes, weights = photo.histogram
    palette, ranks = ordered(candidates, np.bincount(chosen, weights, minlength=len(candidates)))
    table = np.zeros(COLOURS, np.uint8)
    table[codes] = ranks[chosen]
    indices = table.take(photo.codes)
    if photo.visible is not None:
        indices[~photo.visible] = 0  # whatever colour lies beneath
    return palette, indices


def _dithered(photo: Photo, candidates: NDArray[np.uint8]) -> tuple[Palette, NDArray[np.uint8]]:
    """Mix the colours; which pixels take one is known only afterwards."""
    chosen = floyd_steinberg(photo.codes, candidates, photo.visible)
    weights = None if photo.weights is None else photo.weights.ravel()
    palette, ranks = ordered(
        candidates, np.bincount(chosen.ravel(), weights, minlength=len(candidates))
    )
    indices = ranks[chosen]
    if photo.visible is not None:
        indices[~photo.visible] = 0
    return palette, indices


def ordered(
    colours: NDArray[np.uint8], uses: NDArray[np.number[Any]]
) -> tuple[Palette, NDArray[np.uint8]]:
    """Sort colours (K, 3) by how much they are used (K,), and leave out those that are not.

    Of those used alike, the one with less red comes first, then less green, less blue. Also returns
    the new index of each, (K,); 0 for those left out.
    """
    order = np.argsort(-uses, kind="stable")[: np.count_nonzero(uses)]
    ranks = np.zeros(len(colours), np.uint8)
    ranks[order] = np.arange(len(order))
    return Palette(colours[order], uses[order] / uses.sum()), ranks


def _difference_by_colour(photo: Photo, palette: Palette, indices: NDArray[np.uint8]) -> Difference:
    """Exact, from the distinct colours: each has one of the palette everywhere."""
    table = np.zeros(COLOURS, np.uint8)
    shown = ... if photo.visible is None else photo.visible
    table[photo.codes[shown]] = indices[shown]
    codes, weights = photo.histogram
    return difference(colours_of(codes), palette.colours[table[codes]], weights)


def _difference_by_pixel(photo: Photo, palette: Palette, indices: NDArray[np.uint8]) -> Difference:
    """The signal-to-noise ratio exactly; the colour difference from a sample if there are many."""
    if photo.weights is None:
        codes, drawn, weights = photo.codes.ravel(), indices.ravel(), np.ones(indices.size)
    else:
        codes, drawn = photo.codes[photo.visible], indices[photo.visible]
        weights = photo.weights[photo.visible].astype(np.float64)
    exact = psnr(colours_of(codes), palette.colours[drawn], weights)
    if len(codes) > SAMPLE:
        sample = np.random.default_rng(0).integers(len(codes), size=SAMPLE)
        codes, drawn, weights = codes[sample], drawn[sample], weights[sample]
    return Difference(exact, ciede2000(colours_of(codes), palette.colours[drawn], weights))

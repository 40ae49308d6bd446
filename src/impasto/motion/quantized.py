"""Frames in few colours that stay: the palette and the pixels hold on to what they were."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.events import Event
from impasto.filter_settings import QuantizeSettings
from impasto.filters.quantize import reference
from impasto.image.dither import floyd_steinberg
from impasto.image.histogram import Codes, bits, codes_of, colours_of
from impasto.image.kmeans import Bins, centroids, joined
from impasto.image.metric import Points, colours_at, points
from impasto.image.nearest import nearest
from impasto.image.srgb import to_unit
from impasto.motion.carried import origins
from impasto.motion.effect import BEFORE, RGB, NewFrame, Past
from impasto.motion.moving_palette import SLACK, followed, settled

DEPTH, MANY = 6, 1 << 14
"""Bits a channel by which colours are grouped before the clustering, where there are many."""

HOLD = 2.0
"""How far beyond the middle between two colours a pixel keeps the one it had, in the slack of the
palette: the noise of a camera rarely goes further."""

NEAR = 0.25
"""The same as a share of their distance, at most."""

MEANS = "means"


class Seen(NamedTuple):
    """The colours of a frame."""

    codes: Codes
    """(N,): distinct."""
    which: NDArray[np.intp]
    """(H, W), into them."""
    bins: Bins
    """Where they lie, in groups where there are many."""
    places: Points
    """(N, 3)."""


class QuantizedFrames:
    """Reduces frames to few colours, chosen by k-means.

    The palette follows the picture of a shot only where it changes, and a pixel changes its colour
    only for one that is clearly nearer. Dithering takes the same palette, but not the pixels' past:
    its dots swim where something moves.
    """

    reach: Sequence[int] = BEFORE

    def __init__(self, settings: QuantizeSettings) -> None:
        """Raises UnreadableImage where the palette's file cannot be used."""
        self._settings = settings
        self._given, _ = reference(settings)
        self._slack = SLACK[settings.space]

    def frame(
        self, photo: RGB, past: Mapping[int, Past], moment: float
    ) -> Iterator[Event | NewFrame]:
        """Quantize a frame, rounded to 8 bits first."""
        before = past.get(1)
        seen = self._seen(photo)
        means = self._means(seen, before)
        colours = colours_at(means, self._settings.space)
        if self._settings.dither == "none":
            chosen = nearest(seen.places, self._places(colours))[seen.which]
            if before is not None:
                held = self._held(before)[origins(photo, before.photo).places]
                chosen = self._calm(seen, colours, chosen, held)
        else:
            chosen = floyd_steinberg(seen.codes[seen.which], colours, None)
        yield NewFrame(to_unit(colours)[chosen], kept={MEANS: means})

    def _seen(self, photo: RGB) -> Seen:
        codes = codes_of(bits(photo))
        distinct, which, counts = np.unique(codes, return_inverse=True, return_counts=True)
        places = points(colours_of(distinct), self._settings.space)
        bins = Bins(distinct, places, counts.astype(np.float64))
        grouped = joined(bins, DEPTH) if len(distinct) > MANY else bins
        return Seen(distinct, which.reshape(codes.shape), grouped, places)

    def _means(self, seen: Seen, before: Past | None) -> Points:
        """The palette, where distances are taken, (K, 3)."""
        if self._given is not None:
            return self._places(self._given)
        if before is not None:
            return followed(seen.bins, np.asarray(before.kept[MEANS]), self._slack)
        k = self._settings.k
        if len(seen.places) <= k:
            # The rest waits until there are more colours.
            return np.pad(seen.places, [(0, k - len(seen.places)), (0, 0)], mode="edge")
        return settled(seen.bins, centroids(seen.bins, k, self._settings.seed), self._slack)

    def _places(self, colours: NDArray[np.uint8]) -> Points:
        return points(colours, self._settings.space)

    def _held(self, before: Past) -> NDArray[np.uint8]:
        """Which colour of the palette each pixel of the frame before had, row by row."""
        codes = codes_of(colours_at(np.asarray(before.kept[MEANS]), self._settings.space))
        order = np.argsort(codes, kind="stable")
        shown = codes_of(bits(before.picture)).ravel()
        return order[np.searchsorted(codes, shown, sorter=order)].astype(np.uint8)

    def _calm(
        self,
        seen: Seen,
        colours: NDArray[np.uint8],
        chosen: NDArray[np.uint8],
        held: NDArray[np.uint8],
    ) -> NDArray[np.uint8]:
        """Let pixels keep the colour that they had, unless they are clearly beyond the middle.

        A place lies (|x - h|² - |x - c|²) / (2 |h - c|) beyond the plane halfway between h and c.
        """
        centres = self._places(colours).astype(np.float64)
        rows = np.flatnonzero(chosen != held)
        places = seen.places[seen.which.ravel()[rows]].astype(np.float64)
        best, old = centres[chosen.ravel()[rows]], centres[held.ravel()[rows]]
        apart = np.linalg.norm(best - old, axis=1)
        gained = np.square(places - old).sum(axis=1) - np.square(places - best).sum(axis=1)
        stays = gained <= 2 * apart * np.minimum(HOLD * self._slack, NEAR * apart)
        calm = chosen.copy()
        calm.ravel()[rows[stays]] = held.ravel()[rows[stays]]
        return calm

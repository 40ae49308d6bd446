"""Frames of superpixels that stay: regions go along with what they show."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from impasto.events import Event
from impasto.filter_settings import SuperpixelSettings
from impasto.image.borders import Canvas, Features
from impasto.image.lines import drawn
from impasto.image.regions import mean_colours, sums
from impasto.image.segmentation import METHODS, Bytes, Labels, lab_bytes
from impasto.image.superpixels import regrouped, segment
from impasto.motion.carried import Origins, drawn_to, origins
from impasto.motion.effect import BEFORE, RGB, NewFrame, Past

RELUCTANCE = 1.0
"""What a pixel must gain to leave its region, in squares of the compactness: half of what a whole
neighbourhood in the region is worth."""

PASSES = 3
"""Over the borders of a frame that follows another."""

MOST_TURNS = 30
"""Of as many passes over the borders of a first frame, until nothing moves."""

SLACK = 2 / 255
"""How far a region's colour may be from the mean of its pixels before it follows, in sRGB."""

LABELS, COLOURS = "labels", "colours"


class SuperpixelledFrames:
    """Groups the pixels of frames, and gives each group its mean colour.

    The first frame of a shot is grouped as any picture. Its regions are carried along the motion to
    the next one, where their borders follow the picture only where that clearly fits better; what
    is new there is grouped anew, and regions are joined so that their number is the same.
    """

    reach: Sequence[int] = BEFORE

    def __init__(self, settings: SuperpixelSettings) -> None:
        self._settings = settings

    def frame(
        self, photo: RGB, past: Mapping[int, Past], moment: float
    ) -> Iterator[Event | NewFrame]:
        """Group the pixels of a frame; UsageError where it has too few of them."""
        before, settings = past.get(1), self._settings
        if before is None:
            labels = self._settled(segment(photo, settings).labels, lab_bytes(photo))
            colours = self._means(photo, labels)
        else:
            old = origins(photo, before.photo)
            carried = np.asarray(before.kept[LABELS]).ravel()[old.places]
            labels = self._followed(photo, carried, old)
            goal = self._means(photo, labels)
            had = _means_where(old.seen, np.asarray(before.kept[COLOURS])[carried], labels, goal)
            colours = drawn_to(goal, had, SLACK)
        picture = colours[labels]
        if settings.borders is not None:
            picture = drawn(picture, labels, settings.borders)
        yield NewFrame(picture, kept={LABELS: labels, COLOURS: colours})

    def _means(self, photo: RGB, labels: Labels) -> NDArray[np.float32]:
        return mean_colours(photo, labels, self._settings.n, self._settings.mean, None)

    def _followed(self, photo: RGB, carried: Labels, old: Origins) -> Labels:
        """The regions of a frame from those of the frame before."""
        n, pixels = self._settings.n, lab_bytes(photo)
        # Less than one region's worth of it is left to those around.
        if old.seen.size - np.count_nonzero(old.seen) >= old.seen.size / n:
            fresh = segment(photo, self._settings).labels
            carried = np.where(old.seen, carried, fresh + np.int32(n))
        return self._moved(regrouped(carried, pixels, n, self._features(pixels)), pixels)

    def _settled(self, labels: Labels, pixels: Bytes) -> Labels:
        """Borders that nothing moves any more, as long as the picture stays the same."""
        for _ in range(MOST_TURNS):
            moved = self._moved(labels, pixels)
            if np.array_equal(moved, labels):
                break
            labels = moved
        return labels

    def _moved(self, labels: Labels, pixels: Bytes) -> Labels:
        """Let the pixels at borders go where they fit clearly better."""
        features = self._features(pixels)
        moments = features.moments(pixels, labels, self._settings.n)
        canvas = Canvas(pixels, labels, moments, features, RELUCTANCE)
        canvas.settle(PASSES)
        return np.ascontiguousarray(canvas.labels)

    def _features(self, pixels: Bytes) -> Features:
        """What pixels are compared by, as where a single picture is grouped."""
        settings, (height, width) = self._settings, pixels.shape[:2]
        roundness = METHODS[settings.method].roundness
        side = (height * width / settings.n) ** 0.5
        return Features(settings.compactness * roundness, side, step=1)


def _means_where(
    seen: NDArray[np.bool_], values: RGB, labels: Labels, otherwise: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mean of each region over what of it has been seen; (count, 3), as `otherwise` is."""
    count = len(otherwise)
    totals = sums(values[seen], labels[seen], count)
    areas = np.bincount(labels[seen], minlength=count)[:, None]
    return np.where(areas > 0, totals / np.maximum(areas, 1), otherwise).astype(np.float32)

"""Borders between regions moved to where the colours change, a picture's size at a time.

Coarse to fine with the topology kept, as Yao et al. 2015, "Real-time coarse-to-fine topologically
preserving segmentation". Departure: blocks are the pixels of reduced pictures, and a quarter of
them are decided at once, so that arrays do the work.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from impasto.image.merging import Moments
from impasto.image.regions import areas_of, sums
from impasto.image.segmentation import Bytes, Labels

SMOOTHNESS = 2.0
"""Worth of a neighbourhood that is all of one region, in squares of the compactness."""

RING = ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))
"""A pixel's neighbourhood, once around; the odd ones share a side with it."""

OUTSIDE = -1

Movers = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.int32], NDArray[np.int32]]
"""Places, features, old and new region of pixels."""


@dataclass(frozen=True, slots=True)
class Features:
    """What pixels are compared by: colour, and place on the same scale.

    The squared distance is SLIC's, dc² + (compactness ds / S)² (Achanta et al. 2012, eq. 3), with
    S the side of a square region; so the compactness means the same at any size of picture.
    """

    compactness: float
    side: float
    """S, px of the full picture."""
    step: int
    """Side of a pixel, px of the full picture."""

    def finer(self) -> Self:
        """For a picture twice as large."""
        return replace(self, step=self.step // 2)

    def of(self, pixels: Bytes, y: NDArray[np.int_], x: NDArray[np.int_]) -> NDArray[np.float32]:
        """Colours (N, 3) at rows and columns (N,) -> (N, 5)."""
        scale = self.compactness / self.side * self.step
        found = np.empty((len(pixels), 5), np.float32)
        found[:, :3] = pixels
        found[:, 3] = (y + 0.5) * scale
        found[:, 4] = (x + 0.5) * scale
        return found

    def moments(self, pixels: Bytes, labels: Labels, count: int) -> Moments:
        """Areas and sums of all regions of a picture."""
        height, width = labels.shape
        y, x = np.divmod(np.arange(height * width), width)
        values = self.of(pixels.reshape(-1, 3), y, x)
        weight = self.step**2
        areas = (weight * areas_of(labels, count)).astype(np.float64)
        return Moments(areas, weight * sums(values, labels, count))


class Canvas:
    """A picture of one size whose regions' borders can be moved."""

    def __init__(
        self,
        pixels: Bytes,
        labels: Labels,
        moments: Moments,
        features: Features,
        reluctance: float = 0.0,
    ) -> None:
        """`reluctance`: what pixels must gain to leave a region, in squares of the compactness."""
        self._colours = pixels.reshape(-1, 3)
        self._features = features
        self._toll = np.float32(reluctance * features.compactness**2)
        self._width = labels.shape[1]
        framed = np.pad(labels, 1, constant_values=OUTSIDE)
        self._row = framed.shape[1]
        self._ring = np.array([dy * self._row + dx for dy, dx in RING])
        self._framed, self._labels = framed, framed.ravel()
        self._areas, self._totals = moments.areas.copy(), moments.totals.copy()

    @property
    def labels(self) -> Labels:
        """(H, W)."""
        return self._framed[1:-1, 1:-1]

    @property
    def moments(self) -> Moments:
        """Of the regions as they are now."""
        return Moments(self._areas, self._totals)

    def settle(self, passes: int) -> None:
        """Let every pixel at a border go to the region that it fits best, a few times.

        Regions stay connected and none vanishes. After the first pass only pixels are looked at
        that have a neighbour which moved.
        """
        places = self._at_borders()
        for _ in range(passes):
            y, x = np.divmod(places, self._row)
            turns = (y % 2) * 2 + x % 2
            moved = np.concatenate([self._decide(places[turns == turn]) for turn in range(4)])
            if len(moved) == 0:
                return
            places = self._beside(moved)

    def _beside(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pixels and their neighbours, each once."""
        near = np.zeros(len(self._labels), bool)
        near[places] = True
        for offset in self._ring:
            near[places + offset] = True
        return np.flatnonzero(near & (self._labels != OUTSIDE))

    def _at_borders(self) -> NDArray[np.int64]:
        """Pixels beside one of another region, as places in the framed picture."""
        border = np.zeros(self._framed.shape, bool)
        inner, labels = border[1:-1, 1:-1], self.labels
        differ = labels[:, 1:] != labels[:, :-1]
        inner[:, 1:] |= differ
        inner[:, :-1] |= differ
        differ = labels[1:] != labels[:-1]
        inner[1:] |= differ
        inner[:-1] |= differ
        return np.flatnonzero(border)

    def _decide(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Move those of the pixels that fit a neighbour better -> the places that moved.

        No two of the pixels may be neighbours of each other.
        """
        means = self.moments.means.astype(np.float32)
        moved, values, old, new = self._movers(places, means)
        self._labels[moved] = new
        count, weight = len(self._areas), self._features.step**2
        gained = np.bincount(new, minlength=count) - np.bincount(old, minlength=count)
        self._areas += weight * gained
        self._totals += weight * (sums(values, new, count) - sums(values, old, count))
        return moved

    def _movers(self, places: NDArray[np.int64], means: NDArray[np.float32]) -> Movers:
        """Which of the pixels fit a neighbour better than their own region."""
        ring, own = self._labels.take(places[:, None] + self._ring), self._labels.take(places)
        alike = _alike(ring, own)
        free = np.flatnonzero(CAN_LEAVE[alike])
        places, ring, own = places[free], ring.take(free, axis=0), own[free]
        y, x = np.divmod(places, self._row)
        y, x = y - 1, x - 1
        values = self._features.of(self._colours.take(y * self._width + x, axis=0), y, x)
        best, least = own.copy(), self._costs(values - means.take(own, axis=0), alike[free])
        least -= self._toll
        for side in range(1, 8, 2):
            other = ring[:, side]
            rows = np.flatnonzero((other != own) & (other != OUTSIDE))
            there = other[rows]
            differences = values.take(rows, axis=0) - means.take(there, axis=0)
            costs = self._costs(differences, _alike(ring.take(rows, axis=0), there))
            better = costs < least[rows]
            rows = rows[better]
            best[rows], least[rows] = there[better], costs[better]
        movers = np.flatnonzero(best != own)
        return places[movers], values[movers], own[movers], best[movers]

    def _costs(
        self, differences: NDArray[np.float32], alike: NDArray[np.uint8]
    ) -> NDArray[np.float32]:
        """Of pixels in regions: distance from the mean, less what neighbours in the region save.

        The second term shortens borders, which takes the jags out of them.
        """
        saved = np.float32(SMOOTHNESS * self._features.compactness**2 / len(RING))
        squares = np.einsum("nc,nc->n", differences, differences)
        return np.asarray(squares - saved * np.bitwise_count(alike), np.float32)


def _alike(ring: Labels, regions: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Which of each pixel's ring are of a region, (N, 8) and (N,) -> a bit for each, (N,)."""
    return np.packbits(ring == regions[:, None], axis=1)[:, 0]


def _can_leave() -> NDArray[np.bool_]:
    """Whether a region stays whole without a pixel, for all that `_alike` can say of it, (256,).

    The region's pixels that share a side with it must be joined around the ring; then what went
    through the pixel finds another way, and somebody remains. A pixel within its region has
    nowhere to go.
    """
    same = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    sides, corners = same[:, 1::2], np.roll(same, -1, axis=1)[:, 1::2]
    joined = sides & corners & np.roll(sides, -1, axis=1)
    return np.asarray(sides.sum(axis=1) - joined.sum(axis=1) == 1)


CAN_LEAVE = _can_leave()


def finer(canvas: Canvas, pixels: Bytes, features: Features) -> Canvas:
    """Carry the regions to a picture twice as large; its last row and column may be odd ones."""
    height, width = pixels.shape[:2]
    labels = canvas.labels.repeat(2, axis=0)[:height].repeat(2, axis=1)[:, :width]
    return Canvas(pixels, labels, canvas.moments, features)

"""The few colours that stand for many: k-means on a picture's histogram.

Every pixel counts, none is drawn at random: the histogram at fewer bits a channel keeps the exact
mean and weight of what falls into each of its bins, in the space of the distances. The clustering
itself is scikit-learn's; it starts on few bins, several times, and ends on many.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.image.histogram import Codes
from impasto.image.metric import Points

START_BINS, BINS_PER_CENTROID = 1600, 16
"""Bins that the starts need at least, in all and for each centroid; on fewer than the first, few
centroids end in a minimum that is not the finer bins'."""

STARTS, MOST_STARTS = 160, 10
"""Starts times centroids: few centroids may fall into a poor minimum, many end alike every time."""

START_WORK, MOST_START_STEPS = 1 << 24, 50
"""Distances of all starts together, about, and Lloyd's iterations of each at most."""

WORK, STEPS, MOST_STEPS = 200_000_000, 6, 30
"""Distances on the finer bins, about, and the bounds of Lloyd's iterations there."""

MOST_BINS, MOST_PER_CENTROID = 1 << 17, 1 << 12
"""Of the finer bins: more cost time and gain at most 0.05 dB."""


class Bins(NamedTuple):
    """Colours, or groups of similar ones, in the space of the distances."""

    codes: Codes
    """(N,): the first bits of each channel are those of the bin."""
    means: Points
    """(N, 3)."""
    weights: NDArray[np.float64]
    """(N,)."""


def centroids(colours: Bins, k: int, seed: int) -> Points:
    """Cluster colours, at least k of them, -> (k, 3), means in the space of `colours`.

    k-means++ (Arthur and Vassilvitskii 2007) on few bins, the best of a few starts, then Lloyd's
    iterations on many.
    """
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    fine = _fine(colours, k)
    coarse = _coarse(fine, k)
    starts = min(MOST_STARTS, max(1, STARTS // k))
    turns = min(MOST_START_STEPS, max(1, START_WORK // (starts * k * len(coarse.codes))))
    steps = min(MOST_STEPS, max(STEPS, WORK // (k * len(fine.codes))))
    first = KMeans(k, n_init=starts, max_iter=turns, random_state=seed)
    # One thread: more add up their sums in an order left to chance, and wait long for each other
    # where the processor is busy.
    with threadpool_limits(1, "openmp"):
        first.fit(coarse.means, sample_weight=coarse.weights)
        last = KMeans(k, init=first.cluster_centers_, n_init=1, max_iter=steps)
        last.fit(fine.means, sample_weight=fine.weights)
    return np.asarray(last.cluster_centers_, np.float32)


def _fine(bins: Bins, k: int) -> Bins:
    """As many bins as are affordable."""
    most = min(MOST_BINS, MOST_PER_CENTROID * k)
    if len(bins.codes) <= most:
        return bins
    for depth in (7, 6):
        if np.count_nonzero(_occupied(_keys(bins.codes, depth), depth)) <= most:
            return joined(bins, depth)
    return joined(bins, 5)


def _coarse(bins: Bins, k: int) -> Bins:
    """As few bins as the starts may have."""
    least = max(START_BINS, BINS_PER_CENTROID * k)
    for depth in (4, 5, 6, 7):
        if np.count_nonzero(_occupied(_keys(bins.codes, depth), depth)) >= least:
            return joined(bins, depth)
    return bins


def joined(bins: Bins, depth: int) -> Bins:
    """Join bins whose first `depth` bits are the same in each channel, (N, 3) -> (M, 3)."""
    keys = _keys(bins.codes, depth)
    occupied = _occupied(keys, depth)
    numbers = (np.cumsum(occupied) - 1)[keys]
    weights = np.bincount(numbers, bins.weights).astype(np.float64)
    sums = [np.bincount(numbers, bins.weights * bins.means[:, axis]) for axis in range(3)]
    codes = np.empty(len(weights), np.uint32)
    codes[numbers] = bins.codes
    return Bins(codes, (np.stack(sums, axis=1) / weights[:, None]).astype(np.float32), weights)


def _keys(codes: Codes, depth: int) -> Codes:
    """The first `depth` bits of each channel, together."""
    drop, kept = 8 - depth, (1 << depth) - 1
    red, green, blue = (codes >> shift + drop & kept for shift in (16, 8, 0))
    return (red << 2 * depth | green << depth | blue).astype(np.uint32)


def _occupied(keys: Codes, depth: int) -> NDArray[np.bool_]:
    """Which keys there are."""
    occupied = np.zeros(1 << 3 * depth, bool)
    occupied[keys] = True
    return occupied

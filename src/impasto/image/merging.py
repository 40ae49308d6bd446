"""Regions merged down to a number, each time those that differ least.

Regions and the pairs that touch are all that is worked on, not pixels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from impasto.image.regions import Pairs, unkeyed

FRAGMENT = 1 / 12
"""Of the mean area wanted: smaller regions are merged first, or they would show as specks."""

AT_ONCE = 0.5
"""Share of the pairs that are each other's nearest which merge before all are compared again."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What is known of regions: how much there is of each, and the sum of its pixels' features."""

    areas: NDArray[np.float64]
    """(count,), px of the full picture."""
    totals: NDArray[np.float64]
    """(count, 5): of colour and place, as `Features` scales them."""

    @property
    def means(self) -> NDArray[np.float64]:
        """(count, 5)."""
        return self.totals / self.areas[:, None]


def merged(moments: Moments, pairs: Pairs, wanted: int) -> NDArray[np.int32]:
    """Merge touching regions until `wanted` are left -> the new number of each, from 0.

    First those that are too small, then the pairs whose union adds least to the squares' sum within
    regions (Ward 1963). Departure: of all pairs that are each other's nearest, the cheaper half
    merges at once; Ward's cost to others grows with every union, so such pairs would mostly be
    merged anyway, and some twenty rounds of array operations replace a queue.
    """
    count = len(moments.areas)
    numbers = np.arange(count, dtype=np.int32)
    smallest = FRAGMENT * moments.areas.sum() / wanted
    while count > wanted:
        chosen = _chosen(moments, pairs, smallest)[: count - wanted]
        i, j = pairs[chosen].T
        graph = coo_array((np.ones(len(chosen), bool), (i, j)), shape=(count, count))
        count, new = connected_components(graph, directed=False)
        totals = [np.bincount(new, column, count) for column in moments.totals.T]
        areas = np.bincount(new, moments.areas, count).astype(np.float64)
        moments = Moments(areas, np.stack(totals, axis=1))
        ends = new[pairs[new[pairs[:, 0]] != new[pairs[:, 1]]]].astype(np.int64)
        pairs = unkeyed(ends.min(axis=1) * count + ends.max(axis=1), count)
        numbers = new[numbers]
    return numbers


def _chosen(moments: Moments, pairs: Pairs, smallest: float) -> NDArray[np.int64]:
    """Which pairs merge now, the most urgent first.

    Every region names its nearest neighbour. A pair merges if both name each other, or if one that
    is too small names the other. Pairs are in strict order, so those named never form a ring
    (Borůvka 1926): each union leaves one region fewer.
    """
    i, j = pairs.T
    means, areas = moments.means, moments.areas
    costs = ((means[i] - means[j]) ** 2).sum(axis=1) * areas[i] * areas[j] / (areas[i] + areas[j])
    order = np.argsort(costs)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    nearest = np.full(len(areas), len(order))
    np.minimum.at(nearest, i, ranks)
    np.minimum.at(nearest, j, ranks)
    by_i, by_j = (nearest[i] == ranks)[order], (nearest[j] == ranks)[order]
    small = areas < smallest
    urgent = (by_i & small[i[order]]) | (by_j & small[j[order]])
    mutual = np.flatnonzero(by_i & by_j & ~urgent)
    if urgent.any():
        return order[np.flatnonzero(urgent)]
    return order[mutual[: int(np.ceil(AT_ONCE * len(mutual)))]]

"""The palette of a shot: that of its first frame, which follows when the picture changes."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from impasto.image.color import Space
from impasto.image.kmeans import Bins
from impasto.image.metric import Points
from impasto.image.nearest import nearest
from impasto.motion.carried import drawn_to

SLACK: Mapping[Space, float] = {"oklab": 0.01, "lab": 1.0, "srgb": 0.01, "linear": 0.01}
"""How far a colour may be from the mean of its pixels before it follows: less than can be seen."""

MOST_STEPS = 100
"""Lloyd's iterations at a time; they have mostly ended long before."""

MOST_EXCHANGES = 256
"""Of colours in a frame; each lowers the error, so they end by themselves long before."""

FIRST_WORTH, WORTH = 1.1, 2.0
"""How many times what it costs to give a colour up must be gained where it is used instead: in a
first frame, and in those that follow, where what pays only just would pay with the next noise."""


def settled(bins: Bins, means: Points, slack: float) -> Points:
    """The palette of a first frame, from one that k-means found, (K, 3) -> (K, 3).

    Every colour is then so near to the mean of its pixels, and none of so little use, that
    `followed` leaves the palette as it is while the picture stays the same.
    """
    return _improved(bins, means, np.zeros(len(means), np.float32), slack / 2, FIRST_WORTH)


def followed(bins: Bins, before: Points, slack: float) -> Points:
    """The palette of a frame from that of the frame before, (K, 3) -> (K, 3).

    Lloyd's iterations, in which colours are drawn to their means only beyond the slack; colours of
    little use go where they are missed.
    """
    return _improved(bins, before, np.full(len(before), slack, np.float32), slack / 2, WORTH)


def _improved(
    bins: Bins, anchors: Points, slacks: NDArray[np.float32], close: float, worth: float
) -> Points:
    """Iterate, and exchange colours until that does not pay any more."""
    for _ in range(MOST_EXCHANGES):
        means = _lloyd(bins, anchors, slacks, close)
        found = _exchange(bins, means, close, worth)
        if found is None:
            break
        which = list(found.which)
        anchors, slacks = anchors.copy(), slacks.copy()
        anchors[which], slacks[which] = found.means, 0  # they hold on to nothing
    return means


def _lloyd(bins: Bins, anchors: Points, slacks: NDArray[np.float32], close: float) -> Points:
    """Lloyd's iterations until nothing moves by more than `close`."""
    means = anchors
    for _ in range(MOST_STEPS):
        new = drawn_to(_clusters(bins, means).means, anchors, slacks)
        if np.linalg.norm(new - means, axis=1).max() <= close:
            break
        means = new
    return means


class _Clusters(NamedTuple):
    chosen: NDArray[np.uint8]
    """(N,): the colour of each bin."""
    weights: NDArray[np.float64]
    """(K,)."""
    means: Points
    """(K, 3); of a colour that no bin takes, itself."""


class _Exchange(NamedTuple):
    which: tuple[int, int]
    """The colour that is split, and the one that is given up for it."""
    means: Points
    """(2, 3): of the halves."""


def _clusters(bins: Bins, means: Points) -> _Clusters:
    chosen = nearest(bins.means, means)
    weights, sums = _summed(bins, chosen, len(means))
    taken = weights > 0
    found = means.copy()
    found[taken] = sums[taken] / weights[taken, None]
    return _Clusters(chosen, weights, found)


def _summed(
    bins: Bins, groups: NDArray[np.integer], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight and weighted sum of each group, (count,) and (count, 3)."""
    weights = np.bincount(groups, bins.weights, count).astype(np.float64)
    sums = [np.bincount(groups, bins.weights * column, count) for column in bins.means.T]
    return weights, np.stack(sums, axis=1)


def _exchange(bins: Bins, means: Points, least: float, worth: float) -> _Exchange | None:
    """Which colour is better used elsewhere, if any is.

    Split the cluster that gains most by it across its longest axis, and join the two whose union
    costs least (Kaukoranta et al. 1998). least: of the halves' root mean square distances from the
    middle, for halves that look the same are worth nothing.
    """
    clusters = _clusters(bins, means)
    gains, halves = _splits(bins, clusters)
    gains[gains <= clusters.weights * least**2] = 0
    split = int(gains.argmax())
    costs = _joins(clusters)
    costs[split] = costs[:, split] = np.inf
    one, other = np.unravel_index(costs.argmin(), costs.shape)
    if not gains[split] > worth * costs[one, other]:
        return None
    spare = int(min(one, other, key=lambda each: clusters.weights[each]))
    return _Exchange((split, spare), halves[split])


def _splits(bins: Bins, clusters: _Clusters) -> tuple[NDArray[np.float64], Points]:
    """How much squared error each cluster loses if it is halved, (K,); the halves, (K, 2, 3)."""
    count = len(clusters.means)
    offsets = bins.means - clusters.means[clusters.chosen]
    products = np.einsum("n,ni,nj->nij", bins.weights, offsets, offsets).reshape(-1, 9)
    spread = np.stack([np.bincount(clusters.chosen, each, count) for each in products.T], axis=1)
    axes = np.linalg.eigh(spread.reshape(count, 3, 3))[1][..., -1]
    beyond = np.einsum("ni,ni->n", offsets, axes[clusters.chosen]) > 0
    weights, sums = _summed(bins, 2 * clusters.chosen.astype(np.intp) + beyond, 2 * count)
    halves = (sums / np.maximum(weights, np.finfo(float).tiny)[:, None]).reshape(count, 2, 3)
    both = weights.reshape(count, 2)
    apart = np.square(halves[:, 0] - halves[:, 1]).sum(axis=1)
    gains = both.prod(axis=1) / np.maximum(both.sum(axis=1), 1e-300) * apart
    return gains, halves.astype(np.float32)


def _joins(clusters: _Clusters) -> NDArray[np.float64]:
    """How much squared error two clusters gain if they are joined (Ward 1963), (K, K)."""
    weights, means = clusters.weights, clusters.means.astype(np.float64)
    squares = np.square(means[:, None] - means).sum(axis=-1)
    together = np.maximum(np.add.outer(weights, weights), np.finfo(float).tiny)
    costs = np.multiply.outer(weights, weights) / together * squares
    np.fill_diagonal(costs, np.inf)
    return np.asarray(costs)

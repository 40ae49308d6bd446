"""K-means in little time, for what only lasts a moment, such as the frames of a film.

Beside `kmeans`, the colours are 0.1 dB worse, but it takes a tenth of a second where loading
scikit-learn alone takes more than one.
"""

import numpy as np
from numpy.typing import NDArray

from impasto.image.metric import Points
from impasto.image.nearest import nearest

STEPS = 8
"""Lloyd's iterations; 20 gain 0.02 dB."""


def centroids(points: Points, weights: NDArray[np.float64], k: int, seed: int) -> Points:
    """Cluster points (N, 3), each with a weight above 0, around at most k means, (K, 3).

    k-means++ (Arthur and Vassilvitskii 2007), then Lloyd's iterations; means to which no point is
    nearest are left out. k is 1 to 256.
    """
    means = _spread(points, weights, k, seed)
    for _ in range(STEPS):
        chosen = nearest(points, means)
        sums = np.bincount(chosen, weights)
        totals = [np.bincount(chosen, weights * points[:, axis]) for axis in range(3)]
        taken = sums > 0
        means = (np.stack(totals, axis=1)[taken] / sums[taken, None]).astype(np.float32)
    return means


def _spread(points: Points, weights: NDArray[np.float64], k: int, seed: int) -> Points:
    """The starts: each drawn by its weight times the square of its distance to those before."""
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    chances = weights.copy()
    distances = np.full(len(points), np.inf)
    while len(chosen) < k and chances.any():
        bounds = np.cumsum(chances)
        chosen.append(int(np.searchsorted(bounds, random.random() * bounds[-1], side="right")))
        offsets = points - points[chosen[-1]]
        np.minimum(distances, np.einsum("ij,ij->i", offsets, offsets), out=distances)
        chances = weights * distances
    return points[chosen]

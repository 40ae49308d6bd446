import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from impasto.image.histogram import codes_of, colours_of, histogram
from impasto.image.lloyd import centroids
from impasto.image.metric import Points, points
from impasto.image.samples import photo


def inertia(places: Points, weights: NDArray[np.float64], means: Points) -> float:
    distances = ((places[:, None] - means[None]) ** 2).sum(axis=2).min(axis=1)
    return float((weights * distances).sum())


def test_planted_clusters_are_found() -> None:
    random = np.random.default_rng(3)
    planted = np.array([(x, y, z) for x in (0, 9) for y in (0, 7, 15) for z in (0, 8)], np.float32)
    near = planted.repeat(50, axis=0) + random.normal(0, 0.01, (600, 3)).astype(np.float32)
    found = centroids(near, np.ones(600), 12, seed=0)
    order = ((planted[:, None] - found) ** 2).sum(axis=2).argmin(axis=1)
    assert sorted(order) == list(range(12))
    np.testing.assert_allclose(found[order], near.reshape(12, 50, 3).mean(axis=1), atol=1e-4)


def test_weights_are_numbers_of_points() -> None:
    places = np.array([[0, 0, 0], [1, 0, 0], [10, 0, 0]], np.float32)
    found = centroids(places, np.array([3.0, 1.0, 5.0]), 2, seed=0)
    np.testing.assert_allclose(sorted(found[:, 0]), [0.25, 10])


@pytest.mark.parametrize("k", [1, 16, 200])
def test_it_is_nearly_as_good_as_scikit_learn(k: int) -> None:
    seen = histogram(codes_of(photo("coffee")[::4, ::4]))
    places = points(colours_of(seen.codes), "oklab")
    best = KMeans(k, n_init=3, random_state=0).fit(places, sample_weight=seen.weights)
    wanted = inertia(places, seen.weights, best.cluster_centers_)
    assert inertia(places, seen.weights, centroids(places, seen.weights, k, 0)) < 1.1 * wanted


def test_few_points_are_their_own_means() -> None:
    places = np.array([[0, 0, 0], [1, 2, 3], [1, 2, 3]], np.float32)
    found = centroids(places, np.ones(3), 200, seed=0)
    np.testing.assert_allclose(sorted(found.tolist()), [[0, 0, 0], [1, 2, 3]])


def test_the_same_every_time() -> None:
    places = np.random.default_rng(0).random((500, 3)).astype(np.float32)
    one, other = (centroids(places, np.ones(500), 40, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, centroids(places, np.ones(500), 40, seed=6))

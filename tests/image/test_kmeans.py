"""Histograms are exact, bins are means, and the clustering finds what was planted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from impasto.image.color import SPACES as COORDINATES
from impasto.image.color import Space, srgb_to_oklab
from impasto.image.histogram import Histogram, bits, codes_of, colours_of, histogram
from impasto.image.kmeans import Bins, centroids, joined
from impasto.image.metric import colours_at, points
from impasto.image.srgb import to_bits, to_unit

SPACES: tuple[Space, ...] = ("oklab", "lab", "srgb", "linear")


def seen(colours: NDArray[np.uint8]) -> Histogram:
    return histogram(codes_of(colours))


def clustered(colours: NDArray[np.uint8], k: int, space: Space, seed: int) -> NDArray[np.uint8]:
    codes, weights = seen(colours)
    bins = Bins(codes, points(colours_of(codes), space), weights)
    return np.unique(colours_at(centroids(bins, k, seed), space), axis=0)


@given(arrays.arrays(np.uint8, st.tuples(st.integers(0, 5), st.integers(0, 5), st.just(3))))
def test_codes_are_the_numbers_of_html(colours: NDArray[np.uint8]) -> None:
    codes = codes_of(colours)
    assert [f"{code:06x}" for code in codes.ravel()] == [
        bytes(colour).hex() for colour in colours.reshape(-1, 3)
    ]
    assert np.array_equal(colours_of(codes), colours)


@settings(deadline=None, max_examples=20)
@given(arrays.arrays(np.float32, (3, 4, 3), elements=st.floats(0, 1, width=32)))
def test_bits_round(rgb: NDArray[np.float32]) -> None:
    assert np.array_equal(bits(rgb), to_bits(rgb, 8))


def test_a_histogram_counts_every_pixel(photo: NDArray[np.uint8]) -> None:
    colours, counts = np.unique(photo.reshape(-1, 3), axis=0, return_counts=True)
    found = seen(photo)
    assert np.array_equal(colours_of(found.codes), colours)
    assert np.array_equal(found.weights, counts)


def test_a_histogram_counts_by_weight(photo: NDArray[np.uint8]) -> None:
    weights = np.zeros(photo.shape[:2], np.float32)
    weights[5:9, 7:30] = 0.5
    part = seen(photo[5:9, 7:30])
    found = histogram(codes_of(photo), weights)
    assert np.array_equal(found.codes, part.codes)
    assert np.allclose(found.weights, part.weights / 2)


def test_bins_keep_the_mean_and_the_weight_of_their_colours(photo: NDArray[np.uint8]) -> None:
    codes, weights = seen(photo)
    colours = to_unit(colours_of(codes))
    bins = joined(Bins(codes, colours, weights), 5)
    first_bits = colours_of(codes) >> 3
    for code, mean, weight in list(zip(*bins, strict=True))[::7]:
        inside = (first_bits == colours_of(code) >> 3).all(axis=1)
        assert weight == weights[inside].sum()
        assert np.allclose(mean, np.average(colours[inside], axis=0, weights=weights[inside]))


@pytest.mark.parametrize("space", SPACES)
def test_planted_colours_are_found(space: Space) -> None:
    rng = np.random.default_rng(0)
    planted = np.array(
        [[20, 20, 20], [200, 30, 40], [30, 160, 60], [50, 60, 210], [240, 235, 220]], np.uint8
    )
    pixels = planted[rng.integers(5, size=20_000)] + rng.integers(-4, 5, size=(20_000, 3))
    found = clustered(pixels.astype(np.uint8), 5, space, 1)
    assert np.abs(found.astype(int) - np.unique(planted, axis=0)).max() <= 1


@pytest.mark.parametrize("k", [8, 64])
def test_as_good_as_scikit_learn_on_all_pixels(k: int, photo: NDArray[np.uint8]) -> None:
    pixels = photo.reshape(-1, 3).astype(np.float32)
    theirs = KMeans(k, n_init=1, random_state=0).fit(pixels)
    ours = clustered(photo, k, "srgb", 0).astype(float)
    error = ((pixels[:, None] - ours) ** 2).sum(axis=2).min(axis=1).sum()
    assert 10 * np.log10(error / theirs.inertia_) < 0.15


@pytest.mark.parametrize("space", SPACES)
def test_greys_stay_grey(space: Space) -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    found = clustered(ramp, 9, space, 0)
    assert (found == found[:, :1]).all()
    assert len(found) == 9


def test_the_same_seed_gives_the_same_colours(photo: NDArray[np.uint8]) -> None:
    first, again, other = (clustered(photo, 24, "oklab", seed) for seed in (5, 5, 6))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("space", SPACES)
def test_colours_come_back_from_where_they_lie(space: Space, photo: NDArray[np.uint8]) -> None:
    colours = photo.reshape(-1, 3)
    assert np.array_equal(colours_at(points(colours, space), space), colours)


@pytest.mark.parametrize("space", ["lab", "srgb", "linear"])
def test_points_are_those_of_the_space(space: Space, photo: NDArray[np.uint8]) -> None:
    colours = photo.reshape(-1, 3)
    assert np.allclose(points(colours, space), COORDINATES[space].of(to_unit(colours)), atol=1e-4)


def test_oklab_weighs_chroma_twice(photo: NDArray[np.uint8]) -> None:
    colours = photo.reshape(-1, 3)
    light, *chroma = srgb_to_oklab(to_unit(colours)).T
    assert np.allclose(points(colours, "oklab").T, [light, *(2 * np.array(chroma))], atol=1e-5)

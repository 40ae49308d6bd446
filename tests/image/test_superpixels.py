"""Superpixels as a whole: what is promised of them for any picture."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import HealthCheck, given, settings, strategies
from numpy.typing import NDArray

from impasto.errors import UsageError
from impasto.filter_settings import SuperpixelSettings
from impasto.image.segmentation import METHODS, Method
from impasto.image.srgb import to_unit
from impasto.image.superpixels import Superpixels, segment

Picture = NDArray[np.float32]

CONTENTS = ("flat", "noise", "gradient", "checks", "stripes")


def content(kind: str, height: int, width: int) -> Picture:
    y, x = np.indices((height, width), np.float32)
    planes = {
        "flat": np.full((height, width), 0.5),
        "gradient": (x + y) / (height + width),
        "checks": (y // 7 + x // 7) % 2,
        "stripes": x % 2,
    }
    if kind == "noise":
        return np.random.default_rng(0).random((height, width, 3), np.float32)
    return np.repeat(planes[kind][..., None], 3, axis=2).astype(np.float32)


def enlarged(rgb: Picture, height: int, width: int) -> Picture:
    return np.asarray(cv2.resize(rgb, (width, height)), np.float32)


def superpixels(rgb: Picture, n: int, method: Method = "slic", **more: object) -> Superpixels:
    return segment(rgb, SuperpixelSettings.model_validate({"n": n, "method": method} | more))


def check(found: Superpixels, n: int, shape: tuple[int, int]) -> None:
    """Exactly n regions, each in one part by scipy's flood fill, that cover all."""
    labels = found.labels
    assert labels.shape == shape
    assert labels.dtype == np.int32
    assert found.count == n
    assert list(np.unique(labels)) == list(range(n))
    for part, where in enumerate(scipy.ndimage.find_objects(labels + 1)):
        assert scipy.ndimage.label(labels[where] == part)[1] == 1
    assert (found.areas == np.bincount(labels.ravel())).all()
    assert found.areas.sum() == labels.size


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    height=strategies.integers(64, 200),
    width=strategies.integers(64, 200),
    method=strategies.sampled_from(list(METHODS)),
    kind=strategies.sampled_from(CONTENTS),
    share=strategies.floats(0, 1),
    compactness=strategies.floats(0.1, 1000),
)
def test_any_picture_is_covered_by_as_many_as_asked_for(
    height: int, width: int, method: Method, kind: str, share: float, compactness: float
) -> None:
    n = min(round(10 * (height * width / 40) ** share), height * width // 4)
    found = superpixels(content(kind, height, width), n, method, compactness=compactness)
    check(found, n, (height, width))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(64, 1500), (1500, 64), (12, 700), (5, 300), (1, 40), (4, 4)])
def test_thin_and_tiny_pictures(method: Method, size: tuple[int, int]) -> None:
    for n in {2, min(10, size[0] * size[1] // 4), size[0] * size[1] // 4}:
        if n >= 2:
            check(superpixels(content("noise", *size), n, method), n, size)


@pytest.mark.parametrize("method", METHODS)
def test_twenty_thousand_in_a_large_reduced_picture(method: Method) -> None:
    found = superpixels(enlarged(content("noise", 60, 80), 801, 1000), 20_000, method)
    check(found, 20_000, (801, 1000))


def test_odd_sizes_of_every_reduction() -> None:
    check(superpixels(content("checks", 1023, 1537), 40), 40, (1023, 1537))


def test_too_many_are_refused_with_the_most_that_fit() -> None:
    with pytest.raises(UsageError, match=r"1025 superpixels do not fit into 64×64 px.* 1024 "):
        superpixels(content("flat", 64, 64), 1025)
    assert superpixels(content("flat", 64, 64), 1024).count == 1024


@pytest.mark.parametrize("method", METHODS)
def test_the_same_whatever_the_threads(method: Method) -> None:
    rgb = enlarged(content("noise", 40, 60), 300, 400)
    threads = cv2.getNumThreads()
    found = []
    try:
        for number in (1, 2, 4, 4, 4):
            cv2.setNumThreads(number)
            found.append(superpixels(rgb, 300, method).labels)
    finally:
        cv2.setNumThreads(threads)
    assert all((labels == found[0]).all() for labels in found[1:])


@pytest.mark.parametrize("method", METHODS)
def test_planted_regions_are_found(method: Method) -> None:
    """Four quarters of different colours, and as many superpixels."""
    rgb = np.zeros((80, 120, 3), np.float32)
    rgb[:40, 60:, 0], rgb[40:, :60, 1], rgb[40:, 60:, 2] = 1, 1, 1
    found = superpixels(rgb, 4, method, mean="srgb")
    wrong = (np.abs(found.picture() - rgb) > 0.1).any(axis=2)
    assert wrong.mean() < 0.01
    assert {(0, 1), (0, 2), (1, 3), (2, 3)} <= {tuple(pair) for pair in found.adjacency.tolist()}


def test_borders_lie_on_an_edge_at_full_size() -> None:
    """A disc in a picture that is reduced several times comes out to the pixel."""
    y, x = np.indices((900, 1100))
    disc = ((y - 451) ** 2 + (x - 530) ** 2 < 300**2).astype(np.float32)
    found = superpixels(np.repeat(disc[..., None], 3, axis=2), 60, mean="srgb")
    wrong = np.abs(found.picture()[..., 0] - disc) > 0.5
    assert wrong.sum() <= 10


def border_length(found: Superpixels) -> int:
    return sum(int((np.diff(found.labels, axis=axis) != 0).sum()) for axis in (0, 1))


def test_compactness_means_the_same_at_any_size(photo: NDArray[np.uint8]) -> None:
    """At six times the size, borders are about six times as long."""
    rgb = to_unit(photo)
    small = border_length(superpixels(rgb, 60))
    large = border_length(superpixels(enlarged(rgb, 6 * 96, 6 * 128), 60))
    assert large / 6 == pytest.approx(small, rel=0.3)


def test_more_compactness_makes_rounder_shapes(photo: NDArray[np.uint8]) -> None:
    rgb = to_unit(photo)
    lengths = [border_length(superpixels(rgb, 60, compactness=c)) for c in (1, 10, 100)]
    assert lengths[0] > lengths[1] > lengths[2]


def test_hidden_colours_do_not_show(photo: NDArray[np.uint8]) -> None:
    rgb = to_unit(photo)
    alpha = np.ones(rgb.shape[:2], np.float32)
    alpha[:, 50:] = 0
    hidden = rgb.copy()
    hidden[:, 50:] = np.random.default_rng(0).random(hidden[:, 50:].shape, np.float32)
    chosen = SuperpixelSettings(n=50)
    one, other = (segment(pixels, chosen, alpha=alpha) for pixels in (rgb, hidden))
    np.testing.assert_array_equal(one.labels, other.labels)
    seen = np.unique(one.labels[:, :50])
    np.testing.assert_array_equal(one.means[seen], other.means[seen])


def test_input_is_left_alone(photo: NDArray[np.uint8]) -> None:
    rgb = to_unit(photo)
    before = rgb.copy()
    found = superpixels(rgb, 50)
    means = found.means.copy()
    picture = found.picture("red:3")
    np.testing.assert_array_equal(rgb, before)
    np.testing.assert_array_equal(found.means, means)
    assert picture.dtype == np.float32
    assert (picture == [1, 0, 0]).all(axis=2).any()


def test_explains_more_than_scikit_image_at_the_same_number(photo: NDArray[np.uint8]) -> None:
    from skimage.segmentation import slic

    rgb = to_unit(photo)
    theirs = slic(photo, n_segments=150, start_label=0, channel_axis=-1)
    number = len(np.unique(theirs))

    def rest(labels: NDArray[np.int32]) -> float:
        parts = [rgb[labels == part].astype(np.float64) for part in np.unique(labels)]
        return sum(float(((part - part.mean(axis=0)) ** 2).sum()) for part in parts)

    assert rest(superpixels(rgb, number).labels) < 0.8 * rest(theirs)

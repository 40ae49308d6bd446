"""Regions of label images against plain loops and independent libraries."""

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings, strategies
from numpy.typing import NDArray

from impasto.image.borders import CAN_LEAVE, RING
from impasto.image.lines import line, outlines
from impasto.image.merging import Moments, merged
from impasto.image.regions import adjacency, connected, halved, mean_colours

Labels = NDArray[np.int32]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def blobs(seed: int, height: int = 24, width: int = 31) -> tuple[Labels, int]:
    """Regions of all shapes, from noise."""
    noise = np.random.default_rng(seed).integers(3, size=(height, width)).astype(np.int32)
    return connected(noise)


@given(strategies.integers(0, 99))
def test_parts_are_those_of_scipy(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(3, size=(24, 31)).astype(np.int32)
    labels, count = connected(noise)
    assert count == sum(scipy.ndimage.label(noise == value)[1] for value in range(3))
    assert list(np.unique(labels)) == list(range(count))
    assert (np.diff([np.flatnonzero(labels == part)[0] for part in range(count)]) > 0).all()


@given(strategies.integers(0, 99))
def test_neighbours_are_those_of_a_plain_loop(seed: int) -> None:
    labels, count = blobs(seed)
    height, width = labels.shape
    found = set()
    for y in range(height):
        for x in range(width):
            for other in labels[y : y + 2, x : x + 1].ravel(), labels[y : y + 1, x : x + 2].ravel():
                found |= {(min(other), max(other))} if len(set(other)) == 2 else set()
    assert [tuple(pair) for pair in adjacency(labels, count)] == sorted(found)


def test_one_region_has_no_neighbours() -> None:
    assert adjacency(np.zeros((5, 4), np.int32), 1).shape == (0, 2)


def test_means_of_codes_are_those_of_a_plain_loop(rng: np.random.Generator) -> None:
    labels, count = blobs(1)
    rgb = rng.random((*labels.shape, 3), np.float32)
    means = mean_colours(rgb, labels, count, "srgb", None)
    plain = [rgb[labels == part].mean(axis=0, dtype=np.float64) for part in range(count)]
    np.testing.assert_allclose(means, plain, atol=1e-6)


def test_mean_of_light_between_black_and_white_is_the_code_of_a_half() -> None:
    rgb = np.zeros((2, 8, 3), np.float32)
    rgb[:, ::2] = 1
    means = mean_colours(rgb, np.zeros((2, 8), np.int32), 1, "linear", None)
    np.testing.assert_allclose(means, 0.735357, atol=1e-5)
    np.testing.assert_allclose(mean_colours(rgb, np.zeros((2, 8), np.int32), 1, "srgb", None), 0.5)


@pytest.mark.parametrize("mean", ["linear", "srgb"])
def test_means_keep_16_bits(mean: str) -> None:
    """A picture of one colour has that colour's mean, to far less than a step."""
    colour = np.array([101, 30_001, 65_533], np.float32) / 65_535
    rgb = np.broadcast_to(colour, (600, 2000, 3))
    labels = np.repeat(np.arange(2, dtype=np.int32), 300)[:, None].repeat(2000, axis=1)
    means = mean_colours(rgb, labels, 2, mean, None)  # type: ignore[arg-type]
    np.testing.assert_allclose(means * 65_535, [colour * 65_535] * 2, atol=0.05)


def test_colours_count_by_their_alpha(rng: np.random.Generator) -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), 4)[:, None].repeat(6, axis=1)
    rgb, alpha = rng.random((12, 6, 3), np.float32), rng.random((12, 6), np.float32)
    alpha[4:8, :3], alpha[8:] = 0, 0
    means = mean_colours(rgb, labels, 3, "srgb", alpha)
    for part in (0, 1):
        inside = labels == part
        expected = np.average(rgb[inside].astype(np.float64), axis=0, weights=alpha[inside])
        np.testing.assert_allclose(means[part], expected, atol=1e-6)
    np.testing.assert_allclose(means[2], rgb[8:].mean(axis=(0, 1)), atol=1e-6)


@settings(deadline=None)
@given(strategies.integers(1, 30), strategies.integers(1, 30), strategies.data())
def test_halving_finds_enough_regions(height: int, width: int, data: strategies.DataObject) -> None:
    wanted = data.draw(strategies.integers(1, height * width))
    labels, count = halved(np.zeros((height, width), np.int32), 1, wanted)
    assert wanted <= count == connected(labels)[1] == labels.max() + 1


def test_merging_takes_the_pairs_that_differ_least() -> None:
    """Three pairs of twins in a row, between them large steps."""
    totals = np.zeros((6, 5))
    totals[:, 0] = [0, 1, 50, 51, 90, 91]
    pairs = np.stack([np.arange(5), np.arange(1, 6)], axis=1).astype(np.int32)
    assert list(merged(Moments(np.ones(6), totals), pairs, 3)) == [0, 0, 1, 1, 2, 2]


def test_merging_takes_specks_first() -> None:
    areas = np.array([100.0, 1.0, 100.0, 100.0])
    totals = np.zeros((4, 5))
    totals[:, 0] = areas * [10, 900, 30, 30.1]
    pairs = np.array([[0, 1], [1, 2], [2, 3]], np.int32)
    assert list(merged(Moments(areas, totals), pairs, 3)) == [0, 1, 1, 2]


@settings(max_examples=30)
@given(strategies.integers(0, 99), strategies.integers(1, 40))
def test_merged_regions_are_connected_and_as_many_as_wanted(seed: int, wanted: int) -> None:
    labels, count = blobs(seed)
    areas = np.bincount(labels.ravel()).astype(np.float64)
    totals = areas[:, None] * np.random.default_rng(seed).random((count, 5))
    numbers = merged(Moments(areas, totals), adjacency(labels, count), wanted)
    assert connected(numbers[labels])[1] == numbers.max() + 1 == wanted


def test_a_pixel_can_leave_where_the_rest_hangs_together() -> None:
    """All 256 neighbourhoods, against scipy's parts of the ring; inside there is nowhere to go."""
    for code in range(256):
        around = np.zeros((3, 3), bool)
        for bit, (dy, dx) in enumerate(RING):
            around[1 + dy, 1 + dx] = bool(code >> (7 - bit) & 1)
        parts, _ = scipy.ndimage.label(around)
        sides = {parts[y, x] for y, x in ((0, 1), (1, 0), (1, 2), (2, 1))} - {0}
        assert CAN_LEAVE[code] == (len(sides) == 1 and code != 255), around


def test_lines_are_colour_and_width() -> None:
    colour, width = line("#ff8000:3")
    np.testing.assert_allclose(colour, [1, 128 / 255, 0], atol=1e-6)
    assert width == 3
    assert line("white")[1] == 1


@pytest.mark.parametrize("width", range(1, 12))
def test_lines_have_their_width(width: int) -> None:
    labels = np.zeros((40, 60), np.int32)
    labels[:, 30:] = 1
    for turned in (labels, labels.T):
        drawn = outlines(turned, width)
        drawn = drawn if turned is labels else drawn.T
        places = np.flatnonzero(drawn[0])
        assert len(places) == width
        assert abs(places.mean() - 29.5) <= 0.5
        assert (drawn == drawn[0]).all()


@pytest.mark.parametrize("width", [1, 2, 3, 6])
def test_corners_of_lines_are_closed(width: int) -> None:
    """A square's outline keeps inside and outside apart, and is nothing else."""
    labels = np.zeros((40, 40), np.int32)
    labels[12:28, 12:28] = 1
    drawn = outlines(labels, width)
    assert scipy.ndimage.label(~drawn)[1] == 2
    assert scipy.ndimage.label(drawn, np.ones((3, 3)))[1] == 1
    assert not drawn[18:22, 18:22].any()
    assert not drawn[:8].any()


def test_no_lines_without_borders() -> None:
    assert not outlines(np.zeros((9, 9), np.int32), 5).any()

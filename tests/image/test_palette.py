"""A picture in few colours: what holds for every picture, palette and setting."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from impasto.filter_settings import QuantizeSettings
from impasto.image.palette import SAMPLE, Quantized, quantize
from impasto.image.srgb import to_unit

SPACES = "oklab", "lab", "srgb", "linear"
DITHERS = "none", "floyd-steinberg"

Bytes = NDArray[np.uint8]


def quantized(pixels: Bytes, alpha: NDArray[np.float32] | None = None, **options: Any) -> Quantized:
    return quantize(to_unit(pixels), QuantizeSettings(**options), alpha=alpha)


def shown(found: Quantized) -> Bytes:
    return found.palette.colours[found.indices]


@settings(deadline=None, max_examples=30)
@given(
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))),
    st.integers(2, 9),
    st.sampled_from(SPACES),
    st.sampled_from(DITHERS),
)
def test_any_picture(pixels: Bytes, k: int, space: str, dither: str) -> None:
    found = quantized(pixels, k=k, space=space, dither=dither)
    colours, shares = found.palette.colours, found.palette.shares
    assert 1 <= len(colours) == len(np.unique(colours, axis=0)) <= k
    assert found.indices.shape == pixels.shape[:2]
    counts = np.bincount(found.indices.ravel(), minlength=len(colours))
    assert np.allclose(shares, counts / counts.sum())
    assert (np.diff(counts) <= 0).all()
    assert counts.min() > 0
    if len(np.unique(pixels.reshape(-1, 3), axis=0)) <= k:
        assert np.array_equal(shown(found), pixels)
        assert found.psnr == math.inf
    again = quantize(
        to_unit(shown(found)),
        QuantizeSettings(k=k, space=space, dither=dither),
        colours=colours,
    )
    assert np.array_equal(shown(again), shown(found))


@pytest.mark.parametrize("dither", DITHERS)
@pytest.mark.parametrize("k", [2, 16, 256])
def test_again_with_the_palette_changes_nothing(photo: Bytes, k: int, dither: str) -> None:
    options = QuantizeSettings(k=k, dither=dither)
    first = quantize(to_unit(photo), options)
    again = quantize(to_unit(shown(first)), options, colours=first.palette.colours)
    assert np.array_equal(again.palette.colours, first.palette.colours)
    assert np.array_equal(again.indices, first.indices)
    assert again.psnr == math.inf


@pytest.mark.parametrize("space", ["lab", "srgb"])
def test_every_pixel_has_its_nearest_colour(photo: Bytes, space: str) -> None:
    found = quantized(photo, k=12, space=space)
    convert = rgb2lab if space == "lab" else np.asarray
    pixels, colours = convert(photo / 255), convert(found.palette.colours / 255)
    gaps = np.sqrt(((pixels[:, :, None] - colours) ** 2).sum(axis=-1))
    taken = np.take_along_axis(gaps, found.indices[..., None].astype(int), axis=2)[..., 0]
    assert (taken <= gaps.min(axis=2) + (0.01 if space == "lab" else 1e-9)).all()


@pytest.mark.parametrize("dither", DITHERS)
def test_likeness_is_that_of_scikit_image(photo: Bytes, dither: str) -> None:
    found = quantized(photo, k=16, dither=dither)
    assert photo.shape[0] * photo.shape[1] < SAMPLE
    colours = deltaE_ciede2000(rgb2lab(photo / 255), rgb2lab(shown(found) / 255))  # type: ignore[no-untyped-call]
    assert found.ciede2000 == pytest.approx(colours.mean(), abs=2e-3)
    assert found.psnr == pytest.approx(peak_signal_noise_ratio(photo, shown(found)))  # type: ignore[no-untyped-call]


def test_likeness_of_a_large_dithered_picture_comes_from_a_fair_sample(photo: Bytes) -> None:
    large = np.tile(photo, (6, 6, 1))
    found = quantized(large, k=16, dither="floyd-steinberg")
    assert large.shape[0] * large.shape[1] > SAMPLE
    colours = deltaE_ciede2000(rgb2lab(large / 255), rgb2lab(shown(found) / 255))  # type: ignore[no-untyped-call]
    assert found.ciede2000 == pytest.approx(colours.mean(), abs=0.04)


@pytest.mark.parametrize("k", [8, 16, 64, 256])
def test_closer_than_pillow(photo: Bytes, k: int) -> None:
    image = Image.fromarray(photo)
    ours = quantized(photo, k=k, space="srgb").psnr
    for method in (
        Image.Quantize.MEDIANCUT,
        Image.Quantize.MAXCOVERAGE,
        Image.Quantize.FASTOCTREE,
    ):
        for kmeans in (0, 2):
            theirs = np.asarray(
                image.quantize(k, method, kmeans, dither=Image.Dither.NONE).convert("RGB")
            )
            assert ours > peak_signal_noise_ratio(photo, theirs)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("dither", DITHERS)
def test_what_is_transparent_does_not_count(photo: Bytes, dither: str) -> None:
    alpha = np.ones(photo.shape[:2], np.float32)
    alpha[:, 64:] = 0
    other = photo.copy()
    other[:, 64:] = [255, 0, 255]
    first, second = (quantized(pixels, alpha, k=8, dither=dither) for pixels in (photo, other))
    half = quantized(np.ascontiguousarray(photo[:, :64]), k=8, dither="none")
    assert np.array_equal(first.palette.colours, second.palette.colours)
    assert np.array_equal(first.indices, second.indices)
    assert (first.indices[:, 64:] == 0).all()
    assert first.psnr == second.psnr
    if dither == "none":
        assert np.array_equal(first.palette.colours, half.palette.colours)
        assert (first.psnr, first.ciede2000) == pytest.approx((half.psnr, half.ciede2000))


def test_what_is_half_transparent_counts_half() -> None:
    pixels = np.array([[[255, 0, 0], [255, 0, 0], [0, 0, 255]]], np.uint8)
    found = quantized(pixels, np.array([[0.25, 0.25, 1]], np.float32), k=2)
    assert found.palette.colours.tolist() == [[0, 0, 255], [255, 0, 0]]
    assert found.palette.shares == pytest.approx([2 / 3, 1 / 3])


def test_a_picture_of_which_nothing_is_visible_is_treated_like_any_other(photo: Bytes) -> None:
    hidden = quantized(photo, np.zeros(photo.shape[:2], np.float32), k=8)
    assert np.array_equal(shown(hidden), shown(quantized(photo, k=8)))


def test_given_colours_that_no_pixel_takes_are_left_out(photo: Bytes) -> None:
    red_and_greys = np.array([[255, 0, 255], [0, 0, 0], [90, 90, 90], [0, 0, 0]], np.uint8)
    grey = np.repeat(photo[:, :, :1], 3, axis=2)
    found = quantize(to_unit(grey), QuantizeSettings(), colours=red_and_greys)
    assert sorted(found.palette.colours.tolist()) == [[0, 0, 0], [90, 90, 90]]


@pytest.mark.parametrize("space", SPACES)
def test_grey_in_grey_out(photo: Bytes, space: str) -> None:
    grey = np.repeat(photo[:, :, :1], 3, axis=2)
    colours = quantized(grey, k=11, space=space).palette.colours
    assert (colours == colours[:, :1]).all()


@pytest.mark.parametrize("dither", DITHERS)
def test_the_same_seed_gives_the_same_picture(photo: Bytes, dither: str) -> None:
    first, again = (quantized(photo, k=20, seed=4, dither=dither) for _ in range(2))
    assert np.array_equal(first.palette.colours, again.palette.colours)
    assert np.array_equal(first.indices, again.indices)


def test_sixteen_bits_are_rounded() -> None:
    fine = np.full((4, 4, 3), 100 / 255, np.float32)
    fine[::2] += np.float32(0.4 / 255)
    found = quantize(fine, QuantizeSettings(k=2))
    assert found.palette.colours.tolist() == [[100, 100, 100]]

"""The embedded photos and styles."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.color import rgb2lab

from impasto.errors import UsageError
from impasto.image import mosaic, samples, spirograph
from impasto.image.drawing import SIDE

Picture = NDArray[np.uint8]
Drawn = tuple[str, Picture]

SHAPES = {
    "astronaut": (512, 512, 3),
    "chelsea": (300, 451, 3),
    "coffee": (400, 600, 3),
    "rocket": (427, 640, 3),
}


@pytest.fixture(scope="module", params=samples.STYLES)
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """A style's name and its picture of 768 px."""
    return request.param, samples.style(request.param)


def blocks(picture: NDArray[Any], factor: int) -> NDArray[np.float64]:
    """Means over blocks of `factor` × `factor` pixels."""
    height, width, *channels = picture.shape
    shape = (height // factor, factor, width // factor, factor, *channels)
    means: NDArray[np.float64] = picture.reshape(shape).mean(axis=(1, 3))
    return means


@pytest.mark.parametrize("name", samples.PHOTOS)
def test_photos_are_in_the_wheel(name: str) -> None:
    photo = samples.photo(name)
    assert photo.shape == SHAPES[name]
    assert photo.dtype == np.uint8


def test_samples_load_nothing_until_asked() -> None:
    code = (
        "import sys, impasto.image.samples;"
        "assert not {'numpy', 'scipy', 'skimage', 'PIL', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("load", "names"), [(samples.photo, samples.PHOTOS), (samples.style, samples.STYLES)]
)
def test_an_unknown_sample_is_refused_with_the_names_there_are(
    load: Callable[[str], Picture], names: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match=f"'lenna'.*{', '.join(names)}$"):
        load("lenna")


def test_a_style_without_pixels_is_refused() -> None:
    with pytest.raises(UsageError, match="0 px"):
        samples.style("mosaic", 0)


def test_a_style_is_the_same_every_time(drawn: Drawn) -> None:
    name, picture = drawn
    assert picture.shape == (768, 768, 3)
    assert picture.dtype == np.uint8
    np.testing.assert_array_equal(samples.style(name), picture)


@pytest.mark.parametrize("size", [192, 384, 1024])
def test_a_style_has_the_same_composition_at_every_size(drawn: Drawn, size: int) -> None:
    """A smaller picture is the larger one reduced, and the other way round."""
    name, picture = drawn
    other = samples.style(name, size)
    assert other.shape == (size, size, 3)
    difference = blocks(other, size // 32) - blocks(picture, 24)
    assert np.abs(difference).mean() < 1
    assert np.abs(difference).max() < 8


def test_a_style_at_half_size_is_its_picture_reduced(drawn: Drawn) -> None:
    name, picture = drawn
    reduced = Image.fromarray(picture).resize((384, 384), Image.Resampling.LANCZOS)
    difference = samples.style(name, 384) - np.asarray(reduced, float)
    assert np.sqrt((difference**2).mean()) < 4


def test_a_style_covers_its_frame(drawn: Drawn) -> None:
    """Every 1/6 × 1/6 of it has light and dark, and more than one hue."""
    lab = rgb2lab(drawn[1]).reshape(6, 128, 6, 128, 3).swapaxes(1, 2).reshape(36, -1, 3)
    lightness, a, b = lab.std(axis=1).T
    assert lightness.min() > 8
    assert np.hypot(a, b).min() > 8


def test_a_style_has_texture_at_several_scales(drawn: Drawn) -> None:
    """Halving it again and again takes contrast away each time, down to blocks of 48 px."""
    level = drawn[1].mean(axis=2)
    for factor in (2, 2, 2, 2, 3):
        coarse = blocks(level, factor)
        assert (level - np.kron(coarse, np.ones((factor, factor)))).std() > 6
        level = coarse


def test_a_square_shrinks_by_the_inset_on_every_side() -> None:
    square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], float)
    smaller = [[0.5, 0.5], [3.5, 0.5], [3.5, 3.5], [0.5, 3.5]]
    np.testing.assert_allclose(mosaic.shrunk(square, 0.5), smaller)
    np.testing.assert_allclose(mosaic.shrunk(square, 3), np.full((4, 2), 2.0))


def test_a_line_of_a_figure_closes_and_touches_its_circle_once_a_petal() -> None:
    figure = spirograph.Figure(0.5 + 0.5j, 0.3, 7, 3, 0.8, "teal", 5)
    line = figure.line(0)
    assert line[0] == pytest.approx(line[-1])
    distance = np.abs(line - figure.centre)
    assert distance.max() == pytest.approx(0.3)
    assert np.isclose(distance[1:], 0.3, rtol=1e-9).sum() == 7
    assert np.abs(figure.line(1) - figure.centre).max() == pytest.approx(0.3 * figure.shrink)


def test_ink_is_shared_among_pixels_but_neither_lost_nor_made() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0.2, 0.8, 500) + 1j * rng.uniform(0.2, 0.8, 500)
    ink = spirograph.counted(points)
    middles = (np.arange(SIDE) + 0.5) / SIDE
    assert ink.sum() == pytest.approx(500)
    assert ink.sum(axis=0) @ middles == pytest.approx(points.real.sum())
    assert ink.sum(axis=1) @ middles == pytest.approx(points.imag.sum())

import numpy as np
import pytest
import skimage.color
from hypothesis import given, strategies
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from impasto.image.color import (
    SPACES,
    Space,
    decoded,
    encoded,
    lab_to_light,
    light_to_lab,
    light_to_oklab,
    srgb_to_oklab,
)
from impasto.image.srgb import to_unit

GRID = to_unit(np.stack(np.meshgrid(*[np.arange(0, 256, 15, dtype=np.uint8)] * 3), axis=-1))


def test_lab_is_that_of_scikit_image() -> None:
    theirs = skimage.color.rgb2lab(GRID.astype(np.float64))
    np.testing.assert_allclose(SPACES["lab"].of(GRID), theirs, atol=2e-2)


def test_linear_light_is_that_of_scikit_image() -> None:
    xyz = skimage.color.rgb2xyz(GRID.astype(np.float64))
    light = skimage.color.xyz2rgb(xyz)
    np.testing.assert_allclose(encoded(decoded(GRID)), light, atol=1e-5)
    assert decoded(np.full(1, 0.5, np.float32))[0] == pytest.approx(0.21404114, abs=1e-7)


def test_oklab_is_that_of_its_publication() -> None:
    """Ottosson 2020 gives these XYZ and their OKLab, rounded to three places."""
    xyz = np.array([[0.950, 1.0, 1.089], [1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])
    oklab = [[1.0, 0, 0], [0.450, 1.236, -0.019], [0.922, -0.671, 0.263], [0.153, -1.415, -0.449]]
    light = xyz @ np.linalg.inv(skimage.color.colorconv.xyz_from_rgb).T
    np.testing.assert_allclose(light_to_oklab(light.astype(np.float32)), oklab, atol=2e-3)


def test_greys_have_no_chroma() -> None:
    greys = np.repeat(np.linspace(0, 1, 101, dtype=np.float32)[:, None], 3, axis=1)
    assert np.abs(srgb_to_oklab(greys)[:, 1:]).max() < 1e-5
    assert np.abs(light_to_lab(greys)[:, 1:]).max() < 1e-2


@pytest.mark.parametrize("space", SPACES)
def test_there_and_back_is_where_it_was(space: Space) -> None:
    there, back = SPACES[space]
    np.testing.assert_allclose(back(there(GRID)), GRID, atol=2e-5)


@given(arrays(np.float32, (5, 3), elements=strategies.floats(-0.5, 1.5, width=32)))
def test_colours_outside_srgb_come_back_too(light: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(lab_to_light(light_to_lab(light)), light, atol=1e-4)
    np.testing.assert_allclose(decoded(encoded(light)), light, atol=1e-5)

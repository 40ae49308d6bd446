"""Palettes moved in closed form; chroma given back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.image.color import srgb_to_oklab
from impasto.image.samples import photo
from impasto.image.srgb import to_unit
from impasto.image.transfer import Palette, bent, matched, moved, recoloured, transport

Picture = NDArray[np.float32]


def drawn(seed: int) -> NDArray[np.float64]:
    draws = np.random.default_rng(seed)
    return draws.normal(size=(5000, 3)) @ draws.normal(0, 0.1, (3, 3)) + draws.uniform(0, 1, 3)


def of(colours: NDArray[np.float64]) -> Palette:
    return Palette(colours.mean(axis=0), np.cov(colours.T, ddof=0))


def test_mean_and_covariance_become_the_references() -> None:
    """But for the grain that both are raised by."""
    source, reference = drawn(1), drawn(2)
    out = moved(source.astype(np.float32), of(source), of(reference)).astype(np.float64)
    np.testing.assert_allclose(out.mean(axis=0), reference.mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(np.cov(out.T, ddof=0), of(reference).covariance, atol=3e-4)


def test_the_map_is_symmetric_and_its_own_inverse_backwards() -> None:
    """A Monge map between Gaussians is a gradient; the way back is its inverse."""
    one, two = of(drawn(3)), of(drawn(4))
    there, back = transport(one, two), transport(two, one)
    np.testing.assert_allclose(there, there.T, atol=1e-9)
    np.testing.assert_allclose(there @ back, np.eye(3), atol=1e-7)


def test_a_picture_matched_to_itself_stays() -> None:
    rgb = to_unit(photo("coffee"))[::4, ::4]
    assert np.abs(matched(rgb, rgb) - rgb).mean() < 2e-3


def test_matched_photos_have_nearly_the_references_palette() -> None:
    """Nearly: what left sRGB came back."""
    rgb, reference = (to_unit(photo(name))[::2, ::2] for name in ("chelsea", "coffee"))
    out = srgb_to_oklab(matched(rgb, reference)).reshape(-1, 3)
    wanted = srgb_to_oklab(reference).reshape(-1, 3)
    np.testing.assert_allclose(out.mean(axis=0), wanted.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(out.std(axis=0), wanted.std(axis=0), atol=0.03)


def test_artworks_keep_lightness_and_take_chroma() -> None:
    rgb = to_unit(photo("chelsea"))
    grey = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2)
    out = srgb_to_oklab(recoloured(grey, rgb))
    np.testing.assert_allclose(out[..., 0], srgb_to_oklab(grey)[..., 0], atol=0.01)
    assert np.abs(out[..., 1:] - srgb_to_oklab(rgb)[..., 1:]).mean() < 0.01


def test_a_photo_of_another_size_fits() -> None:
    rgb = to_unit(photo("chelsea"))
    small = np.ascontiguousarray(rgb[::2, ::2])
    assert recoloured(small, rgb).shape == small.shape


@pytest.mark.parametrize("value", [-5.0, -0.1, 0.0, 0.03, 0.5, 0.97, 1.0, 1.4, 50.0])
def test_lightness_outside_bends_inside(value: float) -> None:
    out = float(bent(np.array([value], np.float32))[0])
    assert 0 < out < 1
    if 0.06 <= value <= 0.94:
        assert out == np.float32(value)

"""Sharpening and denoising against pictures whose truth is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.image.denoise import denoised
from impasto.image.noise import deviations
from impasto.image.samples import photo
from impasto.image.sharpen import sharpened
from impasto.image.srgb import to_unit

Picture = NDArray[np.float32]
GREEN = np.array([[0, 1, 0]], np.float32)


def noisy(clean: Picture, sigma: float) -> Picture:
    noise = np.random.default_rng(3).normal(0, sigma, clean.shape)
    return np.asarray(clean + noise, np.float32)


@pytest.mark.parametrize("sigma", [0.01, 0.03, 0.06])
def test_the_noise_of_a_smooth_picture_is_known(sigma: float) -> None:
    ramp = np.linspace(0.3, 0.7, 256, dtype=np.float32)
    picture = noisy(np.tile(ramp[:, None], (256, 1, 3)), sigma)
    assert deviations(picture, GREEN)[0] == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize(("sigma", "gain"), [(0.02, 3.5), (0.06, 6)])
@pytest.mark.parametrize("name", ["astronaut", "chelsea"])
def test_denoising_comes_nearer_to_the_truth(name: str, sigma: float, gain: float) -> None:
    """By so many decibels."""
    clean = to_unit(photo(name))[:256, :256]
    before = noisy(clean, sigma).clip(0, 1)
    after = denoised(before, 1)
    errors = [float(((picture - clean) ** 2).mean()) for picture in (before, after)]
    gained = 10 * np.log10(errors[0] / errors[1])
    assert gained > gain


def test_a_clean_gradient_has_no_noise() -> None:
    ramp = np.linspace(0.1, 0.9, 256, dtype=np.float32)
    clean = np.tile(ramp[:, None], (64, 1, 3))
    assert denoised(clean, 1) is clean


def test_detail_grows_and_noise_does_not() -> None:
    wave = 0.5 + 0.03 * np.sin(np.arange(256, dtype=np.float32) * 1.5)
    detail = np.tile(wave, (64, 1))
    assert sharpened(detail, 1, 0).std() > 1.5 * detail.std()
    noise = np.random.default_rng(0).normal(0.5, 0.004, (128, 128)).astype(np.float32)
    assert sharpened(noise, 1, 0.004).std() < 1.2 * noise.std()


def test_edges_get_no_wide_halos() -> None:
    """An edge from 0.2 to 0.8 overshoots by less than a plain unsharp mask, and not far off."""
    edge = np.full((32, 64), 0.2, np.float32)
    edge[:, 32:] = 0.8
    out = sharpened(edge, 1, 0)
    assert out.max() < 0.8 + 0.1
    np.testing.assert_allclose(out[:, :27], 0.2, atol=1e-6)


def test_amount_zero_returns_its_input() -> None:
    plane = np.random.default_rng(0).random((32, 32), np.float32)
    assert sharpened(plane, 0, 0) is plane

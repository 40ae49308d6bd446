"""CLAHE in floating point, with OpenCV's of 8 bits as the oracle."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.image import local_contrast
from impasto.image.local_contrast import BINS, contrasted, curves, equalised
from impasto.image.samples import photo
from impasto.image.tiles import Tile

Plane = NDArray[np.float32]


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_it_is_close_to_opencv(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tiles and limit; what differs are its flat bins, its 8 bits and our soft bins."""
    monkeypatch.setattr(local_contrast, "FLAT", 1e-6)
    monkeypatch.setattr(local_contrast, "TILES", 2)
    grey = cv2.cvtColor(photo(name)[:256, :256], cv2.COLOR_RGB2GRAY)
    plane = np.asarray(grey / 255, np.float32)
    oracle = cv2.createCLAHE(local_contrast.LIMIT, (2, 2)).apply(grey).astype(np.float32) / 255
    ours = contrasted(
        plane, curves(plane, np.ones_like(plane)), 1, Tile(0, 256, 0, 256), (256, 256)
    )
    assert np.abs(ours - oracle).mean() < 0.02
    assert np.abs(plane - oracle).mean() > 0.04


def test_an_even_histogram_changes_nothing() -> None:
    curve = equalised(np.ones(BINS), 2)
    np.testing.assert_allclose(curve, np.linspace(0, 1, BINS + 1), atol=1e-6)


def test_without_a_limit_the_curve_is_the_distribution() -> None:
    counts = np.arange(1.0, BINS + 1)
    curve = equalised(counts, 1e9)
    expected = np.concatenate([[0], np.cumsum(counts)]) / counts.sum()
    np.testing.assert_allclose(curve, expected, atol=0.01)


def test_noise_in_the_dark_is_left_alone() -> None:
    """A flat dark tile's noise grows by less than a tenth; the limit alone would triple it."""
    noise = np.random.default_rng(0).normal(0.15, 0.004, (256, 256)).astype(np.float32)
    out = contrasted(noise, curves(noise, np.ones_like(noise)), 1, Tile(0, 256, 0, 256), (256, 256))
    assert out.std() < 1.1 * noise.std()


def test_contrast_grows_where_it_is_low() -> None:
    wave = (0.5 + 0.1 * np.sin(np.arange(256) / 5)).astype(np.float32)
    plane = np.tile(wave, (256, 1))
    out = contrasted(plane, curves(plane, np.ones_like(plane)), 1, Tile(0, 256, 0, 256), (256, 256))
    assert np.ptp(out[128]) > 1.4 * np.ptp(wave)


def test_strength_zero_changes_nothing() -> None:
    plane = np.random.default_rng(0).random((64, 64), np.float32)
    out = contrasted(plane, curves(plane, np.ones_like(plane)), 0, Tile(0, 64, 0, 64), (64, 64))
    np.testing.assert_array_equal(out, plane)

"""What auto chooses: little for good pictures, what is missing for others."""

import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.filter_settings import EnhanceSettings
from impasto.image.adjust import enhance
from impasto.image.auto import auto
from impasto.image.color import srgb_to_oklab
from impasto.image.samples import PHOTOS, photo
from impasto.image.srgb import to_unit

Picture = NDArray[np.float32]


def changed(rgb: Picture, settings: EnhanceSettings) -> float:
    """Mean distance in OKLab."""
    moved = srgb_to_oklab(enhance(rgb, settings)) - srgb_to_oklab(rgb)
    return float(np.sqrt((moved**2).sum(axis=2)).mean())


@pytest.mark.parametrize("name", PHOTOS)
def test_good_photos_are_changed_little(name: str) -> None:
    rgb = to_unit(photo(name))
    assert changed(rgb, auto(rgb)) < 0.045


def test_a_faded_photo_gets_its_range_back() -> None:
    rgb = to_unit(photo("astronaut"))
    faded = (0.12 + 0.7 * rgb).astype(np.float32)
    chosen = auto(faded)
    assert chosen.levels > 0.5
    before = np.abs(srgb_to_oklab(faded) - srgb_to_oklab(rgb)).mean()
    after = np.abs(srgb_to_oklab(enhance(faded, chosen)) - srgb_to_oklab(rgb)).mean()
    assert after < 0.75 * before


def test_noise_is_removed_only_where_it_is() -> None:
    rgb = to_unit(photo("astronaut"))
    assert auto(rgb).denoise == 0
    noise = np.random.default_rng(0).normal(0, 0.05, rgb.shape)
    noisy = np.clip(rgb + noise, 0, 1).astype(np.float32)
    chosen = auto(noisy)
    assert chosen.denoise > 0.5
    assert chosen.sharpen < 0.1


def test_night_stays_night() -> None:
    dark = (0.25 * to_unit(photo("rocket"))).astype(np.float32)
    before, after = (srgb_to_oklab(rgb)[..., 0] for rgb in (dark, enhance(dark, auto(dark))))
    assert np.median(after) < np.median(before) + 0.15

"""Saturation and vibrance keep hue and lightness; colours come back into sRGB at both."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto.filter_settings import EnhanceSettings
from impasto.image.adjust import enhance
from impasto.image.chroma import vivid
from impasto.image.color import oklab_to_srgb, srgb_to_oklab
from impasto.image.gamut import eased

Picture = NDArray[np.float32]


@pytest.fixture
def colours() -> Picture:
    return np.random.default_rng(0).uniform(0.02, 0.98, (64, 64, 3)).astype(np.float32)


def hues(oklab: Picture) -> Picture:
    return np.degrees(np.arctan2(oklab[..., 2], oklab[..., 1]))


@pytest.mark.parametrize("settings", [{"vibrance": 1}, {"saturation": 1}, {"saturation": -0.6}])
def test_hue_and_lightness_stay(colours: Picture, settings: dict[str, float]) -> None:
    before = srgb_to_oklab(colours)
    after = srgb_to_oklab(enhance(colours, EnhanceSettings(**settings)))
    coloured = np.hypot(after[..., 1], after[..., 2]) > 0.01
    turned = (hues(after) - hues(before) + 180) % 360 - 180
    assert np.abs(turned[coloured]).max() < 1
    assert np.abs(after[..., 0] - before[..., 0]).max() < 0.01


def test_saturation_minus_one_is_grey_of_the_same_lightness(colours: Picture) -> None:
    grey = enhance(colours, EnhanceSettings(saturation=-1))
    assert np.ptp(grey, axis=2).max() < 1e-5
    before, after = srgb_to_oklab(colours), srgb_to_oklab(grey)
    np.testing.assert_allclose(after[..., 0], before[..., 0], atol=1e-5)


def test_saturation_scales_chroma_where_there_is_room() -> None:
    muted = oklab_to_srgb(np.full((16, 16, 3), (0.6, 0.02, -0.03), np.float32))
    after = srgb_to_oklab(enhance(muted, EnhanceSettings(saturation=0.5)))
    np.testing.assert_allclose(after[0, 0], (0.6, 0.03, -0.045), atol=1e-4)


def test_vibrance_is_for_what_has_little_and_spares_skin() -> None:
    muted, strong = (0.6, -0.03, -0.03), (0.6, -0.15, -0.15)
    skin = srgb_to_oklab(np.array([0.88, 0.67, 0.55], np.float32))
    blue = np.array([skin[0], -skin[1], -skin[2]])
    colours = np.array([muted, strong, skin, blue], np.float32)
    after = vivid(colours, 0.5, 0)
    gain = np.hypot(after[:, 1], after[:, 2]) / np.hypot(colours[:, 1], colours[:, 2])
    assert gain[0] > 1.4
    assert gain[1] < 1.3
    assert gain[2] < 1.2 < gain[3]


@given(st.floats(0, 1), st.floats(0, 50))
def test_reach_stays_inside_in_order_and_as_it_was(origin: float, wanted: float) -> None:
    before, after = np.array([origin], np.float32), np.array([wanted], np.float32)
    out = float(eased(after, before)[0])
    assert out <= 1
    assert out <= np.float32(wanted)
    if wanted <= origin:
        assert out == np.float32(wanted)

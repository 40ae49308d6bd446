"""Curves on lightness: ends, order, and where percentiles go."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.filter_settings import EnhanceSettings
from impasto.image.adjust import enhance
from impasto.image.color import srgb_to_oklab
from impasto.image.tone import brightened, levelled

RAMP = np.linspace(0, 1, 4097, dtype=np.float32)


@given(st.floats(0, 0.25), st.floats(0, 0.25))
def test_levels_rise_from_0_to_1(below: float, above: float) -> None:
    curve = levelled(RAMP, below, above)
    assert curve[0] == pytest.approx(0, abs=1e-6)
    assert curve[-1] == pytest.approx(1, abs=1e-6)
    assert np.diff(curve).min() > 0


def test_levels_of_nothing_return_their_input() -> None:
    assert levelled(RAMP, 0, 0) is RAMP
    assert brightened(RAMP, 1) is RAMP


def test_a_faded_picture_gains_its_range() -> None:
    """Lightness from 0.21 to 0.87 comes to span nearly all; half the strength, less."""
    faded = np.linspace(0.1, 0.85, 64 * 64, dtype=np.float32).reshape(64, 64, 1).repeat(3, 2)
    spans = [
        float(np.ptp(srgb_to_oklab(enhance(faded, EnhanceSettings(levels=strength)))[..., 0]))
        for strength in (0.01, 0.5, 1)
    ]
    assert spans[0] < spans[1] < spans[2]
    assert spans[2] > 0.82


def test_gamma_is_a_power_of_lightness() -> None:
    grey = np.full((16, 16, 3), 0.3, np.float32)
    before = srgb_to_oklab(grey)[0, 0, 0]
    after = srgb_to_oklab(enhance(grey, EnhanceSettings(gamma=2)))[0, 0, 0]
    assert after == pytest.approx(before**0.5, abs=1e-5)

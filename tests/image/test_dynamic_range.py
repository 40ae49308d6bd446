import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto.image.dynamic_range import (
    HLG,
    PQ,
    SRGB,
    WIDE,
    light_of,
    pq_light,
    pq_signal,
    to_screen,
    to_xyz,
)


def numbers(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def grey(value: float) -> NDArray[np.float32]:
    return np.full((1, 1, 3), value, np.float32)


@pytest.mark.parametrize(
    ("light", "code"), [(0.0, 0), (100.0, 520), (203.0, 594), (1000.0, 769), (10_000.0, 1023)]
)
def test_pq_is_that_of_the_standard(light: float, code: int) -> None:
    """Codes of full range, 10 bits, as published tables have them."""
    assert pq_signal(numbers(light))[0] * 1023 == pytest.approx(code, abs=0.6)
    assert pq_light(numbers(code / 1023))[0] == pytest.approx(light, rel=0.01, abs=0.01)


@pytest.mark.parametrize(("signal", "light"), [(0, 0), (0.75, 203), (1, 1000)])
def test_hlg_is_that_of_the_standard(signal: float, light: float) -> None:
    """BT.2408, table 1: paper white is 75 % of the signal and 203 cd/m² of a display of 1000."""
    assert light_of(grey(signal), HLG).ravel() == pytest.approx([light] * 3, rel=0.002)


def test_primaries_convert_as_published() -> None:
    """ITU-R BT.2087-0, section 4, inverted; rounded there to four places."""
    matrix = np.linalg.solve(to_xyz(SRGB), to_xyz(WIDE[9]))
    expected = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    np.testing.assert_allclose(matrix, expected, atol=6e-5)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_grey_stays_grey_and_grows(transfer: int) -> None:
    ramp = np.linspace(0, 1, 101, dtype=np.float32)[:, None, None].repeat(3, 2)
    shown = to_screen(ramp, transfer, 9)
    assert np.ptp(shown, axis=2).max() < 1e-4
    steps = np.diff(shown[:, 0, 0])
    assert steps.min() >= -1e-6
    assert shown[0, 0] == pytest.approx([0, 0, 0])
    assert shown[-1, 0] == pytest.approx([1, 1, 1], abs=1e-4)


def test_the_dark_is_left_alone() -> None:
    """Below the knee light is only measured by paper white, and coded as sRGB codes it."""
    for light in (1, 10, 50):
        shown = to_screen(grey(float(pq_signal(numbers(light))[0])), PQ, 9)[0, 0, 0]
        linear = ((shown + 0.055) / 1.055) ** 2.4
        assert linear == pytest.approx(light / 203, rel=0.01)


@given(st.floats(0, 1))
def test_a_wide_gamut_changes_no_grey(value: float) -> None:
    for primaries in WIDE:
        assert to_screen(grey(value), 1, primaries).ravel() == pytest.approx([value] * 3, abs=1e-4)


def test_a_wide_gamut_is_more_colourful_than_it_says() -> None:
    red = numbers(0.8, 0.4, 0.4)[None, None]
    for primaries in WIDE:
        shown = to_screen(red, 1, primaries)[0, 0]
        assert shown[0] > 0.8
        assert max(shown[1:]) < 0.4


def test_colours_of_srgb_stay() -> None:
    colour = numbers(0.2, 0.5, 0.9)[None, None]
    np.testing.assert_allclose(to_screen(colour, 1, 1), colour, atol=1e-6)

"""enhance() as a whole: off, 16 bits, nothing clipped, alpha, grey, tiny."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto.filter_settings import EnhanceSettings
from impasto.image import tiles
from impasto.image.adjust import enhance
from impasto.image.auto import auto
from impasto.image.srgb import to_unit

Picture = NDArray[np.float32]

STEPS: list[dict[str, Any]] = [
    {"white_balance": 1},
    {"neutral": "#e0c8b0"},
    {"levels": 1},
    {"gamma": 2},
    {"gamma": 0.6},
    {"local_contrast": 1},
    {"vibrance": 1},
    {"saturation": 1},
    {"saturation": -0.5},
    {"sharpen": 3},
    {"denoise": 1},
]
ALL: dict[str, Any] = {
    "white_balance": 1,
    "levels": 1,
    "gamma": 1.5,
    "local_contrast": 1,
    "vibrance": 1,
    "saturation": 0.5,
    "sharpen": 2,
    "denoise": 1,
}
LEVEL = 1 / 65535


@pytest.fixture
def rgb(photo: NDArray[np.uint8]) -> Picture:
    return to_unit(photo)


@pytest.fixture
def other(rgb: Picture) -> Picture:
    return np.ascontiguousarray(rgb[::-1, :64, ::-1])


def test_everything_off_returns_the_input(rgb: Picture) -> None:
    assert enhance(rgb, EnhanceSettings()) is rgb


@pytest.mark.parametrize("step", [*STEPS, ALL], ids=str)
def test_the_same_input_gives_the_same_bits_and_stays_as_it_was(
    rgb: Picture, step: dict[str, Any]
) -> None:
    kept = rgb.copy()
    first = enhance(rgb, EnhanceSettings(**step))
    assert first.dtype == np.float32
    assert first.shape == rgb.shape
    np.testing.assert_array_equal(first, enhance(rgb, EnhanceSettings(**step)))
    np.testing.assert_array_equal(rgb, kept)


@pytest.mark.parametrize("step", STEPS, ids=str)
@pytest.mark.parametrize(
    ("low", "high"), [((0, 0, 0), (1, 1, 1)), ((0.05, 0.2, 0.1), (0.95, 0.7, 0.8))]
)
def test_a_gradient_of_16_bits_keeps_its_levels(
    step: dict[str, Any], low: tuple[float, ...], high: tuple[float, ...]
) -> None:
    """As many levels come out, and no step differs from its neighbours as a band's edge would."""
    ramp = np.linspace(low, high, 65536, dtype=np.float32)
    out = enhance(np.tile(ramp, (16, 1, 1)), EnhanceSettings(**step))[8].astype(np.float64)
    assert min(len(np.unique(channel)) for channel in out.T) > 64000
    rises = np.diff(out[600:-600], axis=0)  # a power's slope is steep at its end
    uneven = np.abs(np.diff(rises, axis=0)).max()
    assert uneven < LEVEL
    assert rises.min() > -LEVEL / 2


@pytest.mark.parametrize("step", [*STEPS, ALL], ids=str)
def test_nothing_inside_reaches_black_or_white(step: dict[str, Any]) -> None:
    """Colours up to the last level of 16 bits, in any mixture, stay between the ends."""
    draws = np.random.default_rng(1).random((64, 64, 3))
    hard = np.clip(draws * 1.6 - 0.3, LEVEL, 1 - LEVEL).astype(np.float32)
    out = enhance(hard, EnhanceSettings(**step))
    assert out.min() > 0
    assert out.max() < 1


@pytest.mark.parametrize("name", ["match", "photo"])
def test_colours_of_others_do_not_clip(rgb: Picture, other: Picture, name: str) -> None:
    inner = np.clip(rgb, LEVEL, 1 - LEVEL)
    field = {"match": "match", "photo": "like_photo"}[name]
    out = enhance(inner, EnhanceSettings(**{field: "x.png"}), **{name: other})
    assert out.min() > 0
    assert out.max() < 1


@pytest.mark.parametrize("step", [*STEPS[:1], *STEPS[2:], ALL], ids=str)
def test_grey_stays_grey(rgb: Picture, step: dict[str, Any]) -> None:
    grey = np.repeat(rgb[..., 1:2], 3, axis=2)
    out = enhance(grey, EnhanceSettings(**step))
    assert np.ptp(out, axis=2).max() < 1e-6


@pytest.mark.parametrize("step", [*STEPS, ALL | {"denoise": 0}], ids=str)
def test_hidden_pixels_have_no_say(rgb: Picture, step: dict[str, Any]) -> None:
    """What lies under transparent pixels changes nothing farther off than the filters see."""
    alpha = np.ones(rgb.shape[:2], np.float32)
    alpha[:, 64:] = 0
    changed = rgb.copy()
    changed[:, 64:] = (1, 0, 1)
    first = enhance(rgb, EnhanceSettings(**step), alpha=alpha)
    second = enhance(changed, EnhanceSettings(**step), alpha=alpha)
    np.testing.assert_array_equal(first[:, :48], second[:, :48])


@given(
    st.integers(16, 24),
    st.integers(16, 24),
    st.sampled_from([0.0, 0.2, 1.0]),
    st.integers(0, 2**16),
)
@settings(max_examples=15, deadline=None)
def test_tiny_and_flat_pictures_come_out_finite(
    height: int, width: int, spread: float, seed: int
) -> None:
    draws = np.random.default_rng(seed).random((height, width, 3), np.float32)
    rgb = 0.4 + spread * (draws - 0.4)
    for chosen in (EnhanceSettings(**ALL), auto(rgb)):
        out = enhance(rgb, chosen)
        assert out.shape == rgb.shape
        assert np.isfinite(out).all()
        assert 0 <= out.min() <= out.max() <= 1


def test_invisible_pictures_come_out(rgb: Picture) -> None:
    hidden = np.zeros(rgb.shape[:2], np.float32)
    assert auto(rgb, hidden) == EnhanceSettings()
    assert np.isfinite(enhance(rgb, EnhanceSettings(**ALL), alpha=hidden)).all()


def test_tiles_leave_no_trace(rgb: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of 16 px and of the whole picture give the same pixels."""
    pictures = []
    for side in (16, 1024):
        monkeypatch.setattr(tiles, "SIDE", side)
        pictures.append(enhance(rgb, EnhanceSettings(**ALL)))
    np.testing.assert_allclose(pictures[0], pictures[1], atol=1e-5)

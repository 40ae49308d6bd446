"""The ColorChecker under lamps, and pictures that must keep their colours."""

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from impasto.filter_settings import EnhanceSettings
from impasto.image.adjust import enhance
from impasto.image.cast import found
from impasto.image.color import TO_XYZ, decoded, encoded
from impasto.image.samples import photo
from impasto.image.srgb import to_unit
from impasto.image.white_balance import balanced, gains_against, weakened

Picture = NDArray[np.float32]

COLORCHECKER = """
735244 c29682 627a9d 576c43 8580b1 67bdaa d67e2c 505ba6 c15a63 5e3c6c 9dbc40 e0a32e
383d96 469449 af363c e7c71f bb5695 0885a1 f3f3f2 c8c8c8 a0a0a0 7a7a79 555555 343434
"""
"""sRGB of its 24 patches."""

SIDE, GAP = 24, 6
LAMPS = {
    "tungsten": (1.25, 0.95, 0.5),
    "candle": (1.5, 0.9, 0.3),
    "shade": (0.8, 1.0, 1.3),
    "fluorescent": (0.85, 1.08, 0.75),
}


def patch(number: int) -> tuple[slice, slice]:
    top, left = (GAP + place * (SIDE + GAP) for place in divmod(number, 6))
    return slice(top, top + SIDE), slice(left, left + SIDE)


def chart() -> Picture:
    """Four rows of six patches on dark grey, two thirds as bright as the brightest that fits."""
    picture = np.full((4 * (SIDE + GAP) + GAP, 6 * (SIDE + GAP) + GAP, 3), 0.15, np.float32)
    for number, code in enumerate(COLORCHECKER.split()):
        picture[patch(number)] = np.array(list(bytes.fromhex(code)), np.float32) / 255
    return encoded(decoded(picture) * np.float32(2 / 3))


def under(lamp: tuple[float, float, float]) -> Picture:
    """The chart as a camera set to daylight sees it, with noise of one level of 8 bits."""
    light = np.array(lamp) / (TO_XYZ[1] @ np.array(lamp))
    seen = encoded((decoded(chart()) * light).astype(np.float32))
    noise = np.random.default_rng(0).normal(0, 1 / 255, seen.shape)
    return np.clip(seen + noise, 0, 1).astype(np.float32)


def difference(picture: Picture) -> float:
    """Mean CIEDE2000 of the patches' means."""
    found_, true = (
        np.array([whole[patch(number)].mean((0, 1)) for number in range(24)], np.float64)
        for whole in (picture, chart())
    )
    return float(deltaE_ciede2000(rgb2lab(found_), rgb2lab(true)).mean())  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("lamp", LAMPS.values(), ids=LAMPS)
def test_the_chart_is_restored_automatically(lamp: tuple[float, float, float]) -> None:
    cast = under(lamp)
    assert difference(cast) > 5
    assert difference(enhance(cast, EnhanceSettings(white_balance=1))) < 2.6


@pytest.mark.parametrize("lamp", LAMPS.values(), ids=LAMPS)
def test_the_chart_is_restored_by_its_grey(lamp: tuple[float, float, float]) -> None:
    cast = under(lamp)
    grey = np.round(cast[patch(20)].mean((0, 1)) * 255).astype(int)
    neutral = "#{:02x}{:02x}{:02x}".format(*grey)
    assert difference(enhance(cast, EnhanceSettings(neutral=neutral))) < 1


def test_half_the_strength_takes_half_of_the_logarithm() -> None:
    gains = gains_against(np.array([0.6, 0.4, 0.1]))
    np.testing.assert_allclose(weakened(gains, 0.5) ** 2, gains, rtol=1e-6)
    np.testing.assert_array_equal(weakened(gains, 0), 1)


def test_the_cast_becomes_grey_of_its_luminance() -> None:
    cast = np.array([0.12, 0.08, 0.03], np.float32)
    grey = balanced(cast, gains_against(cast))
    np.testing.assert_allclose(grey, TO_XYZ[1] @ cast, rtol=1e-4)


def test_burnt_out_white_stays_white() -> None:
    white = np.ones((1, 1, 3), np.float32)
    np.testing.assert_allclose(
        balanced(white, gains_against(np.array([0.5, 0.3, 0.1]))), 1, rtol=1e-5
    )


def sunset() -> Picture:
    """Orange below blue, a pale sun, a black shore: nothing grey, all of it warm."""
    rows, columns = np.mgrid[0:160, 0:240] / np.array([160, 240])[:, None, None]
    sky = np.array([0.95, 0.5, 0.2]) * rows[..., None]
    sky = sky + np.array([0.25, 0.3, 0.5]) * (1 - rows[..., None])
    glow = np.exp(-((rows - 0.6) ** 2 + (columns - 0.5) ** 2) / 0.01)[..., None]
    picture = sky + glow * (np.array([1, 0.9, 0.6]) - sky)
    picture[rows > 0.8] *= 0.08
    grain = np.random.default_rng(0).normal(1, 0.02, (160, 240, 1))
    return np.asarray(np.clip(picture * grain, 0, 1), np.float32)


def meadow() -> Picture:
    """Blades in many greens below a pale sky."""
    draws = np.random.default_rng(0)
    picture = np.empty((160, 240, 3))
    picture[:40] = (0.75, 0.85, 0.97)
    blades = draws.uniform(0.3, 1, (120, 240, 1)) * draws.normal(1, 0.08, (120, 240, 3))
    picture[40:] = np.array([0.38, 0.62, 0.2]) * blades
    return np.clip(picture, 0, 1).astype(np.float32)


@pytest.mark.parametrize("scene", [sunset, meadow], ids=["sunset", "meadow"])
def test_coloured_scenes_keep_their_colours(scene: object) -> None:
    assert callable(scene)
    assert np.abs(found(scene())).max() < 0.12


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_photographs_are_hardly_moved(name: str) -> None:
    assert np.abs(found(to_unit(photo(name)))).max() < 0.12

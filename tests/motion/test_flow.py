from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.motion import clips

from impasto.motion.coherence_settings import Method
from impasto.motion.flow import carried, estimate, inside, warped

CLIPS: dict[str, Callable[..., clips.Known]] = {
    "pan": clips.pan,
    "zoom": clips.zoom,
    "cover": clips.cover,
}
SIZES = (96, 72), (192, 144), (320, 240), (480, 360), (640, 480)


def photos(known: clips.Known) -> NDArray[np.float32]:
    return known.frames.astype(np.float32) / np.float32(255)


def miss(found: NDArray[np.float32], true: NDArray[np.float32], seen: NDArray[np.bool_]) -> float:
    """Mean end-point error of the pixels that both frames show, px."""
    return float(np.linalg.norm(found - true, axis=-1)[seen].mean())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("clip", CLIPS)
def test_frames_move_as_is_known_of_them(clip: str, size: tuple[int, int]) -> None:
    known = CLIPS[clip](3, size)
    before, after = photos(known)[1:]
    seen = ~known.uncovered[1]
    apart = np.abs(after - warped(before, known.back[1])).mean(-1)[seen]
    assert apart.mean() < 0.01
    assert apart.mean() < np.abs(after - before).mean(-1)[seen].mean() / 3


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("clip", CLIPS)
def test_the_flow_is_the_known_motion(clip: str, size: tuple[int, int]) -> None:
    known = CLIPS[clip](3, size)
    one, other = photos(known)[1:]
    assert miss(estimate(one, other), known.flow[1], ~known.covered[1]) < 0.2
    assert miss(estimate(other, one), known.back[1], ~known.uncovered[1]) < 0.2


@pytest.mark.parametrize("method", get_args(Method))
def test_every_method_finds_a_pan(method: Method) -> None:
    known = clips.pan(2, (96, 72), (2, 1))
    one, other = photos(known)
    assert miss(estimate(one, other, method), known.flow[0], ~known.covered[0]) < 0.5


def test_what_stands_still_has_no_flow() -> None:
    one, other = photos(clips.still(2))
    assert np.abs(estimate(one, other)).max() < 0.01


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("size", [(2, 2), (7, 40), (11, 11), (12, 8), (8, 12), (16, 16)])
def test_tiny_frames_have_a_flow_too(method: Method, size: tuple[int, int]) -> None:
    width, height = size
    one, other = np.random.default_rng(0).random((2, height, width, 3), np.float32)
    found = estimate(one, other, method)
    assert found.shape == (height, width, 2)
    assert np.isfinite(found).all()


def test_a_picture_is_warped_along_the_flow() -> None:
    """Whole pixels are copied, half ones are the mean of an even slope's."""
    ramp = np.repeat(np.arange(12)[None] / 16, 9, 0).astype(np.float32)
    picture = np.stack([ramp, 1 - ramp, ramp], -1).astype(np.float32)
    halfway = picture + np.array([1, -1, 1]) / 32
    across = np.zeros((9, 12, 2), np.float32)
    across[..., 0] = 2
    assert np.array_equal(warped(picture, across)[:, :-2], picture[:, 2:])
    across[..., 0] = 0.5
    np.testing.assert_allclose(warped(picture, across)[:, 2:-3], halfway[:, 2:-3], atol=1e-6)
    assert np.array_equal(warped(ramp, np.zeros_like(across)), ramp)


def test_places_outside_are_known() -> None:
    flow = np.zeros((4, 5, 2), np.float32)
    flow[..., 0] = -2
    assert np.array_equal(inside(flow), np.repeat([[False, False, True, True, True]], 4, 0))
    flow[...] = 0, 1
    assert np.array_equal(inside(flow).all(axis=1), [True, True, True, False])


def test_what_is_carried_on_for_a_second_is_neither_sharpened_nor_softened() -> None:
    across = np.arange(120, dtype=np.float32)
    waves = 0.5 + 0.2 * np.cos(2 * np.pi * across / 7)
    picture = np.tile(waves.astype(np.float32)[None, :, None], (40, 1, 3))
    flow = np.full((40, 120, 2), 0.3, np.float32)
    for _ in range(24):
        picture = carried(picture, flow)
    inner = picture[10:-10, 40:-40]
    assert 0.9 < np.ptp(inner) / 0.4 <= 1.001


def test_what_stands_still_is_carried_on_as_it_is() -> None:
    picture = np.random.default_rng(0).random((24, 32, 3), np.float32)
    still = np.zeros((24, 32, 2), np.float32)
    np.testing.assert_allclose(carried(picture, still), picture, atol=1e-6)

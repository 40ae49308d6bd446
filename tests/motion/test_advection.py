from functools import cache
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.image.histogram import bits
from impasto.image.samples import photo, style
from impasto.motion.advection import RGB, Field, Loop, Paths, kept_inside, sampled
from impasto.motion.strokes import flow_of

SIDE = 120


def flows(x: float, y: float, side: int = SIDE) -> Field:
    return np.tile(np.array([x, y], np.float32), (side, side, 1))


def everywhere(rgb: RGB) -> NDArray[np.float32]:
    return np.ones(rgb.shape[:2], np.float32)


@cache
def pictures() -> dict[str, RGB]:
    """Drawn lines, and a photo's soft parts."""
    found = {"spirograph": style("spirograph", 160), "coffee": photo("coffee")[100:228, 200:400]}
    return {name: rgb.astype(np.float32) / np.float32(255) for name, rgb in found.items()}


def loop_of(rgb: RGB, frames: int = 24, turns: int = 1) -> Loop:
    flow = kept_inside(flow_of(rgb, 2.0), 8)
    return Loop(rgb, flow, everywhere(rgb), frames, length=8.0, turns=turns)


LOOPS = {name: loop_of(rgb) for name, rgb in pictures().items()}


# Paths


@pytest.mark.parametrize("age", [0.0, 0.2, 0.5, 0.77, 1.0])
def test_paths_around_a_centre_are_arcs(age: float) -> None:
    """Where all turns by one angle, in closed form."""
    y, x = (np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2).astype(np.float32)
    rate = 1 / 80
    found = Paths(np.stack([-y, x], axis=-1) * np.float32(rate), 30.0).source(age)
    angle = -(age - 0.5) * 30 * rate
    wanted = np.stack(
        [
            x * np.cos(angle) - y * np.sin(angle) - x,
            x * np.sin(angle) + y * np.cos(angle) - y,
        ],
        axis=-1,
    )
    inner = np.hypot(x, y) < 45
    assert np.abs(found - wanted)[inner].max() < 0.03


def test_paint_of_middle_age_lies_in_its_place() -> None:
    assert not Paths(flow_of(pictures()["coffee"], 2.0), 9.0).source(0.5).any()


@pytest.mark.parametrize("direction", [(1, 0), (-1, 0), (0, 1), (0, -1), (0.6, 0.8)])
def test_no_path_leaves_the_picture(direction: tuple[float, float]) -> None:
    paths = Paths(kept_inside(flows(*direction), 10), 60.0)
    y, x = np.mgrid[:SIDE, :SIDE]
    for age in (0.0, 1.0):
        place = paths.source(age) + np.stack([x, y], axis=-1)
        assert place.min() >= -1e-3
        assert place.max() <= SIDE - 1 + 1e-3


def test_what_runs_along_a_border_is_not_held() -> None:
    held = kept_inside(flows(1, 0), 10)
    assert (held[0, 20:-20, 0] == 1).all()
    assert (held[:, [0, -1], 0] == 0).all()


def test_samples_between_pixels_are_sharp() -> None:
    """A wave of 8 px keeps its height, half a pixel on, within the error of bicubic sampling."""
    x = np.tile(np.arange(SIDE, dtype=np.float32), (SIDE, 1))
    wave = np.stack([0.5 + 0.4 * np.sin(2 * np.pi * x / 8)] * 3, axis=-1).astype(np.float32)
    found = sampled(wave, flows(0.5, 0), cv2.INTER_CUBIC)[4:-4, 4:-4, 0]
    wanted = 0.5 + 0.4 * np.sin(2 * np.pi * (x + 0.5) / 8)[4:-4, 4:-4]
    assert np.abs(found - wanted).max() < 0.012


# Loops


def test_waves_in_a_steady_flow_travel_unchanged() -> None:
    """All copies of a wave show the same where they are a wavelength apart, in closed form."""
    wavelength, length = 12.0, 36.0
    x = np.tile(np.arange(240, dtype=np.float32), (240, 1))
    wave = np.stack([0.5 + 0.3 * np.sin(2 * np.pi * x / wavelength)] * 3, axis=-1)
    loop = Loop(
        wave.astype(np.float32), flows(1, 0, 240), everywhere(wave), 36, length=length, turns=1
    )
    for i, frame in enumerate(loop):
        # In a loop they go a third of their way; at first they are half of it from their places.
        gone = (i / 36 / 3 - 0.5) * length
        wanted = 255 * (0.5 + 0.3 * np.sin(2 * np.pi * (x - gone) / wavelength))
        assert np.abs(frame[40:-40, 40:-40, 0] - wanted[40:-40, 40:-40]).max() < 4


@pytest.mark.parametrize("turns", [1, 3])
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_has_no_end(name: str, turns: int) -> None:
    loop = loop_of(pictures()[name], turns=turns)
    np.testing.assert_array_equal(loop.at(0), loop.at(1))
    np.testing.assert_array_equal(loop[0], loop.at(7))
    assert (loop[0] != loop[1]).any()


@pytest.mark.parametrize("name", LOOPS)
def test_all_steps_are_alike_also_over_the_seam(name: str) -> None:
    frames = [frame.astype(np.int16) for frame in LOOPS[name]]
    steps = [float(np.abs(b - a).mean()) for a, b in pairwise([*frames, frames[0]])]
    assert max(steps) < 1.25 * np.mean(steps)
    assert min(steps) > 0.75 * np.mean(steps)
    assert abs(steps[-1] / np.mean(steps[:-1]) - 1) < 0.25


@pytest.mark.parametrize("name", LOOPS)
def test_brightness_and_contrast_stay(name: str) -> None:
    still = pictures()[name] * 255
    contrasts = []
    for frame in LOOPS[name]:
        assert abs(frame.mean() / still.mean() - 1) < 0.01
        contrasts.append(contrast(frame.astype(np.float32)) / contrast(still))
    assert min(contrasts) > 0.96
    assert max(contrasts) < 1.04
    assert max(contrasts) - min(contrasts) < 0.02  # it doesn't breathe


def contrast(picture: RGB) -> float:
    """Mean of the standard deviations in windows of 9 px, of the luma."""
    luma = picture.mean(axis=-1)
    mean = cv2.blur(luma, (9, 9))
    return float(np.sqrt(np.maximum(cv2.blur(luma * luma, (9, 9)) - mean * mean, 0)).mean())


def test_without_a_flow_all_frames_are_the_picture() -> None:
    rgb = pictures()["coffee"]
    loop = Loop(
        rgb, np.zeros((*rgb.shape[:2], 2), np.float32), everywhere(rgb), 5, length=8, turns=1
    )
    for frame in loop:
        np.testing.assert_array_equal(frame, bits(rgb))


def test_masked_parts_are_the_pictures_own_pixels() -> None:
    rgb = pictures()["spirograph"]
    mask = np.zeros(rgb.shape[:2], np.float32)
    mask[:, 90:] = 1
    loop = Loop(rgb, flow_of(rgb, 2.0) * mask[..., None], mask, 6, length=8, turns=1)
    for frame in loop:
        np.testing.assert_array_equal(frame[:, :90], bits(rgb)[:, :90])
        assert (frame[:, 100:] != bits(rgb)[:, 100:]).mean() > 0.3


def test_a_loop_is_a_sequence() -> None:
    loop = LOOPS["coffee"]
    assert len(loop) == len(list(loop)) == 24
    np.testing.assert_array_equal(loop[-1], loop[23])
    np.testing.assert_array_equal(loop[2:4], [loop[2], loop[3]])
    with pytest.raises(IndexError, match="frame 24 of 24"):
        loop[24]


def test_a_flow_of_a_smaller_picture_moves_a_larger_one_alike() -> None:
    """Twice as far, at twice the size."""
    small = pictures()["coffee"]
    height, width = small.shape[:2]
    large = cv2.resize(small, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    flow = kept_inside(flow_of(small, 2.0), 8)
    one = Loop(small, flow, everywhere(small), 4, length=8, turns=1)
    other = Loop(np.asarray(large, np.float32), flow, everywhere(large), 4, length=8, turns=1)
    for i in range(4):
        shrunk = cv2.resize(other[i], (width, height), interpolation=cv2.INTER_AREA)
        assert np.abs(shrunk.astype(float) - one[i]).mean() < 3

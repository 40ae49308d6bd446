from collections.abc import Iterator
from itertools import chain, repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.motion.clips import cover, cut, pan, still, zoom

from impasto.motion.cuts import AROUND, GROUP, changes, cuts, difference, hue_chroma_value

RGB = NDArray[np.float32]


def small(frames: NDArray[np.uint8]) -> list[RGB]:
    """Frames at a quarter of their size."""
    floats = frames.astype(np.float32) / 255
    count, height, width, _ = floats.shape
    blocks = floats[:, : height // 4 * 4, : width // 4 * 4]
    return list(blocks.reshape(count, height // 4, 4, width // 4, 4, 3).mean((2, 4)))


def found(frames: list[RGB], rate: float = 25) -> list[int]:
    return cuts(list(changes(frames)), [index / rate for index in range(len(frames))])


def flat(*values: float) -> RGB:
    return np.full((8, 8, 3), values, np.float32)


def seen(red: float, green: float, blue: float) -> RGB:
    return hue_chroma_value(flat(red, green, blue))


def test_hue_chroma_and_value_are_those_of_the_hexagon() -> None:
    assert seen(1, 0, 0)[0, 0] == pytest.approx([0, 1, 1])
    assert seen(0, 0.5, 0.5)[0, 0] == pytest.approx([180, 0.5, 0.5])
    assert seen(0.6, 0.2, 0.8)[0, 0] == pytest.approx([280, 0.6, 0.8])
    assert seen(0.3, 0.3, 0.3)[0, 0, 1:] == pytest.approx([0, 0.3])


def test_the_difference_of_black_and_white_is_that_of_their_values() -> None:
    assert difference(seen(0, 0, 0), seen(1, 1, 1)) == pytest.approx(1 / 3)


def test_hue_is_a_circle_and_counts_as_much_as_there_is_of_it() -> None:
    red, blue = flat(350, 1, 1), flat(10, 1, 1)
    assert difference(red, blue) == pytest.approx(20 / 180 / 3)
    assert difference(flat(0, 0.25, 1), flat(180, 0.25, 1)) == pytest.approx(0.25 / 3)
    assert difference(flat(0, 0, 0.5), flat(180, 0, 0.5)) == 0


@given(st.integers(1, 3 * GROUP), st.integers(1, 3 * GROUP))
@settings(deadline=None)
def test_the_change_of_a_cut_is_at_the_first_frame_after_it(before: int, after: int) -> None:
    frames = [flat(0, 0, 0)] * before + [flat(1, 1, 1)] * after
    expected = [0.0] * before + [1 / 3] + [0.0] * (after - 1)
    assert list(changes(frames)) == pytest.approx(expected)


@given(st.integers(GROUP, 12), st.integers(1, GROUP - 1), st.integers(GROUP, 12))
@settings(deadline=None)
def test_a_flash_changes_nothing_that_stays(before: int, during: int, after: int) -> None:
    frames = [*[flat(0, 0, 0)] * before, *[flat(1, 1, 1)] * during, *[flat(0, 0, 0)] * after]
    assert list(changes(frames)) == [0.0] * len(frames)
    assert found(frames) == [0]


@pytest.mark.parametrize("at", [6, 12, 20])
def test_a_cut_is_found_where_it_is(at: int) -> None:
    assert found(small(cut(26, at=at))) == [0, at]


@pytest.mark.parametrize(
    "frames",
    [
        pan(30, step=(1, 0)).frames,
        pan(30, step=(8, 3)).frames,
        zoom(30).frames,
        cover(20).frames,
        still(10).frames,
        pan(1).frames,
        pan(2).frames,
    ],
    ids=["slow pan", "fast pan", "zoom", "something passes", "still", "one frame", "two frames"],
)
def test_motion_is_no_cut(frames: NDArray[np.uint8]) -> None:
    assert found(small(frames)) == [0]


@pytest.mark.parametrize("length", [6, 12, 25, 50])
def test_fades_and_dissolves_are_no_cuts(length: int) -> None:
    one, other = small(cut(12, at=6))[::11]
    shares = np.linspace(0, 1, length, dtype=np.float32)
    dissolve = [one + share * (other - one) for share in shares]
    fade = [one * (1 - share) for share in shares] + [other * share for share in shares]
    for frames in (dissolve, fade):
        assert found([*repeat(one, 10), *frames, *repeat(other, 10)]) == [0]


@pytest.mark.parametrize("times", [2, 3])
def test_frames_that_are_shown_several_times_hide_no_cut_and_make_none(times: int) -> None:
    frames = list(chain.from_iterable(repeat(frame, times) for frame in small(cut(24, at=12))))
    assert found(frames) == [0, 12 * times]
    moving = chain.from_iterable(
        repeat(frame, times) for frame in small(pan(20, step=(8, 3)).frames)
    )
    assert found(list(moving)) == [0]


def test_several_shots_are_found() -> None:
    other = cut(2, at=1)[1:]
    scenes = [pan(12).frames, np.repeat(other, 14, 0), zoom(13).frames, 255 - cover(12).frames]
    assert found(small(np.concatenate(scenes))) == [0, 12, 26, 39]


def test_of_two_cuts_close_together_the_clearer_one_stands() -> None:
    values = [0.0] * 30
    values[10], values[14] = 0.3, 0.4
    times = [index / 25 for index in range(30)]
    assert cuts(values, times) == [0, 14]
    assert cuts(values, [10 * time for time in times]) == [0, 10, 14]


def test_a_change_is_compared_with_those_around_it() -> None:
    values = [0.1] * 31
    for high, cut_there in [(0.44, False), (0.46, True)]:
        values[15] = high
        assert cuts(values, [float(index) for index in range(31)]) == (
            [0, 15] if cut_there else [0]
        )
    assert cuts([0.0] * AROUND, [float(index) for index in range(AROUND)]) == [0]


def test_frames_are_taken_one_at_a_time() -> None:
    """What comes out never lags more than a group behind what went in."""
    drawn = 0

    def frames() -> Iterator[RGB]:
        nonlocal drawn
        for frame in small(pan(20).frames):
            drawn += 1
            yield frame

    for given_out, _ in enumerate(changes(frames()), 1):
        assert drawn - given_out < GROUP

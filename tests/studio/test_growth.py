from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.studio.growth import HOLD, LOOK, MOST, SLOT, Growth, Moment, difference, durations

CHANGES = st.lists(st.floats(1e-3, 255, allow_nan=False), min_size=0, max_size=80)


def grey(value: int, count: int = 0) -> Moment:
    return Moment(np.full((4, 6, 3), value, np.uint8), count)


def values(growth: Growth) -> list[int]:
    return [int(moment.frame[0, 0, 0]) for moment in growth.moments]


@given(CHANGES, st.floats(1, 60))
@settings(max_examples=200, deadline=None)
def test_a_film_is_as_long_as_was_asked_for(changes: list[float], seconds: float) -> None:
    found = durations(changes, seconds)
    assert len(found) == len(changes) + 1
    assert sum(found) == pytest.approx(seconds)
    assert min(found) >= 0
    slots = np.array(found[:-1]) / SLOT
    np.testing.assert_allclose(slots, np.rint(slots), atol=1e-6)
    assert found[-1] >= min(HOLD, seconds / 4) - SLOT / 2 - 1e-9


def test_what_changes_more_is_shown_longer() -> None:
    found = durations([9.0, 1.0, 4.0, 1.0, 1.0], 8)
    share = (8 - HOLD - LOOK) / 8
    grown = [3 * share + LOOK, share, 2 * share, share, share, HOLD]
    np.testing.assert_allclose(found, grown, atol=SLOT)
    assert durations([], 5) == [5]


def test_few_steps_fill_a_film_and_many_share_its_slots() -> None:
    assert all(time > 0 for time in durations([1.0] * 55, 8))
    many = durations([1.0] * 1500, 8)
    assert sum(time > 0 for time in many) == 57
    assert many[-1] == pytest.approx(2)


def test_differences_are_means() -> None:
    one, other = np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 3), np.uint8)
    other[0, 0] = 30, 0, 240
    assert difference(one, other) == pytest.approx(270 / 18)


def test_what_does_not_change_is_one_frame() -> None:
    growth = Growth()
    for count, value in enumerate([7, 7, 9, 9, 9, 7]):
        growth.add(grey(value, count))
    assert values(growth) == [7, 9, 7]


def test_many_frames_become_few_evenly() -> None:
    """Of 256 greys in a row, the gaps between those that are kept differ by one at most."""
    growth = Growth()
    for value in range(256):
        growth.add(grey(value, value))
    kept = values(growth)
    assert len(kept) == MOST
    assert (kept[0], kept[-1]) == (0, 255)
    assert {b - a for a, b in pairwise(kept)} <= {1, 2, 3}


def test_fast_changes_keep_their_frames() -> None:
    growth = Growth()
    fast = list(range(0, 200, 4))
    slow = [200 + i // 20 for i in range(1000)]
    for count, value in enumerate(fast + slow):
        frame = np.full((20, 20, 3), value, np.uint8)
        frame.flat[: count % 20] += 1  # something always changes
        growth.add(Moment(frame, count))
    kept = [moment.taken for moment in growth.moments]
    assert len(kept) == MOST
    assert kept[: len(fast)] == list(range(len(fast)))


def test_what_a_run_does_again_takes_the_place_of_what_it_had_done() -> None:
    growth = Growth()
    for count, value in ((0, 1), (3, 10), (5, 20), (6, 30)):
        growth.add(grey(value, count))
    growth.add(grey(15, 4))
    assert values(growth) == [1, 10, 15]
    assert sum(growth.durations(8)) == pytest.approx(8)

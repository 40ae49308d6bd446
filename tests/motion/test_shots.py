"""The loop over the frames of a shot: what it hands on, whatever was there before."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.motion.trail import Footage, Taken, Trail, Trailing, expected

from impasto.errors import UnreadableVideo
from impasto.events import Notice
from impasto.motion.clip import Frame
from impasto.motion.place import Place
from impasto.motion.shots import (
    FrameMade,
    Making,
    Reel,
    Report,
    Shot,
    Task,
    carry_out,
    shots_of,
    tasks_of,
)
from impasto.motion.survey import Survey

COUNT, CUT = 12, 7
WHOLE = Footage(COUNT, CUT)


def making(folder: Path, footage: Footage = WHOLE, depth: int = 8) -> Making:
    return Making(Taken(footage), Trailing(), footage.size, footage.survey, folder, "job", depth)


def worked(tasks: list[Task], work: Making) -> list[Report]:
    effect, reel = work.effect(work.place), Reel(work)
    return [report for task in tasks for report in carry_out(task, work, effect, reel)]


def test_frames_follow_those_before_them_within_their_shot(tmp_path: Path) -> None:
    work = making(tmp_path)
    tasks = tasks_of(shots_of((0, CUT), COUNT), ())
    assert [task.frames for task in tasks] == [tuple(range(CUT)), tuple(range(CUT, COUNT))]
    reports = worked(tasks, work)
    want = expected(WHOLE.photos(), (0, CUT))
    for made, wanted in zip(work.store.pictures(COUNT), want, strict=True):
        np.testing.assert_array_equal(made, wanted)
    assert [report.frame for report in reports if isinstance(report, FrameMade)] == list(
        range(COUNT)
    )
    assert reports.count(Notice("the third frame of a shot")) == 2


@pytest.mark.parametrize("missing", [{11}, {0}, {3}, {2, 3, 9}, {5, 6, 7, 8}, {1, 4, 10}])
def test_frames_that_are_missing_are_made_as_they_were(tmp_path: Path, missing: set[int]) -> None:
    work, shots = making(tmp_path), shots_of((0, CUT), COUNT)
    worked(tasks_of(shots, ()), work)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    pictures = list(work.store.pictures(COUNT))
    for number in missing:
        (tmp_path / f"{number:06}.png").unlink()
    tasks = tasks_of(shots, work.store.facts())
    assert {number for task in tasks for number in task.frames} == missing
    worked(tasks, work)
    for made, wanted in zip(work.store.pictures(COUNT), pictures, strict=True):
        np.testing.assert_array_equal(made, wanted)
    others = {path: data for path, data in before.items() if int(path.stem) not in missing}
    assert {path: path.read_bytes() for path in others} == others


@pytest.mark.parametrize("damaged", [(4,), (4, 5), (2, 10)])
def test_a_damaged_frame_repeats_the_one_before_it(
    tmp_path: Path, damaged: tuple[int, ...]
) -> None:
    work = making(tmp_path, Footage(COUNT, CUT, damaged=damaged))
    worked(tasks_of(shots_of((0, CUT), COUNT), ()), work)
    pictures, facts = list(work.store.pictures(COUNT)), work.store.facts()
    for number in range(1, COUNT):
        same = np.array_equal(pictures[number], pictures[number - 1])
        assert same == (number in damaged) == facts[number].bridged


def test_a_shot_that_begins_with_a_damaged_frame_begins_all_the_same(tmp_path: Path) -> None:
    work = making(tmp_path, Footage(COUNT, CUT, damaged=(CUT,)))
    worked(tasks_of(shots_of((0, CUT), COUNT), ()), work)
    assert not work.store.facts()[CUT].bridged


def test_frames_get_the_size_that_is_asked_for(tmp_path: Path) -> None:
    whole = making(tmp_path)
    small = Making(whole.source, whole.effect, (24, 16), whole.survey, tmp_path, "job", 16)
    worked(tasks_of(shots_of((0,), 2), ()), small)
    assert {(made.shape, made.dtype.name) for made in small.store.pictures(2)} == {
        ((16, 24, 3), "uint16")
    }


passes: list[list[int]] = []


class Counted(Footage):
    """Notes which frames are drawn each time that it is asked for some."""

    def frames(self, first: int = 0, known: Survey | None = None) -> Iterator[Frame]:
        passes.append([])
        for frame in super().frames(first):
            passes[-1].append(frame.index)
            yield frame


def test_shots_that_follow_one_another_share_one_pass_over_the_clip(tmp_path: Path) -> None:
    work, shots = making(tmp_path, Counted(COUNT, CUT)), shots_of((0, 3, CUT, 9), COUNT)
    passes.clear()
    worked(tasks_of(shots, ()), work)
    assert passes == [list(range(COUNT))]
    pictures = list(work.store.pictures(COUNT))
    for number in (1, 2, 3, 4, 10):
        (tmp_path / f"{number:06}.png").unlink()
    passes.clear()
    worked(tasks_of(shots, work.store.facts()), work)
    assert passes == [[0, 1, 2, 3, 4], [9, 10]]
    for made, wanted in zip(work.store.pictures(COUNT), pictures, strict=True):
        np.testing.assert_array_equal(made, wanted)
    passes.clear()
    worked(tasks_of(shots, (*range(3), *range(9, COUNT)))[::-1], work)
    assert passes == [[7, 8], [3, 4, 5, 6]]


class Short(Footage):
    """Ends before it should."""

    def frames(self, first: int = 0, known: Survey | None = None) -> Iterator[Frame]:
        return (frame for frame in super().frames(first) if frame.index < 3)


def test_a_clip_that_has_become_shorter_is_refused(tmp_path: Path) -> None:
    work = making(tmp_path, Short())
    with pytest.raises(UnreadableVideo, match="ended before frame 12"):
        worked(tasks_of(shots_of((0,), COUNT), ()), work)
    assert set(work.store.facts()) == {0, 1, 2}


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n)))))
def test_shots_and_tasks_hold_every_frame_once(drawn: tuple[int, set[int]]) -> None:
    frames, marks = drawn
    shots = shots_of((0, *sorted(marks - {frames})), frames)
    assert [i for shot in shots for i in range(shot.start, shot.stop)] == list(range(frames))
    assert [shot.number for shot in shots] == list(range(1, len(shots) + 1))
    tasks = tasks_of(shots, marks)
    left = [i for task in tasks for i in task.frames]
    assert left == [i for i in range(frames) if i not in marks]
    assert all(task.shot.start <= i < task.shot.stop for task in tasks for i in task.frames)


def test_a_making_travels_to_another_process(tmp_path: Path) -> None:
    work = Making(Taken(Footage(3)), Trailing(), (8, 8), WHOLE.survey, tmp_path, "job", 8)
    assert pickle.loads(pickle.dumps(work)).effect(Place()) == Trail()
    assert pickle.loads(pickle.dumps(Task(Shot(1, 0, 3), (1, 2)))) == Task(Shot(1, 0, 3), (1, 2))

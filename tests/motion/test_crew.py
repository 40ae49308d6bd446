"""Several workers: the same frames as one, whatever becomes of them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from tests.motion.trail import Footage, Taken, Trail, Trailing, expected

from impasto.errors import NotEnoughMemory, UnwritableOutput
from impasto.events import Event, Notice
from impasto.motion.crew import Crew
from impasto.motion.effect import RGB, NewFrame, Past
from impasto.motion.shots import FrameMade, Making, shots_of, tasks_of

COUNT, CUT = 12, 7
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def making(folder: Path, seconds: float = 0.0, marks: Path | None = None) -> Making:
    source, effect = Footage(COUNT, CUT), Trailing(Trail(seconds, marks))
    return Making(Taken(source), effect, (48, 32), source.survey, folder, "job", 8)


def is_right(work: Making) -> None:
    want = expected(Footage(COUNT, CUT).photos(), (0, CUT))
    for made, wanted in zip(work.store.pictures(COUNT), want, strict=True):
        np.testing.assert_array_equal(made, wanted)


def children() -> list[psutil.Process]:
    return list(psutil.Process().children(recursive=True))


def test_workers_make_what_one_makes(tmp_path: Path) -> None:
    work = making(tmp_path)
    tasks = tasks_of(shots_of((0, CUT), COUNT), ())
    reports = list(Crew(2, 1).carry_out(tasks, work))
    is_right(work)
    made = [report.frame for report in reports if isinstance(report, FrameMade)]
    assert [frame for frame in made if frame < CUT] == list(range(CUT))
    assert [frame for frame in made if frame >= CUT] == list(range(CUT, COUNT))
    assert reports.count(Notice("the third frame of a shot")) == 2
    assert not children()


@posix
def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    work = making(tmp_path, seconds=0.05)
    notices, killed = [], 0
    for report in Crew(2, 1).carry_out(tasks_of(shots_of((0, CUT), COUNT), ()), work):
        if isinstance(report, Notice) and "ended" in report.message:
            notices.append(report.message)
        elif isinstance(report, FrameMade) and report.frame in (1, 4, CUT):
            children()[0].send_signal(signal.SIGKILL)
            killed += 1
    is_right(work)
    assert killed == 3
    assert 1 <= len(notices) <= 3  # one that had just ended needs no other
    assert all("by signal 9 in shot" in notice for notice in notices)
    assert not children()


@posix
def test_workers_that_die_again_and_again_are_given_up(tmp_path: Path) -> None:
    work = making(tmp_path, seconds=30)
    reports = Crew(2, 1).carry_out(tasks_of(shots_of((0, CUT), COUNT), ()), work)

    def kill_all() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until and not stop:
            for child in children():
                child.send_signal(signal.SIGKILL)
            time.sleep(0.05)

    stop: list[bool] = []
    thread = threading.Thread(target=kill_all)
    thread.start()
    with pytest.raises(NotEnoughMemory, match=r"3 workers in a row .* fewer --workers"):
        list(reports)
    stop.append(True)
    thread.join()
    assert not children()


@dataclass(frozen=True)
class Deadly(Trail):
    """What nobody survives in the second shot."""

    def frame(
        self, photo: RGB, past: Mapping[int, Past], moment: float
    ) -> Iterator[Event | NewFrame]:
        if moment > (CUT - 0.5) / (COUNT - 1):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().frame(photo, past, moment)


@posix
def test_frames_of_another_shot_do_not_hide_that_workers_die(tmp_path: Path) -> None:
    work = replace(making(tmp_path), effect=Trailing(Deadly(0.2)))
    reports = []
    with pytest.raises(NotEnoughMemory, match=r"3 workers in a row .* without a frame of shot 2"):
        for report in Crew(2, 1).carry_out(tasks_of(shots_of((0, CUT), COUNT), ()), work):
            reports.append(report)  # noqa: PERF402 (they count until the error)
    ended = [
        each.message for each in reports if isinstance(each, Notice) and "ended" in each.message
    ]
    assert ended == ["a worker ended by signal 9 in shot 2; another one goes on with it"] * 2
    assert not children()


def test_an_error_of_a_worker_is_one_of_the_run(tmp_path: Path) -> None:
    work = making(tmp_path / "missing")
    with pytest.raises(UnwritableOutput, match="missing"):
        list(Crew(2, 1).carry_out(tasks_of(shots_of((0, CUT), COUNT), ()), work))
    assert not children()


def test_who_stops_listening_stops_the_workers(tmp_path: Path) -> None:
    work = making(tmp_path, seconds=0.3)
    reports = Crew(2, 1).carry_out(tasks_of(shots_of((0, CUT), COUNT), ()), work)
    next(reports)
    assert len(children()) == 2
    began = time.monotonic()
    reports.close()
    assert time.monotonic() - began < 0.25
    assert not children()


PARENT = """
import sys
from pathlib import Path
from impasto.motion.crew import Crew
from impasto.motion.shots import shots_of, tasks_of
from tests.motion.test_crew import COUNT, CUT, making
folder = Path(sys.argv[1])
for report in Crew(2, 1).carry_out(tasks_of(shots_of((0, CUT), COUNT), ()), making(folder, 0.2)):
    print(report, flush=True)
"""


@posix
def test_workers_end_with_the_process_that_has_started_them(tmp_path: Path) -> None:
    """Even where it is killed; and a script needs no guard against being run again."""
    script = tmp_path / "script.py"
    script.write_text(PARENT)
    (tmp_path / "frames").mkdir()
    root = Path(__file__).parents[2]
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path / "frames")],
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        parent.stdout.readline()  # that they were started
        parent.stdout.readline()  # and that one of them works
        workers = psutil.Process(parent.pid).children()
        assert len(workers) == 2
        parent.kill()
    gone, alive = psutil.wait_procs(workers, timeout=5)
    assert (len(gone), alive) == (2, [])

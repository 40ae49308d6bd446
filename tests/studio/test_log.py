import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.errors import BadLog, UnwritableOutput
from impasto.events import (
    Event,
    LevelDone,
    Notice,
    Painted,
    RolledBack,
    Snapshot,
    Stage,
    Started,
    Step,
)
from impasto.studio.course import course_of, read_log
from impasto.studio.log import Log

BLACK = np.zeros((1, 1, 3), np.float32)
STARTED = Started((64, 48), ((32, 24), (64, 48)), 5, "cpu", "float32", lambda _: BLACK)


def step(taken: int, level: int = 1, **losses: float) -> Step:
    found = losses or {"content": 1.0 / taken, "style/a/relu1_1": 10.0 / taken}
    return Step(
        level=level,
        step=taken,
        taken=taken,
        done=taken / 5,
        losses=found,
        picture=lambda: BLACK,
        whole=lambda: BLACK,
        snapshot=lambda: Snapshot(1, 1, {}),
    )


@pytest.fixture
def opened() -> Iterator[Callable[..., Log]]:
    """Logs that have begun, and end with the test."""
    logs = []

    def open_log(path: Path | None, *, resume: bool = False) -> Log:
        logs.append(Log(path, resume=resume))
        logs[-1].open()
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()


Opened = Callable[..., Log]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_event_is_a_whole_line_as_soon_as_it_comes(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    log = opened(path)
    log.facts["recipe"] = {"beta": 100}
    events: list[Event] = [
        STARTED,
        step(1),
        RolledBack(1, 2, 1),
        Notice("mind the gap"),
        LevelDone(1, lambda: BLACK),
        Painted(BLACK, {"content": 0.5}, complete=True),
    ]
    for count, event in enumerate(events, 1):
        log(event)
        assert path.read_bytes().endswith(b"}\n")
        assert len(lines(path)) == count
    log(Stage("sharpening", 0.5))  # of the filters
    found = lines(path)
    names = ["started", "step", "rolled back", "notice", "level done", "finished"]
    assert [line["event"] for line in found] == names
    assert found[0]["levels"] == [[32, 24], [64, 48]]
    assert found[0]["recipe"] == {"beta": 100}
    assert found[1]["losses"] == {"content": 1.0, "style/a/relu1_1": 10.0}
    assert found[1]["total"] == 11
    assert found[5]["total"] == 0.5
    times = [line["seconds"] for line in found]
    assert times == sorted(times)


def test_seconds_are_the_clocks(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 101.5, 104.25])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    log = opened(None)
    log(STARTED)
    log(step(1))
    assert [record["seconds"] for record in log.records] == [1.5, 4.25]


def test_values_that_are_not_finite_have_no_number(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    log = opened(path)
    log(STARTED)
    log(step(1, content=math.inf, other=1.0))
    assert lines(path)[1]["losses"] == {"content": None, "other": 1.0}
    assert lines(path)[1]["total"] is None
    course = read_log(path, "run")
    assert math.isnan(course.losses["content"][0])
    assert course.losses["other"][0] == 1


def test_a_run_that_goes_on_adds_to_its_log(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first = opened(path)
    for event in (STARTED, step(1), step(2), step(3)):
        first(event)
    first.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event": "st')  # killed while it wrote
    second = opened(path, resume=True)
    for event in (STARTED, step(3, content=7.0), step(4, level=2)):
        second(event)
    second.close()
    assert path.read_bytes().startswith(whole)
    course = read_log(path, "run")
    assert course.steps.tolist() == [1, 2, 3, 4]
    assert course.level.tolist() == [1, 1, 1, 2]
    assert course.losses["content"].tolist() == pytest.approx([1, 0.5, 7, 0.25])
    assert np.all(np.diff(course.seconds) >= 0)


def test_what_is_no_painting_s_log_is_not_added_to(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text('{"event": "step", "seconds": 1, "taken": 1}\n')
    before = path.read_bytes()
    with pytest.raises(BadLog, match=r"the log of run\.jsonl: its events lack what they should"):
        opened(path, resume=True)
    assert path.read_bytes() == before


def test_without_resume_a_log_begins_anew(opened: Opened, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text("something else\n")
    log = opened(path)
    log(STARTED)
    assert len(lines(path)) == 1


def test_what_the_disk_does_not_take_is_written_as_soon_as_it_does(
    opened: Opened, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "run.jsonl"
    log = opened(path)
    log(STARTED)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.stat().st_size + 30  # in the midst of the next line
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        log(step(1))
        log(step(2))
        assert "no space left on its disk" in str(log.fault)
        with pytest.raises(UnwritableOutput, match=r"cannot write .*run\.jsonl: no space"):
            log.finish()
        assert path.stat().st_size == size
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    log(step(3))
    assert log.fault is None
    assert lines(path) == json.loads(json.dumps(log.records))
    log.finish()


def test_what_cannot_be_written_is_said(opened: Opened) -> None:
    log = opened(Path("/dev/full"))
    log(STARTED)
    with pytest.raises(UnwritableOutput, match="no space left"):
        log.finish()
    with pytest.raises(UnwritableOutput, match="cannot write /proc/run"):
        Log(Path("/proc/run.jsonl"), resume=False).open()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no JSON\n", "its line 1 is no event"),
        ("[]\n", "its line 1 is no event"),
        ('{"event": "step", "seconds": "soon"}\n', "its line 1 is no event"),
        ('{"event": "notice", "seconds": 1}\n', "the log of run tells of no step"),
        ("", "the log of run tells of no step"),
        ('{"event": "step", "seconds": 1, "taken": 1}\n', "its events lack what they should tell"),
        (b"\xff\xfe\n", "its line 1 is no event"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, text: str | bytes, said: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadLog, match=said):
        read_log(path, "run")


def test_a_log_that_is_not_there() -> None:
    with pytest.raises(BadLog, match=r"cannot read nowhere\.jsonl: No such file"):
        read_log("nowhere.jsonl", "run")


def test_a_course_has_a_row_for_each_loss(opened: Opened) -> None:
    log = opened(None)
    for event in (STARTED, step(1), step(2)):
        log(event)
    course = course_of(log.records, "run")
    assert list(course.losses) == ["content", "style/a/relu1_1", "total"]
    np.testing.assert_allclose(course.losses["total"], [11, 5.5])
    assert course.levels == ((32, 24), (64, 48))

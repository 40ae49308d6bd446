import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import impasto as package
from impasto.artwork import Job
from impasto.errors import Interrupted, UnwritableOutput, UsageError
from impasto.events import Event, Painted, Step
from impasto.settings import PaintSettings
from impasto.studio.course import Course, read_log
from impasto.studio.plots import draw
from impasto.studio.recording import OUTPUTS, Recording, carry_out_recorded

Outcome = tuple[int, str, str]
Start = Callable[..., "subprocess.Popen[str]"]

PAINT = (
    *("paint", "photo.jpg", "--style", "starry.png", "--size", "96", "--levels", "2", "-q"),
    *("--coarse-steps", "6", "--steps", "20", "--checkpoint-every", "0", "-o", "art.png"),
    *("--timelapse", "grow.gif", "--log", "run.jsonl", "--plot", "losses.svg"),
)

posix = pytest.mark.skipif(os.name != "posix", reason="signals")


def wait_for(process: "subprocess.Popen[str]", steps: int) -> None:
    """Until the log tells of so many steps."""
    log = Path("run.jsonl")
    while not log.exists() or log.read_text().count('"event": "step"') < steps:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def frames(path: Path) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    with Image.open(path) as image:
        found = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(np.asarray(image.convert("RGB")))
        return found


@posix
def test_ctrl_c_loses_nothing_of_film_log_and_plot(
    impasto: Callable[..., Outcome], start: Start, folder: Path
) -> None:
    process = start(*PAINT)
    wait_for(process, 15)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.count("\n") == 1
    assert "with --resume; what was recorded is in grow.gif, run.jsonl, losses.svg" in err
    begun = len(frames(Path("grow.gif")))
    assert begun >= 5
    assert Path("losses.svg").stat().st_size > 10_000
    taken = read_log("run.jsonl", "").steps.tolist()
    assert taken == list(range(1, taken[-1] + 1))
    assert Path("grow.gif.unfinished").exists()

    assert impasto(*PAINT, "--resume") == (0, "", "")
    assert not list(Path().glob("*unfinished*"))
    assert read_log("run.jsonl", "").steps.tolist() == list(range(1, 27))
    resumed = frames(Path("grow.gif"))
    assert impasto(*PAINT, "--force") == (0, "", "")  # the film of a run that nobody stops
    assert all(map(np.array_equal, frames(Path("grow.gif")), resumed))
    assert len(frames(Path("grow.gif"))) == len(resumed) > begun


@posix
def test_a_killed_run_has_its_log_and_goes_on(
    impasto: Callable[..., Outcome], start: Start, folder: Path
) -> None:
    process = start(*PAINT)
    wait_for(process, 15)
    process.kill()
    process.communicate()
    assert not Path("grow.gif").exists()
    assert read_log("run.jsonl", "").steps[-1] >= 15
    assert impasto(*PAINT, "--resume") == (0, "", "")
    course = read_log("run.jsonl", "")
    assert course.steps.tolist() == list(range(1, 27))
    assert np.all(np.diff(course.seconds) >= 0)
    assert len(frames(Path("grow.gif"))) >= 5


def test_what_is_recorded_is_told(impasto: Callable[..., Outcome], folder: Path) -> None:
    status, out, err = impasto(*PAINT, "--json")
    assert (status, err) == (0, "")
    told = json.loads(out)
    assert (told["log"], told["plot"]) == ("run.jsonl", "losses.svg")
    assert told["timelapse"]["output"] == "grow.gif"
    with Path("run.jsonl").open() as log:
        first, *_, last = map(json.loads, log)
    assert first["recipe"]["settings"]["steps"] == 20
    assert first["recipe"]["photo"]["path"] == "photo.jpg"
    for name, value in last["losses"].items():
        assert told["losses"][name] == value


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"--timelapse": "run.jsonl"}, "--timelapse and --log name the same file, run.jsonl"),
        ({"--plot": "./run.jsonl"}, "--log and --plot name the same file, run.jsonl"),
        ({"--log": "art.png"}, "--log and --output name the same file, art.png"),
        ({"--log": "photo.jpg"}, "cannot write photo.jpg: it is the same file as the input"),
        ({"--log": "-"}, "the log cannot go to standard output; name a file"),
        ({"--plot": "losses.pdf"}, "cannot write losses.pdf: a figure ends in .svg or .png"),
        ({"--timelapse": "grow.avi"}, "the ending '.avi' is no animation's"),
        ({"--timelapse-size": "8"}, "timelapse-size must be at least 16, not 8"),
        ({"--timelapse-seconds": "0"}, "timelapse-seconds must be at least 1, not 0"),
    ],
)
def test_what_cannot_be_recorded_is_refused_before_any_work(
    impasto: Callable[..., Outcome], folder: Path, changes: Mapping[str, str], said: str
) -> None:
    before = {file: file.read_bytes() for file in folder.iterdir()}
    words = list(PAINT)
    for option, value in changes.items():
        if option in words:
            words[words.index(option) + 1] = value
        else:
            words += [option, value]
    status, out, err = impasto(*words, "--force")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


def test_files_that_exist_are_kept(impasto: Callable[..., Outcome], folder: Path) -> None:
    for name in ("grow.gif", "run.jsonl", "losses.svg"):
        Path(name).write_text("mine")
        status, _, err = impasto(*PAINT)
        assert (status, Path(name).read_text()) == (2, "mine")
        assert f"cannot write {name}: it exists already" in err
        Path(name).unlink()


def test_a_job_that_fails_leaves_its_log_alone(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("grow.gif", "run.jsonl", "losses.svg")}
    outputs: dict[str, Any] = dict(zip(OUTPUTS, files.values(), strict=True))
    with pytest.raises(RuntimeError), Recording(**outputs):
        raise RuntimeError
    assert [file.exists() for file in files.values()] == [False, True, False]
    with pytest.raises(UsageError, match="no setting 'film'"):
        Recording(film="grow.gif")


@pytest.mark.parametrize("option", [("--timelapse-size", "200"), ("--timelapse-seconds", "4")])
@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_what_is_said_of_a_film_needs_one(
    impasto: Callable[..., Outcome], folder: Path, option: tuple[str, str], plan: tuple[str, ...]
) -> None:
    words = PAINT[: PAINT.index("--timelapse")]
    said = f"impasto: {option[0]} needs a film; name one with --timelapse\n"
    assert impasto(*words, "--log", "run.jsonl", *option, *plan) == (2, "", said)
    assert impasto(*words, *option, *plan) == (2, "", said)
    assert not Path("art.png").exists()


SMALL: dict[str, Any] = {"size": 96, "levels": 2, "coarse_steps": 3, "steps": 6}
STEPS = 9


def painted(
    *,
    stop: Callable[[Event], None] = lambda _: None,
    resume: bool = False,
    output: str = "art.png",
    **recorded: Any,
) -> Recording:
    """A painting of this folder's pictures with what is recorded of it; `stop` may end it."""
    job = Job("photo.jpg", [("starry.png", None)], PaintSettings.checked(SMALL))
    recording = Recording(force=True, resume=resume, **recorded)
    carry_out_recorded(job, output, stop, recording, resume=resume)
    return recording


def after(count: int, do: Callable[[], object] = lambda: None) -> Callable[[Event], None]:
    """Presses Ctrl-C when so many steps were taken, once something else was done."""
    taken = 0

    def show(event: Event) -> None:
        nonlocal taken
        if taken == count:
            do()
            raise KeyboardInterrupt
        taken += isinstance(event, Step)

    return show


@pytest.fixture
def whole_film(folder: Path, one_thread: None) -> bytes:
    """That of a painting that nothing disturbs."""
    painted(output="whole.png", timelapse="whole.gif")
    return Path("whole.gif").read_bytes()


@pytest.mark.parametrize("number", [2, STEPS])
def test_a_film_alone_goes_on_wherever_it_was_stopped(whole_film: bytes, number: int) -> None:
    """Behind the last step as well, where no step comes any more."""
    with pytest.raises(Interrupted, match=r"what was recorded is in grow\.gif$"):
        painted(stop=after(number), timelapse="grow.gif")
    Path("grow.gif").unlink()
    painted(resume=True, timelapse="grow.gif")
    assert Path("grow.gif").read_bytes() == whole_film
    assert not list(Path().glob("*.unfinished"))


def test_a_plot_alone_shows_the_losses_of_all_runs(
    folder: Path, one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[list[int]] = []

    def record(courses: Sequence[Course], *rest: Any) -> int:
        shown.append(courses[0].steps.tolist())
        return draw(courses, *rest)

    monkeypatch.setattr("impasto.studio.recording.draw", record)
    with pytest.raises(Interrupted, match=r"what was recorded is in losses\.svg$"):
        painted(stop=after(4), plot="losses.svg")
    kept = Path("losses.svg.unfinished")
    whole = kept.read_bytes()
    painted(resume=True, plot="losses.svg")
    assert shown == [[1, 2, 3, 4], list(range(1, STEPS + 1))]
    assert not kept.exists()
    # Losses that are damaged cost the curve's beginning, and no more.
    with pytest.raises(Interrupted):
        painted(stop=after(4), plot="losses.svg")
    kept.write_bytes(whole[:20] + b"\n" + whole[20:])
    painted(resume=True, plot="losses.svg")
    assert shown[-1] == list(range(5, STEPS + 1))


def block(name: str) -> None:
    """Let a folder take the place of a file, so that it cannot be written."""
    Path(name).unlink(missing_ok=True)
    Path(name).mkdir()


def test_a_film_that_cannot_be_written_loses_neither_ctrl_c_nor_its_frames(
    whole_film: bytes,
) -> None:
    with pytest.raises(Interrupted) as caught:
        painted(stop=after(7, lambda: block("grow.gif")), timelapse="grow.gif", log="run.jsonl")
    said = str(caught.value)
    assert said.startswith("stopped after step 4 of level 2; the picture so far is in art.png; ")
    assert "; what was recorded is in run.jsonl; cannot write grow.gif: " in said
    Path("grow.gif").rmdir()
    painted(resume=True, timelapse="grow.gif", log="run.jsonl")
    assert Path("grow.gif").read_bytes() == whole_film


def test_a_film_that_cannot_be_written_at_the_end_is_written_by_the_run_that_goes_on(
    whole_film: bytes,
) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Painted):
            block("grow.gif")

    with pytest.raises(UnwritableOutput) as caught:
        painted(stop=stop, timelapse="grow.gif", plot="losses.svg")
    assert str(caught.value).startswith("the picture is written, but cannot write grow.gif: ")
    assert str(caught.value).endswith("; to go on, give the same command with --resume")
    assert Path("losses.svg").exists()
    Path("grow.gif").rmdir()
    steps: list[Event] = []

    def count(event: Event) -> None:
        steps.extend([event] if isinstance(event, Step) else [])

    painted(stop=count, resume=True, timelapse="grow.gif", plot="losses.svg")
    assert steps == []
    assert Path("grow.gif").read_bytes() == whole_film
    assert not list(Path().glob("*.unfinished"))


def test_without_a_command_what_cannot_be_written_is_noted(folder: Path) -> None:
    """Ctrl-C stays Ctrl-C."""
    with (
        pytest.raises(KeyboardInterrupt) as caught,
        Recording(timelapse="grow.gif") as recording,
    ):
        show = after(3, lambda: block("grow.gif"))
        for event in package.painting("photo.jpg", "starry.png", **SMALL):
            recording(event)
            show(event)
    (note,) = caught.value.__notes__
    assert note.startswith("cannot write grow.gif: ")
    assert Path("grow.gif.unfinished").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_log_that_cannot_be_written_is_told_and_ends_no_painting(
    impasto: Callable[..., Outcome], folder: Path
) -> None:
    words = *PAINT[: PAINT.index("-q")], "-o", "art.png"
    status, _, err = impasto(*words, "--log", "/dev/full", "--plot", "losses.svg", "--force")
    assert status == 3
    assert err.count("what happens is not written down for now: cannot write /dev/full: no sp") == 1
    last = err.splitlines()[-1]
    assert last.startswith("impasto: the picture is written, but cannot write /dev/full: no space")
    assert Path("art.png").exists() and Path("losses.svg").exists()

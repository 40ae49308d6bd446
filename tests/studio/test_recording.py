import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.errors import UsageError
from impasto.studio.course import read_log
from impasto.studio.recording import OUTPUTS, Recording

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

"""A run that is killed at any moment, and the same command given again."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.motion.clips import How, cut, film

from impasto.motion.job_folder import folder_of
from impasto.motion.store import numbered

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]

FEW = ("--effect", "quantize", "-k", "6", "-q")
PAINT = ("--style", "starry.png", "--steps", "2", "--coarse-steps", "1", "--frame-steps", "2", "-q")
COUNT, CUT = 24, 11

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="needs POSIX"),
    pytest.mark.usefixtures("folder"),
]


@pytest.fixture
def clip(folder: Path) -> Path:
    return film(Path("clip.mp4"), cut(COUNT, (96, 64), CUT), How(sounds=("aac",)))


def there(output: str) -> int:
    return len(numbered(folder_of(Path(output))))


def killed(process: "subprocess.Popen[str]", output: str, frames: int, after: float) -> None:
    """Kill a run some time after so many frames are there."""
    while there(output) < frames:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.002)
    time.sleep(after)
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("options", "moments"), [(FEW, (2, 9, 15)), (PAINT, (13,))], ids=["quantize", "paint"]
)
def test_kills_change_nothing(
    clip: Path, impasto: Impasto, start: Start, options: tuple[str, ...], moments: tuple[int, ...]
) -> None:
    threads = ("--threads", "1")
    assert impasto("video", clip, *options, *threads, "-o", "calm.mp4")[0] == 0
    instants = random.Random(3)
    for frames in moments:
        process = start("video", clip, *options, *threads, "-o", "film.mp4")
        killed(process, "film.mp4", frames, instants.uniform(0, 0.05))
        assert not Path("film.mp4").exists()
    assert there("film.mp4") >= moments[-1]
    assert impasto("video", clip, *options, *threads, "-o", "film.mp4")[0] == 0
    assert Path("film.mp4").read_bytes() == Path("calm.mp4").read_bytes()
    assert not folder_of(Path("film.mp4")).exists()
    assert not list(Path().glob(".impasto*"))


def test_workers_go_with_the_run_and_their_shots_go_on(
    clip: Path, impasto: Impasto, start: Start
) -> None:
    assert impasto("video", clip, *FEW, "-o", "calm.mp4")[0] == 0
    process = start("video", clip, *FEW, "-o", "film.mp4", "--workers", "2")
    while there("film.mp4") < 3:
        assert process.poll() is None
        time.sleep(0.002)
    workers = psutil.Process(process.pid).children()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert psutil.wait_procs(workers, timeout=5)[1] == []
    assert impasto("video", clip, *FEW, "-o", "film.mp4", "--workers", "2")[0] == 0
    assert Path("film.mp4").read_bytes() == Path("calm.mp4").read_bytes()


def test_a_run_that_was_killed_when_all_was_done_but_its_folder(
    clip: Path, impasto: Impasto
) -> None:
    """What is left then is what `--keep-frames` leaves."""
    assert impasto("video", clip, *FEW, "-o", "film.mp4", "--keep-frames")[0] == 0
    data = Path("film.mp4").read_bytes()
    for frame in list(folder_of(Path("film.mp4")).glob("*.png"))[:5]:
        frame.unlink()
    status, _, err = impasto("video", clip, *FEW, "-o", "film.mp4")
    assert (status, err, folder_of(Path("film.mp4")).exists()) == (0, "", False)
    assert Path("film.mp4").read_bytes() == data

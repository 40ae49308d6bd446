"""Collections painted by a real Ray: the same files, whatever happens to workers and drivers."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from impasto.collection.cluster_settings import ClusterSettings
from impasto.errors import ClusterError

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]
Workers = Callable[[], list[psutil.Process]]
Lines = Callable[[Path], list[dict[str, Any]]]

HEAD = """
import ray, sys
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""
"""A cluster of this machine, for as long as its standard input is open."""

SMALL = ("--size", "64", "-q")
ALONE = (*SMALL, "--steps", "3", "--threads", "1")
WORKER = "ray::RayWorker"

pytestmark = [
    pytest.mark.usefixtures("place"),
    pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX"),
]


@pytest.fixture(scope="module")
def head(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A cluster with two processors, whose token all programs have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(environment, "RAY_USAGE_STATS_ENABLED", "0")
        patch.setitem(environment, "RAY_AUTH_TOKEN", secrets.token_hex(32))
        process = subprocess.Popen(
            [sys.executable, "-c", HEAD],
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        yield process
        process.communicate()


@pytest.fixture(scope="module")
def cluster(head: "subprocess.Popen[str]") -> str:
    """Its address."""
    assert head.stdout is not None
    return head.stdout.readline().strip()


@pytest.fixture
def begin(start: Start, cluster: str) -> Start:
    """Two workers paint four artworks of so many steps."""

    def run(steps: int = 3) -> "subprocess.Popen[str]":
        how = ("--steps", str(steps), "--cluster", cluster, "--workers", "2", "-o", "art")
        return start("batch", "photos", "styles", *SMALL, *how)

    return run


@pytest.fixture
def workers(head: "subprocess.Popen[str]") -> Callable[[], list[psutil.Process]]:
    """The processes of the cluster's workers."""

    def found() -> list[psutil.Process]:
        children = psutil.Process(head.pid).children(recursive=True)
        return [child for child in children if _is_worker(child)]

    return found


def _is_worker(process: psutil.Process) -> bool:
    try:
        return any(word.startswith(WORKER) for word in process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def wait_for(happened: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    for _ in range(2400):
        if happened():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("nothing has happened within two minutes")


def gone(workers: Workers) -> None:
    """Workers end with the run that has engaged them."""
    deadline = time.monotonic() + 60
    while workers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not workers()


def pictures(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.png"))}


def ends(process: "subprocess.Popen[str]") -> int:
    process.communicate(timeout=120)
    return process.returncode


def test_it_paints_what_this_machine_alone_paints(
    impasto: Impasto, begin: Start, workers: Workers, lines: Lines
) -> None:
    process = begin()
    assert (ends(process), process.returncode) == (0, 0)
    gone(workers)
    assert impasto("batch", "photos", "styles", *ALONE, "-o", "here")[0] == 0
    assert len(pictures("here")) == 4
    assert pictures("art") == pictures("here")
    ours, theirs = ({one["name"]: one for one in lines(Path(x))} for x in ("art", "here"))
    for name, record in ours.items():
        for fact in ("sha256", "size", "losses", "recipe"):
            assert record[fact] == theirs[name][fact]
    assert impasto("batch", "photos", "styles", *ALONE, "-o", "art")[0] == 0
    assert pictures("art") == pictures("here")


def test_a_worker_that_is_killed_costs_its_artwork_s_time_alone(
    begin: Start, workers: Workers, lines: Lines
) -> None:
    process = begin(30)
    wait_for(lambda: Path("art/manifest.jsonl").exists(), process)
    known = {line["name"] for line in lines(Path("art"))}
    victim = workers()[0]
    victim.kill()
    assert ends(process) == 0
    names = [line["name"] for line in lines(Path("art"))]
    assert len(names) == len(set(names)) == 4
    assert known < set(names)
    assert len(pictures("art")) == 4


def test_a_driver_that_is_killed_goes_on(begin: Start, workers: Workers, lines: Lines) -> None:
    process = begin(20)
    wait_for(lambda: Path("art/manifest.jsonl").exists(), process)
    process.kill()
    process.communicate()
    known = {line["name"]: line["finished"] for line in lines(Path("art"))}
    assert 0 < len(known) < 4
    gone(workers)
    assert ends(begin(20)) == 0
    now = {line["name"]: line["finished"] for line in lines(Path("art"))}
    assert {name: now[name] for name in known} == known
    assert len(pictures("art")) == 4


def test_ctrl_c_ends_workers_and_says_how_to_go_on(begin: Start, workers: Workers) -> None:
    process = begin(300)
    wait_for(lambda: len(workers()) == 2, process)
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 4 artworks are there; to go on, give the same command again" in err
    assert "Traceback" not in err
    gone(workers)


def test_a_picture_that_cannot_be_used_fails_once(begin: Start, lines: Lines) -> None:
    photo = Path("photos", "img_10.jpg")
    photo.write_bytes(photo.read_bytes()[:1000])
    assert ends(begin()) == 5
    failed = [line for line in lines(Path("art")) if line["state"] == "failed"]
    assert [len(line["jobs"]) for line in failed] == [2]
    assert "img_10.jpg" in failed[0]["reason"]
    assert len(pictures("art")) == 2


def test_there_is_no_cluster_at_that_address(start: Start) -> None:
    process = start("batch", "photos", "styles", "--cluster", "127.0.0.1:9", "-o", "art")
    _, err = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "cannot join the cluster 127.0.0.1:9: " in err
    assert "Traceback" not in err


def test_workers_need_a_cluster(impasto: Impasto) -> None:
    status, _, err = impasto("batch", "photos", "styles", "--workers", "2", "-o", "art")
    assert status == 2
    assert "--workers is of a cluster's workers; add --cluster auto" in err


@pytest.mark.parametrize(
    ("settings", "has", "room"),
    [
        ({}, {"CPU": 2.0}, 2),
        ({"threads": 4}, {"CPU": 11.0}, 2),
        ({"gpus": 0.5}, {"CPU": 16.0, "GPU": 2.0}, 4),
        ({"gpus": 1, "threads": 8}, {"CPU": 16.0, "GPU": 8.0}, 2),
    ],
)
def test_room_is_what_processors_and_cards_allow(
    settings: dict[str, Any], has: dict[str, float], room: int
) -> None:
    assert ClusterSettings(**settings).room(has) == room


@pytest.mark.parametrize("settings", [{"threads": 3}, {"gpus": 1}])
def test_too_small_a_cluster_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ClusterError, match="2 processors and 0 GPUs, too few"):
        ClusterSettings(**settings).room({"CPU": 2.0})

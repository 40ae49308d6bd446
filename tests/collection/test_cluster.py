"""Collections painted by a real Ray: the same files, whatever happens to workers and drivers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.processes import ends, gone, wait_for

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]
Workers = Callable[[], list[psutil.Process]]
Lines = Callable[[Path], list[dict[str, Any]]]

SMALL = ("--size", "64", "-q")
ALONE = (*SMALL, "--steps", "3", "--threads", "1")

pytestmark = [
    pytest.mark.usefixtures("place"),
    pytest.mark.xdist_group("clusters"),
    pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX"),
]


@pytest.fixture
def begin(start: Start, cluster: str) -> Start:
    """Two workers paint four artworks of so many steps."""

    def run(steps: int = 3) -> "subprocess.Popen[str]":
        how = ("--steps", str(steps), "--cluster", cluster, "--workers", "2", "-o", "art")
        return start("batch", "photos", "styles", *SMALL, *how)

    return run


def pictures(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(Path(folder).glob("*.png"))}


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


def test_ctrl_c_ends_workers_and_says_how_to_go_on(
    begin: Start, workers: Workers, scratch: Path
) -> None:
    process = begin(300)
    wait_for(lambda: len(workers()) == 2, process)
    time.sleep(1)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "of 4 artworks are there; to go on, give the same command again" in err
    assert "Traceback" not in err
    gone(workers)
    assert not list(scratch.iterdir())


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

"""The folders of workers: each its own, and none that outlives them for long."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from impasto.cluster.worker_folder import LOCK, PREFIX, WorkerFolder, sweep

DYING = """
import os, signal
from impasto.cluster.worker_folder import WorkerFolder
folder = WorkerFolder()
(folder.path / "frame.png").write_bytes(b"1")
os.kill(os.getpid(), signal.SIGKILL)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_a_worker_that_begins_removes_what_dead_ones_have_left(place: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DYING], env=os.environ)
    assert done.returncode == -signal.SIGKILL
    (left,) = place.iterdir()
    assert {path.name for path in left.iterdir()} == {LOCK, "frame.png"}
    os.utime(left / LOCK, (0, 0))
    other = place / f"{PREFIX}just-made"  # by one that has not come to lock it
    other.mkdir()
    first, second = WorkerFolder(), WorkerFolder()
    assert set(place.iterdir()) == {left, other}
    made = {first.path, second.path, other}
    assert set(place.iterdir()) == made
    assert not left.exists()
    first.remove()
    assert set(place.iterdir()) == {second.path, other}
    second.remove()
    WorkerFolder().remove()
    assert set(place.iterdir()) == {other}


def test_a_folder_whose_worker_is_about_to_lock_it_stays(place: Path) -> None:
    fresh = place / f"{PREFIX}just-opened"
    fresh.mkdir()
    (fresh / LOCK).touch()
    sweep(place)
    assert fresh.exists()
    os.utime(fresh / LOCK, (0, 0))
    sweep(place)
    assert not fresh.exists()


def test_nobody_s_folder_is_removed_while_it_is_in_use(place: Path) -> None:
    folder = WorkerFolder()
    (folder.path / "frame.png").write_bytes(b"1")
    os.utime(folder.path / LOCK, (0, 0))  # long ago
    sweep(place)
    assert (folder.path / "frame.png").exists()
    folder.remove()

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from impasto import scratch
from impasto.neural import plan
from impasto.scratch import free_disk, held_in_memory, scratch_folder

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's mounts")


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set which file systems are mounted, later ones over earlier ones."""

    def mount(*parts: tuple[Path | str, str]) -> None:
        found = [SimpleNamespace(mountpoint=str(path), fstype=kind) for path, kind in parts]
        monkeypatch.setattr(psutil, "disk_partitions", lambda all: found)  # noqa: A006

    return mount


@linux
def test_tmpdir_is_taken_if_it_lies_on_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounted: Callable[..., None]
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    mounted(("/", "ext4"))
    assert scratch_folder() == tmp_path
    mounted(("/", "ext4"), (tmp_path, "tmpfs"))
    assert scratch_folder() == Path("/var/tmp")
    mounted(("/", "tmpfs"))
    assert scratch_folder() == tmp_path


@linux
@pytest.mark.parametrize("chosen", ["", "/there/is/none"])
def test_without_tmpdir(
    chosen: str, monkeypatch: pytest.MonkeyPatch, mounted: Callable[..., None], tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", chosen)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    mounted(("/", "ext4"))
    assert scratch_folder() == Path("/var/tmp")
    mounted(("/", "ext4"), ("/var", "tmpfs"))
    assert scratch_folder() == tmp_path


def test_a_folder_that_takes_no_files_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(scratch, "writable", lambda folder: folder != tmp_path)
    assert scratch_folder() != tmp_path


def test_where_no_folder_takes_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is there is enough, whatever Python's own search finds."""

    def none() -> str:
        raise FileNotFoundError(2, "no usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", none)
    if sys.platform == "linux":
        assert scratch_folder() == Path("/var/tmp")
    monkeypatch.setattr(scratch, "writable", lambda folder: False)
    with pytest.raises(FileNotFoundError):
        scratch_folder()
    assert plan.scratch() is None


def test_other_systems_know_best(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    assert scratch_folder() == tmp_path


@linux
def test_the_innermost_and_latest_mount_decides(
    tmp_path: Path, mounted: Callable[..., None]
) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    mounted(("/", "ext4"), (tmp_path, "tmpfs"), (inner, "ext4"))
    assert [held_in_memory(path) for path in (tmp_path, inner)] == [True, False]
    mounted(("/", "ext4"), (tmp_path, "tmpfs"), (tmp_path, "ext4"))
    assert not held_in_memory(inner)
    link = tmp_path / "link"
    link.symlink_to("/dev/shm")
    mounted(("/", "ext4"), ("/dev/shm", "tmpfs"))
    assert held_in_memory(link)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a RAM disk")
def test_a_real_ram_disk() -> None:
    assert held_in_memory(Path("/dev/shm"))


def test_mounts_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(all: bool) -> None:  # noqa: A002
        raise PermissionError(13, "/proc/self/mounts")

    monkeypatch.setattr(psutil, "disk_partitions", fail)
    assert not held_in_memory(tmp_path)


def test_free_disk(tmp_path: Path) -> None:
    assert free_disk(tmp_path) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.1)
    with pytest.raises(FileNotFoundError):
        free_disk(tmp_path / "none")

"""Files appear whole or not at all."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from impasto.errors import UnwritableOutput
from impasto.image.atomic import replacing


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_new_file(out: Path) -> None:
    with replacing(out / "a.bin") as temporary:
        assert temporary.parent == out
        temporary.write_bytes(b"whole")
        assert files(out) == [temporary.name]
    assert files(out) == ["a.bin"]
    assert (out / "a.bin").read_bytes() == b"whole"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError, SystemExit])
@pytest.mark.parametrize("before", [None, b"old"])
def test_interruption_leaves_what_was_there(
    out: Path, interruption: type[BaseException], before: bytes | None
) -> None:
    path = out / "a.bin"
    if before is not None:
        path.write_bytes(before)
    with pytest.raises(interruption), replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise interruption
    assert files(out) == ([] if before is None else ["a.bin"])
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_failing_disk(out: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    (out / "a.bin").write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(UnwritableOutput) as caught, replacing(out / "a.bin") as temporary:
        temporary.write_bytes(b"new")
    monkeypatch.undo()
    assert str(out / "a.bin") in str(caught.value)
    assert ("no space left" in str(caught.value)) == (number == errno.ENOSPC)
    assert files(out) == ["a.bin"]
    assert (out / "a.bin").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
def test_file_that_outgrows_its_disk(out: Path) -> None:
    """The limit on a process's files stands in for a full disk."""
    script = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from impasto.errors import UnwritableOutput\n"
        "from impasto.image.atomic import replacing\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "    with replacing(Path(sys.argv[1])) as temporary:\n"
        "        temporary.write_bytes(bytes(5000))\n"
        "except UnwritableOutput as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, out / "a.bin"], capture_output=True, text=True, check=True
    )
    assert "no space left" in done.stdout
    assert files(out) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_killed_process_leaves_the_old_file(out: Path) -> None:
    (out / "a.bin").write_bytes(b"old")
    script = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from impasto.image.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, out / "a.bin"], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (out / "a.bin").read_bytes() == b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_permissions(out: Path) -> None:
    mask = os.umask(0o027)
    try:
        for name in ("new", "old"):
            if name == "old":
                (out / name).touch()
                (out / name).chmod(0o604)
            with replacing(out / name) as temporary:
                temporary.write_bytes(b"x")
    finally:
        os.umask(mask)
    assert [(out / name).stat().st_mode & 0o777 for name in ("new", "old")] == [0o640, 0o604]


def test_symbolic_link_stays_a_link(out: Path, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (out / "link").symlink_to(tmp_path / "real")
    with replacing(out / "link") as temporary:
        temporary.write_bytes(b"new")
    assert (out / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_longest_name_that_the_disk_takes(out: Path) -> None:
    path = out / ("n" * 251 + ".png")
    with replacing(path) as temporary:
        temporary.write_bytes(b"x")
    assert files(out) == [path.name]

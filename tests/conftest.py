import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from impasto import cli
from impasto.image.samples import photo, style

Outcome = tuple[int, str, str]
"""Exit status, standard output, standard error."""


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photo.jpg, 128×96 px, and starry.png and wave.png, 96 px a side."""
    folder = tmp_path_factory.mktemp("pictures")
    Image.fromarray(photo("astronaut")[20:116, 160:288]).save(folder / "photo.jpg", quality=95)
    Image.fromarray(style("spirograph", 96)).save(folder / "starry.png")
    Image.fromarray(style("mosaic", 96)).save(folder / "wave.png")
    return folder


@pytest.fixture
def folder(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with copies of the pictures."""
    for file in pictures.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    """The article's recipe in plain PyTorch, which shares no code with the package."""
    from benchmarks import reference

    return reference


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Sums round by the number of threads; processes are given one as well."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def impasto(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Outcome]]:
    """The command line inside this process, as fast as it goes."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["impasto", *map(str, arguments)])
        capsys.readouterr()
        try:
            cli.main()
            status = 0
        except SystemExit as end:
            assert isinstance(end.code, int)
            status = end.code
        out, err = capsys.readouterr()
        return status, out, err

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Of processes: one thread, as `one_thread`, and terminals that are wide and plain."""
    names = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
    return {**os.environ, **dict.fromkeys(names, "1"), "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def start(environment: dict[str, str]) -> Callable[..., subprocess.Popen[str]]:
    """The command line as a process of its own, which Ctrl-C stops."""

    def begin(*arguments: str | Path) -> subprocess.Popen[str]:
        # A shell that runs the tests in the background has them ignore it, and a process that is
        # started inherits that, but no handler.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "impasto.cli", *map(str, arguments)],
                env=environment,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    return begin


HEAD = """
import ray, sys
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""
"""A cluster of this machine, for as long as its standard input is open."""

WORKER = re.compile(r"ray::\w+Worker\b")
"""How Ray names the processes of our workers."""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the workers of a cluster have their folders."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def head(environment: dict[str, str], scratch: Path) -> Iterator[subprocess.Popen[str]]:
    """A cluster with two processors, whose token all programs have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(environment, "RAY_USAGE_STATS_ENABLED", "0")
        patch.setitem(environment, "RAY_TMPDIR", tempfile.gettempdir())  # of its sockets
        patch.setitem(environment, "TMPDIR", str(scratch))
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
def cluster(head: subprocess.Popen[str]) -> str:
    """Its address."""
    assert head.stdout is not None
    address = head.stdout.readline().strip()
    assert address, "Ray has not started"
    return address


@pytest.fixture
def workers(head: subprocess.Popen[str]) -> Callable[[], list[psutil.Process]]:
    """The processes of the cluster's workers."""

    def is_worker(process: psutil.Process) -> bool:
        try:
            return any(WORKER.match(word) for word in process.cmdline())
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            return False

    def found() -> list[psutil.Process]:
        children = psutil.Process(head.pid).children(recursive=True)
        return [child for child in children if is_worker(child)]

    return found


@pytest.fixture
def pixels() -> Callable[[Path | str], "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"]:
    """A file's samples as another library decodes them."""

    def samples(path: Path | str) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
        with Image.open(path) as image:
            return np.asarray(image)

    return samples


CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as the system's packages bring it."""
    path = shutil.which("chromium")
    if path is None:
        end = pytest.fail if sys.platform == "linux" else pytest.skip
        end("pages are tested in Chromium, which is not here; see tests/packages.sh")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM])
        yield found
        found.close()

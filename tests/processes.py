"""What tests wait for that happens in other processes."""

import subprocess
import time
from collections.abc import Callable

import psutil
import pytest


def wait_for(happened: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Wait until something happens while a process is at work."""
    for _ in range(2400):
        if happened():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail("nothing has happened within two minutes")


def gone(workers: Callable[[], list[psutil.Process]]) -> None:
    """Workers end with the run that has engaged them."""
    deadline = time.monotonic() + 60
    while workers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not workers()


def ends(process: "subprocess.Popen[str]") -> int:
    """Its exit status."""
    process.communicate(timeout=120)
    return process.returncode

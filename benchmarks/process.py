"""Programs as a user starts them: a process of its own each, with its time and its peak memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
POLL = 0.02
"""Seconds between two looks at a program's memory."""


@dataclass(frozen=True)
class Ran:
    """A program that has ended well."""

    seconds: float
    """From its start to its end, imports and all."""
    peak: int
    """The most bytes of memory that it was seen to hold."""
    output: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it printed, an object a line."""
        return [json.loads(line) for line in self.output.splitlines()]


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a module of this package."""
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command to its end; what it complained about is shown if it fails.

    Memory is watched from outside: what the system says afterwards counts the parent's pages too.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=errors,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
        )
        try:
            peak = watch(process)
        finally:
            process.kill()
        seconds = time.perf_counter() - began
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            raise SystemExit(f"failed: {' '.join(command)}\n{errors.read()[-2000:]}")
        return Ran(seconds, peak, output.read())


def watch(process: "subprocess.Popen[bytes]") -> int:
    """The most memory in use until the process ends, bytes."""
    peak = 0
    watched = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            peak = max(peak, watched.memory_info().rss)
        except psutil.Error:  # it has just ended
            continue
        time.sleep(POLL)
    return peak


def age() -> float:
    """Seconds since this process was started."""
    return time.time() - float(psutil.Process().create_time())

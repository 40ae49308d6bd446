"""A command as a process of its own, under a hard limit of memory, and its peak by the system.

`python -m benchmarks.confined LIMIT COMMAND…` runs it and prints one JSON object; 0 is no limit.
That process imports next to nothing: on Linux the peak of a process counts the one that started it.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.process import module, run
from impasto.limits import V1, V2, control_groups

KILOBYTE = 1 if sys.platform == "darwin" else 1024
"""Bytes in the unit of `getrusage`."""

WITHOUT_SWAP = {
    V1: (("memory.limit_in_bytes", 1), ("memory.memsw.limit_in_bytes", 1)),
    V2: (("memory.max", 1), ("memory.swap.max", 0)),
}
"""The files that limit a control group, and how often they take the limit; where the system counts
no swap, the last of them is missing."""


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    """Its exit status, or minus the number of the signal that ended it."""
    seconds: float
    """From its start to its end, imports and all."""
    peak: int
    """Resident bytes at its peak."""
    means: str
    """What held the limit."""
    output: str
    errors: str


def confined(command: Sequence[str], limit: int = 0) -> Outcome:
    """Run a command to its end; it can have that many bytes of memory, 0 for all there is."""
    return Outcome(**run(module("confined", limit, *command)).lines[0])


def carry_out(command: Sequence[str], limit: int) -> Outcome:
    """The same in this process, which must be small and have started no other."""
    with confinement(limit) as (means, enter):
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=enter)
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * KILOBYTE
    return Outcome(done.returncode, seconds, peak, means, done.stdout, done.stderr)


@contextmanager
def confinement(limit: int) -> Iterator[tuple[str, Callable[[], None]]]:
    """What holds the limit, and what a new process calls to be held by it."""
    if limit == 0:
        yield "nothing", lambda: None
        return
    group = control_group(limit)
    if group is None:
        yield "RLIMIT_DATA", lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        return
    try:
        yield "control group", lambda: enter(group)
    finally:
        remove(group)


def control_group(limit: int) -> Path | None:
    """A new control group with that limit, as far up as this user may make one; None for nowhere.

    Its name is that of this process.
    """
    for parent, version in reversed(list(control_groups())):
        group = parent / f"impasto-{os.getpid()}"
        (first, _), (last, times) = WITHOUT_SWAP[version]
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / first).write_text(str(limit))
        except OSError:
            group.rmdir()
            continue
        with suppress(OSError):
            (group / last).write_text(str(times * limit))
        return group
    return None


def enter(group: Path) -> None:
    """Move this process into a control group."""
    (group / "cgroup.procs").write_text(str(os.getpid()))


def remove(group: Path) -> None:
    """Remove a control group whose processes have ended; the kernel may count them for a moment."""
    for _ in range(50):
        with suppress(OSError):
            return group.rmdir()
        time.sleep(0.1)
    raise SystemExit(f"cannot remove {group}")


if __name__ == "__main__":
    print(json.dumps(asdict(carry_out(sys.argv[2:], int(sys.argv[1])))))

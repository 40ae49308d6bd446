"""How many threads this process computes with."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import cv2
from threadpoolctl import threadpool_limits

VARIABLES = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"
"""Where libraries look for it when they are loaded."""


def processors() -> int:
    """How many this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def limited(threads: int) -> Iterator[None]:
    """While it lasts, all libraries that are loaded compute with so many threads."""
    torch, before = sys.modules.get("torch"), cv2.getNumThreads()
    torch_before = torch.get_num_threads() if torch is not None else 0
    try:
        with threadpool_limits(threads):
            cv2.setNumThreads(threads)
            if torch is not None:  # imported by an effect that computes with it
                torch.set_num_threads(threads)
            yield
    finally:
        cv2.setNumThreads(before)
        if torch is not None:
            torch.set_num_threads(torch_before)


def environment(threads: int, workers: int) -> dict[str, str]:
    """That of a process which shares the machine with others like it.

    Threads of OpenMP wait by spinning, which takes the processors from the other workers: measured
    with two, three times as long. So they sleep.
    """
    variables = dict.fromkeys(VARIABLES, str(threads))
    waiting = {"OMP_WAIT_POLICY": "PASSIVE"} if workers > 1 else {}
    modules = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # those that are found here
    return {**os.environ, **variables, **waiting, **modules}

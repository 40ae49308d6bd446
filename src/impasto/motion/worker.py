"""A process that makes shots: tasks come on standard input, reports go to standard output."""

import os
import pickle
import sys
import threading
from queue import SimpleQueue
from typing import IO

from impasto.errors import ImpastoError, NotEnoughMemory, ran_out
from impasto.motion.effect import Effect
from impasto.motion.shots import Making, Reel, Task, carry_out
from impasto.threads import limited

DONE = "done"
"""What follows the reports of a task."""

SHORT = "memory ran out in a worker; take fewer --workers, or a smaller --size"


def main() -> None:
    """Make what is asked for until nobody asks any more."""
    reports = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries that print must not speak in between
    tasks: SimpleQueue[Task] = SimpleQueue()
    making, threads = pickle.load(sys.stdin.buffer)  # noqa: S301 (of the process that started it)
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    effect, reel = making.effect(making.place), Reel(making)
    keep_freed()
    with limited(threads):
        while True:
            _work(tasks.get(), making, effect, reel, reports)


def keep_freed() -> None:
    """Let a process that paints keep the memory that it frees."""
    if "torch" in sys.modules:
        from impasto.neural.device import keep_freed_memory

        keep_freed_memory()


def _work(task: Task, making: Making, effect: Effect, reel: Reel, reports: IO[bytes]) -> None:
    """Make a task's frames; errors that people can do something about are reports as well."""
    try:
        for report in carry_out(task, making, effect, reel):
            send(reports, report)
        send(reports, DONE)
    except ImpastoError as error:
        send(reports, error)
    except Exception as error:
        if not ran_out(error):
            raise
        send(reports, NotEnoughMemory(SHORT))


def _listen(stream: IO[bytes], tasks: "SimpleQueue[Task]") -> None:
    """Take tasks; the end of the stream is the end of the process that has given them.

    All that counts is on disk, so there is nothing to tidy up.
    """
    while True:
        try:
            tasks.put(pickle.load(stream))  # noqa: S301 (of the process that started it)
        except (EOFError, OSError, pickle.UnpicklingError):
            os._exit(0)


def send(stream: IO[bytes], value: object) -> None:
    """Write a value that `pickle.load` reads."""
    pickle.dump(value, stream)
    stream.flush()


if __name__ == "__main__":
    main()

"""Several processes that make shots at the same time.

They are programs of their own rather than those of `multiprocessing`, which would run the script of
whoever calls a second time.
"""

import pickle
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from impasto.errors import ImpastoError, NotEnoughMemory
from impasto.events import Notice
from impasto.motion.alone import Alone
from impasto.motion.shots import AtWork, FrameMade, Making, Report, Task
from impasto.motion.undone import PATIENCE, Undone
from impasto.motion.worker import DONE, send
from impasto.threads import environment

LOOK = 0.5
"""Seconds after which the process looks whether Ctrl-C was pressed, which Windows needs."""

GROUP = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"process_group": 0}
)
"""Ctrl-C goes to this process alone, which ends the workers."""


class Member:
    """A worker and the task it is at; what it says arrives in a queue, and None at its end."""

    def __init__(self, task: Task, making: Making, how: "Crew") -> None:
        self.task, self.made = task, set[int]()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "impasto.motion.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(how.threads, how.workers),
            **GROUP,
        )
        threading.Thread(target=self._listen, args=(how.inbox,), daemon=True).start()
        self._send((making, how.threads))
        self._send(task)

    def give(self, task: Task) -> None:
        """Ask for the next one."""
        self.task, self.made = task, set()
        self._send(task)

    @property
    def left(self) -> Task:
        """What is not made of its task, as far as is known."""
        frames = tuple(frame for frame in self.task.frames if frame not in self.made)
        return Task(self.task.shot, frames)

    def end(self) -> int:
        """Stop it at once, whatever it does: nothing half is ever on the disk; its exit status."""
        self._process.kill()
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        return self._process.wait()

    def _send(self, value: object) -> None:
        """One that has died meanwhile gets nothing; that it has will be told by the queue."""
        with suppress(OSError):
            if self._process.stdin is not None:
                send(self._process.stdin, value)

    def _listen(self, inbox: "SimpleQueue[tuple[Member, Any]]") -> None:
        stream = self._process.stdout
        try:
            while stream is not None:
                inbox.put((self, pickle.load(stream)))  # noqa: S301 (of a process of our own)
        except (EOFError, OSError, pickle.UnpicklingError):
            if stream is not None:
                stream.close()
        finally:
            inbox.put((self, None))


class Crew:
    """Carries out tasks by several workers on this machine."""

    def __init__(self, workers: int, threads: int) -> None:
        """`threads`: of each worker."""
        self.workers, self.threads = workers, threads
        self.inbox: SimpleQueue[tuple[Member, Any]] = SimpleQueue()
        self._members: set[Member] = set()
        self._undone = Undone(())

    def carry_out(self, tasks: Sequence[Task], making: Making) -> Generator[Report]:
        """Make the frames of all tasks; a worker that dies is replaced, and its shot goes on.

        Raises the errors of clips, paintings and disks, and NotEnoughMemory where workers die
        again and again.
        """
        if len(tasks) < 2:
            yield from Alone(self.threads).carry_out(tasks, making)
            return
        self._undone = Undone(tasks)
        try:
            for _ in range(min(self.workers, len(tasks))):
                self._begin(making)
            yield AtWork(len(self._members))
            while self._members:
                member, said = self._next()
                if said is None:
                    yield self._replaced(member, making)
                elif said == DONE:
                    self._go_on(member)
                elif isinstance(said, ImpastoError):
                    raise said
                else:
                    if isinstance(said, FrameMade):
                        member.made.add(said.frame)
                        self._undone.made(member.task.shot)
                    yield said
        finally:
            for member in self._members:
                member.end()

    def _begin(self, making: Making) -> None:
        """Start a worker, if there is anything to do for it."""
        if self._undone:
            self._members.add(Member(self._undone.take(), making, self))

    def _next(self) -> tuple[Member, Any]:
        """What one of those at work says next."""
        while True:
            with suppress(Empty):
                member, said = self.inbox.get(timeout=LOOK)
                if member in self._members:
                    return member, said

    def _go_on(self, member: Member) -> None:
        """The next task for one who has done the last, if there is any."""
        if self._undone:
            member.give(self._undone.take())
        else:
            self._members.discard(member)
            member.end()

    def _replaced(self, member: Member, making: Making) -> Notice:
        """Another worker for one that died, with what it left of its task."""
        self._members.discard(member)
        status, left = member.end(), member.left
        why = f"by signal {-status}" if status < 0 else f"with status {status}"
        if not self._undone.put_back(left):
            message = (
                f"{PATIENCE} workers in a row ended {why} without a frame of shot "
                f"{left.shot.number}"
            )
            if status >= 0:
                raise RuntimeError(message)
            raise NotEnoughMemory(
                f"{message}, as when memory runs out; take fewer --workers, or a smaller --size"
            )
        self._begin(making)
        return Notice(
            f"a worker ended {why} in shot {left.shot.number}; another one goes on with it"
        )

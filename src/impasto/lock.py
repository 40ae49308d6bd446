"""A lock on a folder that one process holds, and that goes with it however it ends."""

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

FAR = 2**30
"""The byte that is locked on Windows, where nobody can read what is locked: behind all others."""

PATIENCE = 0.5
"""Seconds. Whoever looks whether a lock is held has it for an instant."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock; the defaults are those of one that is just about to say so."""

    process: int | None = None
    workers: int = 1
    """Pictures that are made at the same time."""

    def __str__(self) -> str:
        return "another process" if self.process is None else f"process {self.process}"


class Lock:
    """Taken by one process at a time.

    The system gives it back when the process ends, even by SIGKILL, so none is ever stale. Where
    the disk knows no locks, as some of networks, there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def acquire(self, workers: int) -> bool:
        """Take it, unless another process has it; raises OSError."""
        until = time.monotonic() + PATIENCE
        while not self._try():
            if time.monotonic() > until:
                return False
            time.sleep(PATIENCE / 20)
        self.note(workers)
        return True

    def note(self, workers: int) -> None:
        """Say how many are at work now, where it is held."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.write(json.dumps(asdict(Holder(os.getpid(), workers))).encode())
            self._file.flush()

    def release(self) -> None:
        """Give it back; its file stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Give it back, and remove its file: before, where the system lets that be done.

        Else another process could take it in between, and lose its file. Who has given it back
        already removes nothing.
        """
        if self._file is None:
            return
        if sys.platform == "win32":
            self.release()
        with suppress(OSError):
            self.path.unlink()
        self.release()

    def _try(self) -> bool:
        file = self.path.open("ab+")
        if not _locked(file, exclusive=True):
            file.close()
            return False
        try:  # the one who had it may have removed the file meanwhile
            current = os.path.samestat(os.fstat(file.fileno()), self.path.stat())
        except FileNotFoundError:
            current = False
        if not current:
            file.close()
            return False
        self._file = file
        return True


def holder(path: Path) -> Holder | None:
    """Who holds a lock; None where nobody does."""
    try:
        with path.open("rb") as file:
            if _locked(file, exclusive=False):
                return None
            text = file.read()
    except OSError:
        return None
    try:
        return Holder(**json.loads(text))
    except (ValueError, TypeError):
        return Holder()


def _locked(file: BinaryIO, *, exclusive: bool) -> bool:
    """Take the lock until the file is closed, if it is free."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            import fcntl

            kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
            fcntl.flock(file, kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True

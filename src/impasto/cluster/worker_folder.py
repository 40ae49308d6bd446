"""The folder of temporary files that a worker has for itself on the disk of its machine."""

import shutil
import tempfile
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from impasto.image.atomic import HOST
from impasto.lock import Lock, holder
from impasto.scratch import scratch_folder, unusable

PREFIX = f"impasto-worker-{HOST}-"
"""Other machines may share the disk, and what they lock may look free from here."""

LOCK = "lock"

FRESH = 2.0
"""Seconds after a lock was made in which nobody looks whether it is held: its worker may be on its
way from opening it to having it."""

TRIES = 3
"""Times that a folder is removed into which somebody may just write."""


class WorkerFolder:
    """Made when it is first asked for.

    The folders of workers that have died are removed when it comes, and when it goes.
    """

    @cached_property
    def path(self) -> Path:
        """Where it is; raises UnwritableOutput, and FileNotFoundError as `scratch_folder` does."""
        place = scratch_folder()
        try:
            made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
            self._lock = Lock(made / LOCK)
            self._lock.acquire(1)
        except OSError as error:
            raise unusable("keep the files of a worker", place, error) from error
        self._knows_locks = holder(made / LOCK) is not None
        self._sweep(place)
        return made

    def remove(self) -> None:
        """Remove it with all that is in it, if it was made."""
        if "path" in vars(self):
            self._lock.remove()
            remove(self.path)
            self._sweep(self.path.parent)

    def _sweep(self, place: Path) -> None:
        """Nobody can tell who lives on a disk that knows no locks."""
        if self._knows_locks:
            sweep(place)


def sweep(place: Path) -> None:
    """Remove the folders of workers that have died, which could not do so themselves."""
    for folder in place.glob(f"{PREFIX}*"):
        lock = folder / LOCK
        with suppress(OSError):
            old = time.time() - lock.stat().st_mtime > FRESH
            if old and holder(lock) is None:
                remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder as far as possible."""
    for _ in range(TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break

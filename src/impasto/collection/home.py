"""The folder of a collection, while one process has it for itself."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from impasto.collection.manifest import Manifest
from impasto.collection.thumbnail import FOLDER, INPUTS, thumbnail_of
from impasto.errors import UnwritableOutput, UsageError
from impasto.image.atomic import replacing, sweep, unwritable
from impasto.lock import Holder, Lock, holder

INNER = ".impasto"
"""The folder of what is no artwork and for nobody to look at."""

LOCK, BEGUN, TARGETS = "lock", "begun.json", "targets"
"""Names in it: the lock; what runs set out to paint; targets that need not be computed again."""

TRIES = 5
"""Times that the folder is made which a run that ends removes at the same moment."""


class Home:
    """Where everything of a collection lies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = Manifest(path)
        self._inner = path / INNER
        self._lock = Lock(self._inner / LOCK)

    @property
    def targets(self) -> Path:
        """The folder of computed targets."""
        return self._inner / TARGETS

    def check(self) -> None:
        """UnwritableOutput where it cannot be made; UsageError for a manifest that is not ours."""
        try:
            if not self.path.parent.is_dir():
                raise self._without_parent()
        except OSError as error:  # as of a name that is too long
            raise unwritable(self.path, error) from error
        self.manifest.check()

    def begun(self) -> dict[str, str]:
        """{name: digest of what was asked for} of what earlier runs set out to paint.

        The manifest may not know it yet.
        """
        try:
            found = json.loads((self._inner / BEGUN).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def begin(self, asked: Mapping[str, str]) -> None:
        """Say what this run sets out to paint, and make the folders that names lead into.

        asked: {name: digest of what is asked for}.
        """
        with replacing(self._inner / BEGUN) as temporary:
            temporary.write_text(json.dumps(self.begun() | dict(asked), sort_keys=True), "utf-8")
        for folder in {(self.path / name).parent for name in asked}:
            self._make(folder)

    def modified(self, name: str) -> int:
        """When a file was written, ns; raises UnwritableOutput where it is there no more."""
        path = self.path / name
        try:
            return path.stat().st_mtime_ns
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file that is no artwork, whole or not at all; raises UnwritableOutput."""
        path = self.path / name
        self._make(path.parent)
        with replacing(path) as temporary:
            temporary.write_bytes(data)

    def remove(self, name: str) -> None:
        """Remove a file that is no artwork, if it is there; raises UnwritableOutput."""
        path = self.path / name
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error

    def close(self, *, complete: bool) -> None:
        """Let go of what only helps to go on, where there is nothing left to do."""
        if complete:
            with suppress(OSError):
                shutil.rmtree(self.targets)
            with suppress(OSError):
                (self._inner / BEGUN).unlink()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it for this process; the folder is made if its parent is there.

        UsageError where another run has it, UnwritableOutput where it cannot be written.
        """
        try:
            free = self._acquired()
        except FileNotFoundError:
            raise self._without_parent() from None
        except OSError as error:
            raise unwritable(self.path, error) from error
        if not free:
            by = holder(self._inner / LOCK) or Holder()
            raise UsageError(
                f"cannot write into {self.path}: {by} is at work there; wait until it ends, or "
                "stop it first"
            )
        try:
            self._tidy()
            yield
        finally:
            self._lock.remove()
            for folder in (self._inner, self.path):  # nothing stays of a run that did nothing
                with suppress(OSError):
                    folder.rmdir()

    def _tidy(self) -> None:
        """Remove what killed runs left half written, where they set out to write."""
        names = self.begun()
        written = {self.path / name for each in names for name in (each, thumbnail_of(each))}
        own = {
            self._inner,
            self.targets,
            self.path,
            self.path / FOLDER,
            self.path / FOLDER / INPUTS,
        }
        for folder in own | {path.parent for path in written}:
            with suppress(OSError):
                sweep(folder)

    def _without_parent(self) -> UnwritableOutput:
        return UnwritableOutput(
            f"cannot write into {self.path}: there is no folder {self.path.parent}; make it "
            "first, or choose another"
        )

    def _acquired(self) -> bool:
        """Make the folder and take its lock; a run that ends may remove them in between."""
        for _ in range(TRIES):
            self.path.mkdir(exist_ok=True)
            with suppress(FileNotFoundError):
                self._inner.mkdir(exist_ok=True)
                return self._lock.acquire(1)
        return False

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error

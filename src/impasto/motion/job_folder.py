"""The folder of an unfinished moving picture: what is made there, by whom, and its frames."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from impasto.errors import UnwritableOutput, UsageError
from impasto.image.atomic import flush_folder, replacing, sweep, unwritable
from impasto.lock import Holder, Lock, holder
from impasto.motion.film_recipe import FilmRecipe
from impasto.motion.store import clear, numbered
from impasto.motion.survey import Survey
from impasto.settings import Settings

JOB, LOCK, FILM = "job.json", "lock", "film"
"""Names of its files; that of the film, which lies there until it is whole, has its ending."""

TRIES = 5
"""Times that a folder is made which a run that ends removes at the same moment."""


class JobFile(Settings):
    """What is made: the same recipe on another day goes on with these frames."""

    recipe: FilmRecipe
    survey: Survey
    size: tuple[int, int]
    """(width, height) of the frames, px."""
    written: tuple[int, int, int] | None = None
    """What the film became, if it did; the frames may be there all the same."""


def folder_of(output: Path) -> Path:
    """`film.mp4.frames` beside `film.mp4`, on the disk where that really lies."""
    target = Path(os.path.realpath(output))
    return target.with_name(f"{target.name}.frames")


class JobFolder:
    """The folder of an output, while this process has it for itself."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self.path = folder_of(output)
        self._lock = Lock(self.path / LOCK)

    @property
    def film(self) -> Path:
        """Where the film is written before it moves to its place."""
        return self.path / f"{FILM}{self._output.suffix}"

    def stored(self) -> JobFile | None:
        """What was begun here; None where nothing was, or nobody can tell what."""
        return stored_in(self.path)

    def frames(self) -> list[int]:
        """Whose files are there."""
        return [number for number, _ in numbered(self.path)]

    def begin(self, job: JobFile) -> None:
        """Begin a job; what there is of another one goes away."""
        self._clear()
        self.write(job)

    def write(self, job: JobFile) -> None:
        """Say what is made."""
        with replacing(self.path / JOB) as temporary:
            temporary.write_text(job.model_dump_json(indent=1), "utf-8")

    def is_done(self, recipe: FilmRecipe) -> bool:
        """Whether the output is the film of this recipe, and only its folder is still there."""
        stored = self.stored()
        return stored is not None and stored.recipe == recipe and was_written(self._output)

    def check_place(self) -> None:
        """Refuse to replace what has come to be there since the output was checked."""
        if self._output.exists():
            raise UnwritableOutput(
                f"cannot write {self._output}: it is there by now; move it away, or add --force "
                "to replace it"
            )

    def publish(self, job: JobFile) -> None:
        """Move the finished film to its place, all at once; it is on the disk when this returns."""
        target = Path(os.path.realpath(self._output))
        try:
            if target.exists():
                shutil.copymode(target, self.film)
            self._note_film(job, self.film)
            try:
                self.film.replace(target)
                flush_folder(target.parent)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._publish_across(job, target)
            flush_folder(self.path)
        except OSError as error:
            raise unwritable(self._output, error) from error

    def _publish_across(self, job: JobFile, target: Path) -> None:
        """The folder is a link, or mounted: it lies on another disk than the film is to."""
        with replacing(target) as temporary:
            shutil.copyfile(self.film, temporary)
            self._note_film(job, temporary)
        self.film.unlink()

    def _note_film(self, job: JobFile, film: Path) -> None:
        """Say which file the film is, before it has its name."""
        self.write(job.updated({"written": _identity(film)}))

    def close(self, *, keep_frames: bool) -> None:
        """The work is done: let the folder go, or the frames stay alone in it."""
        if not keep_frames:
            self._clear()
        self._lock.remove()
        with suppress(OSError):  # something else lies in it
            self.path.rmdir()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have it for this process; UsageError where another run has it, or UnwritableOutput."""
        try:
            free = self._acquired()
        except OSError as error:
            raise unwritable(self.path, error) from error
        if not free:
            by = holder(self.path / LOCK) or Holder()
            raise UsageError(
                f"cannot write {self._output}: {by} is making it; see with --status how far it is, "
                "or stop it first"
            )
        try:
            self._sweep()
            yield
        finally:
            self._leave()
            self._lock.release()

    def note(self, workers: int) -> None:
        """Say for those who look from elsewhere how many are at work."""
        self._lock.note(workers)

    def _acquired(self) -> bool:
        """Make the folder and take its lock; a run that ends may remove the folder in between."""
        for _ in range(TRIES - 1):
            with suppress(FileExistsError, FileNotFoundError):
                self.path.mkdir(exist_ok=True)
                return self._lock.acquire(1)
        self.path.mkdir(exist_ok=True)
        return self._lock.acquire(1)

    def _sweep(self) -> None:
        """Look through it; UnwritableOutput where that cannot be done."""
        try:
            sweep(self.path)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def _clear(self) -> None:
        """Remove all but the lock; the job last, for as long as it is there the run is known."""
        clear(self.path)
        for path in (self.film, self.path / JOB):
            with suppress(OSError):
                path.unlink()

    def _leave(self) -> None:
        """Nothing stays of a job that was not begun."""
        with suppress(OSError):
            if not (self.path / JOB).exists() and not numbered(self.path):
                self._lock.remove()
                self.path.rmdir()


def stored_in(folder: Path) -> JobFile | None:
    """The job whose frames lie in a folder; None where there is none, or it can't be read."""
    try:
        return JobFile.model_validate_json((folder / JOB).read_bytes())
    except (OSError, ValidationError):
        return None


def threads_of(output: Path, recipe: FilmRecipe) -> int | None:
    """How many the frames of a recipe that are there were made with; None where there are none.

    But for this number they are of that very recipe.
    """
    stored = stored_in(folder_of(output))
    if stored is None:
        return None
    threads = stored.recipe.threads
    return None if recipe.updated({"threads": threads}).differences(stored.recipe) else threads


def was_written(output: Path) -> bool:
    """Whether an output is the very file that came of the frames which are still beside it.

    So it is where a run was killed between its last two steps, or was to keep them.
    """
    job = stored_in(folder_of(output))
    try:
        return job is not None and job.written == _identity(output)
    except OSError:
        return False


def _identity(path: Path) -> tuple[int, int, int]:
    """What tells a file from one that takes its place; it stays the same when it is moved."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns

"""What is recorded of a painting's growth: a film, a log, a plot of its losses."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, Self

from impasto.artwork import Artwork, Job
from impasto.checkpoint import checkpoint_of
from impasto.errors import BadLog, Interrupted, UnwritableOutput, UsageError
from impasto.events import Event, Notice, Stage
from impasto.image.animation import check_animation
from impasto.image.picture import STANDARD_STREAM
from impasto.image.write import check_file, same_file
from impasto.recipe import PaintRecipe
from impasto.sizes import fitted
from impasto.studio.course import course_of
from impasto.studio.figure import check_figure
from impasto.studio.log import Log
from impasto.studio.plots import draw
from impasto.studio.recording_settings import RecordingSettings
from impasto.studio.theme import Paper
from impasto.studio.timelapse import RGB, Timelapse, film_memory
from impasto.work import carry_out, undisturbed

OUTPUTS = ("timelapse", "log", "plot")
"""The settings that name a file to write."""


class Recording:
    """Takes the events of a painting, and writes what is asked for when it ends or is stopped.

    The log is written as the events come.

    >>> with impasto.Recording(timelapse="grow.mp4", log="run.jsonl") as recording:
    ...     impasto.paint("photo.jpg", "starry.jpg", show=recording)
    """

    def __init__(
        self,
        *,
        force: bool = False,
        resume: bool = False,
        others: Iterable[str | Path] = (),
        **settings: Any,
    ) -> None:
        """Check all outputs before any work; `settings` are those of `RecordingSettings`.

        force: replace files that exist. resume: go on with what a stopped run has recorded.
        others: files of the job, which nothing here replaces. Raises UsageError, UnwritableOutput
        and MissingExtra.
        """
        asked = RecordingSettings.checked(settings)
        check(asked, list(others), force=force or resume)
        self.settings = asked
        self._losses: Path | None = None
        """Where the losses are kept until they are plotted, if not in a log that was asked for."""
        if asked.plot is not None and asked.log is None:
            self._losses = checkpoint_of(asked.plot)
        self._log = Log(asked.log or self._losses, resume=resume)
        self._film: Timelapse | None = None
        if asked.timelapse is not None:
            size, seconds = asked.timelapse_size, asked.timelapse_seconds
            self._film = Timelapse(asked.timelapse, size, seconds, resume=resume)
        self._show: Callable[[Event], None] = lambda _: None
        self._is_over = False
        self.written: list[Path] = []
        """What is there, once it is over."""

    def about(self, recipe: PaintRecipe, show: Callable[[Event], None]) -> None:
        """Tell what makes the painting, and who hears of what cannot be written meanwhile."""
        self._log.facts["recipe"] = recipe.model_dump(mode="json")
        self._show = show
        if self._film is not None:
            self._film.recipe = recipe

    def __enter__(self) -> Self:
        try:
            self._log.open()
        except BadLog:
            if self._losses is None:
                raise
            self._losses.unlink()  # its own, damaged: the plot begins here
            self._log.open()
        return self

    def __call__(self, event: Event) -> None:
        """Record it."""
        before = self._log.fault
        self._log(event)
        if self._log.fault is not None and before is None:
            self._show(Notice(f"what happens is not written down for now: {self._log.fault}"))
        if self._film is not None:
            self._film(event)

    def end(self, picture: RGB) -> None:
        """Let the film end with a picture (H, W, 3), as where the painted one was enhanced."""
        if self._film is not None:
            self._film.end(picture)

    def finish(self) -> None:
        """Write all that was asked for, of a painting that is done; raises UnwritableOutput."""
        faults = self._write(stopped=False)
        if faults:
            raise UnwritableOutput("; ".join(map(str, faults)))
        if self._losses is not None:
            with suppress(OSError):
                self._losses.unlink()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """Write what was asked for; of a job that failed, keep what is to go on with.

        What could not be written of one that was stopped is added to the error as notes.
        """
        try:
            if error is None:
                self.finish()
            elif isinstance(error, KeyboardInterrupt | Interrupted):
                for fault in self._write(stopped=True):
                    error.add_note(str(fault))
            elif self._film is not None and not self._is_over:
                with undisturbed(), suppress(UnwritableOutput):
                    self._film.settle(going_on=True)
        finally:
            self._log.close()

    def _write(self, *, stopped: bool) -> list[UnwritableOutput]:
        """Write each thing, once, whatever becomes of the others; what could not be written.

        Where the command is to be given again, the film's frames are kept for it.
        """
        faults: list[UnwritableOutput] = []
        if self._is_over:
            return faults
        self._is_over = True
        with undisturbed():
            for file, write in self._parts():
                try:
                    write()
                    self.written.append(file)
                except UnwritableOutput as fault:
                    faults.append(fault)
            if self._film is not None:
                try:
                    self._film.settle(going_on=stopped or bool(faults))
                except UnwritableOutput as fault:
                    faults.append(fault)
        return faults

    def _parts(self) -> Iterator[tuple[Path, Callable[[], object]]]:
        """The files that there is something to write to, and what writes them."""
        if self._film is not None and self._film.has_begun:
            yield self._film.output, self._film.write
        if self.settings.log is not None:
            yield self.settings.log, self._log.finish
        plot = self.settings.plot
        if plot is not None and self._log.has_steps:
            course = course_of(self._log.records, plot.stem)
            yield plot, partial(draw, [course], plot, Paper.LIGHT)

    @property
    def has_begun(self) -> bool:
        """Whether there was anything to record."""
        return self._log.has_steps or (self._film is not None and self._film.has_begun)

    @property
    def files(self) -> str:
        """What is written, for people."""
        return ", ".join(map(str, self.written))

    def facts(self) -> dict[str, object]:
        """What was recorded, for programs."""
        files = {"log": self.settings.log, "plot": self.settings.plot}
        film = {} if self._film is None else {"timelapse": self._film.facts()}
        return film | {name: str(file) for name, file in files.items() if file is not None}


def check(asked: RecordingSettings, others: list[str | Path], *, force: bool) -> None:
    """Refuse outputs that cannot or must not be written."""
    outputs = {f"--{name}": file for name in OUTPUTS if (file := getattr(asked, name)) is not None}
    for (one, file), (other, same) in combinations(outputs.items(), 2):
        if same_file(file, same):
            raise UsageError(f"{one} and {other} name the same file, {file}; choose another name")
    if asked.timelapse is not None:
        check_animation(asked.timelapse, others, force=force)
    if asked.plot is not None:
        check_figure(asked.plot, others, force=force)
    if asked.log is not None:
        if str(asked.log) == STANDARD_STREAM:
            raise UsageError("the log cannot go to standard output; name a file")
        check_file(asked.log, others, force=force)


def memory_of(asked: RecordingSettings, job: Job) -> int:
    """Bytes that recording a job takes at most while it is done: a film's frames lie in memory."""
    if asked.timelapse is None:
        return 0
    size = fitted(*job.photo.size, job.settings.size)
    return film_memory(size, asked.timelapse_size, job.settings)


def carry_out_recorded(
    job: Job, output: str | Path, show: Callable[[Event], None], recording: Recording, **how: Any
) -> Artwork:
    """Do what `carry_out` does, and record it."""

    def watch(event: Event) -> None:
        show(event)
        recording(event)

    def beside(artwork: Artwork) -> None:
        show(Stage("recording", 1.0))
        recording.end(artwork.picture.rgb)
        try:
            recording.finish()
        except UnwritableOutput as error:
            raise UnwritableOutput(f"the picture is written, but {error}") from error

    recording.about(job.recipe, show)
    job.beside = memory_of(recording.settings, job)
    try:
        with recording:
            return carry_out(job, output, watch, beside=beside, **how)
    except Interrupted as stopped:
        said = [str(stopped), *getattr(stopped, "__notes__", [])]
        if recording.has_begun and recording.written:
            said.insert(1, f"what was recorded is in {recording.files}")
        raise Interrupted("; ".join(said)) from None

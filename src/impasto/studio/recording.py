"""What is recorded of a painting's growth: a film, a log, a plot of its losses."""

from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from impasto.artwork import Artwork, Job
from impasto.errors import Interrupted, UsageError
from impasto.events import Event, Stage
from impasto.image.animation import check_animation
from impasto.image.picture import STANDARD_STREAM
from impasto.image.write import check_file, same_file
from impasto.recipe import PaintRecipe
from impasto.studio.course import course_of
from impasto.studio.figure import check_figure
from impasto.studio.log import Log
from impasto.studio.plots import draw
from impasto.studio.recording_settings import RecordingSettings
from impasto.studio.theme import Paper
from impasto.studio.timelapse import RGB, Timelapse
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
        self._outputs = [file for name in OUTPUTS if (file := getattr(asked, name)) is not None]
        self._plot = asked.plot
        self._log = Log(asked.log, resume=resume)
        self._film: Timelapse | None = None
        if asked.timelapse is not None:
            size, seconds = asked.timelapse_size, asked.timelapse_seconds
            self._film = Timelapse(asked.timelapse, size, seconds, resume=resume)

    def __enter__(self) -> Self:
        self._log.open()
        return self

    def about(self, recipe: PaintRecipe) -> None:
        """Let the log begin with what makes the painting."""
        self._log.facts["recipe"] = recipe.model_dump(mode="json")

    def __call__(self, event: Event) -> None:
        """Record it; raises UnwritableOutput."""
        self._log(event)
        if self._film is not None:
            self._film(event)

    def end(self, picture: RGB) -> None:
        """Let the film end with a picture (H, W, 3), as where the painted one was enhanced."""
        if self._film is not None:
            self._film.end(picture)

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        """Write the film and the plot, but of a job that failed the log alone."""
        self._log.close()
        stopped = kind is not None and issubclass(kind, KeyboardInterrupt | Interrupted)
        if kind is not None and not stopped:
            return
        with undisturbed():
            try:
                if self._film is not None and self.has_begun:
                    self._film.write(stopped=stopped)
            finally:
                if self._plot is not None and self.has_begun:
                    course = course_of(self._log.records, self._plot.stem)
                    draw([course], self._plot, Paper.LIGHT)

    @property
    def has_begun(self) -> bool:
        """Whether there was anything to record."""
        return self._log.has_steps

    @property
    def files(self) -> str:
        """What is written, for people."""
        return ", ".join(map(str, self._outputs))

    def facts(self) -> dict[str, object]:
        """What was recorded, for programs."""
        files = {"log": self._log.output, "plot": self._plot}
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


def carry_out_recorded(
    job: Job, output: str | Path, show: Callable[[Event], None], recording: Recording, **how: Any
) -> Artwork:
    """Do what `carry_out` does, and record it."""

    def watch(event: Event) -> None:
        show(event)
        recording(event)

    recording.about(job.recipe)
    try:
        with recording:
            artwork = carry_out(job, output, watch, **how)
            recording.end(artwork.picture.rgb)
            show(Stage("recording", 1.0))
    except Interrupted as stopped:
        if not recording.has_begun:
            raise
        raise Interrupted(f"{stopped}; what was recorded is in {recording.files}") from None
    return artwork

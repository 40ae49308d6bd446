"""A video turned into artwork: what the command line and the Python function share."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.errors import UsageError
from impasto.events import Event, Notice
from impasto.motion.clip import Clip
from impasto.motion.effect_settings import decisive, own_settings
from impasto.motion.film_out import check_film, film_depth, write_film
from impasto.motion.film_recipe import FilmRecipe
from impasto.motion.film_settings import FilmSettings
from impasto.motion.job_folder import JobFolder, threads_of, was_written
from impasto.motion.place import Place
from impasto.motion.prepared import files_beside, prepared
from impasto.motion.production import Produced, Production, produce
from impasto.motion.staff import Staff
from impasto.motion.survey import Survey, survey
from impasto.motion.video_settings import StyleTurn, VideoSettings, WorkSettings
from impasto.recipe import Input
from impasto.replay import digest_of
from impasto.settings import Settings, as_text
from impasto.sizes import fitted
from impasto.threads import processors

S = TypeVar("S", bound=Settings)

OF_CLUSTERS = "cluster", "gpus"
"""What of `ClusterSettings` is not among `WorkSettings`."""

Turn = str | Path | tuple[str | Path, float] | tuple[str | Path, float, float]
"""A style picture: alone, as text that may hold its betas too ("starry.jpg=100:0"), with its beta,
or with those of the beginning and the end."""


@dataclass(frozen=True)
class Film:
    """A film that was made."""

    output: Path
    recipe: FilmRecipe
    size: tuple[int, int]
    """(width, height) of its frames, px; a file of an odd size has one pixel more."""
    survey: Survey
    """When its frames are shown, which of them were damaged in the clip, where shots begin."""
    made: int
    """Frames that this run has made, and not one before it."""
    bytes: int
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every frame of the clip could be read."""
        return not self.survey.damaged and not self.survey.missing

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        found = self.survey
        return {
            "output": str(self.output),
            "size": self.size,
            "frames": found.frames,
            "shots": len(found.cuts),
            "duration": round(found.seconds, 6),
            "damaged": [round(found.seconds_at(frame), 6) for frame in found.damaged],
            "missing": round(found.missing, 6),
            "made": self.made,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "complete": self.complete,
        }


def video(
    clip: str | Path,
    styles: Turn | Sequence[Turn] = (),
    *,
    output: str | Path,
    weights: str | Path | None = None,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Film:
    """Turn a video into artwork, frame by frame, with its sound.

    clip: any video that FFmpeg reads. styles: pictures, with betas that may change from the
    beginning of the film to its end; for `effect="paint"`, which is the usual one.
    output: .mp4, .mov, .mkv or .webm. force: replace it if it exists.
    settings: fields of `VideoSettings`, `WorkSettings`, `FilmSettings`, and of the effect:
    `PaintSettings` and `CoherenceSettings`, `QuantizeSettings` or `SuperpixelSettings`.
    cluster="auto", or its address, has the workers of a Ray cluster make the frames; gpus: of each.
    show: takes every event, for progress.

    Frames are kept in a folder beside the output until the film is written. A run that was stopped,
    however, goes on there when it is called again with the same arguments.

    >>> impasto.video("clip.mp4", "starry.jpg", output="film.mp4")
    >>> impasto.video("clip.mp4", [("a.jpg", 100, 0), ("b.jpg", 0, 100)], output="film.mp4")

    Raises the errors of `impasto.errors`.
    """
    turns = [turn_of(style) for style in listed(styles)]
    own = Path(weights) if weights is not None else None
    job = VideoJob(Path(clip), turns, Path(output), own, settings, force=force)
    return job.make(show or (lambda _: None))


class VideoJob:
    """A film to be made: everything is read and checked when it is created."""

    def __init__(
        self,
        clip: Path,
        styles: Sequence[StyleTurn],
        output: Path,
        weights: Path | None,
        settings: dict[str, Any],
        *,
        force: bool = False,
    ) -> None:
        """Of the output's folder, only what it was begun with is looked at."""
        self._began, self._force, self.output = time.perf_counter(), force, output
        rest = dict(settings)
        self._settings = taken(VideoSettings, rest)
        self._work, self._film = taken(WorkSettings, rest), taken(FilmSettings, rest)
        of_cluster = {name: rest.pop(name, None) for name in OF_CLUSTERS}
        self._staff = self._staff_of(of_cluster, None)
        own = own_settings(self._settings.effect, rest)
        self._source = partial(part_of, clip, self._settings)
        self._clip = self._source(Place())
        self.size = fitted(*self._clip.facts.size, self._settings.size)
        files = [clip, *files_beside(own, styles, weights)]
        written = was_written(output)
        check = partial(
            check_film, output, files, settings=self._film, clip=self._clip, size=self.size
        )
        check(force=force or written)
        self._prepared = prepared(own, styles, weights, self.size, self._staff)
        self.recipe = self._recipe(clip, own)
        begun = threads_of(output, self.recipe)
        if self._work.threads == "auto" and begun not in (None, self._staff.threads):
            self._staff = self._staff_of(of_cluster, begun)
            self._prepared = prepared(own, styles, weights, self.size, self._staff)
            self.recipe = self.recipe.updated({"threads": begun})
        if written and not JobFolder(output).is_done(self.recipe):
            check(force=force)

    def make(self, show: Callable[[Event], None]) -> Film:
        """Make it, or go on with it; `show` takes every event."""
        for notice in self._prepared.notices:
            show(Notice(notice))
        production = Production(
            output=self.output,
            recipe=self.recipe,
            size=self.size,
            look=partial(survey, self._clip),
            source=self._source,
            effect=self._prepared.effect,
            write=self._write,
            seconds=self._prepared.seconds,
        )
        files = {str(self._clip.path): str(self._clip.path), **self._prepared.files}
        produced = produce(
            production,
            self._staff.makers(self._prepared.workers, files, self.recipe.versions),
            show,
            force=self._force,
            keep_frames=self._work.keep_frames,
        )
        return self._made(produced)

    def _made(self, produced: Produced) -> Film:
        seconds = time.perf_counter() - self._began
        return Film(
            self.output,
            self.recipe,
            self.size,
            produced.survey,
            produced.made,
            produced.bytes,
            seconds,
        )

    def _write(self, frames: Iterable[Any], found: Survey, path: Path) -> int:
        return write_film(frames, found, self._clip, path, self._film, self.recipe.to_json())

    def _staff_of(self, asked: dict[str, Any], begun: int | None) -> Staff:
        """Who is to make the frames, by what is asked of a cluster, if anything.

        Threads of each worker: as asked for, as the frames that are there were `begun` with, or a
        fair share of the processors, and on a cluster one.
        """
        of_cluster = {name: value for name, value in asked.items() if value is not None}
        workers = 1 if self._work.workers == "auto" else self._work.workers
        usual = 1 if of_cluster else max(1, processors() // workers)
        threads = (begun or usual) if self._work.threads == "auto" else self._work.threads
        more = {"workers": self._work.workers, "threads": threads} if of_cluster else {}
        return Staff(workers, threads, ClusterSettings.asked(of_cluster | more))

    def _recipe(self, clip: Path, own: Sequence[Settings]) -> FilmRecipe:
        common = self._settings.model_dump(mode="json", exclude={"effect"})
        return FilmRecipe(
            kind="video",
            sources=(Input(path=as_text(clip), sha256=digest_of(clip)),),
            effect=self._settings.effect,
            settings={**common, **decisive(own)},
            film=self._film.model_dump(mode="json"),
            depth=film_depth(self.output, self._film, self._clip),
            **self._prepared.facts,
        )


def part_of(clip: Path, settings: VideoSettings, place: Place) -> Clip:
    """The frames that are asked for, wherever the clip lies."""
    return Clip(Path(place.path(clip)), start=settings.from_, end=settings.to, every=settings.every)


def turn_of(style: Turn) -> StyleTurn:
    """A style picture with its betas; UsageError where it is something else."""
    match style:
        case str():
            return StyleTurn.parse(style)
        case Path():
            return StyleTurn(path=str(style))
        case (str() | Path() as path, begins) if isinstance(style, tuple):
            return StyleTurn.checked({"path": str(path), "begins": begins, "ends": begins})
        case (str() | Path() as path, begins, ends) if isinstance(style, tuple):
            return StyleTurn.checked({"path": str(path), "begins": begins, "ends": ends})
    raise UsageError(
        f"{style!r} is no style: give a file, or a tuple of a file and one or two betas"
    )


def listed(styles: Turn | Sequence[Turn]) -> Sequence[Turn]:
    """A style alone is a list of one; a picture with numbers is one style."""
    if isinstance(styles, str | Path):
        return [styles]
    match styles:
        case (str() | Path() as path, int() | float() as begins):
            return [(path, begins)]
        case (str() | Path() as path, int() | float() as begins, int() | float() as ends):
            return [(path, begins, ends)]
    return list(styles)


def taken(model: type[S], values: dict[str, Any]) -> S:
    """A model's settings, which go out of the values."""
    return model.checked({name: values.pop(name) for name in model.model_fields if name in values})

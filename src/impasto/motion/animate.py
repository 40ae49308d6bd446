"""Photos turned into an animation: what the command line and the Python function share."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, overload

from impasto.errors import UnreadableImage, UsageError
from impasto.events import Event, Notice
from impasto.image.animation import Frame, check_animation, check_size, write_animation
from impasto.image.listing import gathered
from impasto.motion.animate_settings import AnimateSettings, Loop
from impasto.motion.burst import Burst
from impasto.motion.effect_settings import decisive, own_settings
from impasto.motion.film_recipe import FilmRecipe
from impasto.motion.gathering import distinct
from impasto.motion.job_folder import JobFolder, folder_of, threads_of, was_written
from impasto.motion.looking import Photo, aligned, in_order, look, usual_size
from impasto.motion.place import Place
from impasto.motion.prepared import Prepared, check_inputs, files_beside, prepared
from impasto.motion.production import Produced, Production, produce
from impasto.motion.staff import Staff
from impasto.motion.store import Pictures
from impasto.motion.survey import Survey
from impasto.motion.video import Turn, listed, taken, turn_of
from impasto.motion.video_settings import StyleTurn, WorkSettings
from impasto.sizes import fitted
from impasto.threads import processors

Show = Callable[[Event], None]


@dataclass(frozen=True)
class Animation:
    """An animation that was made."""

    output: Path
    recipe: FilmRecipe
    size: tuple[int, int]
    """(width, height) of its frames, px; an MP4 of an odd size has one pixel more."""
    frames: int
    """That were made, one a photo; one that goes back and forth shows most of them twice."""
    duration: float
    """Seconds until it begins again."""
    left_out: tuple[str, ...]
    """Photos that could not be read or aligned."""
    made: int
    """Frames that this run has made, and not one before it."""
    bytes: int
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether every photo is in it."""
        return not self.left_out

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        return {
            "output": str(self.output),
            "size": self.size,
            "frames": self.frames,
            "duration": round(self.duration, 6),
            "photos": [source.path for source in self.recipe.sources],
            "left_out": list(self.left_out),
            "made": self.made,
            "bytes": self.bytes,
            "seconds": round(self.seconds, 3),
            "complete": self.complete,
        }


def animate(
    photos: str | Path | Iterable[str | Path],
    styles: Turn | Sequence[Turn] = (),
    *,
    output: str | Path,
    weights: str | Path | None = None,
    force: bool = False,
    show: Show | None = None,
    **settings: Any,
) -> Animation:
    """Turn photos that follow one another into an animated artwork.

    photos: files, folders, patterns such as `burst/*.jpg`. styles: pictures, with betas that may
    change from the first photo to the last; for `effect="paint"`, which is the usual one.
    output: .gif, .webp or .mp4. force: replace it if it exists.
    settings: fields of `AnimateSettings`, `threads`, `keep_frames`, and those of the effect:
    `PaintSettings` and `CoherenceSettings`, `QuantizeSettings` or `SuperpixelSettings`.
    show: takes every event, for progress.

    Photos that cannot be read are left out, and named in the result. Frames are kept in a folder
    beside the output until it is written. A run that was stopped goes on there when it is called
    again with the same arguments.

    >>> impasto.animate("burst", "starry.jpg", output="burst.gif", align=True)

    Raises the errors of `impasto.errors`.
    """
    turns = [turn_of(style) for style in listed(styles)]
    named = [photos] if isinstance(photos, str | Path) else list(photos)
    own = Path(weights) if weights is not None else None
    job = AnimateJob(named, turns, Path(output), own, settings, force=force)
    return job.make(show or (lambda _: None))


class AnimateJob:
    """An animation to be made: settings and output are checked when it is created."""

    def __init__(
        self,
        photos: Sequence[str | Path],
        styles: Sequence[StyleTurn],
        output: Path,
        weights: Path | None,
        settings: dict[str, Any],
        *,
        force: bool = False,
    ) -> None:
        """Names are looked up; photos are not read yet."""
        self._began, self._force, self.output = time.perf_counter(), force, output
        rest = dict(settings)
        self._settings = taken(AnimateSettings, rest)
        shared = {"threads", "keep_frames"} & rest.keys()  # photos are one shot, of one worker
        self._work = WorkSettings.checked({name: rest.pop(name) for name in shared})
        self._own = own_settings(self._settings.effect, rest)
        self._styles, self._weights = styles, weights
        check_inputs(self._own, styles, weights)
        found = gathered(photos, output, folder_of(output))
        self._photos = found if self._settings.order == "given" else distinct(found)
        self._written = was_written(output)
        self._check_output(force=force or self._written)

    def make(self, show: Show) -> Animation:
        """Make it, or go on with it; `show` takes every event."""
        looked = look(self._photos, show)
        photos = in_order(looked.photos, self._settings.order)
        _check_number([photo.path for photo in photos])
        size = usual_size(photos, self._settings.fit)
        names = tuple(photo.path for photo in photos)
        burst = Burst(names, size, self._settings.fit)
        if self._settings.align:
            burst = aligned(burst, show)
            _check_number(burst.photos)
        frame_size = fitted(*burst.frame_size, self._settings.size)
        check_size(self.output, frame_size)
        shown = [photo for photo in photos if photo.path in burst.photos]
        staff, ready, recipe = self._prepared(shown, frame_size)
        for notice in ready.notices:
            show(Notice(notice))
        if self._written and not JobFolder(self.output).is_done(recipe):
            self._check_output(force=self._force)
        production = Production(
            output=self.output,
            recipe=recipe,
            size=frame_size,
            look=lambda _: _survey(len(burst.photos)),
            source=partial(_photos, burst),
            effect=ready.effect,
            write=partial(self._write, recipe),
            seconds=ready.seconds,
        )
        produced = produce(
            production,
            staff.makers(1, ready.files, recipe.versions),
            show,
            force=self._force,
            keep_frames=self._work.keep_frames,
        )
        strange = [name for name in names if name not in burst.photos]
        return self._made(produced, production, (*looked.left_out, *strange))

    def _check_output(self, *, force: bool) -> None:
        files = [*self._photos, *files_beside(self._own, self._styles, self._weights)]
        check_animation(self.output, files, force=force)

    def _prepared(
        self, photos: Sequence[Photo], size: tuple[int, int]
    ) -> tuple[Staff, Prepared, FilmRecipe]:
        """With as many threads as asked for, as its frames that are there were made with, or all
        processors."""
        staff = Staff(1, processors() if self._work.threads == "auto" else self._work.threads)
        ready = prepared(self._own, self._styles, self._weights, size, staff)
        recipe = self._recipe(photos, ready)
        begun = threads_of(self.output, recipe)
        if self._work.threads == "auto" and begun is not None and begun != staff.threads:
            staff = Staff(1, begun)
            ready = prepared(self._own, self._styles, self._weights, size, staff)
            recipe = recipe.updated({"threads": begun})
        return staff, ready, recipe

    def _recipe(self, photos: Sequence[Photo], ready: Prepared) -> FilmRecipe:
        written = {"fps", "loop"}
        common = self._settings.model_dump(mode="json", exclude={"effect", "order", *written})
        return FilmRecipe(
            kind="animate",
            sources=tuple(photo.source for photo in photos),
            effect=self._settings.effect,
            settings={**common, **decisive(self._own)},
            film=self._settings.model_dump(mode="json", include=written),
            depth=8,
            **ready.facts,
        )

    def _write(self, recipe: FilmRecipe, frames: Pictures, _: Survey, path: Path) -> int:
        shown = Shown(frames, self._settings.loop)
        return write_animation(shown, path, [1 / self._settings.fps] * len(shown), recipe.to_json())

    def _made(
        self, produced: Produced, production: Production, left_out: tuple[str, ...]
    ) -> Animation:
        frames = produced.survey.frames
        return Animation(
            output=self.output,
            recipe=production.recipe,
            size=production.size,
            frames=frames,
            duration=len(playing(frames, self._settings.loop)) / self._settings.fps,
            left_out=left_out,
            made=produced.made,
            bytes=produced.bytes,
            seconds=time.perf_counter() - self._began,
        )


class Shown(Sequence[Frame]):
    """Frames in the order in which they are shown, each read when it is asked for."""

    def __init__(self, frames: Sequence[Any], loop: Loop) -> None:
        self._frames, self._order = frames, playing(len(frames), loop)

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | Sequence[Frame]:
        if isinstance(index, slice):
            return [self._frames[number] for number in self._order[index]]
        frame: Frame = self._frames[self._order[index]]
        return frame


def playing(frames: int, loop: Loop) -> Sequence[int]:
    """The frames that are shown until it begins again; back and forth, none twice in a row.

    >>> list(playing(4, "bounce"))
    [0, 1, 2, 3, 2, 1]
    """
    back = range(frames - 2, 0, -1) if loop == "bounce" else ()
    return [*range(frames), *back]


def _photos(burst: Burst, place: Place) -> Burst:
    """Photos lie where their paths say, for they are one shot, which one process makes."""
    return burst


def _survey(frames: int) -> Survey:
    """One shot; how long a photo is shown is only decided when the animation is written."""
    return Survey(time_base=Fraction(1), times=tuple(range(frames + 1)))


def _check_number(photos: Sequence[str]) -> None:
    if len(photos) == 1:
        raise UsageError(
            f"{photos[0]} alone is no animation: name two photos or more, or paint it with "
            "impasto paint"
        )
    if not photos:
        raise UnreadableImage("there is no photo that can be read; name two or more")

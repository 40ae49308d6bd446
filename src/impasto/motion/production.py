"""A moving picture made: its frames one by one, each kept, then all of them as a film."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.errors import Interrupted, UnwritableOutput, UsageError
from impasto.events import Event, FrameDone, Notice, Stage
from impasto.motion.effect import Builder
from impasto.motion.film_recipe import FilmRecipe
from impasto.motion.job_folder import JobFile, JobFolder
from impasto.motion.place import Place
from impasto.motion.shots import (
    AtWork,
    Footage,
    FrameBegun,
    FrameMade,
    Makers,
    Making,
    Task,
    shots_of,
    tasks_of,
)
from impasto.motion.store import RESERVE, Pictures, Store
from impasto.motion.survey import Survey
from impasto.motion.tally import MAKING, Tally
from impasto.quantities import quantity, span
from impasto.scratch import free_disk
from impasto.work import undisturbed

Show = Callable[[Event], None]

PACKED = 0.9
"""Of a frame's bytes, what its file takes: for paintings, full of detail, 0.64 to 0.90."""

FIRST = 2
"""Frames after which it is said how long the work will take; the first of a shot takes longest."""

WORTH_SAYING = 60.0
"""Seconds; the progress tells of what takes less."""


@dataclass(frozen=True)
class Production:
    """What is to be made, of what, and how it is written. What workers need can be pickled."""

    output: Path
    recipe: FilmRecipe
    size: tuple[int, int]
    """(width, height) of the frames, px."""
    look: Callable[[Show], Survey]
    """Look through the source, once, before any work."""
    source: Callable[[Place], Footage]
    effect: Builder
    write: Callable[[Pictures, Survey, Path], object]
    """Write frames to a file."""
    seconds: Callable[[int, int], float | None] | None = None
    """Of so many first frames of shots and other frames, if it can be told before they begin."""


@dataclass(frozen=True)
class Produced:
    """What came of a production."""

    survey: Survey
    made: int
    """Frames that this run has made, and not one before it."""
    bytes: int
    """Of the film."""


def produce(
    production: Production,
    makers: Makers,
    show: Show,
    *,
    force: bool = False,
    keep_frames: bool = False,
) -> Produced:
    """Make a moving picture, or go on where a run of the same recipe was stopped, at any moment.

    The output has been checked before. makers: who makes the frames. force: the output may be
    replaced, and frames of another recipe may go away.

    Raises Interrupted on Ctrl-C, when all frames that were finished are kept; UsageError where the
    folder belongs to another recipe or another run has it; UnwritableOutput, and the errors of
    clips, effects and clusters.
    """
    folder = JobFolder(production.output)
    with folder.held():
        try:
            done = folder.is_done(production.recipe)
            if not (done or force):
                folder.check_place()
            job, made = _begun(production, folder, show, force=force), 0
            if not done:
                made = _make(production, makers, job.survey, folder, show)
                _write(production, job, folder, show, force=force)
        except KeyboardInterrupt:
            raise Interrupted(f"stopped; {_kept(production, folder)}") from None
        except UnwritableOutput as error:
            raise UnwritableOutput(f"{error}; {_kept(production, folder)}") from error
        with undisturbed():
            folder.close(keep_frames=keep_frames)
    return Produced(job.survey, made, production.output.stat().st_size)


def check_space(folder: Path, production: Production, frames: int) -> None:
    """Refuse frames that will not fit on the disk; the film takes far less."""
    needed, free = frame_bytes(production) * frames, free_disk(folder) - RESERVE
    if needed > free:
        raise UnwritableOutput(
            f"cannot keep {frames} frames in {folder}: they take about {quantity(needed)}B and "
            f"{quantity(max(0, free))}B are free on its disk; free some, choose an output on "
            "another disk, or a smaller --size"
        )


def frame_bytes(production: Production) -> float:
    """What a frame takes on the disk, about."""
    width, height = production.size
    return PACKED * 3 * width * height * production.recipe.depth / 8


def _begun(production: Production, folder: JobFolder, show: Show, *, force: bool) -> JobFile:
    """The job of the folder where it is this one, else a new one."""
    stored = folder.stored()
    if stored is not None:
        differing = production.recipe.differences(stored.recipe)
        if not differing:
            if stored.recipe != production.recipe:  # what only decides how the film is written
                stored = stored.updated({"recipe": production.recipe, "written": None})
                folder.write(stored)
            return stored
        if folder.frames() and not force:
            others = _others(differing, production.recipe.versions, stored.recipe.versions)
            raise UsageError(
                f"cannot write {production.output}: {folder.path} holds frames made with other "
                f"{others}; give the same as then to go on, or --force to start anew"
            )
    elif folder.frames() and not force:
        raise UsageError(
            f"cannot write {production.output}: {folder.path} holds frames and does not say of "
            "what; move them away, or add --force to replace them"
        )
    survey = production.look(show)
    job = JobFile(recipe=production.recipe, survey=survey, size=production.size)
    folder.begin(job)
    return job


def _others(differing: Sequence[str], ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """What frames were made with other than now; with another effect, all else is as well."""
    if "effect" in differing:
        return "effect"
    numbers = [
        f"{package} {theirs.get(package, 'missing')}, now {ours.get(package, 'missing')}"
        for package in {**ours, **theirs}
        if ours.get(package) != theirs.get(package)
    ]
    names = [name.strip("_").replace("_", "-") for name in differing if name != "versions"]
    return ", ".join([*names, *([f"versions ({'; '.join(numbers)})"] if numbers else [])])


def _introduce(production: Production, survey: Survey, there: int, show: Show) -> None:
    """Say what there is to do, and what is wrong with the source."""
    width, height = production.size
    disk = frame_bytes(production) * survey.frames
    shots = f"{len(survey.cuts)} shots" if len(survey.cuts) > 1 else "1 shot"
    known = f"; {there} are there already" if there else ""
    show(
        Notice(
            f"{survey.frames} frames of {width}×{height} px in {shots}{known}; until they are a "
            f"film they take about {quantity(disk)}B of disk"
        )
    )
    for first, last in runs(survey.damaged):
        which = f"frame {first + 1} is" if first == last else f"frames {first + 1}–{last + 1} are"
        shown = "it" if first == last else "them"
        show(
            Notice(
                f"{which} damaged in the source, at {survey.seconds_at(first):.2f} s: the last "
                f"good one is shown instead of {shown}"
            )
        )
    if survey.missing:
        show(
            Notice(
                f"the source says that it lasts {survey.missing:.2f} s longer than its frames do; "
                "was it cut short?"
            )
        )


def runs(frames: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """First and last of each run of frames that follow one another.

    >>> list(runs((3, 4, 5, 9)))
    [(3, 5), (9, 9)]
    """
    known = frozenset(frames)
    starts = [frame for frame in frames if frame - 1 not in known]
    ends = [frame for frame in frames if frame + 1 not in known]
    yield from zip(starts, ends, strict=True)


def _making(production: Production, survey: Survey, folder: Path) -> Making:
    return Making(
        source=production.source,
        effect=production.effect,
        size=production.size,
        survey=survey,
        folder=folder,
        job=production.recipe.job,
        depth=production.recipe.depth,
    )


def _make(
    production: Production, makers: Makers, survey: Survey, folder: JobFolder, show: Show
) -> int:
    """Make all frames that are missing; returns how many."""
    show(Stage("checking the frames that are there", 0.0))
    making = _making(production, survey, folder.path)
    there, shots = making.store.facts(), shots_of(survey.cuts, survey.frames)
    tasks = tasks_of(shots, there)
    check_space(folder.path, production, survey.frames - len(there))
    _introduce(production, survey, len(there), show)
    _expect(production, tasks, show)
    tally = Tally(shots, len(there))
    show(Stage("preparing", MAKING * tally.made / tally.frames))
    with closing(makers.carry_out(tasks, making)) as reports:
        for report in reports:
            if isinstance(report, AtWork):
                folder.note(report.workers)
            elif isinstance(report, FrameMade | FrameBegun):
                event = tally.event(report)
                show(event)
                if isinstance(event, FrameDone) and event.made - len(there) == FIRST:
                    _announce(event, show)
            else:
                show(report)
    return tally.made - len(there)


def _expect(production: Production, tasks: Sequence[Task], show: Show) -> None:
    """Say how long it will take, before it begins."""
    if production.seconds is None or not tasks:
        return
    show(Stage("finding out how fast this machine is", 0.0))
    frames = sum(len(task.frames) for task in tasks)
    firsts = sum(task.frames[0] == task.shot.start for task in tasks)
    seconds = production.seconds(firsts, frames - firsts)
    if seconds is not None and seconds > WORTH_SAYING:
        show(Notice(f"about {span(seconds)} at most for {frames} frames, as a trial tells"))


def _announce(event: FrameDone, show: Show) -> None:
    """Say how long it will take."""
    if event.left is not None and event.left > WORTH_SAYING:
        frames = event.frames - event.made
        show(Notice(f"about {span(event.left)} for the {frames} frames that are left"))


def _write(
    production: Production, job: JobFile, folder: JobFolder, show: Show, *, force: bool
) -> None:
    """Write the film, and move it to its place when it is whole."""
    survey = job.survey
    store = _making(production, survey, folder.path).store
    production.write(_Told(store, survey.frames, show), survey, folder.film)
    if not force:
        folder.check_place()
    with undisturbed():
        folder.publish(job)


class _Told(Pictures):
    """Frames that say how far the film is when they are asked for; some are more than once."""

    def __init__(self, store: Store, frames: int, show: Show) -> None:
        super().__init__(store, frames)
        self._show, self._done = show, 0.0

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int):
            self._done = max(self._done, index / len(self))
            self._show(Stage("writing the film", MAKING + (1 - MAKING) * self._done))
        return super().__getitem__(index)


def _kept(production: Production, folder: JobFolder) -> str:
    """What is kept of a run that was stopped, and how to go on; the end of a sentence."""
    job = folder.stored()
    if job is None:
        return "nothing was written"
    done = f"{len(folder.frames())} of {job.survey.frames} frames"
    if production.recipe.differences(job.recipe):
        return f"nothing was written; {done} of another recipe are still in {folder.path}"
    return f"{done} are in {folder.path}; to go on, give the same command again"

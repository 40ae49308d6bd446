"""Shots, the frames between two cuts, and the loop that makes those of one."""

import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from impasto.errors import UnreadableVideo
from impasto.events import Event, Losses, Notice, RolledBack, Step
from impasto.image.resize import resize
from impasto.image.srgb import to_bits, to_unit
from impasto.motion.clip import Frame
from impasto.motion.effect import RGB, Builder, Effect, NewFrame, Past
from impasto.motion.frame_file import Bits
from impasto.motion.place import Place
from impasto.motion.store import Store
from impasto.motion.survey import Survey


class Footage(Protocol):
    """What frames come from, one after another."""

    def frames(self, first: int = 0, known: Survey | None = None) -> Iterator[Frame]:
        """From a frame on; each is the same wherever they begin.

        known: what was found when all was looked through, by which they may be found sooner.
        """


@dataclass(frozen=True)
class Shot:
    """Frames that follow one another without a cut."""

    number: int
    """From 1."""
    start: int
    stop: int
    """The first frame behind it."""


@dataclass(frozen=True)
class Task:
    """Frames of a shot that are to be made, at least one, in order."""

    shot: Shot
    frames: tuple[int, ...]


@dataclass(frozen=True)
class Making:
    """All that frames are made from, for any process: it can be pickled."""

    source: Callable[[Place], Footage]
    effect: Builder
    size: tuple[int, int]
    """(width, height) of the frames, px."""
    survey: Survey
    folder: Path
    job: str
    depth: int
    """Bits a channel of the frames: 8 or 16."""
    place: Place = field(default_factory=Place)

    def moment(self, frame: int) -> float:
        """Where in the film a frame is, 0 to 1; the last one is at 1."""
        return self.survey.times[frame] / (self.survey.times[-2] or 1)

    @property
    def store(self) -> Store:
        """Where the frames go."""
        return Store(self.folder, self.job, self.depth)


@dataclass(frozen=True)
class FrameMade:
    """A frame is on disk."""

    frame: int
    losses: Losses


@dataclass(frozen=True)
class FrameBegun:
    """A frame is being made."""

    frame: int
    share: float
    """How much of it is done, 0 to 1."""
    losses: Losses


@dataclass(frozen=True)
class AtWork:
    """How many frames are made at the same time from now on."""

    workers: int


Report = FrameMade | FrameBegun | AtWork | Notice | RolledBack
"""What is told of the work on tasks; all of it can be pickled. Frames count from 0."""


class Makers(Protocol):
    """Whoever makes frames: this process, workers beside it, or those of a cluster."""

    def carry_out(self, tasks: Sequence[Task], making: Making) -> Generator[Report]:
        """Make the frames of all tasks; who stops listening stops the workers.

        Raises the errors of clips, paintings and disks.
        """


def shots_of(cuts: Sequence[int], frames: int) -> tuple[Shot, ...]:
    """The shots of a film, from the frames that begin one, of which the first is 0."""
    stops = (*cuts[1:], frames)
    return tuple(
        Shot(number, start, stop)
        for number, (start, stop) in enumerate(zip(cuts, stops, strict=True), 1)
    )


def tasks_of(shots: Sequence[Shot], there: Collection[int]) -> list[Task]:
    """What is still to be made of each shot, when these frames are there."""
    left = [tuple(i for i in range(shot.start, shot.stop) if i not in there) for shot in shots]
    return [Task(shot, frames) for shot, frames in zip(shots, left, strict=True) if frames]


class Reel:
    """The footage of a job, drawn from by one task after another.

    Where one begins with the frame at which the one before it ended, as shots do that follow one
    another, footage goes on; so files that can only be read from their beginning are read once.
    """

    def __init__(self, making: Making) -> None:
        self._making = making
        self._frames: Iterator[Frame] = iter(())
        self._next: int | None = None

    def frames(self, first: int) -> Iterator[Frame]:
        """From a frame on; raises the errors of clips."""
        if first != self._next:
            source = self._making.source(self._making.place)
            self._frames = source.frames(first, self._making.survey)
        self._next = None
        for frame in self._frames:
            self._next = frame.index + 1
            yield frame


def carry_out(task: Task, making: Making, effect: Effect, reel: Reel) -> Generator[Report]:
    """Make the frames of a task; raises the errors of clips, paintings and disks.

    A frame that is damaged in the clip repeats the one before it, unless a shot begins with it.
    """
    store, wanted, last = making.store, set(task.frames), task.frames[-1]
    reach = max(effect.reach, default=1)
    photos: dict[int, Bits] = {}
    began = time.perf_counter()
    begins = max(task.shot.start, task.frames[0] - reach)
    for frame in reel.frames(begins):
        number, photo = frame.index, resized(frame.rgb, making.size)
        if number in wanted:
            bridged = frame.damaged and number > task.shot.start
            if bridged:
                picture, kept = store.past(number - 1)
                new = NewFrame(picture, kept=kept)
            else:
                earlier = Earlier(number, effect.reach, photos, store)
                new = yield from _watched(
                    number, effect.frame(photo, earlier, making.moment(number))
                )
            store.put(number, new, time.perf_counter() - began, bridged=bridged)
            yield FrameMade(number, dict(new.losses))
            began = time.perf_counter()
        if number == last:
            return
        photos[number] = to_bits(photo, 16)
        photos.pop(number - reach, None)
    raise UnreadableVideo(
        f"the clip ended before frame {last + 1}, which it had when it was looked through; "
        "was it changed meanwhile?"
    )


class Earlier(Mapping[int, Past]):
    """Frames of a shot before one, by how many frames back, read from disk when they are asked for.

    Photos are kept at 16 bits a channel, whether the run was stopped in between or not.
    """

    def __init__(
        self, number: int, reach: Sequence[int], photos: Mapping[int, Bits], store: Store
    ) -> None:
        self._number, self._photos, self._store = number, photos, store
        self._backs = [back for back in reach if number - back in photos]

    def __getitem__(self, back: int) -> Past:
        if back not in self._backs:
            raise KeyError(back)
        number = self._number - back
        return Past(to_unit(self._photos[number]), *self._store.past(number))

    def __iter__(self) -> Iterator[int]:
        return iter(self._backs)

    def __len__(self) -> int:
        return len(self._backs)


def resized(rgb: RGB, size: tuple[int, int]) -> RGB:
    """A photo at the size that its frame is to have, (width, height), px."""
    return rgb if rgb.shape[1::-1] == size else resize(rgb, *size)


def _watched(number: int, events: Iterator[Event | NewFrame]) -> Generator[Report, None, NewFrame]:
    """Tell of a frame's making what another process may know; its last event is the frame."""
    for event in events:
        if isinstance(event, NewFrame):
            return event
        if isinstance(event, Step):
            yield FrameBegun(number, event.done, dict(event.losses))
        elif isinstance(event, Notice | RolledBack):
            yield event
    raise RuntimeError(f"no picture was made of frame {number}")

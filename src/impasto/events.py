"""What a running job tells its caller; the core yields these, callers decide what to show."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Losses = Mapping[str, float]
"""Every weighted term of the loss by name: `content`, `style/NAME/LAYER`; `total` is their sum."""


@dataclass(frozen=True, slots=True)
class Started:
    """All inputs are read and the work is laid out."""

    size: tuple[int, int]
    """(width, height) of the picture to come, px."""
    levels: tuple[tuple[int, int], ...]
    """(width, height) of each level, coarse to fine."""
    steps: int
    """Steps of all levels together."""
    device: str
    precision: str
    start: Callable[[tuple[int, int]], NDArray[np.float32]] = field(compare=False)
    """What the canvas starts from, at a size (width, height), px, -> (H, W, 3) in [0, 1]."""


@dataclass(frozen=True, slots=True)
class Array:
    """An array that may be too large to have twice, so it is handed over in pieces."""

    dtype: str
    """NumPy's name; what NumPy has no type for comes as integers of its size."""
    shape: tuple[int, ...]
    pieces: Callable[[], Iterator[NDArray[Any]]]
    """Along the first axis, in order."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a run needs to go on from the end of a step as if nothing had happened."""

    level: int
    step: int
    arrays: Mapping[str, Array]
    """The state of the optimiser."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the optimiser is done."""

    level: int
    """Counted from 1."""
    step: int
    """Within the level, counted from 1."""
    taken: int
    """Steps of all levels so far."""
    done: float
    """Share of the whole run's work that is done, 0 to 1."""
    losses: Losses
    """At the level's size, in the precision of the run."""
    picture: Callable[[], NDArray[np.float32]]
    """The canvas at the end of the step, (H, W, 3) in [0, 1], at the level's size.

    L-BFGS gives the best so far, Adam its last.
    """
    whole: Callable[[], NDArray[np.float32]]
    """The picture, at its final size, as it would be if the run ended here."""
    snapshot: Callable[[], Snapshot]


@dataclass(frozen=True, slots=True)
class LevelDone:
    """A level has had all its steps."""

    level: int
    picture: Callable[[], NDArray[np.float32]]
    """The canvas, (H, W, 3) in [0, 1], at the level's size."""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A step gave values that are not finite; it was undone and is tried again more carefully."""

    level: int
    step: int
    failures: int
    """In a row, this one included."""


@dataclass(frozen=True, slots=True)
class Stage:
    """The next part of a job begins."""

    name: str
    done: float
    """Share of the whole job that is usually done by then, 0 to 1."""


@dataclass(frozen=True, slots=True)
class FrameStep:
    """A frame of a moving picture is being made."""

    frame: int
    """Counted from 1."""
    frames: int
    """Of the whole film."""
    shot: int
    """That the frame lies in, counted from 1."""
    shots: int
    made: int
    """Frames that are on disk; several may be made at the same time, so they are not the first."""
    done: float
    """Share of the whole job that is done, 0 to 1."""
    left: float | None
    """Seconds until all frames are made, at the pace of this run; None where it has none yet."""
    losses: Losses


@dataclass(frozen=True, slots=True)
class FrameDone(FrameStep):
    """A frame of a moving picture is on disk."""


@dataclass(frozen=True, slots=True)
class ArtworkStep:
    """An artwork of a collection is being painted."""

    name: str
    """Of its file."""
    artworks: int
    """Of the whole collection."""
    made: int
    """Artworks that are in their files."""
    done: float
    """Share of the work of this run that is done, 0 to 1."""
    left: float | None
    """Seconds until all are painted, at the pace of this run; None where it has none yet."""


@dataclass(frozen=True, slots=True)
class ArtworkDone(ArtworkStep):
    """An artwork of a collection is in its file."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should know and that does not stop the job."""

    message: str


@dataclass(frozen=True, slots=True)
class Painted:
    """The last event of a run: the picture is there."""

    picture: NDArray[np.float32]
    """(H, W, 3) in [0, 1]."""
    losses: Losses
    """Of this picture at its final size, float32."""
    complete: bool
    """False where non-finite values ended the run early and this is the best picture so far."""
    curvature: NDArray[np.float32] | None = None
    """What L-BFGS learned, for a picture that is nearly the same: (3 opponent colours, bands)."""


Event = Started | Step | LevelDone | RolledBack | Stage | FrameStep | ArtworkStep | Notice | Painted

"""The artworks of a collection: what each is made from, and what came of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from impasto.events import Notice
from impasto.recipe import PaintRecipe
from impasto.settings import OutputSettings, PaintSettings


@dataclass(frozen=True)
class Material:
    """A picture file that artworks are made from."""

    path: str
    """As it was given; recipes name it by that."""
    sha256: str
    """Of its bytes when the plan was made; empty where it could not be read."""


@dataclass(frozen=True)
class Task:
    """One artwork to be made, for any process: it can be pickled."""

    name: str
    """Of its file, relative to the collection's folder, with forward slashes."""
    photo: Material
    styles: tuple[tuple[Material, float], ...]
    """Each with its beta."""
    init: Material | None
    """The picture that the canvas starts from, where the settings name one."""
    settings: PaintSettings
    output: OutputSettings

    def materials(self) -> Iterator[Material]:
        """All pictures that go in, each once."""
        found = [self.photo, *(style for style, _ in self.styles)]
        yield from dict.fromkeys(found if self.init is None else [*found, self.init])


@dataclass(frozen=True)
class Working:
    """An artwork is being painted."""

    task: Task
    done: float
    """Share of it that is done, 0 to 1."""


@dataclass(frozen=True)
class Finished:
    """An artwork is in its file."""

    task: Task
    recipe: PaintRecipe
    """With its losses."""
    size: tuple[int, int]
    """(width, height), px."""
    seconds: float
    """That painting took."""
    sha256: str
    """Of the file."""
    file_size: int
    """Bytes of the file."""
    thumbnail: bytes
    """WebP, sRGB, its long side `THUMBNAIL` px or less."""
    made: Mapping[str, int]
    """How many targets were computed for it rather than found: {digest of a picture: how many}."""


@dataclass(frozen=True)
class Failed:
    """An artwork that cannot be made."""

    task: Task
    blame: Material | None
    """The picture that cannot be used, with all artworks that need it; None for this one alone."""
    reason: str
    """A sentence that says what, where and what to do next."""
    passing: bool = False
    """Whether it may go better another time though nothing is changed: a file was not there, or
    memory ran out."""


Outcome = Finished | Failed

Told = Working | Notice
"""What is told of a run while it goes on."""

THUMBNAIL = 320
"""Px."""


class Runner(Protocol):
    """Whoever paints: this process, or workers on a cluster."""

    def run(
        self, tasks: Sequence[Task], folder: Path, tell: Callable[[Told], None]
    ) -> Iterator[Outcome]:
        """Paint tasks into a folder, in an order of its own; files appear whole or not at all.

        Each task is finished or failed once; the folders that names lead into are there. Raises
        UnwritableOutput where nothing more can be written, and Interrupted on Ctrl-C.
        """

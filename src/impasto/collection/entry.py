"""An artwork of a collection, as its gallery shows it."""

from dataclasses import dataclass
from enum import StrEnum

from impasto.collection.task import Task
from impasto.recipe import USUAL_WEIGHTS, PaintRecipe


class State(StrEnum):
    """What has become of an artwork so far."""

    DONE = "done"
    FAILED = "failed"
    TO_COME = "to come"


@dataclass(frozen=True)
class Entry:
    """An artwork that is there, or why it is not."""

    task: Task
    state: State = State.TO_COME
    reason: str = ""
    """Why it failed, a sentence."""
    size: tuple[int, int] | None = None
    """(width, height), px; of one to come, what it will be, where that is known."""
    seconds: float | None = None
    """That painting took."""
    file_size: int | None = None
    """Bytes."""
    recipe: PaintRecipe | None = None
    """With its losses; of one that is done."""
    weights: str = USUAL_WEIGHTS
    """Of the network, as recipes name them."""
    version: str = ""
    """Tells the file of one that is done from others that lay in its place before."""

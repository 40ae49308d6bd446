"""How much of a painting lies in memory at a time, and less where it runs out all the same."""

from collections.abc import Callable, Generator
from typing import TypeVar

from impasto.errors import ran_out
from impasto.events import Event, Notice
from impasto.neural.device import return_freed_memory
from impasto.neural.plan import Plan
from impasto.neural.shared import Shared
from impasto.neural.tiles import Tiling

T = TypeVar("T")

MOST_HALVINGS = 3
"""Of tiles, when memory runs out again and again."""


class Room:
    """The plan's room for each level of a painting."""

    def __init__(self, plan: Plan, shared: Shared) -> None:
        self._shared = shared
        self._kept = [level.kept for level in plan.levels]
        self._folders = [level.folder for level in plan.levels]
        self._roomy = [level.roomy for level in plan.levels]
        self._halved = 0
        """How often tiles were halved because memory ran out in spite of the plan."""

    def tiling(self, level: int) -> Tiling:
        """How images are passed at a level, counted from 1."""
        index = level - 1
        return Tiling(
            kept=self._kept[index],
            folder=self._folders[index],
            halved=self._halved,
            roomy=self._roomy[index],
        )

    def within(self, level: int, work: Callable[[], T]) -> Generator[Event, None, T]:
        """Do a part of the work; with less at a time where memory runs out in spite of the plan."""
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not ran_out(error) or not self._take_less(level):
                    raise
            return_freed_memory()
            yield Notice("memory ran out; going on with less at a time")

    def _take_less(self, level: int) -> bool:
        """Share nothing, keep no maps, or pass smaller tiles; whether any was still possible.

        Sums of smaller tiles round differently, so the picture may change in its last bits.
        """
        if self._shared.held:
            self._shared.shrink(0)
            return True
        if self._kept[level - 1]:
            self._kept[level - 1], self._roomy[level - 1] = 0, False
            return True
        self._halved += 1
        return self._halved <= MOST_HALVINGS

"""A collection painted by this process, one artwork after the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from impasto.collection.painter import Painter, from_disk
from impasto.collection.task import Failed, Material, Outcome, Task, Told, Working
from impasto.events import Event, Notice, RolledBack, Step
from impasto.threads import limited


class Here:
    """Paints in this process."""

    def __init__(self, painter: Painter, threads: int) -> None:
        self._painter, self._threads = painter, threads

    def run(
        self, tasks: Sequence[Task], folder: Path, tell: Callable[[Told], None]
    ) -> Iterator[Outcome]:
        """Paint photo by photo: what was computed of one is let go when the next one comes."""
        unusable: dict[Material, Failed] = {}
        with limited(self._threads):
            for task in by_photo(tasks):
                known = [unusable[each] for each in task.materials() if each in unusable]
                if known:  # it is not read again
                    yield replace(known[0], task=task)
                    continue
                file, show = folder / task.name, _told(task, tell)
                outcome = self._painter.paint(task, from_disk, file, show)
                if isinstance(outcome, Failed) and outcome.blame is not None:
                    unusable[outcome.blame] = outcome
                yield outcome


def by_photo(tasks: Sequence[Task]) -> list[Task]:
    """All artworks of a photo one after the other; photos in the order of their first ones."""
    order: dict[Material, int] = {}
    for task in tasks:
        order.setdefault(task.photo, len(order))
    return sorted(tasks, key=lambda task: order[task.photo])


def _told(task: Task, tell: Callable[[Told], None]) -> Callable[[Event], None]:
    """Tells of the events of a painting what matters in a collection."""

    def show(event: Event) -> None:
        if isinstance(event, Step):
            tell(Working(task, event.done))
        elif isinstance(event, Notice):
            tell(Notice(f"{task.name}: {event.message}"))
        elif isinstance(event, RolledBack):
            tell(Notice(f"{task.name}: step {event.step} gave values that are not finite: undone"))

    return show

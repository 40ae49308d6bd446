"""Artworks that wait for a worker, photo by photo."""

from collections import deque
from collections.abc import Iterable

from impasto.collection.task import Material, Task


class Waiting:
    """Gives each worker all artworks of a photo, while there are photos that nobody has begun.

    So one worker computes a photo's targets, and the others do not wait at the end: they help those
    that have most left. However many artworks wait, the next one is found at once.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._photos: dict[Material, deque[Task]] = {}
        for task in tasks:
            self._photos.setdefault(task.photo, deque()).append(task)
        self._whole = deque(self._photos)
        """Photos that nobody has begun."""
        self._urgent: deque[Task] = deque()

    def __bool__(self) -> bool:
        return bool(self._photos or self._urgent)

    def take(self, last: Material | None) -> Task:
        """The next artwork for a worker that painted one of this photo last.

        Raises ValueError where none waits.
        """
        if self._urgent:
            return self._urgent.popleft()
        if last in self._photos:
            photo = last
        elif self._whole:
            photo = self._whole.popleft()
        else:
            photo = max(self._photos, key=lambda photo: len(self._photos[photo]))
        task = self._photos[photo].popleft()
        if not self._photos[photo]:
            del self._photos[photo]
        return task

    def put_back(self, task: Task) -> None:
        """An artwork that was not painted after all is the next one."""
        self._urgent.append(task)

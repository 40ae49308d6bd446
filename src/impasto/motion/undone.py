"""Shots that wait for a worker, and those that workers have died over."""

from collections import Counter, deque
from collections.abc import Iterable

from impasto.motion.shots import Shot, Task

PATIENCE = 3
"""Workers that may die one after another without a single frame of their shot."""


class Undone:
    """Gives each worker a whole task, longest first, so that the last ones end at about one time.

    What a worker that has died leaves of a shot is what the next one gets.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._waiting = deque(sorted(tasks, key=lambda task: len(task.frames), reverse=True))
        self._barren = Counter[int]()  # by the shot's number

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self) -> Task:
        """The next task; IndexError where none waits."""
        return self._waiting.popleft()

    def made(self, shot: Shot) -> None:
        """A frame of this shot is there."""
        self._barren[shot.number] = 0

    def put_back(self, left: Task) -> bool:
        """What a worker that has died did not make; False where nobody can make any more of it."""
        self._barren[left.shot.number] += 1
        if self._barren[left.shot.number] >= PATIENCE:
            return False
        if left.frames:
            self._waiting.appendleft(left)
        return True

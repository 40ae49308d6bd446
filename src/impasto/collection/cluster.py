"""A collection painted by workers on a Ray cluster.

Pictures go to the workers through Ray's object store, artworks come back and are written here, so
the machines need no disk in common.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.cluster.ray_cluster import joined
from impasto.cluster.ray_crew import PATIENCE, Crew, HowFar, Lost, Member
from impasto.collection.painter import from_disk
from impasto.collection.ray_worker import Delivered, RayWorker
from impasto.collection.task import Failed, Material, Outcome, Task, Told, Working
from impasto.collection.waiting import Waiting
from impasto.errors import UnreadableImage
from impasto.events import Notice
from impasto.image.atomic import replacing
from impasto.image.samples import is_sample
from impasto.neural.weights import Weights

if TYPE_CHECKING:
    from ray import ObjectRef

Painters = Crew[Task, Delivered | Failed, float]
OnePainter = Member[Task, Delivered | Failed, float]


class Cluster:
    """Paints on a cluster; a worker that dies is replaced, and its artwork begun again."""

    def __init__(self, settings: ClusterSettings, weights: Path | None, loaded: Weights) -> None:
        """`weights`: the file as recipes name it, and what it holds."""
        self._settings, self._weights, self._loaded = settings, weights, loaded

    def run(
        self, tasks: Sequence[Task], folder: Path, tell: Callable[[Told], None]
    ) -> Iterator[Outcome]:
        """Paint tasks; raises ClusterError where no worker can be had."""
        if not tasks:
            return
        with joined(self._settings.cluster) as ray:
            crew = Painters(ray, self._settings, len(tasks), _plain(tell))
            crew.engage(RayWorker, self._weights, self._loaded)
            try:
                yield from _Run(ray, crew, tasks, folder).outcomes()
            finally:
                crew.dismiss()


class _Run:
    """The driver's side: what waits, what is at work, and which pictures are in the store."""

    def __init__(self, ray: Any, crew: Painters, tasks: Sequence[Task], folder: Path) -> None:
        self._ray, self._crew, self._folder = ray, crew, folder
        self._waiting = Waiting(tasks)
        self._needed = Counter(each for task in tasks for each in task.materials())
        self._store: dict[Material, ObjectRef[bytes]] = {}
        self._unusable: dict[Material, Failed] = {}
        self._deaths = Counter[str]()

    def outcomes(self) -> Iterator[Outcome]:
        """Give work to whoever is free, and take what comes back."""
        while self._waiting or self._crew.at_work:
            for member in self._crew.free():
                yield from self._give(member)
            for member, came in self._crew.news():
                task = member.release()
                if isinstance(came, Lost):
                    yield from self._again(task)
                    continue
                if isinstance(came, Delivered):  # the next one is painted while this is written
                    yield from self._give(member)
                yield self._end(self._taken(came))

    def _give(self, member: OnePainter) -> Iterator[Outcome]:
        """The next artwork that can be painted, if there is any."""
        while self._waiting:
            task = self._waiting.take(member.last.photo if member.last is not None else None)
            known = self._known_failure(task)
            if known is None:
                data = {each: self._store[each] for each in task.materials() if not _comes(each)}
                member.give(task, data)
                return
            yield self._end(known)

    def _known_failure(self, task: Task) -> Failed | None:
        """Put an artwork's pictures into the store, or tell why that cannot be done."""
        for material in task.materials():
            if material not in self._unusable and material not in self._store:
                self._put(material, task)
            if material in self._unusable:
                return replace(self._unusable[material], task=task)
        return None

    def _put(self, material: Material, task: Task) -> None:
        if _comes(material):
            return
        try:
            self._store[material] = self._ray.put(from_disk(material))
        except UnreadableImage as error:
            passing = bool(material.sha256)
            self._unusable[material] = Failed(task, material, str(error), passing)

    def _taken(self, came: Delivered | Failed) -> Outcome:
        if isinstance(came, Failed):
            if came.blame is not None:
                self._unusable[came.blame] = came
            return came
        with replacing(self._folder / came.finished.task.name) as temporary:
            temporary.write_bytes(came.data)
        return came.finished

    def _again(self, task: Task) -> Iterator[Outcome]:
        """An artwork whose worker died is the next one to be given out, unless it kills them."""
        self._deaths[task.name] += 1
        if self._deaths[task.name] < PATIENCE:
            self._waiting.put_back(task)
            return
        reason = (
            f"{PATIENCE} workers died while they painted {task.name}; if their memory ran out, "
            "take fewer --workers or a smaller --size"
        )
        yield self._end(Failed(task, None, reason, passing=True))

    def _end(self, outcome: Outcome) -> Outcome:
        """Let go of pictures that nothing needs any more."""
        self._needed.subtract(outcome.task.materials())
        for material in outcome.task.materials():
            if self._needed[material] <= 0:
                self._store.pop(material, None)
        return outcome


def _plain(tell: Callable[[Told], None]) -> Callable[[HowFar[Task, float] | Notice], None]:
    """Tells of workers what is told of a collection."""
    return lambda said: tell(said if isinstance(said, Notice) else Working(said.task, said.share))


def _comes(material: Material) -> bool:
    """Whether a picture is there wherever Impasto is installed."""
    return is_sample(material.path)

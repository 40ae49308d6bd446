"""Workers on a Ray cluster as their driver sees them: engaged, at work, lost and replaced."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.collection.cluster_settings import ClusterSettings
from impasto.collection.ray_worker import Delivered, RayWorker, installed
from impasto.collection.task import Failed, Material, Task, Told, Working
from impasto.errors import ClusterError
from impasto.events import Notice
from impasto.neural.weights import Weights
from impasto.threads import VARIABLES

if TYPE_CHECKING:
    from ray import ObjectRef

PATIENCE = 3
"""Workers that may die over one artwork, or before any of them was ready."""

LOOK = 0.5
"""Seconds after which workers are asked how far they are, and Ctrl-C is noticed."""

LONG = 60.0
"""Seconds without any worker after which it is said what they wait for."""


@dataclass(frozen=True)
class Lost:
    """What comes of a worker that has died."""


class Member:
    """A worker, from when it is asked for."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.awaited: ObjectRef[Any] | None = actor.code.remote()
        """What it will say next; None while it has nothing to do."""
        self.ready = False
        self.photo: Material | None = None
        """Of which it painted last."""
        self.asked: ObjectRef[float] | None = None
        """How much of its artwork it says is done, 0 to 1."""
        self._task: Task | None = None

    @property
    def task(self) -> Task:
        """The artwork that it is at."""
        if self._task is None:
            raise ValueError("this worker is at nothing")
        return self._task

    @property
    def at_work(self) -> bool:
        """Whether it paints."""
        return self._task is not None

    def paint(self, task: Task, data: "Mapping[Material, ObjectRef[bytes]]") -> None:
        """Give it an artwork."""
        self._task, self.photo = task, task.photo
        self.asked = None
        self.awaited = self.actor.paint.remote(task, data)

    def release(self) -> Task:
        """Its artwork is painted, or will not be."""
        task, self._task, self.awaited = self.task, None, None
        return task


class Crew:
    """All workers of a run."""

    def __init__(
        self, ray: Any, settings: ClusterSettings, most: int, tell: Callable[[Told], None]
    ) -> None:
        """`most`: more workers than artworks would have nothing to do."""
        self._ray, self._settings, self._tell = ray, settings, tell
        room = settings.room(ray.cluster_resources())
        wanted = room if settings.workers == "auto" else settings.workers
        self._wanted = min(wanted, most)
        self._members: list[Member] = []
        self._hire: Callable[[], Member]
        self._failures = 0
        self._since = self._next_look = time.monotonic()

    def engage(self, weights: Path | None, loaded: Weights) -> None:
        """Ask for all workers; each begins when the cluster has room for it."""
        kind = self._ray.remote(RayWorker).options(max_concurrency=2, **resources(self._settings))
        known = self._ray.put(loaded)
        self._hire = lambda: Member(kind.remote(weights, known, self._settings, self._wanted))
        self._members = [self._hire() for _ in range(self._wanted)]

    def dismiss(self) -> None:
        """End all workers at once: what they are at is lost, and nothing else."""
        for member in self._members:
            self._end(member)

    @property
    def at_work(self) -> list[Member]:
        """Those who paint."""
        return [member for member in self._members if member.at_work]

    def free(self) -> list[Member]:
        """Those who could."""
        return [member for member in self._members if member.ready and not member.at_work]

    def news(self) -> Iterator[tuple[Member, Delivered | Failed | Lost]]:
        """What comes back within a short time; now and then it is told how far the others are."""
        awaited = {each.awaited: each for each in self._members if each.awaited is not None}
        if not awaited:
            return
        refs = list(awaited)
        if self._ray.wait(refs, num_returns=1, timeout=LOOK)[0]:
            came, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        else:
            came = []
        for ref in came:
            member = awaited[ref]
            if member.at_work:
                yield member, self._said(member)
            else:
                self._welcome(member)
        if time.monotonic() >= self._next_look:
            self._ask()
            self._next_look = time.monotonic() + LOOK

    def _said(self, member: Member) -> Delivered | Failed | Lost:
        try:
            came: Delivered | Failed = self._ray.get(member.awaited)
        except self._ray.exceptions.RayTaskError:  # raised by what it runs, a defect of Impasto
            raise
        except self._ray.exceptions.RayError:  # it died, or what it made with its machine
            self._replace(member)
            return Lost()
        return came

    def _welcome(self, member: Member) -> None:
        """A worker is ready, or could not begin; ClusterError where none ever can."""
        try:
            theirs = self._ray.get(member.awaited)
        except self._ray.exceptions.RayError as error:
            self._failures += 1
            if self._failures >= PATIENCE and not any(each.ready for each in self._members):
                last = str(error).strip().rpartition("\n")[2]
                raise ClusterError(
                    f"no worker begins on the cluster: {last}; is Impasto installed on all of "
                    "its machines?"
                ) from error
            self._replace(member)
            return
        if theirs != installed():
            raise ClusterError(
                f"a worker has {theirs}, and this machine {installed()}; install the same on all "
                "machines"
            )
        member.ready, member.awaited = True, None

    def _end(self, member: Member) -> None:
        with suppress(Exception):  # the cluster may be gone
            self._ray.kill(member.actor)

    def _replace(self, member: Member) -> None:
        self._end(member)
        self._members[self._members.index(member)] = self._hire()

    def _ask(self) -> None:
        """Ask those at work how far they are, and take what they answered to the last question."""
        for member in self.at_work:
            if member.asked is not None and self._ray.wait([member.asked], timeout=0)[0]:
                with suppress(self._ray.exceptions.RayError):  # it has died: that is news
                    self._tell(Working(member.task, self._ray.get(member.asked)))
                member.asked = None
            if member.asked is None:
                member.asked = member.actor.share.remote()
        if any(member.ready for member in self._members):
            self._since = time.monotonic()
        elif time.monotonic() > self._since + LONG:
            self._since = float("inf")
            self._tell(Notice("waiting until the cluster has room for a worker"))


def resources(settings: ClusterSettings) -> dict[str, Any]:
    """What Ray is told of a worker.

    Threads that wait sleep, for spinning takes the processors from the other workers.
    """
    variables = dict.fromkeys(VARIABLES, str(settings.threads)) | {"OMP_WAIT_POLICY": "PASSIVE"}
    if not settings.gpus:
        variables["CUDA_VISIBLE_DEVICES"] = ""  # Ray hides no cards of its own accord
    return {
        "num_cpus": settings.threads,
        "num_gpus": settings.gpus,
        "runtime_env": {"env_vars": variables},
    }

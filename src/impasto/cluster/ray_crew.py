"""Workers on a Ray cluster as their driver sees them: engaged, at work, lost and replaced.

A worker is an actor with four methods, of which two may run at the same time:

    code() -> str              what is installed there, once it is ready to work
    work(task, *more) -> R     does a task, or says why that cannot be done
    share() -> S               how far it is
    leave()                    removes what it has on its disk, whatever it is at
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.cluster.machine import installed, resources
from impasto.errors import ClusterError
from impasto.events import Notice

if TYPE_CHECKING:
    from ray import ObjectRef

T = TypeVar("T")
"""A task."""
R = TypeVar("R")
"""What comes of it."""
S = TypeVar("S")
"""How far it is."""

PATIENCE = 3
"""Workers that may die over one task, or before any of them was ready."""

LOOK = 0.5
"""Seconds after which workers are asked how far they are, and Ctrl-C is noticed."""

LEAVING = 2.0
"""Seconds that workers have to tidy up before they are ended."""

LONG = 60.0
"""Seconds without any worker after which it is said what they wait for."""


@dataclass(frozen=True)
class Lost:
    """What comes of a worker that has died."""


@dataclass(frozen=True)
class HowFar(Generic[T, S]):
    """How far a worker is with its task."""

    task: T
    share: S


class Member(Generic[T, R, S]):
    """A worker, from when it is asked for."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.awaited: ObjectRef[Any] | None = actor.code.remote()
        """What it will say next; None while it has nothing to do."""
        self.ready = False
        self.asked: ObjectRef[S] | None = None
        """How far it says it is."""
        self.last: T | None = None
        """The task that it was given last."""
        self.at_work = False

    @property
    def task(self) -> T:
        """What it is at."""
        if self.last is None or not self.at_work:
            raise ValueError("this worker is at nothing")
        return self.last

    def give(self, task: T, *more: Any) -> None:
        """Give it a task; `more`: what it needs for it."""
        self.last, self.at_work = task, True
        self.asked = None
        self.awaited = self.actor.work.remote(task, *more)

    def release(self) -> T:
        """Its task is done, or will not be."""
        task = self.task
        self.at_work, self.awaited = False, None
        return task


class Crew(Generic[T, R, S]):
    """All workers of a run."""

    def __init__(
        self,
        ray: Any,
        settings: ClusterSettings,
        most: int,
        tell: Callable[[HowFar[T, S] | Notice], None],
    ) -> None:
        """`most`: more workers than tasks would have nothing to do."""
        self._ray, self._settings, self._tell = ray, settings, tell
        room = settings.room(*(node["Resources"] for node in ray.nodes() if node["Alive"]))
        wanted = room if settings.workers == "auto" else settings.workers
        self._wanted = min(wanted, most)
        self._members: list[Member[T, R, S]] = []
        self._hire: Callable[[], Member[T, R, S]]
        self._failures = 0
        self._since = self._next_look = time.monotonic()

    def engage(self, worker: type, *known: Any) -> None:
        """Ask for all workers; each begins when the cluster has room for it.

        worker: the actor's class. known: what it is made with, before the settings and the number
        of workers.
        """
        kind = self._ray.remote(worker).options(max_concurrency=2, **resources(self._settings))
        given = [self._ray.put(each) for each in known]
        self._hire = lambda: Member(kind.remote(*given, self._settings, self._wanted))
        self._members = [self._hire() for _ in range(self._wanted)]

    def dismiss(self) -> None:
        """End all workers now: what they are at is lost, and nothing else."""
        try:
            leaving = [each.actor.leave.remote() for each in self._members if each.ready]
            with suppress(self._ray.exceptions.RayError):
                if leaving:
                    self._ray.wait(leaving, num_returns=len(leaving), timeout=LEAVING)
        finally:
            for member in self._members:
                self._end(member)

    @property
    def at_work(self) -> list[Member[T, R, S]]:
        """Those who work."""
        return [member for member in self._members if member.at_work]

    def free(self) -> list[Member[T, R, S]]:
        """Those who could."""
        return [member for member in self._members if member.ready and not member.at_work]

    def news(self) -> Iterator[tuple[Member[T, R, S], R | Lost]]:
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

    def _said(self, member: Member[T, R, S]) -> R | Lost:
        try:
            came: R = self._ray.get(member.awaited)
        except self._ray.exceptions.RayTaskError:  # raised by what it runs, a defect of Impasto
            raise
        except self._ray.exceptions.RayError:  # it died, or what it made with its machine
            self._replace(member)
            return Lost()
        return came

    def _welcome(self, member: Member[T, R, S]) -> None:
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

    def _end(self, member: Member[T, R, S]) -> None:
        with suppress(Exception):  # the cluster may be gone
            self._ray.kill(member.actor)

    def _replace(self, member: Member[T, R, S]) -> None:
        self._end(member)
        self._members[self._members.index(member)] = self._hire()

    def _ask(self) -> None:
        """Ask those at work how far they are, and take what they answered to the last question."""
        for member in self.at_work:
            if member.asked is not None and self._ray.wait([member.asked], timeout=0)[0]:
                with suppress(self._ray.exceptions.RayError):  # it has died: that is news
                    self._tell(HowFar(member.task, self._ray.get(member.asked)))
                member.asked = None
            if member.asked is None:
                member.asked = member.actor.share.remote()
        if any(member.ready for member in self._members):
            self._since = time.monotonic()
        elif time.monotonic() > self._since + LONG:
            self._since = float("inf")
            self._tell(Notice("waiting until the cluster has room for a worker"))

"""Frames made by workers on a Ray cluster: each a whole shot, whose frames come back one by one.

Inputs go to the workers through Ray's object store and frames are written here, so the machines
need no disk in common.
"""

from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.cluster.ray_cluster import check, joined
from impasto.cluster.ray_crew import Crew, HowFar, Lost, Member
from impasto.cluster.sent_files import sent
from impasto.errors import ClusterError, ImpastoError
from impasto.events import Notice
from impasto.motion.film_worker import Delivered, FilmWorker
from impasto.motion.shots import AtWork, FrameBegun, Making, Report, Task
from impasto.motion.undone import PATIENCE, Undone

Workers = Crew[Task, Delivered | ImpastoError, FrameBegun | None]
Worker = Member[Task, Delivered | ImpastoError, FrameBegun | None]
Heard = HowFar[Task, FrameBegun | None] | Notice


class Cluster:
    """Makes frames on a cluster; a worker that dies is replaced, and costs the frame it was at."""

    def __init__(
        self, settings: ClusterSettings, files: Mapping[str, str], versions: Mapping[str, str]
    ) -> None:
        """`files`: {path as given: where it lies here} of all inputs.

        versions: of packages that decide the frames, which all workers have to have. Raises
        ClusterError where there is no such cluster, before any work.
        """
        check(settings.cluster)
        self._settings, self._files, self._versions = settings, files, versions

    def carry_out(self, tasks: Sequence[Task], making: Making) -> Generator[Report]:
        """Make the frames of all tasks.

        Raises the errors of clips, paintings and disks, and ClusterError where no worker can be
        had, or they die again and again.
        """
        if not tasks:
            return
        with joined(self._settings.cluster) as ray:
            heard: deque[Heard] = deque()
            crew = Workers(ray, self._settings, len(tasks), heard.append)
            files = sent(ray, self._files)
            crew.engage(FilmWorker, making, files, self._versions)
            try:
                yield from _Run(crew, tasks, making, heard).reports()
            finally:
                crew.dismiss()


class _Run:
    """The driver's side: which shot each worker is at, and what it has of it."""

    def __init__(
        self, crew: Workers, tasks: Sequence[Task], making: Making, heard: deque[Heard]
    ) -> None:
        self._crew, self._making, self._store, self._heard = crew, making, making.store, heard
        self._undone = Undone(tasks)
        self._there: dict[Worker, set[int]] = {}
        """Frames of its shot that a worker has had."""
        self._busy = 0

    def reports(self) -> Iterator[Report]:
        """Give shots to whoever is free, and keep the frames that come back."""
        while self._undone or self._crew.at_work:
            for member in self._crew.free():
                self._begin(member)
            for member, came in self._crew.news():
                yield from self._taken(member, came)
            yield from self._told()

    def _begin(self, member: Worker) -> None:
        """The next shot, if one waits."""
        if self._undone:
            self._there[member] = set()
            self._ask(member, self._undone.take(), begins=True)

    def _ask(self, member: Worker, left: Task, *, begins: bool = False) -> None:
        """Ask for the first frame of what is left, with those that it looks at."""
        number, there = left.frames[0], self._there[member]
        backs = {1, *self._making.effect.reach}  # a damaged frame repeats the one before it
        seen = {number - back for back in backs if number - back >= left.shot.start} - there
        there |= {number, *seen}
        member.give(left, {each: self._store.file(each) for each in sorted(seen)}, begins)

    def _taken(self, member: Worker, came: Delivered | ImpastoError | Lost) -> Iterator[Report]:
        task = member.release()
        if isinstance(came, ImpastoError):
            raise came
        if isinstance(came, Lost):
            yield self._again(member, task)
            return
        self._check(came, task)
        left = Task(task.shot, task.frames[1:])
        if left.frames:  # the next one is made while this one is written
            self._ask(member, left)
        self._store.keep(task.frames[0], came.file)
        self._undone.made(task.shot)
        yield from came.told
        yield came.made

    def _again(self, member: Worker, task: Task) -> Notice:
        """The shot of a worker that has died goes on, unless it kills them."""
        del self._there[member]
        number = task.shot.number
        if not self._undone.put_back(task):
            raise ClusterError(
                f"{PATIENCE} workers in a row died without a frame of shot {number}; if their "
                "memory ran out, take fewer --workers or a smaller --size; to go on, give the same "
                "command again"
            )
        return Notice(f"a worker died in shot {number}; another one goes on with it")

    def _check(self, came: Delivered, task: Task) -> None:
        """Refuse what is not the frame that was asked for."""
        if came.made.frame != task.frames[0] or not self._store.is_own(came.file):
            raise ClusterError(
                f"frame {task.frames[0] + 1} has come damaged from a worker; to go on, give the "
                "same command again"
            )

    def _told(self) -> Iterator[Report]:
        """What was heard meanwhile, and how many are at work now."""
        current = {member.task.frames[0] for member in self._crew.at_work}
        while self._heard:
            said = self._heard.popleft()
            if isinstance(said, Notice):
                yield said
            elif said.share is not None and said.share.frame in current:
                yield said.share
        if len(current) != self._busy:
            self._busy = len(current)
            yield AtWork(max(1, self._busy))

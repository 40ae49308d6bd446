"""What runs in a worker process of a Ray cluster: a shot, frame by frame, as it is asked for."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.cluster.machine import installed, own_memory
from impasto.cluster.sent_files import SentFile, received
from impasto.cluster.worker_folder import WorkerFolder
from impasto.errors import ClusterError, ImpastoError, NotEnoughMemory, UnwritableOutput, ran_out
from impasto.events import Notice, RolledBack
from impasto.motion.effect import Effect
from impasto.motion.place import Place
from impasto.motion.shots import FrameBegun, FrameMade, Making, Reel, Report, Task, carry_out
from impasto.motion.worker import SHORT, keep_freed
from impasto.threads import limited


@dataclass(frozen=True)
class Delivered:
    """A frame on its way to whoever asked for it."""

    made: FrameMade
    file: bytes
    """As a `Store` keeps it."""
    told: tuple[Notice | RolledBack, ...]
    """What was said while it was made."""


class FilmWorker:
    """Makes one frame a call, and holds what the next one takes: decoder, photos, network.

    Two of its methods may run at the same time.
    """

    def __init__(
        self,
        making: Making,
        files: Sequence[SentFile],
        versions: Mapping[str, str],
        settings: ClusterSettings,
        workers: int,
    ) -> None:
        """`making`, but for folder and place. versions: what has to be installed here."""
        self._asked, self._files, self._versions = making, files, versions
        self._threads = settings.threads
        self._memory = partial(own_memory, settings, workers)
        self._folder = WorkerFolder()
        self._ready: tuple[Making, Effect, Reel] | None = None
        self._reports: Generator[Report] | None = None
        self._begun: FrameBegun | None = None

    def code(self) -> str:
        """What is installed here; also tells that the worker is ready."""
        return installed()

    def share(self) -> FrameBegun | None:
        """How far the frame at hand is, or the one before it."""
        return self._begun

    def leave(self) -> None:
        """Leave nothing on the disk."""
        self._folder.remove()

    def work(self, task: Task, past: Mapping[int, bytes], begins: bool) -> Delivered | ImpastoError:
        """Make the first frame of a task, the rest of the one before unless it `begins`.

        past: files of frames before it that it looks at and that are not here yet.
        """
        import ray

        try:
            with limited(self._threads):
                making, effect, reel = self._prepared()
                if begins:
                    making.store.forget(making.survey.frames)
                    self._reports = carry_out(task, making, effect, reel)
                for number, data in past.items():
                    making.store.keep(number, data)
                return self._delivered(task.frames[0], making)
        except ImpastoError as error:
            return type(error)(f"on a worker: {error}")
        except Exception as error:
            if ran_out(error):
                return NotEnoughMemory(SHORT)
            if isinstance(error, OSError):
                return UnwritableOutput(f"on a worker: {error}")
            if isinstance(error, ray.exceptions.RayError):  # an input that does not come
                return ClusterError(f"on a worker: {error}")
            raise

    def _prepared(self) -> tuple[Making, Effect, Reel]:
        """Receive inputs and build the effect, once."""
        if self._ready is None:
            self._check_versions()
            frames, inputs = self._folder.path / "frames", self._folder.path / "inputs"
            frames.mkdir(exist_ok=True)
            place = Place(received(self._files, inputs), self._memory)
            making = replace(self._asked, folder=frames, place=place)
            self._ready = making, making.effect(place), Reel(making)
            keep_freed()
        return self._ready

    def _check_versions(self) -> None:
        """Frames of other versions may be others, and would lie among those of these."""
        for package, wanted in self._versions.items():
            try:
                here = version(package)
            except PackageNotFoundError:
                here = "missing"
            if here != wanted:
                raise ClusterError(
                    f"{package} is {here}, and {wanted} where the command runs; install the same "
                    "on all machines"
                )

    def _delivered(self, number: int, making: Making) -> Delivered:
        told: list[Notice | RolledBack] = []
        for report in self._reports or ():
            if isinstance(report, FrameBegun):
                self._begun = report
            elif isinstance(report, FrameMade):
                file = making.store.file(number)
                making.store.forget(number + 1 - max(1, *making.effect.reach))
                return Delivered(report, file, tuple(told))
            elif isinstance(report, Notice | RolledBack):
                told.append(report)
        raise RuntimeError(f"no picture was made of frame {number}")

"""What runs in a worker process of a Ray cluster: a painter that keeps its network warm."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.cluster.machine import installed, own_memory
from impasto.cluster.worker_folder import WorkerFolder
from impasto.collection.painter import Painter
from impasto.collection.task import Failed, Finished, Material, Task
from impasto.errors import UnwritableOutput, ran_out
from impasto.events import Event, Step
from impasto.neural.device import keep_freed_memory
from impasto.neural.weights import Weights
from impasto.threads import limited

if TYPE_CHECKING:
    from ray import ObjectRef

NEVER = float("inf")
"""Seconds: a worker's disk goes with it, so it keeps no state of its work there."""


@dataclass(frozen=True)
class Delivered:
    """An artwork on its way to whoever asked for it."""

    finished: Finished
    data: bytes
    """The whole file."""


class RayWorker:
    """Paints one artwork after the other. Two of its methods may run at the same time."""

    def __init__(
        self, weights: Path | None, loaded: Weights, settings: ClusterSettings, workers: int
    ) -> None:
        """`weights`: the file as recipes name it, whose content was `loaded` by the driver."""
        keep_freed_memory()
        self._painter = Painter(weights, loaded, memory=own_memory(settings, workers))
        self._threads, self._done = settings.threads, 0.0
        self._folder = WorkerFolder()

    def code(self) -> str:
        """What is installed here; also tells that the worker is ready."""
        return installed()

    def share(self) -> float:
        """How much of the artwork at hand is done, 0 to 1."""
        return self._done

    def leave(self) -> None:
        """Leave nothing on the disk."""
        self._folder.remove()

    def work(self, task: Task, data: "Mapping[Material, ObjectRef[bytes]]") -> Delivered | Failed:
        """Paint an artwork; the bytes of pictures are fetched if they are not known here yet."""
        import ray

        self._done = 0.0
        try:
            with limited(self._threads), tempfile.TemporaryDirectory(dir=self._folder.path) as own:
                file = Path(own, PurePosixPath(task.name).name)
                outcome = self._painter.paint(
                    task,
                    lambda material: ray.get(data[material]),
                    file,
                    self._watch,
                    checkpoint_seconds=NEVER,
                )
                if isinstance(outcome, Failed):
                    return outcome
                return Delivered(outcome, file.read_bytes())
        except Exception as error:
            if not ran_out(error):
                # A picture may not come, either, where the network fails.
                if isinstance(error, UnwritableOutput | OSError | ray.exceptions.RayError):
                    return Failed(task, None, f"on a worker: {error}", passing=True)
                raise
            reason = f"memory ran out in a worker while painting {task.name}; take fewer --workers"
            return Failed(task, None, f"{reason}, or a smaller --size", passing=True)

    def _watch(self, event: Event) -> None:
        if isinstance(event, Step):
            self._done = event.done

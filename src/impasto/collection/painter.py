"""What one process keeps while it paints many artworks: weights, networks, targets, pictures."""

import hashlib
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from impasto.artwork import Artwork, Job, Opened
from impasto.checkpoint import resumable
from impasto.collection.task import Failed, Finished, Material, Task
from impasto.collection.thumbnail import thumbnail
from impasto.errors import (
    NotEnoughMemory,
    UnreadableImage,
    UnwritableOutput,
    UsageError,
    ran_out,
)
from impasto.events import Event
from impasto.image.encode import check_sides
from impasto.image.picture import Picture, over_grey
from impasto.image.read import picture_of, read
from impasto.image.samples import is_sample
from impasto.image.source import file_bytes
from impasto.image.write import format_for
from impasto.neural.shared import MOST, Shared
from impasto.neural.target_files import TargetFiles
from impasto.neural.weights import Weights
from impasto.replay import digest_of
from impasto.settings import CHECKPOINT_SECONDS
from impasto.sizes import fitted
from impasto.work import carry_out

MOST_PICTURES = 2**30
"""Bytes of decoded pictures that are kept: 40 styles of 2 megapixels."""

AGAIN = "give the same command again"
"""How a person goes on after a stop."""

Source = Callable[[Material], bytes]
"""Gives the bytes of a picture file; raises UnreadableImage."""


def from_disk(material: Material) -> bytes:
    """The bytes of a picture file that lies where its path says."""
    return file_bytes(material.path)


class Unusable(Exception):
    """A picture that nothing can be painted from."""

    def __init__(self, material: Material, reason: str, *, passing: bool) -> None:
        super().__init__(reason)
        self.material, self.passing = material, passing


class Painter:
    """Paints artworks one after the other; what they have in common is read and made once."""

    def __init__(
        self,
        weights: Path | None = None,
        loaded: Weights | None = None,
        files: TargetFiles | None = None,
        memory: int | None = None,
    ) -> None:
        """`weights`: a file, as recipes name it. loaded: what it holds, if it was read before.

        files: where targets are kept beyond memory, and beyond the life of the process.
        memory: bytes to hold at most where settings say `auto`; others share the machine.
        """
        self._weights, self._memory = weights, memory
        known = {weights: loaded} if loaded is not None else {}
        self._shared = Shared(MOST, files, known)
        self._pictures = Pictures(MOST_PICTURES)

    def paint(
        self,
        task: Task,
        source: Source,
        file: Path,
        show: Callable[[Event], None],
        *,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> Finished | Failed:
        """Paint an artwork into a file, or say why that cannot be done.

        The state of the work is kept beside the file, and a painting goes on where it was stopped.
        Raises UnwritableOutput, and Interrupted on Ctrl-C.
        """
        began, before = time.perf_counter(), Counter(self._shared.made)
        try:
            artwork = self._painted(task, source, file, show, checkpoint_seconds)
            small = thumbnail(over_grey(artwork.picture.rgb, artwork.picture.alpha))
        except (Unusable, NotEnoughMemory, UsageError, RuntimeError, MemoryError) as error:
            failure = _failure(task, error)
            if failure is None:
                raise
            return failure
        if not artwork.complete:
            return Failed(
                task,
                None,
                f"the values of {task.name} stopped being finite; it is the best picture up to "
                "there, try a smaller beta or a lower learning rate",
            )
        return Finished(
            task=task,
            recipe=artwork.recipe,
            size=artwork.picture.size,
            seconds=time.perf_counter() - began,
            sha256=digest_of(file),
            file_size=file.stat().st_size,
            thumbnail=small,
            made=self._shared.made - before,
        )

    def _painted(
        self,
        task: Task,
        source: Source,
        file: Path,
        show: Callable[[Event], None],
        checkpoint_seconds: float,
    ) -> Artwork:
        try:
            job = self._job(task, source)
            _check_sides(job, task)
            return carry_out(
                job,
                file,
                show,
                resume=resumable(file, job.recipe),
                checkpoint_seconds=checkpoint_seconds,
                again=AGAIN,
                so_far=False,
            )
        except (NotEnoughMemory, RuntimeError, MemoryError) as error:
            short = isinstance(error, NotEnoughMemory) or ran_out(error)
            if not (short and self._pictures.keep_only(task.materials())):
                raise
        return self._painted(task, source, file, show, checkpoint_seconds)

    def _job(self, task: Task, source: Source) -> Job:
        def opened(material: Material) -> Opened:
            return self._pictures.opened(material, source)

        job = Job(
            opened(task.photo),
            [(opened(style), beta) for style, beta in task.styles],
            task.settings,
            task.output,
            self._weights,
            self._shared,
            opened(task.init) if task.init is not None else None,
        )
        if self._memory is not None and task.settings.memory == "auto":
            job.settings = job.settings.updated({"memory": self._memory})  # changes no pixel
        return job


def _failure(task: Task, error: Exception) -> Failed | None:
    """What an error means for an artwork; None for a defect."""
    if isinstance(error, Unusable):
        return Failed(task, error.material, str(error), error.passing)
    if isinstance(error, NotEnoughMemory | UsageError):
        return Failed(task, None, str(error), passing=isinstance(error, NotEnoughMemory))
    if not ran_out(error):
        return None
    reason = f"memory ran out around the painting of {task.name}; end other programs"
    return Failed(task, None, f"{reason}, or choose a smaller --size", passing=True)


def _check_sides(job: Job, task: Task) -> None:
    """Refuse a picture that is longer than its format can be: this one alone, not all of them."""
    size = fitted(*job.photo.size, task.settings.size)
    try:
        check_sides(*size, format_for(task.name), task.name)
    except UnwritableOutput as error:
        raise UsageError(str(error)) from None


class Pictures:
    """Decoded pictures, within a bound; those that were not asked for longest go first."""

    def __init__(self, most: int) -> None:
        """`most`: bytes."""
        self._most = most
        self._kept: OrderedDict[Material, Opened] = OrderedDict()

    def opened(self, material: Material, source: Source) -> Opened:
        """A picture, decoded now or before; raises Unusable."""
        if material not in self._kept:
            self._kept[material] = Opened(material.path, decoded(material, source))
        self._kept.move_to_end(material)
        found = self._kept[material]
        while sum(bytes_of(each.picture) for each in self._kept.values()) > self._most:
            self._kept.popitem(last=False)
        return found

    def keep_only(self, materials: Iterable[Material]) -> bool:
        """Let go of all others; whether there were any."""
        others = self._kept.keys() - set(materials)
        for material in others:
            del self._kept[material]
        return bool(others)


def decoded(material: Material, source: Source) -> Picture:
    """The picture of a file, if that is still the one that the plan knows; raises Unusable."""
    if is_sample(material.path):
        return read(material.path)
    try:
        data = source(material)
    except UnreadableImage as error:  # it could be read when the plan was made, or could not
        raise Unusable(material, str(error), passing=bool(material.sha256)) from None
    if material.sha256 and hashlib.sha256(data).hexdigest() != material.sha256:
        reason = f"{material.path} was changed while the run went on; {AGAIN}"
        raise Unusable(material, reason, passing=True)
    try:
        return picture_of(data, material.path)
    except UnreadableImage as error:
        raise Unusable(material, str(error), passing=False) from None


def bytes_of(picture: Picture) -> int:
    """The memory that a decoded picture takes."""
    return picture.rgb.nbytes + (picture.alpha.nbytes if picture.alpha is not None else 0)

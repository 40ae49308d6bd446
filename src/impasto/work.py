"""A job carried out: its state kept safe, its picture written, its interruption survived."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from impasto.artwork import Artwork, Job
from impasto.checkpoint import Checkpoint
from impasto.errors import Interrupted, UnwritableOutput
from impasto.events import Event, Notice, Painted, Snapshot, Started, Step
from impasto.image.encode import check_sides
from impasto.image.picture import STANDARD_STREAM
from impasto.image.write import format_for
from impasto.settings import CHECKPOINT_SECONDS


def carry_out(
    job: Job,
    output: str | Path,
    show: Callable[[Event], None],
    *,
    resume: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    again: str = "give the same command with --resume",
    so_far: bool = True,
    beside: Callable[[Artwork], None] | None = None,
) -> Artwork:
    """Paint and write; the output has been checked before, and is replaced if it exists.

    `again` is how a person goes on after a stop. `beside` writes what else there is, before the
    state of the work goes.
    Raises Interrupted on Ctrl-C, once the state of the work is saved, and `so_far` the picture too.
    """
    checkpoint = None
    if str(output) != STANDARD_STREAM:
        checkpoint = Checkpoint(Path(output), job.recipe, checkpoint_seconds)
    snapshot = checkpoint.load() if checkpoint is not None and resume else None
    if resume:
        show(Notice(_resumed(snapshot)))
    latest: Step | None = None
    try:
        for event in job.events(snapshot):
            show(event)
            if isinstance(event, Started):
                check_sides(*event.size, format_for(output), str(output))
            elif isinstance(event, Step):
                latest = event
                if checkpoint is not None:
                    _keep(checkpoint, event, show)
            elif isinstance(event, Painted):
                artwork = job.finished(event)
                artwork.save(output, force=True)
                if beside is not None:
                    beside(artwork)
    except KeyboardInterrupt:
        with undisturbed():
            going_on = _kept(checkpoint, latest, again)
            message = _stopped(job, output, latest if so_far else None, going_on)
        raise Interrupted(message) from None
    except UnwritableOutput as error:
        raise UnwritableOutput(f"{error}{_kept(checkpoint, latest, again)}") from error
    if checkpoint is not None:
        checkpoint.remove()
    return artwork


@contextmanager
def undisturbed() -> Iterator[None]:
    """While it lasts, Ctrl-C pressed once more cuts nothing off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {name: signal.signal(name, signal.SIG_IGN) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _resumed(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return "nothing to resume: painting from the start"
    return f"going on after step {snapshot.step} of level {snapshot.level}"


def _keep(checkpoint: Checkpoint, step: Step, show: Callable[[Event], None]) -> None:
    """A state that can't be written is no reason to stop the work."""
    try:
        checkpoint.keep(step)
    except UnwritableOutput as error:
        show(Notice(f"the state of the work is not kept: {error}"))


def _stopped(job: Job, output: str | Path, latest: Step | None, going_on: str) -> str:
    """Save what there is; the sentence that says so."""
    if latest is None or str(output) == STANDARD_STREAM:
        return f"stopped; nothing was written{going_on}"
    try:
        job.unfinished(latest).save(output, force=True)
        picture = f"the picture so far is in {output}"
    except UnwritableOutput as error:
        picture = str(error)
    return f"stopped after step {latest.step} of level {latest.level}; {picture}{going_on}"


def _kept(checkpoint: Checkpoint | None, latest: Step | None, again: str) -> str:
    """Keep the state of the work; how to go on, as the end of a sentence.

    Where it can't be written, an earlier one may be there.
    """
    if checkpoint is not None and latest is not None:
        with suppress(UnwritableOutput):
            checkpoint.write(latest)
    if checkpoint is not None and checkpoint.is_there():
        return f"; to go on, {again}"
    return ""

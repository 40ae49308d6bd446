"""How far a moving picture is, seen from another process, which only reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from impasto.errors import UsageError
from impasto.lock import Holder, holder
from impasto.motion.job_folder import LOCK, folder_of, stored_in, was_written
from impasto.motion.shots import shots_of, tasks_of
from impasto.motion.store import Glimpse, glimpsed
from impasto.quantities import quantity, span

RECENT = 50
"""Frames that the pace is taken from."""


@dataclass(frozen=True)
class Status:
    """How far it is."""

    output: Path
    frames: int
    made: int
    shots: int
    shots_done: int
    pace: float | None
    """Seconds a frame, with as many workers as there are; None before the first frame."""
    disk: int
    """Bytes of the frames that are kept."""
    process: int | None
    """That is at work; None where none is."""

    @property
    def left(self) -> float | None:
        """Seconds until all frames are made, at this pace."""
        return None if self.pace is None else self.pace * (self.frames - self.made)

    def facts(self) -> dict[str, object]:
        """The same for programs; times are seconds, disk is bytes."""
        return {
            "output": str(self.output),
            "frames": self.frames,
            "made": self.made,
            "shots": self.shots,
            "shots_done": self.shots_done,
            "pace": None if self.pace is None else round(self.pace, 3),
            "left": None if self.left is None else round(self.left, 1),
            "disk": self.disk,
            "process": self.process,
        }

    def sentence(self) -> str:
        """The same for people."""
        at_work = "stopped" if self.process is None else f"at work (process {self.process})"
        parts = [
            f"{self.output}: {at_work}",
            f"{self.made} of {self.frames} frames ({self.made / self.frames:.0%})",
            f"{self.shots_done} of {self.shots} shots",
            f"{quantity(self.disk)}B of disk",
        ]
        if self.pace is not None and self.left is not None:
            parts.append(f"{self.pace:.3g} s a frame, about {span(self.left)} left")
        return "; ".join(parts)


def status(output: str | Path) -> Status:
    """Look how far a film is that is being made, or was stopped; nothing is written.

    Raises UsageError where there is no such work, or nobody may look at it.
    """
    folder = folder_of(Path(output))
    job, by, found = stored_in(folder), holder(folder / LOCK), _found(folder)
    if job is None or was_written(Path(output)) or stored_in(folder) is None:
        raise UsageError(_nothing(Path(output), folder, by))
    mine = {number: each for number, each in found.items() if each.facts.job == job.recipe.job}
    shots = shots_of(job.survey.cuts, job.survey.frames)
    unfinished = len(tasks_of(shots, mine))
    return Status(
        output=Path(output),
        frames=job.survey.frames,
        made=len(mine),
        shots=len(shots),
        shots_done=len(shots) - unfinished,
        pace=_pace(mine.values(), min(by.workers if by else 1, max(1, unfinished))),
        disk=sum(each.bytes for each in found.values()),
        process=by.process if by else None,
    )


def _nothing(output: Path, folder: Path, by: Holder | None) -> str:
    """Why nothing can be said of an output."""
    if by is not None:
        return f"{by} is about to begin with {output} or has just ended; look again in a while"
    there = f"there is no folder {folder}"
    if output.exists():
        there = "it is there already"
    elif folder.is_dir():
        there = f"{folder} does not say of what its frames are"
    return f"nobody is making {output}: {there}"


def _found(folder: Path) -> dict[int, Glimpse]:
    try:
        return glimpsed(folder)
    except OSError as error:
        raise UsageError(
            f"cannot look into {folder}: {error.strerror or error}; do so as the user whose it is"
        ) from error


def _pace(frames: Iterable[Glimpse], at_work: int) -> float | None:
    """Seconds a frame, of those that were written last; those of workers overlap."""
    recent = sorted(frames, key=attrgetter("time"))[-RECENT:]
    return sum(each.facts.seconds for each in recent) / len(recent) / at_work if recent else None

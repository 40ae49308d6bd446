"""The log of a painting: a line of JSON for each event."""

import json
import math
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

from impasto.errors import UnwritableOutput
from impasto.events import Event, LevelDone, Losses, Notice, Painted, RolledBack, Started, Step
from impasto.image.atomic import unwritable
from impasto.studio.course import Record, course_of, records_in

STARTED = ("size", "levels", "steps", "device", "precision")
"""What is told of the start."""


class Log:
    """Takes the events of a painting and writes each, when it comes, as a line of JSON.

    With `resume`, what a stopped run has written stays, and its time is counted on. What the disk
    does not take is written as soon as it does: the file is always the beginning of the log.
    """

    def __init__(self, output: Path | None, *, resume: bool) -> None:
        """The output has been checked; without one, records are only kept."""
        self.records: list[Record] = []
        self.facts: dict[str, Any] = {}
        """What the first line tells as well."""
        self.output = output
        self.fault: UnwritableOutput | None = None
        """Why a part is still to be written, if one is."""
        self._resume = resume
        self._file: FileIO | None = None
        self._waiting = b""
        """What is still to be written."""
        self._began = 0.0

    def open(self) -> None:
        """Begin; raises UnwritableOutput, and BadLog where the file to go on with is no log."""
        if self.output is not None:
            try:
                self._file = self._opened(self.output)
            except OSError as error:
                raise unwritable(self.output, error) from error
        self._began = time.monotonic() - (self.records[-1]["seconds"] if self.records else 0)

    def close(self) -> None:
        """End; what could not be written is lost."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def finish(self) -> None:
        """Write what is still to be written; raises UnwritableOutput."""
        self._write()
        if self.fault is not None:
            raise self.fault

    @property
    def has_steps(self) -> bool:
        """Whether a step was taken."""
        return any(record["event"] == "step" for record in self.records)

    def __call__(self, event: Event) -> None:
        """Write a line, now or when there is room for it."""
        what = record_of(event)
        if what is None:
            return
        if isinstance(event, Started):
            what |= self.facts
        seconds = round(time.monotonic() - self._began, 3)
        record = {"event": what.pop("event"), "seconds": seconds, **what}
        self.records.append(record)
        if self.output is not None:
            self._waiting += f"{json.dumps(record)}\n".encode()
        self._write()

    def _write(self) -> None:
        if self._file is None or self.output is None:
            return
        try:
            while self._waiting:
                self._waiting = self._waiting[self._file.write(self._waiting) :]
            self.fault = None
        except OSError as error:
            self.fault = unwritable(self.output, error)

    def _opened(self, path: Path) -> FileIO:
        """The file, empty or after the whole lines of the run that goes on.

        Without a buffer, so that it is known how much of a line has been written.
        """
        if not (self._resume and path.exists()):
            return path.open("wb", buffering=0)
        self.records, length = records_in(path.read_bytes(), path)
        if self.has_steps:
            course_of(self.records, path.name)  # what cannot be plotted is refused before any work
        file = path.open("r+b", buffering=0)
        file.truncate(length)
        file.seek(length)
        return file


def record_of(event: Event) -> dict[str, Any] | None:
    """What is logged of an event but for its time; None where it is nothing."""
    match event:
        case Started():
            facts = {name: getattr(event, name) for name in STARTED}
            return {"event": "started", **facts}
        case Step():
            place = {name: getattr(event, name) for name in ("level", "step", "taken")}
            return {"event": "step", **place, **_told(event.losses)}
        case LevelDone():
            return {"event": "level done", "level": event.level}
        case RolledBack():
            return {"event": "rolled back", "level": event.level, "step": event.step}
        case Notice():
            return {"event": "notice", "message": event.message}
        case Painted():
            return {"event": "finished", "complete": event.complete, **_told(event.losses)}
        case _:
            return None


def _told(losses: Losses) -> dict[str, Any]:
    """Losses by name and their sum; JSON has no numbers that are not finite."""
    total = sum(losses.values())
    known = {name: value if math.isfinite(value) else None for name, value in losses.items()}
    return {"losses": known, "total": total if math.isfinite(total) else None}

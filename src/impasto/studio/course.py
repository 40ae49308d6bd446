"""How the losses of a painting went, from its log."""

import json
import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import BadLog

Record = Mapping[str, Any]
"""A line of a log: `event` names it, `seconds` tells when, from the painting's start."""

GIVE = "give a log that impasto paint --log has written"

Series = NDArray[np.float64]
"""(N,), a value a step; NaN where there is none."""


@dataclass(frozen=True, eq=False)
class Course:
    """The steps of a painting, in order."""

    name: str
    levels: tuple[tuple[int, int], ...]
    """(width, height) of each level, px."""
    level: NDArray[np.intp]
    """(N,), of each step, counted from 1."""
    steps: NDArray[np.intp]
    """(N,), counted over all levels."""
    seconds: Series
    losses: Mapping[str, Series]
    """Every weighted term by name, and `total`."""


def read_log(path: str | Path, name: str) -> Course:
    """The course that a log tells, with a name for people; raises BadLog."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise BadLog(f"cannot read {path}: {error.strerror}; {GIVE}") from None
    return course_of(records_in(data, path)[0], name)


def records_in(data: bytes, path: str | Path) -> tuple[list[Record], int]:
    """The whole lines of a log, and how many bytes they are; raises BadLog.

    The last line may be cut short, by a crash or because it is being written.
    """
    *lines, rest = data.split(b"\n")
    records = [_record(line, number, path) for number, line in enumerate(lines, 1)]
    return records, len(data) - len(rest)


def _record(line: bytes, number: int, path: str | Path) -> Record:
    with suppress(ValueError, TypeError, KeyError):
        found = json.loads(line)
        if isinstance(found["event"], str) and math.isfinite(found["seconds"]):
            return dict(found)
    raise BadLog(f"cannot read {path}: its line {number} is no event; {GIVE}")


def course_of(records: Iterable[Record], name: str) -> Course:
    """The course that records tell; BadLog where no step was taken, or they lack what steps have.

    A run that was killed and has gone on takes some of its steps again: the last time counts.
    """
    try:
        return _course(records, name)
    except (KeyError, TypeError, ValueError):
        raise BadLog(
            f"cannot read the log of {name}: its events lack what they should tell; {GIVE}"
        ) from None


def _course(records: Iterable[Record], name: str) -> Course:
    levels: tuple[tuple[int, int], ...] = ()
    steps: list[Record] = []
    for record in records:
        if record["event"] == "started":
            levels = tuple((width, height) for width, height in record["levels"])
        elif record["event"] == "step":
            while steps and steps[-1]["taken"] >= record["taken"]:
                steps.pop()
            steps.append(record)
    if not steps:
        raise BadLog(f"the log of {name} tells of no step; {GIVE}")
    losses = [{**step["losses"], "total": step["total"]} for step in steps]
    return Course(
        name=name,
        levels=levels,
        level=np.array([step["level"] for step in steps]),
        steps=np.array([step["taken"] for step in steps]),
        seconds=np.array([step["seconds"] for step in steps]),
        losses={
            term: np.array([found.get(term) for found in losses], np.float64) for term in losses[0]
        },
    )

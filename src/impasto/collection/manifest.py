"""The manifest of a collection: a line of JSON for each artwork, kept as they come to be."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from impasto.errors import UsageError
from impasto.image.atomic import flush_folder, replacing, unwritable
from impasto.recipe import Input, PaintRecipe
from impasto.settings import Settings

LINES, TABLE = "manifest.jsonl", "manifest.csv"
"""Names of its files: the record as it grows, and the same as a table at the end."""

MARKS = {
    LINES: (b'{"state":"done","name":"', b'{"state":"failed","name":"'),
    TABLE: (b"name,state\r\n", b"name,state,photo,styles,", b"name,state,reason,jobs,"),
}
"""What they begin with."""


class Done(Settings):
    """An artwork is in its file."""

    state: Literal["done"] = "done"
    name: str
    """Of the file, relative to the folder, with forward slashes."""
    finished: str
    """When, ISO 8601."""
    sha256: str
    """Of the file."""
    bytes: int
    modified: int
    """When the file was written as the disk says, ns: whether it is still that very file."""
    size: tuple[int, int]
    """(width, height), px."""
    seconds: float | None
    """That painting took; None where another run wrote the file and did not come to say so."""
    losses: Mapping[str, float | None]
    recipe: PaintRecipe
    places: tuple[str, ...] = ()
    """Where its photo and styles lay, seen from the folder; empty where that is not known."""


class Missed(Settings):
    """What failed: an artwork, or a picture that several need."""

    state: Literal["failed"] = "failed"
    name: str
    """Of the artwork, or the path of the picture."""
    finished: str
    reason: str
    passing: bool
    """Whether it may go better another time though nothing is changed."""
    jobs: tuple[str, ...]
    """Names of the artworks that cannot be made for it."""
    recipe: PaintRecipe | None
    """Of the artwork that failed by itself."""
    input: Input | None
    """The picture that cannot be used."""


Record = Annotated[Done | Missed, Field(discriminator="state")]
RECORDS: TypeAdapter[Done | Missed] = TypeAdapter(Record)


class Manifest:
    """The records of a folder that this process has for itself."""

    def __init__(self, folder: Path) -> None:
        self._lines, self._table = folder / LINES, folder / TABLE

    def check(self) -> None:
        """Raise UsageError where somebody else's file lies in the place of ours.

        Raises UnwritableOutput where that cannot be told.
        """
        for path in (self._lines, self._table):
            beginning = _beginning(path)
            # Of a first line, a run that was killed may have left only a part.
            if beginning and not any(
                beginning.startswith(mark[: len(beginning)]) for mark in MARKS[path.name]
            ):
                raise UsageError(
                    f"{path} is no manifest of Impasto's and would be lost; move it, or choose "
                    "another folder"
                )

    def read(self) -> list[Done | Missed]:
        """All records, the oldest first.

        What cannot be understood is left out, as the rest of a line that a run was killed at, for
        the files of artworks say the same. Raises UnwritableOutput.
        """
        return list(_understood(self._data().splitlines()))

    def mend(self) -> None:
        """Cut off the rest of a line that a run was killed at; raises UnwritableOutput."""
        data = self._data()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            try:
                os.truncate(self._lines, whole)
            except OSError as error:
                raise unwritable(self._lines, error) from error

    def append(self, record: Done | Missed) -> None:
        """Add a record; it is on the disk when this returns. Raises UnwritableOutput."""
        line = f"{record.model_dump_json()}\n".encode()
        try:
            with self._lines.open("ab", buffering=0) as file:
                while line:
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
            flush_folder(self._lines.parent)
        except OSError as error:
            raise unwritable(self._lines, error) from error

    def _data(self) -> bytes:
        try:
            return self._lines.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise unwritable(self._lines, error) from error

    def write_table(self, records: Sequence[Done | Missed]) -> None:
        """Write the same as a table, whole or not at all; raises UnwritableOutput."""
        rows = [_row(record) for record in records]
        columns = dict.fromkeys(["name", "state", *(name for row in rows for name in row)])
        with (
            replacing(self._table) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            table = csv.DictWriter(file, list(columns))
            table.writeheader()
            table.writerows(rows)


def now() -> str:
    """The time, ISO 8601 to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def totals(losses: Mapping[str, float | None]) -> dict[str, float]:
    """Losses in a few columns: total, content, style of all styles, and the same by layer."""
    found: dict[str, float] = {}
    for name, loss in losses.items():
        if loss is None:
            continue
        kind, *rest = name.split("/")
        for column in [kind, *([f"{kind} {rest[-1]}"] if rest else [])]:
            found[column] = found.get(column, 0.0) + loss
    return dict(sorted(found.items(), key=lambda item: (item[0] != "total", item[0])))


def _beginning(path: Path) -> bytes:
    """The first bytes of a file; none of one that is not there."""
    try:
        with path.open("rb") as file:
            return file.read(100)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise unwritable(path, error) from error


def _understood(lines: Sequence[bytes]) -> Iterator[Done | Missed]:
    for line in lines:
        with suppress(ValidationError):
            yield RECORDS.validate_json(line)


def _row(record: Done | Missed) -> dict[str, object]:
    recipe = record.recipe
    made = (
        {}
        if recipe is None
        else {
            "photo": recipe.photo.path,
            "styles": "; ".join(f"{style.path}={style.beta:g}" for style in recipe.styles),
        }
    )
    row: dict[str, object] = {"name": record.name, "state": record.state, **made}
    if isinstance(record, Missed):
        jobs = "; ".join(record.jobs)
        return {**row, "reason": record.reason, "jobs": jobs, "finished": record.finished}
    width, height = record.size
    return {
        **row,
        "width": width,
        "height": height,
        "bytes": record.bytes,
        "seconds": record.seconds,
        **totals(record.losses),
        "finished": record.finished,
        "sha256": record.sha256,
    }

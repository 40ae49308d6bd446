"""Writing: what can go wrong is refused before any work; files appear whole or not at all."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from impasto.errors import UnwritableOutput, UsageError
from impasto.image.atomic import replacing, unwritable
from impasto.image.encode import SIXTEEN_BIT, encode
from impasto.image.indexed import KINDS as INDEXED
from impasto.image.picture import STANDARD_STREAM, Picture
from impasto.scratch import scratch_folder, unusable
from impasto.settings import OutputSettings

EXTENSIONS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WebP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
}


FULL = [ending for ending, kind in EXTENSIONS.items() if kind != "GIF"]
"""Endings of formats that hold any colour."""


def format_for(output: str | Path) -> str:
    """The format that an output's ending asks for; PNG on standard output."""
    if str(output) == STANDARD_STREAM:
        return "PNG"
    suffix = Path(output).suffix
    try:
        return EXTENSIONS[suffix.lower()]
    except KeyError:
        fault = f"the ending {suffix!r} is not known" if suffix else "it has no ending"
        raise UsageError(f"cannot write {output}: {fault}; use one of {', '.join(FULL)}") from None


def check_output(
    output: str | Path,
    inputs: Iterable[str | Path],
    *,
    force: bool,
    settings: OutputSettings,
    indexed: bool = False,
) -> None:
    """Refuse an output that cannot or must not be written, before any work is done for it.

    `UsageError` for what was asked, `UnwritableOutput` for what the disk says. Not even `force`
    lets an output take the place of an input. `indexed`: the picture has a palette.
    """
    files = list(inputs)
    if list(map(str, files)).count(STANDARD_STREAM) > 1:
        raise UsageError("standard input holds one picture; give the others as files")
    check_format(output, settings, indexed=indexed)
    if str(output) == STANDARD_STREAM:
        _check_standard_output()
        return
    check_file(Path(output), files, force=force)


def check_format(output: str | Path, settings: OutputSettings, *, indexed: bool = False) -> None:
    """Refuse an output whose format cannot hold the picture, or isn't known."""
    kind = format_for(output)
    if kind == "GIF" and not indexed:
        raise UsageError(
            f"cannot write {output}: a GIF holds 256 colours; choose .png, and then "
            "impasto quantize, which picks the colours"
        )
    if indexed and settings.depth == 16 and kind in INDEXED:
        raise UsageError(
            f"cannot write {output}: a palette holds 8 bits a channel, not 16; "
            "choose .tif, or a depth of 8"
        )
    if settings.depth == 16 and kind not in SIXTEEN_BIT:
        raise UsageError(
            f"cannot write {output}: {kind} holds 8 bits a channel, not 16; "
            "choose .png or .tif, or a depth of 8"
        )


def check_file(path: Path, others: Iterable[str | Path], *, force: bool) -> None:
    """Refuse a file that is one of the job's other files, that exists, or that can't be written."""
    for other in others:
        if str(other) != STANDARD_STREAM and same_file(path, Path(other)):
            raise UsageError(
                f"cannot write {path}: it is the same file as the input {other}; "
                "choose another name"
            )
    try:
        _check_place(path)
        there = path.exists()
    except OSError as error:  # a name too long, for one
        raise unwritable(path, error) from error
    if there and not force:
        raise UsageError(
            f"cannot write {path}: it exists already; choose another name, or add --force"
        )


def write(
    picture: Picture, output: str | Path, settings: OutputSettings, recipe: str | None
) -> int:
    """Write a picture with metadata and recipe unless stripped; `-` is PNG to standard output.

    The same picture, settings and recipe give the same bytes; returns how many.
    """
    kind = format_for(output)
    if str(output) == STANDARD_STREAM:
        with _temporary() as file:
            encode(picture, kind, settings, recipe, str(output), file.fileno())
            file.seek(0)
            with _standard_output() as stream:
                shutil.copyfileobj(file, stream)
            return file.tell()
    with replacing(Path(output)) as temporary:
        with temporary.open("r+b") as file:
            encode(picture, kind, settings, recipe, str(output), file.fileno())
        return temporary.stat().st_size


def to_standard_output(data: bytes) -> None:
    """Write bytes to standard output, all at once; raises UnwritableOutput."""
    with _standard_output() as stream:
        stream.write(data)


@contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    """Standard output, flushed at the end; an OSError becomes UnwritableOutput."""
    try:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would fail again, as a traceback, when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise unwritable(Path("standard output"), error) from error


@contextmanager
def _temporary() -> Iterator[IO[bytes]]:
    """A file without a name for the bytes of a picture; an OSError becomes UnwritableOutput.

    It lies on a disk, not in memory, and has no buffer, which would not know of what is written
    past it by its descriptor.
    """
    folder = Path()
    try:
        folder = scratch_folder()
        with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
            yield file
    except OSError as error:
        raise unusable("make the picture for standard output", folder, error) from error


def _check_standard_output() -> None:
    """A terminal shows a picture's bytes as garbage, and may obey them."""
    if sys.stdout.isatty():
        raise UsageError(
            "will not write a picture to the terminal; send it on with | or >, or name a file"
        )


def same_file(output: Path, source: Path) -> bool:
    """Whether two paths lead to one file, through links of either kind, if it exists yet or not."""
    try:
        return output.samefile(source)
    except (OSError, ValueError):
        return os.path.realpath(output) == os.path.realpath(source)


def _check_place(path: Path) -> None:
    """Refuse a folder, a missing folder, and a folder that takes no files."""
    folder = Path(os.path.realpath(path)).parent
    if path.is_dir():
        raise UnwritableOutput(f"cannot write {path}: it is a folder; name a file in it")
    if not folder.is_dir():
        raise UnwritableOutput(
            f"cannot write {path}: there is no folder {folder}; make it first, or choose another"
        )
    try:  # permissions alone do not tell of read-only disks and quotas
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise unwritable(path, error) from error

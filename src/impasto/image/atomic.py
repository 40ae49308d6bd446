"""Files appear whole or not at all."""

import contextlib
import errno
import os
import platform
import re
import secrets
import shutil
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from impasto.errors import UnwritableOutput

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

HOST = f"{zlib.crc32(platform.node().encode()):08x}"
"""Of this machine, or container: their processes have numbers of their own."""

UNFINISHED = re.compile(r"\.impasto-([0-9a-f]{8})-(\d{1,9})-[0-9a-f]{16}(\..*)?")
"""What `replacing` leaves where it is killed, by machine and process."""

FORGOTTEN = 24 * 3600.0
"""Seconds since they were written to after which files of other machines are left over."""

JITTER = 2.0
"""Seconds by which systems tell wrongly when a process began."""


def unwritable(path: Path, error: OSError) -> UnwritableOutput:
    """Say for a person why `path` cannot be written."""
    if error.errno in NO_SPACE:
        return UnwritableOutput(
            f"cannot write {path}: no space left on its disk ({error.strerror}); "
            "free some, or choose an output on another disk"
        )
    long = error.errno == errno.ENAMETOOLONG
    advice = "a shorter name" if long else "an output in another folder"
    return UnwritableOutput(f"cannot write {path}: {error.strerror or error}; choose {advice}")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the place of `path` if the block succeeds.

    Whatever interrupts the block leaves `path` as it was and removes the temporary file. A symbolic
    link stays one: the file it points to is replaced. An `OSError` becomes `UnwritableOutput`.
    """
    target = Path(os.path.realpath(path))
    # A name of its own length: the target's may already be as long as the file system allows.
    name = f".impasto-{HOST}-{os.getpid()}-{secrets.token_hex(8)}{target.suffix}"
    temporary = target.with_name(name)
    try:
        temporary.touch(exist_ok=False)  # with the permissions that the umask asks for
        if target.exists():
            shutil.copymode(target, temporary)
        yield temporary
        _flush(temporary)
        temporary.replace(target)
        flush_folder(target.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed processes left; others may be writing there."""
    with os.scandir(folder) as entries:
        found = [(Path(entry.path), UNFINISHED.fullmatch(entry.name)) for entry in entries]
    for path, ours in found:
        with contextlib.suppress(OSError):
            if ours is not None and _is_left(path, ours[1], int(ours[2])):
                path.unlink()


def _is_left(path: Path, host: str, process: int) -> bool:
    """Whether nobody writes a temporary file any more."""
    import psutil

    written = path.stat().st_mtime
    if host != HOST:
        return time.time() - written > FORGOTTEN
    try:  # another process may have the number since
        began: float = psutil.Process(process).create_time()
    except psutil.NoSuchProcess:
        return True
    return began > written + JITTER


def _flush(path: Path) -> None:
    """Wait until the bytes are on the disk, so that a power cut cannot leave a hollow name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Wait until the new name is on the disk; not every system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

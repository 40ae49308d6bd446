"""Where temporary files of several gigabytes may go."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

from impasto.errors import UnwritableOutput

IN_MEMORY = ("tmpfs", "ramfs")
"""File systems whose files are held in memory."""


def scratch_folder() -> Path:
    """$TMPDIR, or /var/tmp on Linux, or the system's folder for temporary files.

    The first of them that can be written and lies on a disk: what is moved out of memory must not
    go back to it. Where none does, the first that can be written. Raises FileNotFoundError where
    none can.
    """
    chosen = os.environ.get("TMPDIR")
    # On Linux /tmp is often held in memory, and cleared before a long job ends.
    places = [Path(chosen)] if chosen else []
    places += [Path("/var/tmp")] if sys.platform == "linux" else []  # noqa: S108 (only a place)
    usable = [place for place in places if writable(place)]
    on_disk = next((place for place in usable if not held_in_memory(place)), None)
    if on_disk is not None:
        return on_disk
    usual = Path(tempfile.gettempdir())
    return usual if not usable or not held_in_memory(usual) else usable[0]


def unusable(purpose: str, folder: Path, error: OSError) -> UnwritableOutput:
    """Say for a person what could not be done with temporary files."""
    return UnwritableOutput(
        f"cannot {purpose} in {folder}: {error.strerror or error}; free some space there, or name "
        "another folder in the environment variable TMPDIR"
    )


def writable(folder: Path) -> bool:
    """Whether files can be made there, as far as permissions say."""
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def held_in_memory(folder: Path) -> bool:
    """Whether files there take memory instead of disk; False where the system does not tell."""
    if sys.platform != "linux":
        return False
    try:
        mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    except OSError:
        return False
    place = folder.resolve()
    kinds = (mounts[path] for path in (place, *place.parents) if path in mounts)
    return next(kinds, "") in IN_MEMORY


def free_disk(folder: Path) -> int:
    """Bytes that this user may still write there; OSError where there is no such folder."""
    return shutil.disk_usage(folder).free

"""The frames of an unfinished moving picture, in a folder beside its output."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, overload

from impasto.errors import UnwritableOutput
from impasto.image.atomic import replacing, sweep
from impasto.image.srgb import to_bits, to_unit
from impasto.motion.effect import RGB, Arrays, NewFrame
from impasto.motion.frame_file import Bits, DamagedFrame, Facts, FrameFile, facts_at, verified
from impasto.scratch import free_disk

NAME = re.compile(r"([0-9]{6,})\.png")

START = 65_536
"""Bytes of a file that hold its facts: every loss by name takes a few thousand."""

RESERVE = 50_000_000
"""Bytes that are left free on the disk, for other programs go on writing."""


class Store:
    """Finished frames by their number, from 0, each in a file of its own, whole or not at all.

    Any number of processes may put frames at the same time.
    """

    def __init__(self, folder: Path, job: str, depth: int) -> None:
        """`job`: what the frames belong to; those of others are none. `depth`: 8 or 16 bits."""
        self.folder, self._job, self._depth = folder, job, depth

    def put(self, index: int, new: NewFrame, seconds: float, *, bridged: bool = False) -> None:
        """Keep a frame; raises UnwritableOutput."""
        losses = {name: float(loss) for name, loss in new.losses.items()}
        facts = Facts(self._job, losses, new.steps, round(seconds, 4), bridged)
        picture = to_bits(new.picture, self._depth)
        self.keep(index, FrameFile(picture, new.kept, facts).encoded())

    def keep(self, index: int, data: bytes) -> None:
        """Keep the file of a frame; raises UnwritableOutput, and the disk is as it was before."""
        path = self._path(index)
        with replacing(path) as temporary:
            if free_disk(self.folder) < RESERVE + len(data):
                raise UnwritableOutput(
                    f"cannot write {path}: less than {RESERVE // 10**6} MB are left on its disk; "
                    "free some"
                )
            temporary.write_bytes(data)

    def file(self, index: int) -> bytes:
        """The file of a frame."""
        try:
            return self._path(index).read_bytes()
        except OSError as error:
            raise self._unreadable(index, error) from error

    def forget(self, before: int) -> None:
        """Let go of the frames before one."""
        for index, path in numbered(self.folder):
            if index < before:
                path.unlink(missing_ok=True)

    def is_own(self, data: bytes) -> bool:
        """Whether these bytes are the whole file of a frame that belongs here."""
        try:
            return verified(data).job == self._job
        except DamagedFrame:
            return False

    def past(self, index: int) -> tuple[RGB, Arrays]:
        """A frame's picture, (H, W, 3) in [0, 1], and what was kept for the frames after it."""
        found = self._read(index)
        return to_unit(found.picture), found.kept

    def pictures(self, frames: int) -> "Pictures":
        """All frames in order."""
        return Pictures(self, frames)

    def picture(self, index: int) -> Bits:
        """A frame as it is kept."""
        return self._read(index).picture

    def facts(self) -> dict[int, Facts]:
        """Those of all frames, whose files have been compared with their sums.

        Damaged ones, and those of another job, are removed: they are to be made again.
        """
        found = {}
        for index, path in numbered(self.folder):
            try:
                facts = verified(path.read_bytes())
            except (OSError, DamagedFrame):
                facts = None
            if facts is not None and facts.job == self._job:
                found[index] = facts
            else:
                with suppress(OSError):
                    path.unlink()
        return found

    def _path(self, index: int) -> Path:
        return self.folder / f"{index:06}.png"

    def _read(self, index: int) -> FrameFile:
        try:
            return FrameFile.decoded(self.file(index))
        except DamagedFrame as error:
            raise self._unreadable(index, error) from error

    def _unreadable(self, index: int, error: OSError | DamagedFrame) -> UnwritableOutput:
        why = error.strerror if isinstance(error, OSError) else error
        return UnwritableOutput(
            f"cannot read {self._path(index)} again: {why}; give the same command once more, and "
            "it is made anew"
        )


class Pictures(Sequence[Bits]):
    """Frames, each read from disk whenever it is asked for."""

    def __init__(self, store: Store, frames: int) -> None:
        self._store, self._numbers = store, range(frames)

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Bits: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Bits]: ...
    def __getitem__(self, index: int | slice) -> Bits | Sequence[Bits]:
        numbers = self._numbers[index]
        if isinstance(numbers, range):
            return [self._store.picture(number) for number in numbers]
        return self._store.picture(numbers)


def numbered(folder: Path) -> list[tuple[int, Path]]:
    """The files of frames, in order; none where there is no such folder."""
    found = []
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        found = [(NAME.fullmatch(entry.name), entry.path) for entry in entries]
    return sorted((int(name[1]), Path(path)) for name, path in found if name is not None)


class Glimpse(NamedTuple):
    """What the beginning of a frame's file tells."""

    facts: Facts
    bytes: int
    """Of the whole file."""
    time: int
    """When it was written, ns."""


def glimpsed(folder: Path) -> dict[int, Glimpse]:
    """What is there of each frame, from the beginnings of files, which may just change."""
    found = {}
    for index, path in numbered(folder):
        with suppress(OSError, DamagedFrame), path.open("rb") as file:
            facts, state = facts_at(file.read(START)), os.fstat(file.fileno())
            found[index] = Glimpse(facts, state.st_size, state.st_mtime_ns)
    return found


def clear(folder: Path) -> None:
    """Remove the frames, and what killed processes left; nothing that is somebody else's."""
    sweep(folder)
    for _, path in numbered(folder):
        with suppress(OSError):
            path.unlink()

"""Maps and pictures that are written and read by rows, in memory or on disk."""

import tempfile
import weakref
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.scratch import unusable

STRIP = 2**20
"""Values that are worked on together where a whole map would take too much."""

KEEP = "keep the work's data"
"""What scratch files are for, as an error says it."""

Shape = tuple[int, int, int, int]


class Rows:
    """A map (1, C, H, W), channels-last, of which `map[a:b]` are rows a to b, (1, C, b - a, W).

    With a folder it lies in a file there that has no name and goes with the process, and rows are
    copies; without one it lies in memory, and they are views.
    """

    def __init__(
        self, shape: Shape, dtype: torch.dtype, device: torch.device, folder: Path | None = None
    ) -> None:
        self.shape, self.dtype, self.device = shape, dtype, device
        self._whole: Tensor | None = None
        if folder is None:
            self._whole = torch.empty(
                shape, dtype=dtype, device=device, memory_format=torch.channels_last
            )
        else:
            self._file = Scratch(folder)

    @classmethod
    def of(cls, whole: Tensor) -> "Rows":
        """A map that lies in memory already."""
        rows = cls.__new__(cls)
        _, channels, height, width = whole.shape
        rows.shape, rows.dtype, rows.device = (
            (1, channels, height, width),
            whole.dtype,
            whole.device,
        )
        rows._whole = whole
        return rows

    def __getitem__(self, rows: slice) -> Tensor:
        rows = slice(*rows.indices(self.shape[2]))
        if self._whole is not None:
            return self._whole[:, :, rows]
        _, channels, _, width = self.shape
        part = torch.empty((rows.stop - rows.start, width, channels), dtype=self.dtype)
        self._file.read(rows.start * self._row_size, bytes_of(part))
        return part.to(self.device).permute(2, 0, 1)[None]

    def __setitem__(self, rows: slice, part: Tensor) -> None:
        rows = slice(*rows.indices(self.shape[2]))
        if self._whole is not None:
            self._whole[:, :, rows] = part
        else:
            values = part[0].to(self.dtype).permute(1, 2, 0).contiguous().cpu()
            self._file.write(rows.start * self._row_size, bytes_of(values))

    @property
    def _row_size(self) -> int:
        """Bytes."""
        _, channels, _, width = self.shape
        return channels * width * self.dtype.itemsize

    def strips(self) -> Iterator[slice]:
        """Slices of a few rows that cover all of them."""
        return strips(self.shape)


def strips(shape: Shape | torch.Size) -> Iterator[slice]:
    """Slices that cover the rows of a map of that shape, about `STRIP` values each."""
    _, channels, height, width = shape
    rows = max(1, STRIP // (channels * width))
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


class Scratch:
    """A file without a name that goes with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            self._file: FileIO = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (it lives as long as the map)
        except OSError as error:
            raise unusable(KEEP, folder, error) from error
        weakref.finalize(self, self._file.close)

    def read(self, offset: int, place: memoryview) -> None:
        """Fill `place` from there on."""
        self._file.seek(offset)
        while place:
            count = self._file.readinto(place)
            if not count:
                raise EOFError("these rows were never written")
            place = place[count:]

    def write(self, offset: int, data: memoryview) -> None:
        """Write there; raises UnwritableOutput."""
        try:
            self._file.seek(offset)
            while data:
                data = data[self._file.write(data) :]
        except OSError as error:
            raise unusable(KEEP, self._folder, error) from error


def bytes_of(values: Tensor) -> memoryview:
    """The bytes of a contiguous tensor on the processor, not copied."""
    flat: NDArray[np.uint8] = values.reshape(-1).view(torch.uint8).numpy()
    return flat.data

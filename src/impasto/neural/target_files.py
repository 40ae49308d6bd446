"""Targets of paintings in files, so that those of a run that was stopped need not be made again."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor

from impasto.errors import UnwritableOutput
from impasto.events import Array
from impasto.image.atomic import replacing
from impasto.neural.pyramid import Size
from impasto.neural.rows import Rows
from impasto.neural.state import array_of, load_rows, tensor_of
from impasto.neural.vgg import VGG19
from impasto.state_file import read_arrays, write_arrays

Maps = Mapping[str, Rows | Tensor]
"""{layer: feature map (1, C, H, W), or Gram matrix (C, C)}."""


@dataclass(frozen=True)
class Target:
    """What decides the maps or Gram matrices of a picture, to the last bit on one machine."""

    take: Callable[..., Any]
    """Takes them of the picture."""
    network: VGG19
    halved: int
    """How often tiles were halved; sums of smaller ones round differently."""
    sha256: str
    """Of what the picture was read from."""
    size: Size
    layers: tuple[str, ...]

    @property
    def name(self) -> str:
        """The same for every process of this machine that computes with as many threads."""
        parts = [
            self.take.__name__,
            *self.network.identity,
            self.halved,
            self.sha256,
            self.size,
            self.layers,
            torch.get_num_threads(),
            torch.__version__,
            torch.backends.cpu.get_cpu_capability(),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class TargetFiles:
    """Files of a folder that this process has for itself; the last used stay within a bound."""

    def __init__(self, folder: Path, most: int) -> None:
        """`most`: bytes of all files together."""
        self._folder, self._most = folder, most

    def load(self, target: Target) -> dict[str, Any] | None:
        """What was kept; None where nothing was, or it is damaged."""
        path = self._path(target)
        try:
            arrays, facts = read_arrays(path)
            if facts["sha256"] != digest_of(arrays):
                raise ValueError("the values are not those that were written")
            device, kinds = target.network.device, json.loads(facts["kinds"])
            found = {layer: _map(array, kinds[layer], device) for layer, array in arrays.items()}
            os.utime(path)
        except (OSError, SafetensorError, KeyError, ValueError):
            return None
        return found

    def keep(self, target: Target, maps: Maps, size: int) -> None:
        """Write them, `size` bytes, if they find room when the longest unused ones go.

        Where the disk is full or nothing may be written, they are just not kept.
        """
        if size > self._most:
            return
        arrays = {layer: array_of(values) for layer, values in maps.items()}
        kinds = {layer: _name(values.dtype) for layer, values in maps.items()}
        facts = {"sha256": digest_of(arrays), "kinds": json.dumps(kinds)}
        with suppress(OSError, UnwritableOutput):
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._path(target)) as temporary:
                write_arrays(temporary, arrays, facts)
            self._shrink()

    def _shrink(self) -> None:
        """Remove what was used longest ago, until the rest is within the bound."""
        files = sorted((path.stat().st_mtime_ns, path) for path in self._folder.iterdir())
        sizes = {path: path.stat().st_size for _, path in files}
        held = sum(sizes.values())
        for path, size in sizes.items():
            if held <= self._most:
                return
            path.unlink()
            held -= size

    def _path(self, target: Target) -> Path:
        return self._folder / f"{target.name}.safetensors"


def digest_of(arrays: Mapping[str, Array]) -> str:
    """SHA-256 of all values, in order."""
    digest = hashlib.sha256()
    for array in arrays.values():
        for piece in array.pieces():
            digest.update(piece.tobytes())
    return digest.hexdigest()


def _map(array: Array, kind: str, device: torch.device) -> Rows | Tensor:
    """A feature map, or a Gram matrix, of what `array_of` made of it."""
    if len(array.shape) != 3:
        return tensor_of(array, device).to(device)
    height, width, channels = array.shape
    rows = Rows((1, channels, height, width), getattr(torch, kind), device)
    load_rows(array, rows)
    return rows


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")

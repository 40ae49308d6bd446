"""Files of arrays, in the format of safetensors, written and read in pieces.

The package itself writes only what lies in memory twice over; reading is its own.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from impasto.events import Array

CODES = {"float32": "F32", "float64": "F64", "int16": "I16", "int64": "I64", "uint8": "U8"}
"""{NumPy's name of a type: the format's}."""

PIECE = 2**22
"""Bytes that are read together."""


def write_arrays(path: Path, arrays: Mapping[str, Array], facts: Mapping[str, str]) -> None:
    """Write arrays and facts about them; raises OSError."""
    header: dict[str, Any] = {"__metadata__": dict(facts)}
    offset = 0
    for name, array in arrays.items():
        end = offset + math.prod(array.shape) * np.dtype(array.dtype).itemsize
        header[name] = {
            "dtype": CODES[array.dtype],
            "shape": array.shape,
            "data_offsets": (offset, end),
        }
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            for piece in array.pieces():
                little = piece.astype(piece.dtype.newbyteorder("<"), copy=False)
                file.write(np.ascontiguousarray(little).data)


def read_arrays(path: Path) -> tuple[dict[str, Array], dict[str, str]]:
    """The arrays, which are read when they are asked for, and the facts.

    Raises OSError and SafetensorError.
    """
    with safe_open(path, framework="numpy") as file:
        arrays = {}
        for name in file.keys():  # noqa: SIM118 (it is no mapping)
            part = file.get_slice(name)
            kinds = {code: kind for kind, code in CODES.items()}
            shape = tuple(part.get_shape())
            arrays[name] = Array(kinds[part.get_dtype()], shape, _Pieces(path, name, shape))
        return arrays, file.metadata() or {}


class _Pieces:
    """Reads an array of a file from its beginning, each time it is called."""

    def __init__(self, path: Path, name: str, shape: tuple[int, ...]) -> None:
        self._path, self._name, self._shape = path, name, shape

    def __call__(self) -> Iterator[NDArray[Any]]:
        rows = max(1, PIECE // (8 * math.prod(self._shape[1:])))
        with safe_open(self._path, framework="numpy") as file:
            part = file.get_slice(self._name)
            for top in range(0, self._shape[0], rows):
                yield part[top : min(top + rows, self._shape[0])]

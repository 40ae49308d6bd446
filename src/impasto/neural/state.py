"""Tensors of a saved state, out of and into the pieces that files are made of."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.events import Array
from impasto.neural.rows import Rows


def array_of(values: Tensor | Rows) -> Array:
    """A picture (1, C, H, W) as (H, W, C), anything else as it is."""
    if isinstance(values, Tensor) and values.ndim != 4:
        whole = values.cpu().numpy()
        return Array(whole.dtype.name, whole.shape, lambda: iter([whole]))
    picture = Rows.of(values) if isinstance(values, Tensor) else values
    _, channels, height, width = picture.shape
    dtype = _plain(torch.empty(0, dtype=picture.dtype)).numpy().dtype.name
    return Array(dtype, (height, width, channels), partial(_pieces, picture))


def tensor_of(array: Array, device: torch.device) -> Tensor:
    """A picture (1, C, H, W), channels-last, on the device; numbers stay on the processor.

    Not every device has float64. Values are copied, for sums round by where they lie.
    """
    if len(array.shape) != 3:
        return torch.tensor(np.concatenate(list(array.pieces())))
    height, width, channels = array.shape
    kind = torch.from_numpy(np.empty(0, array.dtype)).dtype
    picture = Rows((1, channels, height, width), kind, device)
    load_rows(array, picture)
    return picture[:height]


def load_rows(array: Array, picture: Rows) -> None:
    """Fill a picture from an array that was made of one like it."""
    top = 0
    for piece in array.pieces():
        values = torch.tensor(piece)
        if values.dtype != picture.dtype:
            values = values.view(picture.dtype)
        rows = slice(top, top + len(piece))
        picture[rows] = values.permute(2, 0, 1)[None]
        top = rows.stop


def _pieces(picture: Rows) -> Iterator[NDArray[Any]]:
    for rows in picture.strips():
        yield _plain(picture[rows][0].permute(1, 2, 0).contiguous().cpu()).numpy()


def _plain(values: Tensor) -> Tensor:
    """The same bits as a type that NumPy has."""
    return values.view(torch.int16) if values.dtype == torch.bfloat16 else values

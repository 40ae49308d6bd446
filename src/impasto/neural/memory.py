"""Whether a job fits: refused before it starts rather than killed in the middle."""

import math
from collections.abc import Iterable, Sequence

import torch

from impasto.errors import NotEnoughMemory
from impasto.image.picture import MIN_SIDE
from impasto.neural.device import free_memory

PROGRAM = 700e6
"""Bytes on the processor beside the picture: PyTorch, both networks, their scratch space."""

PIXEL = {torch.bfloat16: 3100, torch.float32: 3900}
"""Bytes a pixel at the peak, measured from 512 to 1200 px with VGG-19 down to relu5_1.

Feature maps are 320 values a pixel, L-BFGS holds 60 and float32 targets pass in either precision;
the rest is freed memory whose pieces the next block does not fit in.
"""

PASSING = 3 * 64 * 4
"""Bytes a pixel of a picture that passes for its maps alone: three of the first block, float32."""

Size = tuple[int, int]
"""(width, height), px."""


def needed_memory(size: Size, styles: Iterable[Size], dtype: torch.dtype) -> float:
    """Bytes that painting takes at its peak, with some to spare; styles pass one at a time."""
    width, height = size
    canvas = width * height * PIXEL[dtype]
    style = max((width * height for width, height in styles), default=0) * PASSING
    return PROGRAM + max(canvas, style)


def require_memory(
    size: Size, styles: Sequence[Size], device: torch.device, dtype: torch.dtype
) -> None:
    """Raise NotEnoughMemory, with the largest size that fits, where a picture does not."""
    free, needed = free_memory(device), needed_memory(size, styles, dtype)
    if needed <= free:
        return
    largest = largest_side(size, styles, free, dtype)
    remedy = f"choose --size {largest} or less" if largest else "end other programs"
    if needed > needed_memory(size, (), dtype):
        remedy = f"{remedy}, or a smaller --style-scale"
    raise NotEnoughMemory(
        f"painting {size[0]}x{size[1]} px takes about {needed / 1e9:.1f} GB of memory "
        f"and {free / 1e9:.1f} GB are free; {remedy}"
    )


def largest_side(size: Size, styles: Sequence[Size], free: int, dtype: torch.dtype) -> int:
    """The longest side of a picture shaped like `size` that fits into the free bytes; 0 for none.

    Styles shrink with it.
    """
    for side in range(max(size) - 1, MIN_SIDE - 1, -1):
        share = side / max(size)
        smaller = [shrunk(style, share) for style in styles]
        if needed_memory(shrunk(size, share), smaller, dtype) <= free:
            return side
    return 0


def shrunk(size: Size, share: float) -> Size:
    """A size times a share, at least VGG-19's minimum, and a pixel more.

    Pictures' own shapes may round up where those that are already rounded do not.
    """
    width, height = (max(MIN_SIDE, math.ceil(side * share)) + 1 for side in size)
    return width, height

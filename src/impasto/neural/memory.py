"""Whether a job fits: refused before it starts rather than killed in the middle."""

import torch

from impasto.errors import NotEnoughMemory
from impasto.image.picture import MIN_SIDE
from impasto.image.resize import fit
from impasto.neural.device import free_memory
from impasto.settings import CONV_COUNTS

PROGRAM = 700e6
"""Bytes on the processor beside the picture: PyTorch, both networks, their scratch space."""

MAPS = sum(count * 64 * (1 << min(b, 3)) / (1 << 2 * b) for b, count in enumerate(CONV_COUNTS))
"""Values a pixel of all feature maps together, at most: 64 channels in the first block, doubled
in each of the next three, at a quarter of the pixels each."""

CANVASES = 40
"""Float32 copies of the canvas that a run holds: L-BFGS's history, its work space, the inputs."""


def needed_memory(size: tuple[int, int], dtype: torch.dtype) -> float:
    """Bytes that painting a picture of (width, height) takes at its peak, with some to spare."""
    width, height = size
    # The way down keeps all maps; on the way up two gradients of the widest block come on top.
    # Targets and final losses pass two maps of the first block in float32.
    down = (MAPS + 2 * 64 + 32) * dtype.itemsize
    return PROGRAM + width * height * (max(down, 3 * 64 * 4) + CANVASES * 3 * 4)


def require_memory(size: tuple[int, int], device: torch.device, dtype: torch.dtype) -> None:
    """Raise NotEnoughMemory, with the largest size that fits, where a picture does not."""
    free, needed = free_memory(device), needed_memory(size, dtype)
    if needed <= free:
        return
    largest = largest_side(size, free, dtype)
    remedy = f"choose --size {largest} or less" if largest else "end other programs"
    raise NotEnoughMemory(
        f"painting {size[0]}x{size[1]} px takes about {needed / 1e9:.1f} GB of memory "
        f"and {free / 1e9:.1f} GB are free; {remedy}"
    )


def largest_side(size: tuple[int, int], free: int, dtype: torch.dtype) -> int:
    """The longest side of a picture shaped like `size` that fits into the free bytes; 0 for none.

    With a pixel to spare: the photo's own shape may round up where this one rounds down.
    """
    for side in range(max(size) - 1, MIN_SIDE - 1, -1):
        width, height = fit(*size, side)
        if needed_memory((width + 1, height + 1), dtype) <= free:
            return side
    return 0


def ran_out(error: BaseException) -> bool:
    """Whether an error says that memory could not be allocated.

    PyTorch has an error of its own only for CUDA; it words that of Linux and macOS, of Windows,
    and of Apple's GPU differently.
    """
    phrases = "can't allocate memory", "not enough memory", "out of memory"
    return isinstance(error, MemoryError) or any(phrase in str(error) for phrase in phrases)

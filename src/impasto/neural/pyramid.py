"""The sizes a picture is painted at, and what one size hands to the next."""

import math

import torch.nn.functional as F
from torch import Tensor

from impasto.image.picture import MIN_SIDE
from impasto.settings import PaintSettings

COARSEST = 128
"""Long side, px, near which `levels="auto"` starts: large shapes settle there at 1/16 of the cost
of 512 px."""

Size = tuple[int, int]
"""(width, height), px."""


def level_sizes(width: int, height: int, settings: PaintSettings) -> tuple[Size, ...]:
    """The size of each level, coarse to fine, each half the next; no side below 32 px but the last.

    >>> level_sizes(512, 384, PaintSettings())
    ((128, 96), (256, 192), (512, 384))
    """
    levels = settings.levels
    if levels == "auto":
        levels = 1 + max(0, math.floor(math.log2(max(width, height) / COARSEST)))
    smallest = math.floor(math.log2(min(width, height) / (2 * MIN_SIDE)))
    halvings = range(min(levels - 1, max(0, smallest)), -1, -1)
    return tuple((round(width / 2**k), round(height / 2**k)) for k in halvings)


def enlarged(change: Tensor, size: Size) -> Tensor:
    """What a coarser level changed, (1, 3, h, w), at this level's size.

    Only the change is handed on, so the photo keeps its own detail: painting on from the enlarged
    picture itself took a fifth more steps to the same loss.
    """
    width, height = size
    return F.interpolate(change, size=(height, width), mode="bicubic", align_corners=False)

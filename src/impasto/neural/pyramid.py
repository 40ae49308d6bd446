"""The sizes a picture is painted at, and what one size hands to the next."""

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from impasto.settings import PaintSettings
from impasto.sizes import MIN_SIDE, scaled

COARSEST = 128
"""Long side, px, near which `levels="auto"` starts: large shapes settle there at 1/16 of the cost
of 512 px."""

FINAL_STEPS, COARSE_STEPS = 35, 30
"""Evaluations at the last level and at those before it."""

FULL_SIDE, LEAST_STEPS = 1024, 8
"""Long side, px, up to which levels have all their steps, and how many the largest have."""

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


def level_steps(sizes: Sequence[Size], settings: PaintSettings) -> tuple[int, ...]:
    """The evaluations at each level, coarse to fine.

    >>> level_steps(((960, 720), (1920, 1440), (3840, 2880)), PaintSettings())
    (30, 16, 9)
    """
    given = [settings.coarse_steps] * (len(sizes) - 1) + [settings.steps]
    usual = [COARSE_STEPS] * (len(sizes) - 1) + [FINAL_STEPS]
    return tuple(
        fewer(count, max(size)) if steps == "auto" else steps
        for size, steps, count in zip(sizes, given, usual, strict=True)
    )


def fewer(steps: int, long_side: int) -> int:
    """Steps of a level that is larger than `FULL_SIDE`, where finer strokes are all that is left.

    The larger a picture, the more of it is there already when its last level begins.
    """
    return max(LEAST_STEPS, round(steps * min(1, FULL_SIDE / long_side)))


def style_size(own: Size, canvas: Size, settings: PaintSettings) -> Size:
    """The size of a style image for a canvas: `style_scale` times as long, in its own shape."""
    return scaled(*own, max(MIN_SIDE, round(max(canvas) * settings.style_scale)) / max(own))


def enlarged(change: Tensor, size: Size) -> Tensor:
    """What a coarser level changed, (1, 3, h, w), at this level's size.

    Only the change is handed on, so the photo keeps its own detail: painting on from the enlarged
    picture itself took a fifth more steps to the same loss.
    """
    width, height = size
    return F.interpolate(change, size=(height, width), mode="bicubic", align_corners=False)

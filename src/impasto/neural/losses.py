"""The losses as pure functions: each gives its value and its derivative in closed form.

All are relative to the target's own mean square: 0 is identical, 1 is as far away as black. So the
weights that join them mean the same at every size, for every style and with every weight set;
Gatys et al. 2015 divide by sizes and channel counts instead.
"""

import torch
from torch import Tensor

CHUNK = 1 << 19
"""Values converted to float32 at once for a Gram matrix: 2 MB stay in the cache."""


def rows(features: Tensor) -> Tensor:
    """(1, C, H, W) -> (H*W, C); without a copy where the map is channels-last."""
    return features.permute(0, 2, 3, 1).flatten(0, 2)


def gram(features: Tensor) -> Tensor:
    """Channel correlations of one layer, (1, C, H, W) -> (C, C), float32 or better.

    Gatys et al. 2015, eq. 3, but divided by H*W so that images of different sizes compare. Half
    precision features are converted a chunk at a time: their sums need float32, their copies don't.
    """
    pixels = rows(features)  # (H*W, C)
    count, channels = pixels.shape
    if pixels.dtype in (torch.float32, torch.float64):
        return pixels.mT @ pixels / count
    total = pixels.new_zeros((channels, channels), dtype=torch.float32)
    for chunk in pixels.split(max(1, CHUNK // channels)):
        wide = chunk.float()
        total.addmm_(wide.mT, wide)
    return total / count


def content_loss(features: Tensor, target: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """`scale * |F - T|^2` and its derivative by F, both (1, C, H, W); Gatys et al. 2015, eq. 1."""
    wide = torch.promote_types(features.dtype, torch.float32)
    difference = features.to(wide) - target.to(wide)
    return scale * difference.square().sum(), (2 * scale) * difference


def gram_loss(correlations: Tensor, target: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """`scale * |G - A|^2` and its derivative by G, both (C, C); Gatys et al. 2015, eq. 4."""
    difference = correlations - target
    return scale * difference.square().sum(), (2 * scale) * difference


def through_gram(features: Tensor, derivative: Tensor) -> Tensor:
    """Derivative by the features from that by their Gram matrix: (2 / HW) F dL/dG, as (1, C, H, W).

    `derivative` is symmetric. Gatys et al. 2015, eq. 6, which also cuts off where F is 0: here the
    ReLU's own backward pass does that.
    """
    pixels = rows(features)  # (H*W, C)
    slope = pixels @ (derivative * (2 / pixels.shape[0])).to(pixels.dtype)
    _, channels, height, width = features.shape
    return slope.view(1, height, width, channels).permute(0, 3, 1, 2)

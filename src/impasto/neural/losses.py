"""The losses as pure functions, each with its derivative in closed form.

All are relative to the target's own sum of squares: 0 is identical, 1 is as far away as maps of 0.
So the weights that join them mean the same at every size, for every style and with every weight
set; Gatys et al. 2015 divide by sizes and channel counts instead.
"""

import torch
from torch import Tensor

STRETCH = 2048
"""Pixels multiplied at once for the Gram matrix of half-precision features."""


def rows(features: Tensor) -> Tensor:
    """(1, C, H, W) -> (H*W, C); without a copy where the map is channels-last."""
    return features.permute(0, 2, 3, 1).flatten(0, 2)


def gram(features: Tensor) -> Tensor:
    """Channel correlations of one layer, (1, C, H, W) -> (C, C), float32 or better.

    Gatys et al. 2015, eq. 3, but divided by H*W so that images of different sizes compare.
    """
    return products(features) / (features.shape[2] * features.shape[3])


def products(features: Tensor) -> Tensor:
    """The same, not divided: those of a map's tiles add up to the whole map's."""
    pixels = rows(features)  # (H*W, C)
    if pixels.dtype in (torch.float32, torch.float64):
        return pixels.mT @ pixels
    return _half_products(pixels)


def _half_products(pixels: Tensor) -> Tensor:
    """X^T X of (N, C) in half precision -> (C, C) float32.

    A half-precision product sums in float32 but rounds its result. Added up over many stretches of
    pixels, the roundings average out, and the product keeps its speed.
    """
    count, channels = pixels.shape
    whole = count // STRETCH * STRETCH
    stretches = pixels[:whole].view(-1, STRETCH, channels)
    rest = pixels[whole:].float()
    return torch.bmm(stretches.mT, stretches).float().sum(0).addmm_(rest.mT, rest)


def energy(target: Tensor) -> float:
    """Sum of squares; a target of zeros (a flat black picture) has nothing to be relative to."""
    return max(float(_wide(target).square().sum()), torch.finfo(torch.float32).tiny)


def content_loss(features: Tensor, target: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """`scale * |F - T|^2` and its derivative by F, both (1, C, H, W); Gatys et al. 2015, eq. 1."""
    difference = _wide(features) - _wide(target)
    return scale * difference.square().sum(), ((2 * scale) * difference).to(features.dtype)


def gram_loss(correlations: Tensor, target: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """`scale * |G - A|^2` and its derivative by G, both (C, C); Gatys et al. 2015, eq. 4."""
    difference = correlations - target
    return scale * difference.square().sum(), (2 * scale) * difference


def through_gram_(features: Tensor, derivative: Tensor, count: float, gradient: Tensor) -> None:
    """Add the derivative by the features, (2 / HW) F dL/dG, to `gradient`, (1, C, h, w), in place.

    `derivative` is dL/dG, (C, C), symmetric; `count` is HW of the whole map, of which these may be
    some rows. Both maps are channels-last. Gatys et al. 2015, eq. 6, which also cuts off where F is
    0: here the ReLU's own backward pass does that.
    """
    pixels = rows(features)  # (h*w, C)
    gradient.permute(0, 2, 3, 1).view(-1, len(derivative)).addmm_(
        pixels, (derivative * (2 / count)).to(pixels.dtype)
    )


def temporal_loss(
    canvas: Tensor, target: Tensor, visible: Tensor, scale: float
) -> tuple[Tensor, Tensor]:
    """`scale * sum of c (x - w)^2` and its derivative by the canvas, both (1, 3, H, W).

    `target` w is what earlier frames look like here, `visible` c, (1, 1, H, W), from 0 to 1, where
    they show it. Ruder et al. 2016, eq. 7, which divides by the number of values instead.
    """
    difference = (canvas - target) * visible
    return scale * (difference * (canvas - target)).sum(), difference.mul_(2 * scale)


def _wide(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))

"""VGG-19 (Simonyan and Zisserman 2015), frozen, as far as a job needs it."""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.neural.weights import Weights
from impasto.settings import LAYERS, Pooling

MINIMUM_SIDE = 16
"""Four poolings halve it to the one pixel that block 5 needs."""


class VGG19:
    """The network up to the deepest layer that is asked for; feature maps are taken after ReLU.

    Zero padding as in training. Weights and maps are channels-last: the convolutions of oneDNN and
    cuDNN run on that layout without reordering.
    """

    def __init__(
        self, weights: Weights, dtype: torch.dtype, device: torch.device, pooling: Pooling = "max"
    ) -> None:
        self.dtype, self.device = dtype, device
        self._pool = F.max_pool2d if pooling == "max" else F.avg_pool2d
        self._mean = weights.mean.to(device=device, dtype=torch.float32).view(1, 3, 1, 1)
        self._layers = {
            name: (
                weight.to(device, dtype, memory_format=torch.channels_last),
                bias.to(device, dtype),
            )
            for name, (weight, bias) in weights.layers.items()
        }

    def maps(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """{layer: (1, C, H', W')} of an RGB image (1, 3, H, W) in [0, 1], sides >= 16 px.

        `H'` and `W'` are halved, rounded down, before each block but the first.
        """
        wanted = set(layers)
        deepest = max(wanted, key=LAYERS.index)
        found: dict[str, Tensor] = {}
        x = (image - self._mean.to(image.dtype)).to(self.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        for name, (weight, bias) in self._layers.items():
            if name.endswith("_1") and name != "relu1_1":
                x = self._pool(x, 2)
            x = F.relu_(F.conv2d(x, weight, bias, padding=1))
            if name in wanted:
                found[name] = x
            if name == deepest:
                break
        return found

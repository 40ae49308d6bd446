"""VGG-19 (Simonyan and Zisserman 2015), frozen: its feature maps, and the way back to the image.

The network is a plain chain, so its backward pass is written out. That takes less time and memory
than automatic differentiation (nothing is kept for the frozen weights, and each feature map goes
as soon as it is passed), and lets a caller add the derivative of any loss at any layer.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.neural.weights import Weights
from impasto.settings import CONV_COUNTS, LAYERS, Pooling

aten: Any = torch.ops.aten
"""PyTorch's own backward kernels, which its Python functions reach only through autograd."""

mkldnn: Any = torch.ops.mkldnn

AddSlopes = Callable[[str, Tensor, Tensor | None], Tensor | None]
"""(layer, feature map, gradient by it so far) -> gradient with what the layer's own losses add, in
place or not; None is zero."""


@dataclass(frozen=True)
class Pool:
    """A pooled map, (1, C, H'/2, W'/2), and where its values were found, if it is a maximum."""

    pooled: Tensor
    maxima: Tensor | None


@dataclass(frozen=True)
class Passed:
    """What a forward pass leaves for the way back.

    maps: {layer: (1, C, H', W')} after each ReLU, down to the deepest layer that was asked for.
    pools: the poolings behind those layers that end a block.
    """

    maps: dict[str, Tensor] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)


class VGG19:
    """The network; images are RGB (1, 3, H, W) in [0, 1], H and W at least `MIN_SIDE`.

    Feature maps are taken after their ReLU; H' and W' are halved, rounded down, before each block
    but the first. Zero padding as in training. Weights and maps are channels-last: the convolutions
    of oneDNN and cuDNN run on that layout without reordering.
    """

    def __init__(
        self, weights: Weights, dtype: torch.dtype, device: torch.device, pooling: Pooling = "max"
    ) -> None:
        self.dtype, self.device = dtype, device
        self._pooling = pooling
        self._convolve = conv_relu_fused if fuses(self.device, dtype) else conv_relu
        wide = torch.promote_types(dtype, torch.float32)
        self._mean = weights.mean.to(device, wide).view(1, 3, 1, 1)
        self._kernels = {k: self._place(weight) for k, (weight, _) in weights.layers.items()}
        self._biases = {k: bias.to(device, dtype) for k, (_, bias) in weights.layers.items()}

    @cached_property
    def _turned(self) -> dict[str, Tensor]:
        """The gradient of a convolution is a convolution with the kernels turned around."""
        return {
            k: kernel.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
            for k, kernel in self._kernels.items()
        }

    def _place(self, kernel: Tensor) -> Tensor:
        return kernel.to(self.device, self.dtype).contiguous(memory_format=torch.channels_last)

    def maps(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """{layer: (1, C, H', W')} of the layers that are asked for."""
        wanted = set(layers)
        return self._run(image, max(wanted, key=LAYERS.index), wanted).maps

    def forward(self, image: Tensor, deepest: str) -> Passed:
        """All maps down to the deepest layer, for one call of `backward`."""
        return self._run(image, deepest, LAYERS)

    @torch.no_grad()
    def backward(self, passed: Passed, layers: Collection[str], add_slopes: AddSlopes) -> Tensor:
        """The gradient by the image, (1, 3, H, W) float32 or better; uses up what has passed.

        `add_slopes` is called for each of `layers`, which have losses, from the deepest up.
        """
        gradient: Tensor | None = None
        for name in list(reversed(passed.maps)):
            features, pool = passed.maps.pop(name), passed.pools.pop(name, None)
            if gradient is not None and pool is not None:
                gradient = through_pool(gradient, features, pool)
            if name in layers:
                gradient = add_slopes(name, features, gradient)
            if gradient is not None:
                if pool is None or pool.maxima is None or name in layers:
                    through_relu_(gradient, features)
                gradient = F.conv2d(gradient, self._turned[name], padding=1)
        if gradient is None:
            raise ValueError("no layer has a loss")
        return gradient.to(self._mean.dtype).contiguous()

    @torch.no_grad()
    def _run(self, image: Tensor, deepest: str, keep: Collection[str]) -> Passed:
        passed = Passed()
        x = (image - self._mean).to(self.dtype).contiguous(memory_format=torch.channels_last)
        for name in LAYERS:
            x = self._convolve(x, self._kernels[name], self._biases[name])
            if name in keep:
                passed.maps[name] = x
            if name == deepest:
                break
            if ends_block(name):
                x = self._pool(x, name, passed)
        return passed

    def _pool(self, x: Tensor, name: str, passed: Passed) -> Tensor:
        maxima = None
        if self._pooling == "average":
            pooled = F.avg_pool2d(x, 2)
        else:
            pooled, maxima = F.max_pool2d(x, 2, return_indices=True)
        if name in passed.maps:
            passed.pools[name] = Pool(pooled, maxima)
        return pooled


def through_pool(gradient: Tensor, features: Tensor, pool: Pool) -> Tensor:
    """The gradient before a pooling, from that behind it.

    Through a max pooling it is also cut where the ReLU cut: the maximum of a window is 0 only where
    the ReLU cut all of it, so a quarter of the values tells what the whole map would.
    """
    slope: Tensor
    if pool.maxima is None:
        slope = aten.avg_pool2d_backward(
            gradient, features, [2, 2], [2, 2], [0, 0], False, True, None
        )
        return slope
    through_relu_(gradient, pool.pooled)
    slope = aten.max_pool2d_with_indices_backward(
        gradient, features, [2, 2], [2, 2], [0, 0], [1, 1], False, pool.maxima
    )
    return slope


def ends_block(name: str) -> bool:
    """Whether a pooling follows the layer."""
    block, number = name.removeprefix("relu").split("_")
    return int(number) == CONV_COUNTS[int(block) - 1]


def conv_relu(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """ReLU of a 3x3 convolution, zero-padded."""
    return F.relu_(F.conv2d(x, kernel, bias, padding=1))


def conv_relu_fused(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """The same by oneDNN, which applies the ReLU while its block is still in the cache.

    This is the operator that PyTorch's own compiler emits. It saves a tenth of an evaluation.
    """
    fused: Tensor = mkldnn._convolution_pointwise(
        x, kernel, bias, [1, 1], [1, 1], [1, 1], 1, "relu", [], ""
    )
    return fused


def fuses(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether there is a fused convolution; plain ones emulate bfloat16 where it has to be."""
    if device.type != "cpu" or not hasattr(mkldnn, "_convolution_pointwise"):
        return False
    if dtype == torch.bfloat16:
        return bool(mkldnn._is_mkldnn_bf16_supported())
    return dtype == torch.float32


def through_relu_(gradient: Tensor, features: Tensor) -> None:
    """Zero the gradient, in place, where the ReLU cut its input off."""
    aten.threshold_backward.grad_input(gradient, features, 0, grad_input=gradient)

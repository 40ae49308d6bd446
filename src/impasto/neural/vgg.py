"""VGG-19 (Simonyan and Zisserman 2015), frozen: its feature maps, and the way back to the image.

The network is a plain chain, so its backward pass is written out. That takes less time and memory
than automatic differentiation (nothing is kept for the frozen weights, and each feature map goes
as soon as it is passed), and lets a caller add the derivative of any loss at any layer.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.neural.architecture import ends_block as ends_block
from impasto.neural.architecture import halvings as halvings
from impasto.neural.device import compute_in_float32
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, Pooling

aten: Any = torch.ops.aten
"""PyTorch's own backward kernels, which its Python functions reach only through autograd."""

mkldnn: Any = torch.ops.mkldnn

AddSlopes = Callable[[str, Tensor, Tensor], None]
"""(layer, feature map, gradient by it so far): adds in place what the layer's own losses add."""


@dataclass
class Passed:
    """What consecutive layers made of their input.

    maps: {layer: (1, C, H', W')} after each ReLU. pooled: {layer: (1, C, H'/2, W'/2)} of those that
    a pooling follows. output: what the next layer gets.
    """

    output: Tensor
    maps: dict[str, Tensor] = field(default_factory=dict)
    pooled: dict[str, Tensor] = field(default_factory=dict)


class VGG19:
    """The network; images are RGB (1, 3, H, W) in [0, 1], H and W at least `MIN_SIDE`.

    Feature maps are taken after their ReLU; H' and W' are halved, rounded down, before each block
    but the first. Zero padding as in training. Weights and maps are channels-last: the convolutions
    of oneDNN and cuDNN run on that layout without reordering.
    """

    def __init__(
        self, weights: Weights, dtype: torch.dtype, device: torch.device, pooling: Pooling = "max"
    ) -> None:
        compute_in_float32()  # here, for no network is made elsewhere
        self.dtype, self.device = dtype, device
        self._pooling = pooling
        self._convolve = conv_relu_fused if fuses(self.device, dtype) else conv_relu
        wide = torch.promote_types(dtype, torch.float32)
        self._mean = weights.mean.to(device, wide).view(1, 3, 1, 1)
        self.identity = weights.sha256, str(dtype), str(device), pooling
        """What decides its maps, in words."""
        self._weights = weights
        self._biases = {k: bias.to(device, dtype) for k, (_, bias) in weights.layers.items()}
        self._kernels: dict[str, Tensor] = {}
        self._turned_kernels: dict[str, Tensor] = {}

    # `functools.cache` of these methods would keep a network that nobody uses any more, with all
    # its kernels, until the garbage collector comes by.

    def _kernel(self, layer: str) -> Tensor:
        if layer not in self._kernels:
            kernel = self._weights.layers[layer][0].to(self.device, self.dtype)
            self._kernels[layer] = kernel.contiguous(memory_format=torch.channels_last)
        return self._kernels[layer]

    def _turned(self, layer: str) -> Tensor:
        """The gradient of a convolution is a convolution with the kernels turned around."""
        if layer not in self._turned_kernels:
            turned = self._kernel(layer).flip(2, 3).transpose(0, 1)
            self._turned_kernels[layer] = turned.contiguous(memory_format=torch.channels_last)
        return self._turned_kernels[layer]

    @torch.no_grad()
    def enter(self, image: Tensor) -> Tensor:
        """An image (1, 3, H, W) in [0, 1] as the first layer takes it."""
        shifted = (image - self._mean).to(self.dtype)
        return shifted.contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def forward(
        self, x: Tensor, layers: Sequence[str], keep: Collection[str] = LAYERS, *, pooled: bool
    ) -> Passed:
        """Maps of consecutive layers from the first one's input (1, C, H, W).

        keep: the layers whose maps are kept; `backward` needs all. pooled: whether the pooling
        behind the last one, if there is one, belongs to them.
        """
        passed = Passed(x)
        for name in layers:
            x = self._convolve(x, self._kernel(name), self._biases[name])
            if name in keep:
                passed.maps[name] = x
            if ends_block(name) and (pooled or name != layers[-1]):
                x = self._pool(x)
                if name in keep:
                    passed.pooled[name] = x
        passed.output = x
        return passed

    @torch.no_grad()
    def backward(
        self,
        passed: Passed,
        layers: Collection[str],
        add_slopes: AddSlopes,
        gradient: Tensor | None = None,
    ) -> Tensor:
        """The gradient by the input, from that by the output; uses up both, and what has passed.

        `add_slopes` is called for each of `layers`, which have losses, from the deepest up. Without
        a gradient by the output, it is zero.
        """
        for name in list(reversed(passed.maps)):
            features, pooled = passed.maps.pop(name), passed.pooled.pop(name, None)
            cut = False
            if gradient is not None and pooled is not None:
                gradient = self._through_pool(gradient, features, pooled)
                cut = self._pooling == "max"
            if name in layers:
                gradient = torch.zeros_like(features) if gradient is None else gradient
                add_slopes(name, features, gradient)
                cut = False
            if gradient is not None:
                if not cut:
                    through_relu_(gradient, features)
                gradient = F.conv2d(gradient, self._turned(name), padding=1)
        if gradient is None:
            raise ValueError("no layer has a loss")
        return gradient

    def _pool(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 2) if self._pooling == "average" else F.max_pool2d(x, 2)

    def _through_pool(self, gradient: Tensor, features: Tensor, pooled: Tensor) -> Tensor:
        """The gradient before a pooling, from that behind it.

        Through a max pooling it is also cut where the ReLU cut: the maximum of a window is 0 only
        where the ReLU cut all of it, so a quarter of the values tells what the whole map would.
        Where the maxima lay is found anew, for to keep it would take as much memory as the map.
        """
        slope: Tensor
        if self._pooling == "average":
            slope = aten.avg_pool2d_backward(
                gradient, features, [2, 2], [2, 2], [0, 0], False, True, None
            )
            return slope
        through_relu_(gradient, pooled)
        _, maxima = F.max_pool2d(features, 2, return_indices=True)
        if features.device.type == "mps":  # older versions can't unpool there
            slope = aten.max_pool2d_with_indices_backward(
                gradient, features, [2, 2], [2, 2], [0, 0], [1, 1], False, maxima
            )
            return slope
        # That kernel does the same on the processor, up to twenty times slower in bfloat16.
        return F.max_unpool2d(gradient, maxima, [2, 2], output_size=list(features.shape[2:]))


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

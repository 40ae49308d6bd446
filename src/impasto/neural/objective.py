"""What a canvas is judged by: the targets of one size, and the weighted sum of the named losses."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.neural.losses import content_loss, energy, gram, gram_loss, through_gram
from impasto.neural.vgg import VGG19
from impasto.settings import LAYERS, PaintSettings


@dataclass(frozen=True)
class Style:
    """A style image (1, 3, h, w), the name of its losses, and its weight beta."""

    name: str
    beta: float
    image: Tensor


@dataclass(frozen=True)
class StyleTarget:
    """One style image's Gram matrices: {layer: (C, C)}."""

    name: str
    beta: float
    grams: dict[str, Tensor]


@dataclass(frozen=True)
class Targets:
    """What the photo and the style images ask for at one canvas size."""

    content: dict[str, Tensor]
    styles: tuple[StyleTarget, ...]

    @classmethod
    def of(
        cls, network: VGG19, photo: Tensor, styles: Iterable[Style], settings: PaintSettings
    ) -> Self:
        """Pass the photo (1, 3, H, W) and each style image through the network once.

        One image at a time, so that the memory in use does not grow with their number.
        """
        content = network.maps(photo, settings.content_layers)
        grams = (
            StyleTarget(
                style.name,
                style.beta,
                {k: gram(v) for k, v in network.maps(style.image, settings.style_layers).items()},
            )
            for style in styles
        )
        return cls(content, tuple(grams))


@dataclass(frozen=True)
class Evaluation:
    """The losses of one canvas, by name, and the gradient of their sum (1, 3, H, W), float32."""

    losses: dict[str, float]
    gradient: Tensor

    @property
    def total(self) -> float:
        """The sum of all losses."""
        return sum(self.losses.values())


class Objective:
    """alpha * content + sum of beta_k * style_k, as named losses, with the gradient by the canvas.

    The derivative of every loss by its feature map is known in closed form, so one backward pass
    through the convolutions carries all of them.
    """

    def __init__(self, network: VGG19, targets: Targets, settings: PaintSettings) -> None:
        self.network, self._targets = network, targets
        self._style_layers = settings.style_layers
        self._content_scales = {
            layer: settings.alpha * weight / energy(targets.content[layer])
            for layer, weight in settings.content_layers.items()
        }
        self._style_scales = {
            (style.name, layer): style.beta * weight / energy(style.grams[layer])
            for style in targets.styles
            for layer, weight in settings.style_layers.items()
        }
        wanted = {*settings.content_layers, *settings.style_layers}
        self._layers = sorted(wanted, key=LAYERS.index)

    def losses(self, canvas: Tensor) -> dict[str, float]:
        """The named, weighted losses of a canvas (1, 3, H, W)."""
        values: dict[str, Tensor] = {}
        for layer, features in self.network.maps(canvas, self._layers).items():
            self._content(layer, features, values)
            self._style(layer, features, values)
        return _ordered(values)

    def evaluate(self, canvas: Tensor) -> Evaluation:
        """The named losses of a canvas (1, 3, H, W) and the gradient of their sum."""
        values: dict[str, Tensor] = {}

        def add_slopes(layer: str, features: Tensor, gradient: Tensor | None) -> Tensor | None:
            slope = self._content(layer, features, values)
            if slope is not None:
                gradient = slope if gradient is None else gradient.add_(slope)
            derivative = self._style(layer, features, values)
            if derivative is not None:
                gradient = through_gram(features, derivative, gradient)
            return gradient

        passed = self.network.forward(canvas, self._layers[-1])
        gradient = self.network.backward(passed, self._layers, add_slopes)
        return Evaluation(_ordered(values), gradient)

    def _content(self, layer: str, features: Tensor, values: dict[str, Tensor]) -> Tensor | None:
        """Add the layer's content loss to `values`; its derivative by the features."""
        if layer not in self._content_scales:
            return None
        target, scale = self._targets.content[layer], self._content_scales[layer]
        value, slope = content_loss(features, target, scale)
        values["content"] = values.get("content", 0) + value
        return slope

    def _style(self, layer: str, features: Tensor, values: dict[str, Tensor]) -> Tensor | None:
        """Add the layer's style losses to `values`; their derivative by the Gram matrix."""
        if layer not in self._style_layers:
            return None
        correlations = gram(features)
        total = torch.zeros_like(correlations)
        for style in self._targets.styles:
            scale = self._style_scales[style.name, layer]
            value, slope = gram_loss(correlations, style.grams[layer], scale)
            values[f"style/{style.name}/{layer}"] = value
            total += slope
        return total


def _ordered(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in sorted(values.items())}

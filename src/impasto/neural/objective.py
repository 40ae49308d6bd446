"""What a canvas is judged by: the targets of one size, and the weighted sum of the named losses."""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from impasto.neural.losses import content_loss, gram, gram_loss, through_gram
from impasto.neural.vgg import VGG19
from impasto.settings import PaintSettings


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
        cls,
        network: VGG19,
        photo: Tensor,
        styles: list[tuple[str, float, Tensor]],
        settings: PaintSettings,
    ) -> Self:
        """Pass the photo (1, 3, H, W) and each (name, beta, (1, 3, h, w)) through the network once.

        One style at a time, so that the memory in use does not grow with their number.
        """
        with torch.no_grad():
            content = network.maps(photo, settings.content_layers)
            grams = [
                StyleTarget(
                    name,
                    beta,
                    {k: gram(v) for k, v in network.maps(image, settings.style_layers).items()},
                )
                for name, beta, image in styles
            ]
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
    through the convolutions carries all of them, and no graph of the losses is kept.
    """

    def __init__(self, network: VGG19, targets: Targets, settings: PaintSettings) -> None:
        self.network, self._targets = network, targets
        self._style_layers = settings.style_layers
        self._content_scales = {
            layer: settings.alpha * weight / _energy(targets.content[layer])
            for layer, weight in settings.content_layers.items()
        }
        self._style_scales = {
            (style.name, layer): style.beta * weight / _energy(style.grams[layer])
            for style in targets.styles
            for layer, weight in settings.style_layers.items()
        }
        self._layers = {*settings.content_layers, *settings.style_layers}

    def losses(self, canvas: Tensor) -> dict[str, float]:
        """The named, weighted losses of a canvas (1, 3, H, W)."""
        with torch.no_grad():
            return self._losses(self.network.maps(canvas, self._layers))[0]

    def evaluate(self, canvas: Tensor) -> Evaluation:
        """The named losses of a canvas (1, 3, H, W) and the gradient of their sum."""
        leaf = canvas.detach().requires_grad_(True)
        maps = self.network.maps(leaf, self._layers)
        with torch.no_grad():
            losses, slopes = self._losses({name: x.detach() for name, x in maps.items()})
        (gradient,) = torch.autograd.grad(
            [maps[name] for name in slopes], leaf, list(slopes.values())
        )
        return Evaluation(losses, gradient)

    def _losses(self, maps: dict[str, Tensor]) -> tuple[dict[str, float], dict[str, Tensor]]:
        """{name: loss} and {layer: derivative of their sum by its feature map}."""
        values: dict[str, Tensor] = {}
        slopes: dict[str, Tensor] = {}
        for layer, scale in self._content_scales.items():
            features = maps[layer]
            value, slope = content_loss(features, self._targets.content[layer], scale)
            values["content"] = values.get("content", 0) + value
            slopes[layer] = slope.to(features.dtype)
        for layer in self._style_layers:
            features = maps[layer]
            correlations = gram(features)
            derivative = torch.zeros_like(correlations)
            for style in self._targets.styles:
                scale = self._style_scales[style.name, layer]
                value, slope = gram_loss(correlations, style.grams[layer], scale)
                values[f"style/{style.name}/{layer}"] = value
                derivative += slope
            slope = through_gram(features, derivative)
            slopes[layer] = slopes[layer] + slope if layer in slopes else slope
        return {name: float(value) for name, value in sorted(values.items())}, slopes


def _energy(target: Tensor) -> float:
    """Sum of squares; a target of zeros (a flat black picture) has nothing to be relative to."""
    wide = torch.promote_types(target.dtype, torch.float32)
    return max(float(target.to(wide).square().sum()), torch.finfo(torch.float32).tiny)

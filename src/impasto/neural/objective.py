"""What a canvas is judged by: the targets of one size, and the weighted sum of the named losses."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from impasto.neural.losses import content_loss, energy, gram_loss, products, through_gram_
from impasto.neural.rows import Rows, strips
from impasto.neural.tiles import Tiles, Tiling, segments
from impasto.neural.vgg import VGG19, halvings
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


class GramSums:
    """Gram matrices of a picture's layers, summed up from its tiles."""

    def __init__(self, layers: Collection[str]) -> None:
        self._layers = layers
        self._sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}
        """{layer: pixels of its map}."""

    def add(self, layer: str, features: Tensor, _: slice) -> None:
        """Take in some rows of a layer's map, if the layer is one of those wanted."""
        if layer in self._layers:
            found, count = products(features), features.shape[2] * features.shape[3]
            self._sums[layer] = self._sums[layer].add_(found) if layer in self._sums else found
            self.counts[layer] = self.counts.get(layer, 0) + count

    def grams(self) -> dict[str, Tensor]:
        """{layer: (C, C)}."""
        return {layer: total / self.counts[layer] for layer, total in self._sums.items()}


@dataclass(frozen=True)
class Targets:
    """What the photo and the style images ask for at one canvas size."""

    content: Mapping[str, Rows]
    styles: tuple[StyleTarget, ...]

    @classmethod
    def of(
        cls,
        network: VGG19,
        photo: Tensor,
        styles: Iterable[Style],
        settings: PaintSettings,
        tiling: Tiling,
    ) -> Self:
        """Pass the photo (1, 3, H, W) and each style image through the network once.

        One image at a time, so that the memory in use does not grow with their number; none for a
        loss without weight.
        """
        wanted = weighted(settings.content_layers, settings.alpha)
        return cls(
            content_of(network, photo, wanted, tiling),
            tuple(
                StyleTarget(
                    style.name,
                    style.beta,
                    grams_of(
                        network, style.image, weighted(settings.style_layers, style.beta), tiling
                    ),
                )
                for style in styles
            ),
        )


def content_of(
    network: VGG19, photo: Tensor, layers: Collection[str], tiling: Tiling
) -> dict[str, Rows]:
    """Feature maps of an image (1, 3, H, W): {layer: map}."""
    maps: dict[str, Rows] = {}

    def keep(layer: str, features: Tensor, rows: slice) -> None:
        if layer not in maps:
            _, channels, _, width = features.shape
            shape = (1, channels, photo.shape[2] >> halvings(layer), width)
            maps[layer] = Rows(shape, features.dtype, features.device, tiling.folder)
        maps[layer][rows] = features

    if layers:
        Tiles(network, layers, tiling, photo.shape[3]).forward(photo, keep)
    return maps


def grams_of(
    network: VGG19, image: Tensor, layers: Collection[str], tiling: Tiling
) -> dict[str, Tensor]:
    """Gram matrices of an image (1, 3, H, W): {layer: (C, C)}."""
    sums = GramSums(layers)
    if layers:
        Tiles(network, layers, tiling, image.shape[3]).forward(image, sums.add)
    return sums.grams()


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
    through the convolutions carries all of them. A loss without weight is 0 and takes no work.
    """

    def __init__(
        self, network: VGG19, targets: Targets, settings: PaintSettings, tiling: Tiling
    ) -> None:
        self.tiling = tiling
        self._network, self._targets = network, targets
        self._content_scales = {
            layer: weight / content_energy(targets.content[layer])
            for layer, weight in weighted(settings.content_layers, settings.alpha).items()
        }
        self._style_scales = {
            (style.name, layer): weight / energy(style.grams[layer])
            for style in targets.styles
            for layer, weight in weighted(settings.style_layers, style.beta).items()
        }
        self._style_layers = {layer for _, layer in self._style_scales}
        self._names = ["content"] + [
            f"style/{style.name}/{layer}"
            for style in targets.styles
            for layer in settings.style_layers
        ]
        layers = {*self._content_scales, *self._style_layers} or {LAYERS[0]}
        self._layers = sorted(layers, key=LAYERS.index)
        # Plans count segments down to the deepest layer that the settings name.
        named = max(*settings.content_layers, *settings.style_layers, key=LAYERS.index)
        self._spared = len(segments(named)) - len(segments(self._layers[-1]))

    def losses(self, canvas: Tensor) -> dict[str, float]:
        """The named, weighted losses of a canvas (1, 3, H, W)."""
        values = self._zeros()
        sums = GramSums(self._style_layers)

        def visit(layer: str, features: Tensor, rows: slice) -> None:
            sums.add(layer, features, rows)
            self._content(layer, features, rows, values)

        self._tiles(canvas).forward(canvas, visit)
        self._style(sums.grams(), values)
        return _ordered(values)

    def evaluate(self, canvas: Tensor) -> Evaluation:
        """The named losses of a canvas (1, 3, H, W) and the gradient of their sum."""
        values = self._zeros()
        sums = GramSums(self._style_layers)
        tiles = self._tiles(canvas)
        trail = tiles.trail(canvas, sums.add)
        derivatives = self._style(sums.grams(), values)

        def add_slopes(layer: str, features: Tensor, rows: slice, gradient: Tensor) -> None:
            self._content(layer, features, rows, values, gradient)
            if layer in derivatives:
                through_gram_(features, derivatives[layer], sums.counts[layer], gradient)

        gradient = tiles.backward(trail, add_slopes)
        return Evaluation(_ordered(values), gradient)

    def _tiles(self, canvas: Tensor) -> Tiles:
        tiling = replace(self.tiling, kept=max(0, self.tiling.kept - self._spared))
        return Tiles(self._network, self._layers, tiling, canvas.shape[3])

    def _zeros(self) -> dict[str, Tensor]:
        """Every loss by its name, to be added to."""
        return {name: torch.zeros((), device=self._network.device) for name in self._names}

    def _content(
        self,
        layer: str,
        features: Tensor,
        rows: slice,
        values: dict[str, Tensor],
        gradient: Tensor | None = None,
    ) -> None:
        """Add the content loss of a layer's rows to `values`, its derivative to the gradient."""
        if layer not in self._content_scales:
            return
        target, scale = self._targets.content[layer], self._content_scales[layer]
        for part in strips(features.shape):
            place = slice(rows.start + part.start, rows.start + part.stop)
            value, slope = content_loss(features[:, :, part], target[place], scale)
            values["content"] = values["content"] + value
            if gradient is not None:
                gradient[:, :, part].add_(slope)

    def _style(self, grams: dict[str, Tensor], values: dict[str, Tensor]) -> dict[str, Tensor]:
        """Add the style losses to `values`; {layer: their derivative by the Gram matrix}."""
        derivatives = {}
        for layer, correlations in grams.items():
            total = torch.zeros_like(correlations)
            for style in self._targets.styles:
                scale = self._style_scales.get((style.name, layer))
                if scale is None:
                    continue
                value, slope = gram_loss(correlations, style.grams[layer], scale)
                values[f"style/{style.name}/{layer}"] = value
                total += slope
            derivatives[layer] = total
        return derivatives


def weighted(layers: Mapping[str, float], weight: float) -> dict[str, float]:
    """{layer: its own weight times that of the loss}, of those where it isn't 0."""
    return {layer: weight * own for layer, own in layers.items() if weight * own > 0}


def content_energy(target: Rows) -> float:
    """Sum of squares, as `energy`, strip by strip."""
    return sum(energy(target[rows]) for rows in target.strips())


def _ordered(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in sorted(values.items())}

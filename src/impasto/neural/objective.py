"""What a canvas is judged by: the targets of one size, and the weighted sum of the named losses."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch
import torch.nn.functional as F
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


FRESH = "fresh"
"""Name of the style loss of an area."""


PULL = 0.3
"""Of an area towards the style. With 1, a face takes the whole painting's colours upon itself."""


@dataclass(frozen=True)
class Area:
    """A part of the canvas that has to be in the style by itself.

    Gram matrices of the whole say nothing about where its style is: a small part can have none.
    """

    share: float
    """Of the canvas, 0 to 1."""
    roots: Mapping[str, Tensor]
    """{layer: (1, 1, h, w)}, square roots of how far each pixel of its map belongs to it."""

    @classmethod
    def of(cls, mask: Tensor, layers: Iterable[str], dtype: torch.dtype) -> Self:
        """From a mask (1, 1, H, W) in [0, 1], for the layers of a style loss."""
        sizes = {layer: 1 << halvings(layer) for layer in layers}
        maps = {layer: F.avg_pool2d(mask, size) for layer, size in sizes.items()}
        roots = {layer: found.sqrt().to(dtype) for layer, found in maps.items()}
        return cls(float(mask.mean()), roots)


class GramSums:
    """Gram matrices of a picture's layers, or of an area of it, summed up from its tiles."""

    def __init__(self, layers: Collection[str], area: Area | None = None) -> None:
        self._layers, self._area = layers, area
        self._sums: dict[str, Tensor] = {}
        self.counts: dict[str, float] = {}
        """{layer: pixels of its map}."""

    def add(self, layer: str, features: Tensor, rows: slice) -> None:
        """Take in some rows of a layer's map, if the layer is one of those wanted."""
        if layer in self._layers:
            count: float = features.shape[2] * features.shape[3]
            if self._area is not None:
                roots = self._area.roots[layer][:, :, rows]
                features, count = features * roots, float(roots.float().square().sum())
            found = products(features)
            self._sums[layer] = self._sums[layer].add_(found) if layer in self._sums else found
            self.counts[layer] = self.counts.get(layer, 0) + count

    def grams(self) -> dict[str, Tensor]:
        """{layer: (C, C)}."""
        return {layer: total / max(self.counts[layer], 1) for layer, total in self._sums.items()}

    def add_slope(
        self, layer: str, features: Tensor, rows: slice, derivative: Tensor, gradient: Tensor
    ) -> None:
        """Add the derivative by some rows of a layer's map, given that by its Gram matrix."""
        if self._area is not None:
            features = features * self._area.roots[layer][:, :, rows].square()
        through_gram_(features, derivative, max(self.counts[layer], 1), gradient)


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
        self,
        network: VGG19,
        targets: Targets,
        settings: PaintSettings,
        tiling: Tiling,
        fresh: Tensor | None = None,
    ) -> None:
        """`fresh`: mask (1, 1, H, W) of an area that has to be in the style by itself."""
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
        self._fresh: Area | None = None
        if fresh is not None and self._style_layers:
            self._fresh = Area.of(fresh, self._style_layers, network.dtype)

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
        areas = [GramSums(self._style_layers)]
        if self._fresh is not None:
            areas.append(GramSums(self._style_layers, self._fresh))
        tiles = self._tiles(canvas)

        def visit(layer: str, features: Tensor, rows: slice) -> None:
            for sums in areas:
                sums.add(layer, features, rows)

        trail = tiles.trail(canvas, visit)
        derivatives = [self._style(areas[0].grams(), values)]
        if self._fresh is not None:
            derivatives.append(self._style_of_area(areas[1].grams(), self._fresh.share, values))

        def add_slopes(layer: str, features: Tensor, rows: slice, gradient: Tensor) -> None:
            self._content(layer, features, rows, values, gradient)
            for sums, slopes in zip(areas, derivatives, strict=True):
                if layer in slopes:
                    sums.add_slope(layer, features, rows, slopes[layer], gradient)

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

    def _style_of_area(
        self, grams: dict[str, Tensor], share: float, values: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Add its style loss to `values`, by the part that the area is of the canvas.

        With a pull of 1 its pixels would be drawn as hard as those of a canvas that is all fresh.
        """
        found: dict[str, Tensor] = {}
        derivatives, share = self._style(grams, found), PULL * share
        values[FRESH] = share * torch.stack(list(found.values())).sum()
        return {layer: share * slope for layer, slope in derivatives.items()}


def weighted(layers: Mapping[str, float], weight: float) -> dict[str, float]:
    """{layer: its own weight times that of the loss}, of those where it isn't 0."""
    return {layer: weight * own for layer, own in layers.items() if weight * own > 0}


def content_energy(target: Rows) -> float:
    """Sum of squares, as `energy`, strip by strip."""
    return sum(energy(target[rows]) for rows in target.strips())


def _ordered(values: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value) for name, value in sorted(values.items())}

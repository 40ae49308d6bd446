"""How far pictures are from what a photo and styles ask for, layer by layer, by one measure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.image.resize import resize
from impasto.neural.device import choose_device
from impasto.neural.losses import content_loss, energy, gram_loss
from impasto.neural.objective import GramSums, content_energy
from impasto.neural.paint import require_layers, size_of
from impasto.neural.plan import Work, plan_for
from impasto.neural.pyramid import Size
from impasto.neural.rows import strips
from impasto.neural.shared import Shared
from impasto.neural.sources import RGB, Inputs, Sources
from impasto.neural.tiles import Tiles, Tiling
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, PaintSettings


@dataclass(frozen=True)
class Distances:
    """Of one picture, without weights: 0 is identical, 1 is as far away as maps of 0."""

    content: Mapping[str, float]
    """{layer: |F - F_c|² / |F_c|²}."""
    styles: Mapping[str, Mapping[str, float]]
    """{style: {layer: |G - A|² / |A|²}}."""

    def losses(self, settings: PaintSettings, betas: Mapping[str, float]) -> dict[str, float]:
        """The same with their weights, named as a painting's losses, and `total`."""
        losses = {
            "content": settings.alpha
            * sum(settings.content_layers[layer] * far for layer, far in self.content.items())
        }
        for style, distances in self.styles.items():
            for layer, far in distances.items():
                weight = betas[style] * settings.style_layers[layer]
                losses[f"style/{style}/{layer}"] = weight * far
        return {**losses, "total": sum(losses.values())}


class Judge:
    """Judges pictures as the chain judges its result: float32, at one size, zero-padded.

    Needs no more memory than a painting with one step, of which it makes the plan.
    """

    def __init__(
        self, inputs: Inputs, settings: PaintSettings, weights: Weights, size: Size
    ) -> None:
        """`size`: that every picture is judged at, px. Raises NotEnoughMemory."""
        require_layers(weights, settings)
        device = choose_device(settings.device)
        once = settings.updated({"levels": 1, "steps": 1, "optimizer": "adam"})
        styles = [size_of(style.rgb) for style in inputs.styles]
        plan = plan_for(Work(size, styles, once, torch.float32, device))
        self._size, self._device = size, device
        self._tiling = Tiling(folder=plan.levels[-1].folder)
        self._style_layers = settings.style_layers
        self._layers = {*settings.content_layers, *settings.style_layers}
        self._network = Shared().network(weights, torch.float32, device, settings.pooling)
        alike = settings.updated(
            {
                "alpha": 1,
                "content_layers": dict.fromkeys(settings.content_layers, 1),
                "style_layers": dict.fromkeys(settings.style_layers, 1),
            }
        )
        asked = replace(inputs, styles=[replace(style, beta=1.0) for style in inputs.styles])
        sources = Sources(asked, alike, size, device, Shared())
        self._targets = sources.targets(self._network, size, self._tiling)
        self._energies = {k: content_energy(maps) for k, maps in self._targets.content.items()}

    def distances(self, rgb: RGB) -> Distances:
        """Of a picture (H, W, 3), resized where it has another size."""
        image = torch.from_numpy(resize(rgb, *self._size)).permute(2, 0, 1)[None].to(self._device)
        sums, content = GramSums(self._style_layers), dict.fromkeys(self._energies, 0.0)

        def visit(layer: str, features: Tensor, rows: slice) -> None:
            sums.add(layer, features, rows)
            if layer in content:
                content[layer] += self._from_content(layer, features, rows)

        Tiles(self._network, self._layers, self._tiling, self._size[0]).forward(image, visit)
        grams = sums.grams()
        styles = {
            style.name: {
                layer: float(gram_loss(grams[layer], target, 1 / energy(target))[0])
                for layer, target in style.grams.items()
            }
            for style in self._targets.styles
        }
        return Distances({layer: content[layer] for layer in LAYERS if layer in content}, styles)

    def _from_content(self, layer: str, features: Tensor, rows: slice) -> float:
        """What some rows of a layer's map add to its distance."""
        target, scale, found = self._targets.content[layer], 1 / self._energies[layer], 0.0
        for part in strips(features.shape):
            place = slice(rows.start + part.start, rows.start + part.stop)
            found += float(content_loss(features[:, :, part], target[place], scale)[0])
        return found

"""What the network sees in a picture: its feature maps, how active each is, its Gram matrices."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import NotEnoughMemory
from impasto.neural.architecture import BYTES, halvings
from impasto.neural.budget import default_budget, resident_memory
from impasto.neural.losses import energy, gram_loss
from impasto.neural.objective import GramSums
from impasto.neural.tiles import Tiles, Tiling
from impasto.neural.vgg import VGG19

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """Maps of a layer after their ReLU, and how active all of its maps are."""

    layer: str
    channels: tuple[int, ...]
    """Of the maps that are kept, counted from 0."""
    values: Floats
    """(N, H, W), the kept ones, from 0 up."""
    means: Floats
    """(C,), of every map of the layer over the whole picture."""
    peaks: Floats
    """(C,), the greatest value of each."""

    @property
    def silent(self) -> tuple[int, ...]:
        """The maps that are 0 everywhere."""
        return tuple(int(channel) for channel in np.flatnonzero(self.peaks == 0))

    def most_active(self, count: int) -> tuple[int, ...]:
        """The maps with the highest means, highest first; of equal ones the first."""
        return tuple(int(channel) for channel in np.argsort(-self.means, kind="stable")[:count])


def feature_maps(
    network: VGG19, image: Tensor, wanted: Mapping[str, Sequence[int]]
) -> dict[str, FeatureMaps]:
    """Pass an image (1, 3, H, W) once; `wanted` are {layer: the maps to be kept of it}.

    Only these are held whole. Raises NotEnoughMemory before any work where they do not fit.
    """
    require_room(wanted, image.shape[3], image.shape[2])
    collected = {layer: _Collected(layer, maps, image) for layer, maps in wanted.items()}

    def visit(layer: str, features: Tensor, rows: slice) -> None:
        collected[layer].add(features, rows)

    Tiles(network, wanted, Tiling(), image.shape[3]).forward(image, visit)
    return {layer: found.done() for layer, found in collected.items()}


def require_room(wanted: Mapping[str, Sequence[int]], width: int, height: int) -> None:
    """Refuse maps that would not fit into the system's memory, whatever device makes them."""
    system = torch.device("cpu")
    needed = sum(
        BYTES * len(maps) * (width >> halvings(layer)) * (height >> halvings(layer))
        for layer, maps in wanted.items()
    )
    room = default_budget(system) - resident_memory(system)
    if needed > room:
        raise NotEnoughMemory(
            f"the maps of {width}×{height} px take {needed / 1e9:.1f} GB, and {room / 1e9:.1f} GB "
            "are free; choose a smaller --size, or fewer maps with --top"
        )


class _Collected:
    """A layer's maps, put together from those of tiles."""

    def __init__(self, layer: str, maps: Sequence[int], image: Tensor) -> None:
        self._layer, self._channels = layer, list(maps)
        halved = halvings(layer)
        height, width = image.shape[2] >> halved, image.shape[3] >> halved
        self._pixels = height * width
        self._values = np.empty((len(maps), height, width), np.float32)
        self._sums, self._peaks = torch.zeros(1, dtype=torch.float64), torch.zeros(1)
        """(C,) from the first rows on."""

    def add(self, features: Tensor, rows: slice) -> None:
        """Take in some rows (1, C, h, W)."""
        found = features[0].float().cpu()
        self._sums = self._sums + found.sum(dim=(1, 2)).double()
        self._peaks = torch.maximum(self._peaks, found.amax(dim=(1, 2)))
        self._values[:, rows] = found[self._channels].numpy()

    def done(self) -> FeatureMaps:
        """All of them."""
        means = (self._sums / self._pixels).float().numpy()
        channels = tuple(self._channels)
        return FeatureMaps(self._layer, channels, self._values, means, self._peaks.numpy())


def gram_matrices(network: VGG19, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    """{layer: (C, C)} of an image (1, 3, H, W), as the style loss has them."""
    sums = GramSums(layers)
    Tiles(network, layers, Tiling(), image.shape[3]).forward(image, sums.add)
    return sums.grams()


def gram_distance(correlations: Tensor, target: Tensor) -> float:
    """`|G - A|^2 / |A|^2`: the style loss of a layer without its weights."""
    return float(gram_loss(correlations, target, 1 / energy(target))[0])

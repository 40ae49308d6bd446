"""The Python functions that show what the network sees: feature maps, filters, Gram matrices."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.events import Event, Stage
from impasto.image.animation import check_animation, write_animation
from impasto.image.picture import Picture, Source
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.image.srgb import to_bits
from impasto.neural.architecture import CHANNELS, halvings
from impasto.neural.device import choose_device
from impasto.neural.edges import EdgeResponses, responses_to_edges
from impasto.neural.paint import require_layers
from impasto.neural.probe import FeatureMaps, feature_maps, gram_distance, gram_matrices
from impasto.neural.pyramid import style_size
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights, load_weights
from impasto.settings import LAYERS, STYLE_LAYERS, PaintSettings, Pooling
from impasto.sizes import Size, fitted
from impasto.studio.drawn import Page
from impasto.studio.feature_sheet import Seen, chosen, feature_page, filter_page, walk_pages
from impasto.studio.gram_sheet import gram_page
from impasto.studio.heat import RGB
from impasto.studio.seeing_settings import SEEN_SIZE, FeatureSettings, GramSettings
from impasto.studio.theme import Paper

WALK_MAPS = 12
"""Most active maps of each layer that the walk through all of them shows."""

FRAME_SECONDS, LAST_SECONDS = 1.5, 3.0
"""How long the walk shows a layer, and its last one."""

Show = Callable[[Event], None]


@dataclass(frozen=True, eq=False)
class Features(Page):
    """Feature maps of a photo."""

    photo: Seen
    maps: FeatureMaps
    settings: FeatureSettings

    def page(self, paper: Paper = Paper.LIGHT) -> RGB:
        """The kept maps, with the photo beside."""
        return feature_page(self.photo, self.maps, chosen(self.maps, self.settings.top), paper)

    def summary(self) -> str:
        """Which maps these are, for people."""
        silent = len(self.maps.silent)
        said = f"{self.maps.layer}, {chosen(self.maps, self.settings.top)}"
        return f"{said}; {silent} silent in all" if silent else said

    def facts(self) -> dict[str, object]:
        """How active each kept map is, for programs."""
        height, width = self.maps.values.shape[1:]
        return {
            "layer": self.maps.layer,
            "photo_size": self.photo.size,
            "map_size": (width, height),
            "channels": len(self.maps.means),
            "silent": len(self.maps.silent),
            "maps": [
                {
                    "map": channel,
                    "mean": round(float(self.maps.means[channel]), 4),
                    "max": round(float(self.maps.peaks[channel]), 4),
                }
                for channel in self.maps.channels
            ],
        }


@dataclass(frozen=True, eq=False)
class Filters(Page):
    """The filters of the first layer."""

    values: NDArray[np.float32]
    """(64, 3, 3, 3): output, input (RGB), rows, columns; for an image in [0, 1]."""

    def page(self, paper: Paper = Paper.LIGHT) -> RGB:
        """Each as a square of 3 × 3 colours, grey where it is 0."""
        return filter_page(self.values, paper)


@dataclass(frozen=True, eq=False)
class Grams(Page):
    """Gram matrices of a style, and of a photo or an artwork beside it."""

    pictures: Sequence[Seen]
    """The style, and then what is compared with it."""
    matrices: Sequence[Mapping[str, NDArray[np.float32]]]
    """Of each picture: {layer: (C, C)}."""
    distances: Mapping[str, float]
    """{layer: |G - A|² / |A|²}, G of the photo and A of the style; empty without a photo."""

    def page(self, paper: Paper = Paper.LIGHT) -> RGB:
        """A row for each picture."""
        return gram_page(self.pictures, self.matrices, self.distances, paper)

    def facts(self) -> dict[str, object]:
        """The distances, for programs."""
        names = ("style", "photo")
        sizes = {name: seen.size for name, seen in zip(names, self.pictures, strict=False)}
        return {"sizes": sizes, "distances": dict(self.distances)}


def features(
    photo: Source,
    layer: str = LAYERS[0],
    *,
    weights: str | Path | None = None,
    show: Show | None = None,
    **settings: Any,
) -> Features:
    """The feature maps that VGG-19 makes of a photo at one layer.

    photo: as in `paint`. settings: the fields of `FeatureSettings`: `maps`, `top`, `size`.
    weights: a file with VGG-19's weights. show: takes every event, for progress.

    >>> seen = impasto.features("photo.jpg", "relu3_1", top=16)
    >>> seen.maps.values, seen.save("maps.png")

    Raises the errors of `impasto.errors`.
    """
    asked = FeatureSettings.checked({"layer": layer, **settings})
    tell = show or (lambda _: None)
    tell(Stage("reading", 0.0))
    seen, network = _fitted(read(photo), asked), _network(weights, [asked.layer])
    tell(Stage("looking", 0.3))
    image = _tensor(seen.rgb, network)
    kept = asked.maps or tuple(range(CHANNELS[halvings(asked.layer)]))
    if asked.top is not None:
        kept = feature_maps(network, image, {asked.layer: ()})[asked.layer].most_active(asked.top)
    found = feature_maps(network, image, {asked.layer: kept})[asked.layer]
    return Features(seen, found, asked)


def walk_layers(
    photo: Source,
    output: str | Path,
    *,
    top: int = WALK_MAPS,
    size: Size = SEEN_SIZE,
    paper: Paper | str = Paper.LIGHT,
    weights: str | Path | None = None,
    force: bool = False,
    show: Show | None = None,
) -> int:
    """Write a GIF, WebP or MP4 that goes through all layers, each with its `top` most active maps.

    paper: light or dark. force: replace the output if it exists. Other arguments as in `features`.
    Returns the number of bytes.

    >>> impasto.walk_layers("photo.jpg", "depth.gif")

    Raises the errors of `impasto.errors`.
    """
    paper, asked = Paper(paper), FeatureSettings.checked({"top": top, "size": size})
    check_animation(output, [photo] if isinstance(photo, str | Path) else [], force=force)
    tell = show or (lambda _: None)
    tell(Stage("reading", 0.0))
    loaded = load_weights(Path(weights) if weights is not None else None)
    seen, network = _fitted(read(photo), asked), _network_of(loaded, loaded.layers)
    image = _tensor(seen.rgb, network)
    tell(Stage("finding the most active maps", 0.2))
    active = feature_maps(network, image, dict.fromkeys(loaded.layers, ()))
    kept = {layer: found.most_active(asked.top or top) for layer, found in active.items()}
    tell(Stage("looking", 0.4))
    pages = walk_pages(seen, feature_maps(network, image, kept), paper)
    tell(Stage("writing", 0.7))
    seconds = [FRAME_SECONDS] * (len(pages) - 1) + [LAST_SECONDS]
    return write_animation([to_bits(page, 8).astype(np.uint8) for page in pages], output, seconds)


def first_filters(weights: str | Path | None = None) -> Filters:
    """The filters of VGG-19's first layer.

    >>> impasto.first_filters().save("filters.png")
    """
    loaded = load_weights(Path(weights) if weights is not None else None)
    return Filters(loaded.layers[LAYERS[0]][0].numpy())


def edge_responses(weights: str | Path | None = None) -> EdgeResponses:
    """How much each map of the first layer answers to edges, by their bright side.

    >>> impasto.edge_responses().strongest("left-bright", 3)
    """
    return responses_to_edges(_network(weights, LAYERS[:1]))


def gram(
    style: Source,
    photo: Source | None = None,
    *,
    weights: str | Path | None = None,
    show: Show | None = None,
    **settings: Any,
) -> Grams:
    """The Gram matrices of a style, and how far those of a photo or an artwork are from them.

    style, photo: as in `paint`. Both are resized as paintings do it, so that the distances are the
    style losses without their weights. settings: the fields of `GramSettings`: `size`,
    `style_scale`, `pooling`. weights: a file with VGG-19's weights. show: takes every event, for
    progress.

    >>> impasto.gram("starry.jpg", "art.png", size="full").distances
    """
    asked = GramSettings.checked(settings)
    tell = show or (lambda _: None)
    tell(Stage("reading", 0.0))
    painting = PaintSettings(size=asked.size, style_scale=asked.style_scale)
    pictures = [read(source) for source in (style, photo) if source is not None]
    canvas = fitted(*pictures[-1].size, asked.size)
    sizes = [style_size(pictures[0].size, canvas, painting), canvas][: len(pictures)]
    network = _network(weights, STYLE_LAYERS, asked.pooling)
    seen, grams = [], []
    for number, (picture, size) in enumerate(zip(pictures, sizes, strict=True)):
        tell(Stage("looking", 0.2 + 0.4 * number))
        seen.append(Seen(resize(picture.rgb, *size), picture.name))
        grams.append(gram_matrices(network, _tensor(seen[-1].rgb, network), STYLE_LAYERS))
    distances = {
        layer: gram_distance(grams[1][layer], target)
        for layer, target in (grams[0].items() if len(grams) > 1 else ())
    }
    arrays = [{layer: found.cpu().numpy() for layer, found in each.items()} for each in grams]
    return Grams(seen, arrays, distances)


def _fitted(picture: Picture, settings: FeatureSettings) -> Seen:
    """A photo at the size that it is seen at."""
    return Seen(resize(picture.rgb, *fitted(*picture.size, settings.size)), picture.name)


def _network(weights: str | Path | None, layers: Iterable[str], pooling: Pooling = "max") -> VGG19:
    loaded = load_weights(Path(weights) if weights is not None else None)
    return _network_of(loaded, layers, pooling)


def _network_of(weights: Weights, layers: Iterable[str], pooling: Pooling = "max") -> VGG19:
    """The network in float32; BadWeights where the weights end before one of the layers."""
    require_layers(weights, PaintSettings(content_layers=dict.fromkeys(layers, 1.0)))
    return VGG19(weights, torch.float32, choose_device("auto"), pooling)


def _tensor(rgb: RGB, network: VGG19) -> Tensor:
    """(H, W, 3) -> (1, 3, H, W) on the network's device."""
    return torch.from_numpy(rgb).permute(2, 0, 1)[None].to(network.device)

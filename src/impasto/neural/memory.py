"""How much memory painting takes, worked out from what lies in it at each moment."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from impasto.neural.lbfgs import HISTORY
from impasto.neural.pyramid import Size
from impasto.neural.tiles import Segment, segments, tile_rows
from impasto.neural.vgg import ends_block, halvings
from impasto.neural.weights import SHAPES
from impasto.settings import LAYERS, PaintSettings, Pooling

CANVAS = 3 * 4
"""Bytes a pixel of a picture, float32."""

PAIR = 2 * 3 * 2
"""Bytes a pixel of a change and its response, bfloat16."""

SPECTRUM = 5 * 4
"""Bytes a pixel of one colour's plane, its spectrum, and what the transform takes to make it."""

STATES = {"lbfgs": (4 * CANVAS, 5 * CANVAS + SPECTRUM), "adam": (4 * CANVAS, 7 * CANVAS)}
"""{optimiser: bytes a pixel of its state, pairs apart, while it evaluates and while it moves}."""

FOLLOWED, TEMPORAL = CANVAS + 2 * 4, 4 * CANVAS
"""Bytes a pixel of what a picture is held to, how surely, and how new it is; and of the temporal
loss, its derivative and the gradient that this is added to, while it is taken."""

RESIZED = 4 * CANVAS + 8
"""Bytes a pixel while the start of a level is made."""

GAPS = 1.7
"""How much the C library takes for the maps of a tile, for freed ones leave gaps."""

ROOMY = 60e6
"""Bytes on top of an evaluation in which freed memory stays with the process: pages of 2 MiB that
are but partly in use. It takes 90 to 130 MB more; the rest of them is in `GAPS`."""

PLACES = {"max": 8, "average": 0}
"""{pooling: bytes a window of where its maximum lay}."""

OUTPUTS = {layer: shape[0] for layer, shape in zip(LAYERS, SHAPES, strict=True)}
INPUTS = {layer: shape[1] for layer, shape in zip(LAYERS, SHAPES, strict=True)}


@dataclass(frozen=True)
class Block:
    """Some rows of a segment's input: of a tile with its halo, or all. Sizes are bytes."""

    segment: Segment
    width: int
    rows: int
    item: int
    pooling: Pooling = "max"

    def values(self, channels: int, halved: int) -> float:
        """Of a map in which the input is halved so often."""
        return channels * (self.width >> halved) * (self.rows >> halved)

    def map(self, layer: str) -> float:
        """Of a layer's map."""
        return self.item * self.values(OUTPUTS[layer], self.segment.halvings(layer))

    def pooled(self, layer: str) -> float:
        """Of the pooling behind a layer; 0 where none follows within the segment."""
        last = layer == self.segment.layers[-1]
        if not ends_block(layer) or (last and not self.segment.pooled):
            return 0
        return self.item * self.values(OUTPUTS[layer], self.segment.halvings(layer) + 1)

    @property
    def input(self) -> float:
        """Of the input."""
        return self.item * self.values(INPUTS[self.segment.layers[0]], 0)

    @property
    def maps(self) -> float:
        """Of all maps, as they are kept for the way back."""
        return sum(self.map(layer) + self.pooled(layer) for layer in self.segment.layers)

    def down(self, shown: Sequence[str]) -> float:
        """The peak of a pass that keeps the maps of some layers."""
        kept, before, peak = self.input, 0.0, 0.0
        for layer in self.segment.layers:
            made, pooled = self.map(layer), self.pooled(layer)
            places = pooled * PLACES[self.pooling] / self.item
            peak = max(peak, kept + before + made, kept + made + pooled + places)
            kept += made + pooled if layer in shown else 0
            before = 0 if layer in shown else pooled or made
        return peak

    def up(self) -> float:
        """The peak of the way back, with all maps."""
        last = self.segment.layers[-1]
        held = self.input + self.maps
        gradient = self.pooled(last) or self.map(last)
        peak = held + gradient
        for layer in reversed(self.segment.layers):
            pooled, made = self.pooled(layer), self.map(layer)
            if pooled:
                places = pooled * PLACES[self.pooling] / self.item
                peak = max(peak, held + gradient + made + pooled + places)
                gradient, held = made, held - pooled
            step = self.item * self.values(INPUTS[layer], self.segment.halvings(layer))
            peak = max(peak, held + gradient + step)
            gradient, held = step, held - made
        return peak


class Passes:
    """Bytes that passes of the network over an image take."""

    def __init__(
        self,
        layers: Sequence[str],
        size: Size,
        dtype: torch.dtype,
        device: torch.device,
        pooling: Pooling,
    ) -> None:
        """`layers`: those that are shown, of which the deepest ends the network."""
        width, height = size
        self._shown, self._pixels = layers, width * height
        rows = tile_rows(width, dtype, device)
        self._whole: list[Block] = []
        self._tiles: list[Block] = []
        """The tallest of each segment."""
        self._kept: list[float] = []
        """Of each segment's maps, as its tiles keep them, halos included."""
        for segment in segments(max(layers, key=LAYERS.index)):
            halved = halvings(segment.layers[0])
            across, down = width >> halved, height >> halved
            block = Block(segment, across, down, dtype.itemsize, pooling)
            tiles = [
                replace(block, rows=tile.end - tile.start) for tile in segment.tiles(down, rows)
            ]
            self._whole.append(block)
            self._tiles.append(max(tiles, key=lambda tile: tile.rows))
            self._kept.append(sum(tile.maps for tile in tiles))

    @property
    def count(self) -> int:
        """Segments."""
        return len(self._whole)

    @property
    def between(self) -> list[float]:
        """Of what is kept whole between segments: before each, and behind the last."""
        return [0.0, *(block.input for block in self._whole[1:]), 0.0]

    def shown(self, *, on_disk: bool) -> float:
        """A pass that only shows maps."""
        between = [0.0] * (self.count + 1) if on_disk else self.between
        return max(
            between[i] + between[i + 1] + GAPS * tile.down(self._shown)
            for i, tile in enumerate(self._tiles)
        )

    def evaluation(self, kept: int, *, on_disk: bool) -> float:
        """A pass and the way back, with the gradient that comes of it."""
        between = [0.0] * (self.count + 1) if on_disk else self.between
        first = self.count - kept
        moments = []
        for i, tile in enumerate(self._tiles):
            ahead = sum(between[: i + 2])
            down = tile.down(LAYERS if i >= first else self._shown)
            moments.append(ahead + sum(self._kept[first:i]) + GAPS * down)
            gradient = between[i] if i else CANVAS * self._pixels
            # The maps of a kept tile are counted with its segment's.
            way = tile.up() - (tile.maps if i >= first else 0)
            moments.append(ahead + sum(self._kept[first : i + 1]) + gradient + GAPS * way)
        return max(moments)


@dataclass(frozen=True)
class Level:
    """What decides how much a level takes.

    size: of the canvas. styles: of the style images at this level. steps: evaluations.
    final: targets are float32 whatever the descent runs in, and so are the last losses.
    """

    size: Size
    styles: Sequence[Size]
    steps: int
    final: bool


@dataclass(frozen=True)
class Need:
    """Bytes at a level's peak, on top of what the process holds before it."""

    memory: float
    disk: float


class Model:
    """How much the levels of a painting take."""

    def __init__(
        self,
        settings: PaintSettings,
        dtype: torch.dtype,
        device: torch.device,
        *,
        followed: bool = False,
    ) -> None:
        """`followed`: whether the picture follows others, as frames of a film do."""
        self._settings, self._dtype, self._device = settings, dtype, device
        self._followed = followed
        self._layers = sorted({*settings.content_layers, *settings.style_layers}, key=LAYERS.index)

    @property
    def segments(self) -> int:
        """How many there are whose maps could be kept."""
        return len(segments(self._layers[-1]))

    def tiles(self, level: Level) -> int:
        """Into how many the canvas is divided."""
        width, height = level.size
        rows = tile_rows(width, self._dtype, self._device)
        return len(segments(self._layers[-1])[0].tiles(height, rows))

    def need(self, level: Level, kept: int, *, on_disk: bool, roomy: bool = False) -> Need:
        """Where the maps of so many segments are kept, and all that can be lies on disk or not.

        roomy: where freed memory stays with the process for most of an evaluation.
        """
        pixels, held = math.prod(level.size), self._held(level)
        stay = 0.0 if on_disk else held
        pair = 0 if on_disk or self._settings.optimizer == "adam" else PAIR * pixels
        state, moving = STATES[self._settings.optimizer]
        others = stay + (self._beside(level) if self._followed else 0)
        passes = self._passes(self._layers, level.size, self._dtype)
        evaluation = passes.evaluation(kept, on_disk=on_disk) + (ROOMY if roomy else 0)
        moments = [
            *self._beginning(level, on_disk=on_disk),
            state * pixels + others + evaluation,
            moving * pixels + others + pair,
        ]
        if self._followed:
            moments.append((state + TEMPORAL) * pixels + others)
        if level.final:  # while the last losses are taken, the state could still be saved
            last = self._passes(self._layers, level.size, torch.float32)
            moments.append(state * pixels + others + last.shown(on_disk=on_disk))
        disk = held + PAIR * pixels + 2 * sum(passes.between)
        return Need(max(moments), disk if on_disk else 0.0)

    def _held(self, level: Level) -> float:
        """What lies in memory, or on disk, all the time: the content's target, and pairs."""
        width, height = level.size
        item = self._exact(level).itemsize
        content = sum(
            item * OUTPUTS[layer] * (width >> halvings(layer)) * (height >> halvings(layer))
            for layer in self._settings.content_layers
        )
        pairs = min(HISTORY, level.steps - 1) if self._settings.optimizer == "lbfgs" else 0
        return content + PAIR * width * height * pairs

    def _beside(self, level: Level) -> float:
        """What a picture that follows others is held to, where it is new, and that area's style.

        The area's maps are copies, which are gone before convolutions take as much.
        """
        width, height = level.size
        masks, grams = 0, 0
        for layer in self._settings.style_layers:
            masks += (width >> halvings(layer)) * (height >> halvings(layer))
            grams += 2 * 4 * OUTPUTS[layer] ** 2  # with their derivatives
        return FOLLOWED * width * height + self._dtype.itemsize * masks + grams

    def _beginning(self, level: Level, *, on_disk: bool) -> Iterator[float]:
        """While targets are made, and the canvas to start from; the level before is still there."""
        pixels, exact = math.prod(level.size), self._exact(level)
        state, _ = STATES[self._settings.optimizer]
        stay = 0.0 if on_disk else self._held(level)
        before = (state * pixels + stay) / 4
        yield before + RESIZED * pixels + stay
        asked = [(level.size, self._settings.content_layers)]
        asked += [(size, self._settings.style_layers) for size in level.styles]
        for size, layers in asked:
            passes = self._passes(list(layers), size, exact)
            image = CANVAS * math.prod(size)
            yield (
                before
                + stay
                + image
                + max(RESIZED * math.prod(size) - image, passes.shown(on_disk=on_disk))
            )

    def _exact(self, level: Level) -> torch.dtype:
        """The precision of a level's targets."""
        return torch.float32 if level.final else self._dtype

    def _passes(self, layers: Sequence[str], size: Size, dtype: torch.dtype) -> Passes:
        return Passes(layers, size, dtype, self._device, self._settings.pooling)

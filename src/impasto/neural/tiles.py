"""Exact tiles: feature maps, and the way back to the image, within little memory.

The network is cut after poolings into segments; what lies between two of them is kept whole, which
takes little, and within a segment tiles are passed one after the other. A tile has the image's
whole width, so that its rows lie together in memory, and is passed with so many rows around it, its
halo, that its own rows come out as those of the whole image. On the way back it is passed once
more, where its maps were not kept, and the gradients that tiles send into each other's halos are
summed. Nothing is approximated: values, losses and gradients are the whole image's to rounding.

Halos of a whole network are 70 rows wide, and would be passed twice over; a segment's are 1 to 6.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from impasto.neural.device import return_freed_memory
from impasto.neural.rows import Rows
from impasto.neural.vgg import VGG19, Passed, ends_block
from impasto.settings import LAYERS

ENDS = ("relu2_2", "relu3_4", "relu4_4", "relu5_4")
"""The layers behind whose pooling a segment ends. Behind the first block none does: its output is
as large as all that is kept together."""


@dataclass(frozen=True)
class Segment:
    """Consecutive layers of the network."""

    layers: tuple[str, ...]
    pooled: bool
    """Whether the pooling behind the last layer belongs to them."""

    def halvings(self, layer: str) -> int:
        """How often the segment's input is halved before a layer."""
        before = self.layers[: self.layers.index(layer)]
        return sum(ends_block(name) for name in before)

    @property
    def halved(self) -> int:
        """How often the output is halved."""
        return self.halvings(self.layers[-1]) + self.pooled

    @property
    def step(self) -> int:
        """Rows of the input that the output has one of; tiles begin at its multiples."""
        return 1 << self.halved

    @property
    def reach(self) -> int:
        """How many rows of the input beyond a tile its output depends on.

        Every 3x3 convolution reaches a row further, and every pooling doubles what lies behind it.
        """
        rows = 0
        for name in reversed(self.layers):
            if ends_block(name) and (self.pooled or name != self.layers[-1]):
                rows *= 2
            rows += 1
        return rows

    def tiles(self, height: int, rows: int) -> list["Tile"]:
        """Tiles of about as many rows, alike in height, that cover an input of that height."""
        count = max(1, round(height / rows))
        rows = -(-height // (count * self.step)) * self.step
        return [self._tile(top, min(top + rows, height), height) for top in range(0, height, rows)]

    def _tile(self, top: int, bottom: int, height: int) -> "Tile":
        start = max(0, top - self.reach) // self.step * self.step
        end = min(height, -(-(bottom + self.reach) // self.step) * self.step)
        return Tile(top, bottom, start, end)


@dataclass(frozen=True)
class Tile:
    """Rows `top` to `bottom` of a segment's input; with the halo, `start` to `end`."""

    top: int
    bottom: int
    start: int
    end: int

    @property
    def halo(self) -> slice:
        """The tile's rows with its halo."""
        return slice(self.start, self.end)

    def rows(self, halvings: int) -> slice:
        """Its own rows in a map that has been halved so often."""
        return slice(self.top >> halvings, self.bottom >> halvings)

    def within(self, halvings: int) -> slice:
        """The same rows, in the map of the tile with its halo."""
        start = self.start >> halvings
        return slice((self.top >> halvings) - start, (self.bottom >> halvings) - start)


def segments(deepest: str) -> list[Segment]:
    """The network down to a layer."""
    layers = LAYERS[: LAYERS.index(deepest) + 1]
    cuts = [layers.index(end) + 1 for end in ENDS if end in layers[:-1]]
    bounds = zip([0, *cuts], [*cuts, len(layers)], strict=True)
    return [Segment(layers[a:b], pooled=b < len(layers)) for a, b in bounds]


MOST_REACH = max(-(-part.reach // part.step) * part.step for part in segments(LAYERS[-1]))
"""Rows of a segment's halo, rounded up to its step."""

Visit = Callable[[str, Tensor, slice], None]
"""(layer, own rows of its map, which rows these are)."""

AddTileSlopes = Callable[[str, Tensor, slice, Tensor], None]
"""(layer, own rows of its map, which these are, gradient by them so far): adds in place what the
layer's own losses add."""


@dataclass(frozen=True)
class Trail:
    """What a forward pass leaves for the way back.

    inputs: of each segment, whole. passed: {(segment, tile): its maps} where these are kept.
    """

    inputs: list[Rows] = field(default_factory=list)
    passed: dict[tuple[int, Tile], Passed] = field(default_factory=dict)


@dataclass(frozen=True)
class Tiling:
    """How an image is passed.

    rows: of a tile, in the input of each segment; by default as many as suit the image's width.
    kept: how many segments' maps are kept for the way back, the deepest first, which takes memory
    and saves passing twice. folder: where what lies between segments is kept on disk; in memory
    without one. halved: how often tiles are halved. roomy: whether freed memory goes back
    to the system but once an evaluation, at its turn, and not after every segment. That takes more
    memory, and saves the system from clearing the same pages again and again.
    """

    rows: int | None = None
    kept: int = 0
    folder: Path | None = None
    halved: int = 0
    roomy: bool = False


TILE_PIXELS = {"cpu": 2**18}
"""Of the image, halos included, in bfloat16; half as many in float32. The largest maps of a tile
have 32 MiB then (`keep_freed_memory`). Smaller tiles spend more on their halos, and larger ones are
no faster."""
LARGE_TILE_PIXELS = 2**21

LEAST_ROWS = 64
"""Of a tile, where the image is wide."""


def tile_rows(width: int, dtype: torch.dtype, device: torch.device) -> int:
    """Rows of a tile for an image of that width.

    They depend on nothing else, so that a picture is the same however much memory there is.
    """
    pixels = TILE_PIXELS.get(device.type, LARGE_TILE_PIXELS) * 2 // dtype.itemsize
    return max(LEAST_ROWS, pixels // width - 2 * MOST_REACH)


class Tiles:
    """The network down to the deepest of some layers, tile by tile over images (1, 3, H, W)."""

    def __init__(self, network: VGG19, layers: Collection[str], tiling: Tiling, width: int) -> None:
        """`width`: of the images."""
        self._network, self._layers, self._tiling = network, layers, tiling
        rows = tiling.rows or tile_rows(width, network.dtype, network.device)
        self._rows = max(1, rows >> tiling.halved)
        self._segments = segments(max(layers, key=LAYERS.index))
        self._kept = self._segments[max(0, len(self._segments) - tiling.kept) :]

    @torch.no_grad()
    def forward(self, image: Tensor, visit: Visit) -> None:
        """Show the maps of the layers to `visit`, tile by tile from the shallowest layer down."""
        x = Rows.of(image)
        for index, _ in enumerate(self._segments):
            x = self._down(index, x, visit, None)
            return_freed_memory()

    @torch.no_grad()
    def trail(self, image: Tensor, visit: Visit) -> Trail:
        """The same, with what `backward` needs."""
        trail, x = Trail(), Rows.of(image)
        for index, _ in enumerate(self._segments):
            trail.inputs.append(x)
            x = self._down(index, x, visit, trail)
            self._leave()
        return trail

    @torch.no_grad()
    def backward(self, trail: Trail, add_slopes: AddTileSlopes) -> Tensor:
        """The gradient by the image, (1, 3, H, W) float32 or better; uses up the trail.

        `add_slopes` is called for the own rows of each tile of each layer, which have losses.
        """
        gradient: Rows | None = None
        if self._tiling.roomy:
            return_freed_memory()
        for index in reversed(range(len(self._segments))):
            gradient = self._up(index, trail, add_slopes, gradient)
            self._leave()
        if gradient is None:
            raise ValueError("there is no layer")
        return gradient[:]

    def _leave(self) -> None:
        """A segment is passed; the next one's maps are of other sizes."""
        if not self._tiling.roomy:
            return_freed_memory()

    def _tiles(self, index: int, x: Rows) -> list[Tile]:
        return self._segments[index].tiles(x.shape[2], self._rows)

    def _down(self, index: int, x: Rows, visit: Visit, trail: Trail | None) -> Rows:
        """A segment's output from its input; the input again where it has no further output."""
        segment, output = self._segments[index], x
        for tile in self._tiles(index, x):
            kept = trail is not None and segment in self._kept
            passed = self._pass(index, x, tile, LAYERS if kept else self._layers)
            for layer in self._layers:
                if layer in passed.maps:
                    halvings = segment.halvings(layer)
                    features = passed.maps[layer][:, :, tile.within(halvings)]
                    visit(layer, features, tile.rows(halvings))
            if segment.pooled:
                own = passed.output[:, :, tile.within(segment.halved)]
                if tile.top == 0:
                    output = self._room(own, x.shape[2] >> segment.halved)
                output[tile.rows(segment.halved)] = own
            if trail is not None and kept:
                trail.passed[index, tile] = passed
        return output

    def _up(self, index: int, trail: Trail, add_slopes: AddTileSlopes, after: Rows | None) -> Rows:
        """The gradient by a segment's input, from that by its output."""
        x, filled = trail.inputs.pop(), 0
        gradient = self._room(x[:1], x.shape[2], in_memory=index == 0)
        for tile in self._tiles(index, x):
            passed = trail.passed.pop((index, tile), None) or self._pass(index, x, tile)
            slope = self._back(self._segments[index], tile, passed, add_slopes, after)
            # The rows that the tile before has written too: in its halo, or in this one's.
            both = max(filled - tile.start, 0)
            gradient[tile.start : filled] = gradient[tile.start : filled] + slope[:, :, :both]
            gradient[filled : tile.end] = slope[:, :, both:]
            filled = tile.end
        return gradient

    def _room(self, part: Tensor, height: int, *, in_memory: bool = False) -> Rows:
        """For a map of that height between two segments, of which `part` is some rows."""
        _, channels, _, width = part.shape
        folder = None if in_memory else self._tiling.folder
        return Rows((1, channels, height, width), part.dtype, part.device, folder)

    def _pass(self, index: int, x: Rows, tile: Tile, keep: Collection[str] = LAYERS) -> Passed:
        part, segment = x[tile.halo], self._segments[index]
        if index == 0:
            part = self._network.enter(part)
        return self._network.forward(part, segment.layers, keep, pooled=segment.pooled)

    def _back(
        self,
        segment: Segment,
        tile: Tile,
        passed: Passed,
        add_slopes: AddTileSlopes,
        after: Rows | None,
    ) -> Tensor:
        """The gradient by a tile's input with its halo, of what its own rows contribute."""

        def add(layer: str, features: Tensor, so_far: Tensor) -> None:
            halvings = segment.halvings(layer)
            own = tile.within(halvings)
            add_slopes(layer, features[:, :, own], tile.rows(halvings), so_far[:, :, own])

        gradient: Tensor | None = None
        if after is not None:
            gradient = torch.zeros_like(passed.output)
            gradient[:, :, tile.within(segment.halved)] = after[tile.rows(segment.halved)]
        return self._network.backward(passed, self._layers, add, gradient)

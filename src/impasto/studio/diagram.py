"""VGG-19 as a row of boxes, to scale: as high and deep as a layer's maps, as long as they are many.

Lengths are inches. The boxes are seen in cabinet projection, with their middles on one line, the
optical axis of the network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.extras import extra
from impasto.neural.architecture import Layer
from impasto.quantities import quantity
from impasto.settings import LAYERS
from impasto.studio.figure import BOLD, styled
from impasto.studio.theme import THEMES, Colour, Paper, hexadecimal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, MARGIN = 12.0, 0.5

HIGHEST, DEEPEST = 2.9, 1.35
"""Most that a box is high, and that its depth reaches to the right."""

DEPTH = np.array((0.31, 0.18))
"""Where an inch of depth goes, to the right and up."""

BETWEEN, AFTER, APART = 0.045, 0.28, 0.7
"""From box to box in a block; from where a block's depth ends to the next block; and at least from
block to block, for what stands below them."""

HEADER, NOTES = 1.15, 0.5
"""From the top margin to where names of layers may begin; from there to the highest box."""

HEADS = 1.7
"""From the margin to the first block at least, for the heads of the rows below."""

ABOVE, LINE, ROW = 0.16, 0.17, 0.235
"""From a box up to what is said of it; from line to line there; from row to row below the boxes."""

TITLE, TEXT, LABEL = 17, 9.5, 9
"""Sizes of letters, points."""

LETTER = 0.73 * LABEL / 72
"""Height of a capital in a label."""

FACTS = ("", "width × height", "channels", "receptive field, px", "multiply-adds", "memory")
"""What stands in the rows below the boxes."""

PLAIN = {Paper.LIGHT: (214, 209, 201), Paper.DARK: (98, 96, 93)}
STYLE = {Paper.LIGHT: (226, 130, 22), Paper.DARK: (240, 158, 60)}
CONTENT = {Paper.LIGHT: (46, 112, 178), Paper.DARK: (92, 158, 222)}
"""An orange and a blue that every eye tells apart."""

Point = NDArray[np.float64]


@dataclass(frozen=True)
class Box:
    """A layer's box: the left edge of its front, its length and height, and its depth as drawn."""

    x: float
    length: float
    height: float
    depth: Point

    @property
    def right(self) -> float:
        """The right edge of its front."""
        return self.x + self.length

    @property
    def top(self) -> Point:
        """The middle of its upper face's far edge."""
        return np.array((self.x + self.length / 2 + self.depth[0], self._highest))

    @property
    def bottom(self) -> Point:
        """The middle of its front's lower edge."""
        return np.array((self.x + self.length / 2, -self._highest))

    @property
    def start(self) -> Point:
        """The lower left corner of its front."""
        return np.array((self.x, -self._highest))

    @property
    def _highest(self) -> float:
        return (self.height + float(self.depth[1])) / 2

    def faces(self) -> Iterator[tuple[Point, float]]:
        """The corners of the three faces that are seen, (4, 2), and how much light each gets."""
        along, up = np.array((self.length, 0)), np.array((0, self.height))
        start = self.start
        yield start + np.array((0 * up, along, along + up, up)), 0.0
        yield start + up + np.array((0 * up, along, along + self.depth, self.depth)), 0.35
        yield start + along + np.array((0 * up, self.depth, self.depth + up, up)), -0.15


def diagram(layers: Sequence[Layer], paper: Paper = Paper.LIGHT) -> "Figure":
    """Draw the layers for an image of the first one's size."""
    with extra("plots", "drawing a figure"):
        from matplotlib.figure import Figure

    image, *boxes = _boxes(layers)
    above = max(box.top[1] for box in boxes)
    middle = MARGIN + (len(FACTS) + 1) * ROW + above
    high = middle + above + NOTES + HEADER + MARGIN
    with styled(paper):
        figure = Figure((WIDE, high))
        drawing = _Drawing(figure, paper, middle)
        drawing.header(layers, high - MARGIN)
        drawing.box(image, PLAIN[paper])
        above_image = image.start + np.array((0, image.height + 2 * ABOVE))
        drawing.text(above_image, "image", LABEL, color=drawing.faint)
        for layer, box in zip(layers, boxes, strict=True):
            drawing.layer(layer, box)
        drawing.rows(layers, boxes, -above - 2 * ROW)
    return figure


def _boxes(layers: Sequence[Layer]) -> Iterator[Box]:
    """The image's, and each layer's."""
    width, height = layers[0].width, layers[0].height
    pixel = min(HIGHEST / height, DEEPEST / (DEPTH[0] * width))
    blocks = [list(block) for _, block in groupby(layers, lambda layer: layer.block)]
    depths = [DEPTH * block[0].width * pixel for block in blocks]
    first = MARGIN + max(HEADS, depths[0][0] + AFTER)
    gaps = [max(depth[0] + AFTER, APART) for depth in depths[:-1]]
    gaps += [BETWEEN] * (len(layers) - len(blocks))
    room = WIDE - MARGIN - first - sum(gaps) - depths[-1][0]
    channel = room / sum(layer.channels for layer in layers)
    yield Box(MARGIN, 3 * channel, height * pixel, depths[0])
    x = first
    for block, depth in zip(blocks, depths, strict=True):
        for layer in block:
            yield Box(x, layer.channels * channel, layer.height * pixel, depth)
            x += layer.channels * channel + BETWEEN
        x += max(depth[0] + AFTER, APART) - BETWEEN


class _Drawing:
    """A page on which an inch is an inch; heights are counted from the middle of the boxes."""

    def __init__(self, figure: "Figure", paper: Paper, middle: float) -> None:
        wide, high = figure.get_size_inches()
        self._axes = figure.add_axes((0, 0, 1, 1))
        self._axes.set(xlim=(0, wide), ylim=(-middle, high - middle))
        self._axes.axis("off")
        self._paper, self._middle = paper, middle
        self._theme = THEMES[paper]
        self.faint = hexadecimal(self._theme.faint)

    def text(self, at: Point, text: str, size: float, **how: Any) -> None:
        """Write a line."""
        x, y = at
        self._axes.text(x, y, text, size=size, va="baseline", **how)

    def header(self, layers: Sequence[Layer], top: float) -> None:
        """What the figure shows, and how to read it."""
        y = top - self._middle - TITLE / 72
        width, height = layers[0].width, layers[0].height
        title = f"VGG-19 for an image of {width} × {height} px"
        self.text(np.array((MARGIN, y)), title, TITLE, family=BOLD)
        work = sum(layer.multiply_adds for layer in layers)
        memory = sum(layer.memory for layer in layers)
        reading = (
            "A box is as high and as deep as a layer’s maps, and as long as they are many; all "
            "boxes are to scale. Before each block but the first, a pooling halves both sides."
        )
        costs = (
            f"All layers together take {quantity(work)} multiply-adds; their maps are "
            f"{quantity(memory)}B in float32."
        )
        for line in (reading, costs):
            y -= 1.75 * TEXT / 72
            self.text(np.array((MARGIN, y)), line, TEXT, color=self.faint)

    def layer(self, layer: Layer, box: Box) -> None:
        """A layer's box; with its name and weight if the losses look at it."""
        role = "style" if layer.style else "content" if layer.content else ""
        colour = {"style": STYLE, "content": CONTENT, "": PLAIN}[role][self._paper]
        self.box(box, colour)
        weight = f"{layer.style or layer.content:g}"
        if role == "style":
            self.note(box.top, 1, colour, (f"style {weight}", layer.name))
        elif role == "content":
            self.note(box.bottom, -1, colour, (layer.name, f"content {weight}"))

    def note(self, at: Point, way: int, colour: Colour, lines: Sequence[str]) -> None:
        """Two lines beyond a point of a box, upwards or downwards (-1), with a stroke to it."""
        up, ink = np.array((0, way)), hexadecimal(colour)
        end = at + up * (ABOVE - 0.04)
        self._axes.plot(*zip(at, end, strict=True), color=ink, linewidth=0.8)
        base = at + up * ABOVE - (0, LETTER if way < 0 else 0)
        for number, line in enumerate(lines):
            place = base + number * up * LINE
            how = {"family": BOLD} if line in LAYERS else {"color": ink}
            self.text(place, line, LABEL, ha="center", **how)

    def box(self, box: Box, colour: Colour) -> None:
        """Three faces, lit from above."""
        from matplotlib.patches import Polygon

        for corners, light in box.faces():
            shade = hexadecimal(shaded(colour, light))
            edge = hexadecimal(shaded(colour, -0.45))
            self._axes.add_patch(
                Polygon(corners, facecolor=shade, edgecolor=edge, linewidth=0.4, joinstyle="round")
            )

    def rows(self, layers: Sequence[Layer], boxes: Sequence[Box], y: float) -> None:
        """Below each block, what is to be known of it."""
        for number, head in enumerate(FACTS):
            place = np.array((MARGIN, y - number * ROW))
            self.text(place, head, LABEL, color=self.faint)
        pairs = list(zip(layers, boxes, strict=True))
        for block, members in groupby(pairs, lambda pair: pair[0].block):
            inside = list(members)
            middle = (inside[0][1].x + inside[-1][1].right) / 2
            for number, text in enumerate(summary(block, [layer for layer, _ in inside])):
                place = np.array((middle, y - number * ROW))
                family = {"family": BOLD} if number == 0 else {}
                self.text(place, text, LABEL, ha="center", **family)


def summary(block: int, layers: Sequence[Layer]) -> tuple[str, ...]:
    """What is said of a block: a line each."""
    first, last = layers[0], layers[-1]
    return (
        f"block {block}",
        f"{first.width} × {first.height}",
        f"{len(layers)} × {first.channels}",
        f"{first.receptive_field} to {last.receptive_field}",
        quantity(sum(layer.multiply_adds for layer in layers)),
        f"{quantity(sum(layer.memory for layer in layers))}B",
    )


def shaded(colour: Colour, light: float) -> Colour:
    """A colour nearer to white, or to black where the light is below 0; `light` is -1 to 1."""
    towards = 255 if light > 0 else 0
    red, green, blue = (round(value + abs(light) * (towards - value)) for value in colour)
    return red, green, blue

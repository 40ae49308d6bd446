"""Feature maps and filters on a page, and the walk through all layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from impasto.neural.architecture import CHANNELS, halvings, layers_at
from impasto.neural.probe import FeatureMaps
from impasto.settings import LAYERS
from impasto.studio.heat import RGB, at_size, heat, nothing, rooted
from impasto.studio.sheet import Cell, Sheet, columns_for, draw, grid
from impasto.studio.theme import THEMES, Paper

PAGE, LARGEST, SMALLEST = 2048, 512, 96
"""About how wide all cells are together, and the bounds of one, px."""

ROWS = 2
"""How many rows of cells the photo beside them may be high."""

FILTER = 96
"""Side of a filter, px."""

WALK = 192
"""About the long side of a map in the walk through all layers, px."""


@dataclass(frozen=True, eq=False)
class Seen:
    """The photo as the network saw it."""

    rgb: RGB
    name: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), px."""
        return self.rgb.shape[1], self.rgb.shape[0]

    def cell(self, long_side: int) -> Cell:
        """The photo, halved or doubled to about a long side, with its name and size."""
        width, height = self.size
        picture = at_size(self.rgb, *halved(self.size, long_side))
        return Cell(picture, self.name, f"{width} × {height} px")


def feature_page(photo: Seen, maps: FeatureMaps, choice: str, paper: Paper) -> RGB:
    """A sheet of the kept maps with the photo beside; `choice` says which these are."""
    columns = columns_for(len(maps.channels))
    size = halved(photo.size, min(LARGEST, max(SMALLEST, PAGE // columns)))
    height, width = maps.values.shape[1:]
    reading = [f"{choice}, {width} × {height} px", "colour: √(value / maximum)"]
    if set(maps.silent).intersection(maps.channels):
        reading.append("framed: 0 everywhere")
    return _map_page(photo, maps, size, "; ".join(reading), paper)


def _map_page(
    photo: Seen, maps: FeatureMaps, size: tuple[int, int], subtitle: str, paper: Paper
) -> RGB:
    """The kept maps at a size, and the photo beside, larger where there are more rows."""
    rows = grid(map_cells(maps, size, paper))
    cell = photo.cell(min(LARGEST, max(size) * min(ROWS, len(rows))))
    side = max(cell.picture.shape[:2])
    sheet = Sheet(rows, maps.layer, subtitle, beside=[cell], beside_side=side)
    return draw(sheet, paper, max(size))


def map_cells(maps: FeatureMaps, size: tuple[int, int], paper: Paper) -> list[Cell]:
    """The kept maps at a size, each with its number and its mean over the photo."""
    return [
        Cell(
            nothing(*size, paper)
            if maps.peaks[channel] == 0
            else heat(rooted(at_size(values, *size))),
            str(channel),
            "silent" if maps.peaks[channel] == 0 else f"mean {short(maps.means[channel])}",
        )
        for channel, values in zip(maps.channels, maps.values, strict=True)
    ]


def halved(size: tuple[int, int], wanted: int) -> tuple[int, int]:
    """A size halved or doubled to about a long side, so that maps are drawn in whole pixels."""
    times = 2.0 ** round(np.log2(wanted / max(size)))
    width, height = (max(1, round(side * times)) for side in size)
    return width, height


def short(number: float) -> str:
    """A number from 0 up with two decimals at most: 0.0123 is "0.01", 12.34 "12.3"."""
    if 0 < number < 0.005:
        return "< 0.01"
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f}"


def filter_page(filters: NDArray[np.float32], paper: Paper) -> RGB:
    """The filters of the first layer, (64, 3, 3, 3) by input channel, each in its own colours."""
    cells = []
    for number, weights in enumerate(filters):
        signed = np.moveaxis(weights, 0, 2) / (2 * np.abs(weights).max() or 1) + np.float32(0.5)
        cells.append(Cell(at_size(signed, FILTER, FILTER), str(number)))
    reading = "3 × 3 px, RGB; grey is 0, each up to its own greatest weight"
    return draw(Sheet(grid(cells), f"The {len(cells)} filters of {LAYERS[0]}", reading), paper)


def walk_pages(photo: Seen, found: Mapping[str, FeatureMaps], paper: Paper) -> list[RGB]:
    """A page a layer, shallow to deep, all of one size: its kept maps beside the photo."""
    size = halved(photo.size, WALK)
    pages = []
    for number, layer in enumerate(layers_at(*photo.size), 1):
        if layer.name in found:
            subtitle = (
                f"layer {number} of {len(LAYERS)}: {layer.channels} maps of {layer.width} × "
                f"{layer.height} px; a value sees {layer.receptive_field} px of the photo each way"
            )
            pages.append(_map_page(photo, found[layer.name], size, subtitle, paper))
    return of_one_size(pages, paper)


def of_one_size(pages: Sequence[RGB], paper: Paper) -> list[RGB]:
    """Pages with paper added at the right and at the foot, so that all are as the largest."""
    height, width = np.max([page.shape[:2] for page in pages], axis=0)
    blank = np.tile(np.array(THEMES[paper].paper, np.float32) / np.float32(255), (height, width, 1))
    return [_laid(page, blank.copy()) for page in pages]


def _laid(page: RGB, blank: RGB) -> RGB:
    blank[: page.shape[0], : page.shape[1]] = page
    return blank


def chosen(maps: FeatureMaps, top: int | None) -> str:
    """Which maps are kept, in words."""
    whole, count = CHANNELS[halvings(maps.layer)], len(maps.channels)
    if top is not None:
        return f"the {f'{count} ' * (count > 1)}most active of {whole} maps"
    return f"all {count} maps" if count == whole else f"{count} of {whole} maps"

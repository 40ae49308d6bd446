"""Many pictures on one page, with labels: what sweeps, comparisons and feature maps are shown on.

Everything is measured in the size of the labels, which follows that of the cells; so a sheet of one
cell and one of 64 have the same proportions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from impasto.image.picture import Metadata, Picture
from impasto.image.resize import resize
from impasto.image.write import write
from impasto.settings import OutputSettings
from impasto.studio.theme import THEMES, Colour, Paper
from impasto.studio.typeset import Line, Weight, line, shortened

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

LETTERS, SMALLEST, LARGEST = 1 / 20, 12, 36
"""Size of labels over the side of a cell, and its bounds, px."""

LEADING = 1.45
"""From line to line, in sizes."""

TITLE = 1.75
"""Size of the title, in sizes of a label."""

GAP, MARGIN = 1.25, 2.5
"""Between cells and around all, in sizes of a label."""

NEAR = 0.4
"""Between a picture and what is said of it, in sizes of a label."""

HEAD, BROADEST = 12, 48
"""Most that the heads of rows are wide, and a page for the sake of its title, in sizes."""


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture with what is said below it."""

    picture: RGB
    title: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is on a page.

    rows: of cells, a gap where there is none. beside: what all cells have in common, left of them,
    each at most `beside_side` px wide or high; by default as the cells.
    """

    rows: Sequence[Sequence[Cell | None]]
    title: str = ""
    subtitle: str = ""
    column_heads: Sequence[str] = ()
    row_heads: Sequence[str] = ()
    beside: Sequence[Cell] = field(default=())
    beside_side: int | None = None

    def cells(self) -> list[Cell]:
        """All of them."""
        return [*self.beside, *(cell for row in self.rows for cell in row if cell is not None)]


def grid(cells: Sequence[Cell], columns: int = 0) -> list[list[Cell | None]]:
    """Cells in rows, by default in as many columns as `columns_for` says."""
    columns = columns or columns_for(len(cells))
    padded: list[Cell | None] = [*cells, *[None] * (-len(cells) % columns)]
    return [padded[i : i + columns] for i in range(0, len(padded), columns)]


def columns_for(count: int) -> int:
    """At least as many columns as rows for so many cells, with the fewest places left."""
    least, most = math.isqrt(count - 1) + 1, math.isqrt(2 * count - 1) + 1
    return min(range(least, most + 1), key=lambda columns: -count % columns)


def draw(sheet: Sheet, paper: Paper = Paper.LIGHT, side: int | None = None) -> RGB:
    """Draw a sheet.

    `side`: the most that a picture is wide or high, px; by default that of the largest. Smaller
    pictures are not enlarged.
    """
    return _Layout(sheet, paper, side).drawn()


def save(page: RGB, output: str | Path) -> int:
    """Write a page; the output has been checked before. Returns the number of bytes."""
    return write(Picture(page, None, Metadata(), "sheet", ""), output, OutputSettings(), None)


class _Layout:
    """Where everything is."""

    def __init__(self, sheet: Sheet, paper: Paper, side: int | None) -> None:
        self._sheet, self._theme = sheet, THEMES[paper]
        cells = sheet.cells()
        if not cells:
            raise ValueError("a sheet without a picture")
        self._side = side or max(max(cell.picture.shape[:2]) for cell in cells)
        grid = [cell for row in sheet.rows for cell in row if cell is not None]
        if sheet.beside_side is None:
            self._columns = self._beside = _Columns.of(cells, self._side)
        else:
            self._columns = _Columns.of(grid, self._side)
            self._beside = _Columns.of(sheet.beside, sheet.beside_side)
        self._size = letter_size(self._side)
        titled, noted = (any(getattr(cell, name) for cell in cells) for name in ("title", "note"))
        lines = titled + noted
        self._label = lines * self._em(LEADING) + (self._em(NEAR) if lines else 0)

    def drawn(self) -> RGB:
        """The page."""
        sheet, margin, pitch = self._sheet, self._em(MARGIN), self._columns.wide + self._em(GAP)
        heads = [line(head, self._size, Weight.BOLD).width for head in sheet.row_heads]
        head_width = min(self._em(HEAD), max(heads, default=0))
        left = margin + (self._beside.wide + 2 * self._em(GAP) if sheet.beside else 0)
        grid_left = left + (head_width + self._em(GAP) if heads else 0)
        columns = max(len(row) for row in sheet.rows)
        width = self._broad_enough(grid_left + columns * pitch - self._em(GAP) + margin)
        header = self._header(width)
        top = margin + (header.shape[0] + self._em(GAP) if sheet.title or sheet.subtitle else 0)
        grid_top = top + (self._em(LEADING + NEAR) if sheet.column_heads else 0)

        high, beside_high = self._columns.high, self._beside.high
        highs = [max(map(high, filter(None, row)), default=0) for row in sheet.rows]
        beside = [beside_high(cell) for cell in sheet.beside]
        foot = max(self._below(grid_top, highs)[-1], self._below(grid_top, beside)[-1])
        page = self._blank(foot - self._em(GAP) + margin, width)
        page[margin : margin + header.shape[0], margin : width - margin] = header
        for number, head in enumerate(sheet.column_heads):
            text = shortened(head, self._size, self._columns.wide, Weight.BOLD)
            lay(page, text, grid_left + number * pitch, top, self._theme.ink)
        for cell, y in zip(sheet.beside, self._below(grid_top, beside), strict=False):
            self._draw(page, cell, (margin, y + beside_high(cell)), self._beside)
        places = self._below(grid_top, highs)
        for head, y, tall in zip(sheet.row_heads, places, highs, strict=False):
            text = shortened(head, self._size, head_width, Weight.BOLD)
            lay(page, text, left, y + (tall - self._em(LEADING)) // 2, self._theme.ink)
        for row, y, tall in zip(sheet.rows, places, highs, strict=False):
            for column, found in enumerate(row):
                if found is not None:
                    place = grid_left + column * pitch, y + tall
                    self._draw(page, found, place, self._columns)
        return page

    def _em(self, times: float) -> int:
        """In pixels, what is measured in sizes of a label."""
        return round(times * self._size)

    def _below(self, top: int, highs: Sequence[int]) -> list[int]:
        """Where pictures of these heights begin, one below the other, and the next one would."""
        places = [top]
        for high in highs:
            places.append(places[-1] + high + self._label + self._em(GAP))
        return places

    def _broad_enough(self, width: int) -> int:
        """A page's width with room for its title, up to a limit."""
        title = line(self._sheet.title, self._em(TITLE), Weight.BOLD).width
        subtitle = line(self._sheet.subtitle, self._size).width
        most = max(width, self._em(BROADEST))
        return max(width, min(most, 2 * self._em(MARGIN) + max(title, subtitle)))

    def _header(self, width: int) -> RGB:
        """Title and subtitle, as wide as what is below them."""
        room, sheet = width - 2 * self._em(MARGIN), self._sheet
        title_high = round(self._em(TITLE) * LEADING) if sheet.title else 0
        page = self._blank(title_high + (self._em(LEADING) if sheet.subtitle else 0), room)
        title = shortened(sheet.title, self._em(TITLE), room, Weight.BOLD)
        lay(page, title, 0, 0, self._theme.ink)
        subtitle = shortened(sheet.subtitle, self._size, room)
        lay(page, subtitle, 0, title_high, self._theme.faint)
        return page

    def _blank(self, height: int, width: int) -> RGB:
        return np.broadcast_to(samples(self._theme.paper), (height, width, 3)).copy()

    def _draw(self, page: RGB, cell: Cell, foot: tuple[int, int], columns: "_Columns") -> None:
        """A picture whose lower left corner is there, and what is said below."""
        size = _shrunk(cell.picture, columns.side)
        picture = cell.picture
        if size != (picture.shape[1], picture.shape[0]):
            picture = resize(picture, *size)
        x, y = foot
        page[y - size[1] : y, x : x + size[0]] = picture
        y += self._em(NEAR)
        if cell.title:
            text = shortened(cell.title, self._size, columns.wide)
            lay(page, text, x, y, self._theme.ink)
            y += self._em(LEADING)
        if cell.note:
            text = shortened(cell.note, self._size, columns.wide)
            lay(page, text, x, y, self._theme.faint)


@dataclass(frozen=True)
class _Columns:
    """Columns of pictures that are at most `side` px long, and `wide` px wide."""

    side: int
    wide: int

    @classmethod
    def of(cls, cells: Sequence[Cell], side: int) -> Self:
        """As wide as these."""
        return cls(side, max((_shrunk(cell.picture, side)[0] for cell in cells), default=0))

    def high(self, cell: Cell) -> int:
        """How high a picture is drawn."""
        return _shrunk(cell.picture, self.side)[1]


def _shrunk(picture: RGB, side: int) -> tuple[int, int]:
    """(width, height) of a picture that is at most so long."""
    height, width = picture.shape[:2]
    share = min(1.0, side / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


def letter_size(side: int) -> int:
    """Of labels, px, for cells that are so long."""
    return round(min(LARGEST, max(SMALLEST, LETTERS * side)))


def lay(page: RGB, text: Line, x: int, y: int, colour: Colour) -> None:
    """Lay a line whose top left corner is there on a page."""
    high, wide = text.ink.shape
    y, x = y + text.top, x + text.left
    place = page[y : y + high, x : x + wide]
    cover = text.ink[: place.shape[0], : place.shape[1], None]
    place += cover * (samples(colour) - place)


def samples(colour: Colour) -> NDArray[np.float32]:
    """A colour as a pixel has it, (3,) in [0, 1]."""
    return np.array(colour, np.float32) / np.float32(255)

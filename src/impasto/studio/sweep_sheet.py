"""The sheet of a sweep: its pictures by the values of their settings, with what they came from."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from impasto.image.picture import Picture, over_grey
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.sizes import scaled
from impasto.studio.axes import STYLE, Field
from impasto.studio.sheet import RGB, Cell, Sheet, draw, grid
from impasto.studio.theme import Paper
from impasto.studio.variants import Variant

MOST_PIXELS = 2**25
"""Of all pictures together; where they have more, they are shown smaller than they are."""

LONG, LEAST = 4096, 192
"""Pixels that all columns of a drawn sheet have at most, and that a picture has at least, for the
sake of the words below it."""

ROW = 6
"""Pictures that stand in one row where there is a single axis; more are laid out in several."""


def sheet_of(
    photo: Picture, styles: Sequence[Picture], field: Field, variants: Mapping[str, Variant]
) -> Sheet:
    """Lay out the pictures of a sweep; `variants` are those of its points, by their stems.

    An axis of styles begins with the style pictures themselves, where it is a row or a column.
    """
    side = math.isqrt(MOST_PIXELS // len(variants))
    rows = [[_painted(variants[point.stem], side) for point in row] for row in field.rows]
    high, wide, _ = np.max([cell.picture.shape for row in rows for cell in row], axis=0)
    across, down = field.across, field.down
    one_style = STYLE not in {axis.name for axis in (across, down) if axis is not None}
    beside = [Cell(_within(photo, wide, high), photo.name, "photo")]
    if one_style:
        beside.append(Cell(_within(styles[0], wide, high), styles[0].name, "style"))
    title = f"{photo.name} after {styles[0].name if one_style else f'{len(styles)} styles'}"
    subtitle = " · ".join(field.fixed)
    if across is None or (down is None and len(across.values) > ROW):
        heads = across.heads if across is not None else ["painting"]
        titled = [
            Cell(cell.picture, head, cell.note) for cell, head in zip(rows[0], heads, strict=True)
        ]
        return Sheet(grid(titled), title, subtitle, beside=beside)
    column_heads, row_heads = across.heads, down.heads if down is not None else []
    pictures = [Cell(_within(style, wide, high)) for style in styles]
    if across.name == STYLE:
        rows, row_heads = [pictures, *rows], ["style", *(row_heads or ["painting"])]
    elif down is not None and down.name == STYLE:
        rows = [[style, *row] for style, row in zip(pictures, rows, strict=True)]
        column_heads = ["style", *column_heads]
    return Sheet(rows, title, subtitle, column_heads, row_heads, beside)


def drawn(sheet: Sheet, paper: Paper) -> RGB:
    """The sheet as one picture, of a size that viewers open."""
    columns = max(len(row) for row in sheet.rows)
    side = max(max(cell.picture.shape[:2]) for cell in sheet.cells())
    return draw(sheet, paper, min(side, max(LEAST, LONG // columns)))


def _painted(variant: Variant, side: int) -> Cell:
    """A picture as its file has it, with what it came to."""
    picture = read(variant.file)
    side = max(LEAST, min(side, max(picture.size)))
    return Cell(_within(picture, side, side), note=variant.note)


def _within(picture: Picture, wide: int, high: int) -> RGB:
    """A picture as large as that box takes, its hidden parts grey."""
    rgb = over_grey(picture.rgb, picture.alpha)
    size = scaled(*picture.size, min(wide / rgb.shape[1], high / rgb.shape[0]))
    return rgb if size == picture.size else resize(rgb, *size)

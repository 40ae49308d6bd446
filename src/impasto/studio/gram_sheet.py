"""Gram matrices as heat maps: the style that the losses see."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from impasto.studio.feature_sheet import Seen
from impasto.studio.heat import RGB, at_size, decades, heat
from impasto.studio.sheet import Cell, Sheet, draw
from impasto.studio.theme import Paper

SIDE = 256
"""Of a matrix, px: a power of 2, as the numbers of channels are."""

DECADES = 3
"""How far below a layer's greatest value its colours reach."""

Floats = NDArray[np.float32]


def gram_page(
    pictures: Sequence[Seen],
    grams: Sequence[Mapping[str, Floats]],
    distances: Mapping[str, float],
    paper: Paper,
) -> RGB:
    """A row a picture: itself, and its matrices by layer, (C, C) each.

    The first is the style. Channels are in the order of their strength in it, strongest first, in
    every row, and colours mean the same in all rows of a layer.
    """
    style = grams[0]
    peaks = {layer: max(float(found[layer].max()) for found in grams) for layer in style}
    orders = {layer: np.argsort(-found.diagonal(), kind="stable") for layer, found in style.items()}
    rows: list[list[Cell | None]] = []
    for picture, found in zip(pictures, grams, strict=True):
        row = [picture.cell(SIDE)]
        for layer, values in found.items():
            order = orders[layer]
            note = f"distance {distances[layer]:.3f}" if picture is not pictures[0] else ""
            row.append(Cell(gram_colours(values[np.ix_(order, order)], peaks[layer]), layer, note))
        rows.append([*row])
    sheet = Sheet(
        rows=rows,
        title="Gram matrices",
        subtitle="channels in order of their strength in the style; colour: logarithm of value "
        f"over the layer’s maximum, dark from 1/{10**DECADES} down",
    )
    return draw(sheet, paper, SIDE)


def gram_colours(gram: Floats, peak: float) -> RGB:
    """(C, C), from 0 up -> (256, 256, 3)."""
    return heat(decades(at_size(gram, SIDE, SIDE), peak, DECADES))

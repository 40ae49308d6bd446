"""Which colour of a palette is nearest to another."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from impasto.image.color import Space
from impasto.image.histogram import Codes, colours_of
from impasto.image.metric import METRICS
from impasto.image.srgb import to_unit

FEW = 1000
"""Colours for which starting threads takes longer than they save."""


class Nearest:
    """The nearest colours of one palette, by Euclidean distance in a space.

    The distances come from differences in float64, so a palette's colour is always its own nearest.
    """

    def __init__(self, palette: NDArray[np.uint8], space: Space) -> None:
        """Of distinct colours (K, 3), sRGB."""
        self._coordinates = METRICS[space].of
        self._tree = KDTree(self._coordinates(to_unit(palette)))

    def __call__(self, codes: Codes) -> NDArray[np.uint8]:
        """Find the nearest of each colour, (N,) -> indices (N,)."""
        points = self._coordinates(to_unit(colours_of(codes)))
        indices = self._tree.query(points, workers=1 if len(codes) < FEW else -1)[1]
        return np.asarray(indices, np.uint8)

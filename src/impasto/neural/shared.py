"""What paintings that follow one another have in common, made once: weights, networks, targets."""

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, TypeVar

from torch import Tensor

from impasto.neural.rows import Rows
from impasto.neural.vgg import VGG19
from impasto.neural.weights import load_weights

T = TypeVar("T")

MOST = 256 * 2**20
"""Bytes of targets that suit many paintings: Gram matrices of a style take 2.4 MB a level, maps of
a photo's relu4_2 up to 32 bytes a pixel."""


class Shared:
    """Weights and networks that are made once, and targets within a bound.

    A value that is passed to each painting; what it gives out is shared, so nobody may write to it.
    `weights` is `load_weights`, `network` is `VGG19`, each remembered for as long as this lives.
    Paintings are the same with it and without.
    """

    def __init__(self, most: int = 0) -> None:
        """`most`: bytes of targets that are kept; a painting alone uses each but once."""
        self.weights = cache(load_weights)
        self.network = cache(VGG19)
        self._most = self._allowed = most
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    @property
    def held(self) -> int:
        """Bytes of targets that are kept now."""
        return sum(size for _, size in self._kept.values())

    def once(self, key: Hashable, make: Callable[[], T], size: Callable[[T], int]) -> T:
        """What `make` makes, or made before under this key; `size` tells its bytes."""
        if key in self._kept:
            self._kept.move_to_end(key)
            found: T = self._kept[key][0]
            return found
        value = make()
        self._kept[key] = value, size(value)
        self.shrink(self._allowed)
        return value

    def allow(self, more: int) -> None:
        """Keep only so many bytes more than now, for the painting at hand may take the rest."""
        self._allowed = min(self._most, self.held + more)

    def shrink(self, most: int) -> None:
        """Let go of what was not asked for longest, until no more bytes than these are kept."""
        while self.held > most:
            self._kept.popitem(last=False)


def bytes_of_maps(maps: Mapping[str, Rows | Tensor]) -> int:
    """How much memory feature maps or Gram matrices take."""
    return sum(math.prod(each.shape) * each.dtype.itemsize for each in maps.values())

"""What paintings that follow one another have in common, made once: weights, networks, targets."""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from impasto.neural.rows import Rows
from impasto.neural.target_files import Target, TargetFiles
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights, load_weights

T = TypeVar("T")
V = TypeVar("V", Rows, Tensor)

MOST = 256 * 2**20
"""Bytes of targets that suit many paintings: Gram matrices of a style take 2.4 MB a level, maps of
a photo's relu4_2 up to 32 bytes a pixel."""


class Shared:
    """Weights and networks that are made once, and targets within a bound.

    A value that is passed to each painting; what it gives out is shared, so nobody may write to it.
    `network` is `VGG19`, remembered for as long as this lives. Paintings are the same with it and
    without.
    """

    def __init__(
        self,
        most: int = 0,
        files: TargetFiles | None = None,
        known: Mapping[Path | None, Weights] | None = None,
    ) -> None:
        """`most`: bytes of targets that are kept; a painting alone uses each but once.

        files: where targets are kept beyond that. known: weights that are loaded already.
        """
        self._weights = dict(known or {})
        self.network = cache(VGG19)
        self.made: Counter[str] = Counter()
        """{digest of a picture: how many targets of it were computed}, one a size."""
        self._most = self._allowed = most
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._files = files

    def weights(self, path: Path | None = None) -> Weights:
        """What `load_weights` gives, remembered."""
        if path not in self._weights:
            self._weights[path] = load_weights(path)
        return self._weights[path]

    @property
    def held(self) -> int:
        """Bytes of targets that are kept now."""
        return sum(size for _, size in self._kept.values())

    def targets(self, target: Target, make: Callable[[], dict[str, V]]) -> dict[str, V]:
        """What `make` makes, or what was made before and is in memory or in a file."""
        return self.once(target, lambda: self._loaded(target, make), bytes_of_maps)

    def _loaded(self, target: Target, make: Callable[[], dict[str, V]]) -> dict[str, V]:
        if self._files is None:
            return make()
        found: dict[str, V] | None = self._files.load(target)
        if found is None:
            found = make()
            self._files.keep(target, found, bytes_of_maps(found))
        return found

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

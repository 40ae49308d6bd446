"""Signs for lines, so that neighbours run the same way: one choice for a whole picture.

With a sign for each cell, the sum of s_i s_j w_ij over neighbours is to be large, where w_ij says
how well their vectors agree; that is the ground state of an Ising model. It is approached by greedy
additive edge contraction (Keuper et al., Efficient decomposition of image and mesh graphs by lifted
multicuts, ICCV 2015): the two groups that agree or disagree most are joined first, one of them
turned round if need be, and what they say of a third adds up. So what is clear decides before what
is doubtful, and the seams that no choice avoids, as around a loop with half a turn, come to lie
where the lines are least clear.
"""

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""(H, W, 2): length says how much a vector counts."""

Edge = tuple[int, int, float]
"""Two cells, and their agreement."""

NEIGHBOURS = (0, 1), (1, 0), (1, 1), (1, -1)
"""Rows down and columns to the right; the other four are their opposites."""


def signs_of(vectors: Vectors) -> NDArray[np.float32]:
    """1 or -1 for each vector, (H, W)."""
    height, width = vectors.shape[:2]
    groups = _Groups(height * width)
    for one, other, agreement in _edges(vectors):
        groups.bind(one, other, agreement)
    groups.contract()
    return groups.signs.reshape(height, width)


def _edges(vectors: Vectors) -> Iterator[Edge]:
    """The agreement of each cell with its neighbours, where there is any."""
    height, width = vectors.shape[:2]
    numbers = np.arange(height * width).reshape(height, width)
    for down, right in NEIGHBOURS:
        left, begin = max(0, -right), max(0, right)
        one = np.s_[: height - down, left : width - begin]
        other = np.s_[down:, begin : width - left]
        agreement = (vectors[one] * vectors[other]).sum(axis=-1) / np.hypot(down, right)
        for i, j, weight in zip(
            numbers[one].ravel(), numbers[other].ravel(), agreement.ravel(), strict=True
        ):
            if weight:
                yield int(i), int(j), float(weight)


class _Groups:
    """Cells that have been joined, and how groups agree."""

    def __init__(self, cells: int) -> None:
        self.signs = np.ones(cells, np.float32)
        self._members = [[cell] for cell in range(cells)]
        self._bonds: list[dict[int, float]] = [{} for _ in range(cells)]

    def bind(self, one: int, other: int, agreement: float) -> None:
        """Add to the agreement of two groups."""
        total = self._bonds[one].get(other, 0.0) + agreement
        self._bonds[one][other] = self._bonds[other][one] = total

    def contract(self) -> None:
        """Join groups, the clearest case first, until no two of them touch."""
        queue = [
            (-abs(agreement), one, other)
            for one, bonds in enumerate(self._bonds)
            for other, agreement in bonds.items()
            if one < other
        ]
        heapq.heapify(queue)
        while queue:
            clear, one, other = heapq.heappop(queue)
            # Entries of groups that are gone or have changed since are out of date.
            agreement = self._bonds[one].get(other)
            if agreement is None or -abs(agreement) != clear:
                continue
            if len(self._members[one]) < len(self._members[other]):
                one, other = other, one
            for third in self._join(one, other, 1.0 if agreement >= 0 else -1.0):
                bond = abs(self._bonds[one][third])
                heapq.heappush(queue, (-bond, min(one, third), max(one, third)))

    def _join(self, one: int, other: int, sign: float) -> list[int]:
        """Let a group take another in, turned by a sign; the groups whose bond has changed."""
        self.signs[self._members[other]] *= np.float32(sign)
        self._members[one] += self._members[other]
        bonds, self._bonds[other], self._members[other] = self._bonds[other], {}, []
        del bonds[one], self._bonds[one][other]
        for third, agreement in bonds.items():
            del self._bonds[third][other]
            self.bind(one, third, sign * agreement)
        return list(bonds)

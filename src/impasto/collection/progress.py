"""How far a run is, and how long it will take."""

import time
from collections.abc import Mapping

from impasto.events import ArtworkDone, ArtworkStep


class Progress:
    """Counts artworks by how much work each is; several may be at work at the same time."""

    def __init__(self, work: Mapping[str, float], there: int, artworks: int) -> None:
        """`work`: {name: how much}, in any unit, of this run. there: how many are done before."""
        self._work, self._made, self._artworks = work, there, artworks
        self._shares: dict[str, float] = {}
        self._left_out: set[str] = set()
        self._began = time.monotonic()

    def working(self, name: str, share: float) -> ArtworkStep:
        """So much of an artwork is painted, 0 to 1."""
        self._shares[name] = share
        return self._step(ArtworkStep, name)

    def finished(self, name: str) -> ArtworkStep:
        """An artwork is in its file."""
        self._shares[name] = 1.0
        self._made += 1
        return self._step(ArtworkDone, name)

    def left_out(self, name: str) -> None:
        """An artwork cannot be painted, so that nothing is left to do for it."""
        self._left_out.add(name)

    def _step(self, kind: type[ArtworkStep], name: str) -> ArtworkStep:
        wanted = sum(work for each, work in self._work.items() if each not in self._left_out)
        done = sum(
            share * self._work[each]
            for each, share in self._shares.items()
            if each not in self._left_out
        )
        elapsed = time.monotonic() - self._began
        return kind(
            name=name,
            artworks=self._artworks,
            made=self._made,
            done=done / wanted,
            left=elapsed / done * (wanted - done) if done else None,
        )

"""How far a run is, and how long it will take."""

import time
from collections.abc import Mapping

from impasto.events import ArtworkDone, ArtworkStep


class Progress:
    """Counts artworks by how much work each is; several may be at work at the same time."""

    def __init__(self, work: Mapping[str, float], there: int, artworks: int) -> None:
        """`work`: {name: how much}, in any unit, of this run. there: how many are done before."""
        self._work, self._made, self._artworks = dict(work), there, artworks
        self._shares: dict[str, float] = {}
        self._wanted, self._done = sum(work.values()), 0.0
        self._began = time.monotonic()

    def working(self, name: str, share: float) -> ArtworkStep:
        """So much of an artwork is painted, 0 to 1."""
        self._set(name, share)
        return self._step(ArtworkStep, name)

    def finished(self, name: str) -> ArtworkStep:
        """An artwork is in its file."""
        self._set(name, 1.0)
        self._made += 1
        return self._step(ArtworkDone, name)

    def left_out(self, name: str) -> None:
        """An artwork cannot be painted, so that nothing is left to do for it."""
        self._set(name, 0.0)
        self._wanted -= self._work.pop(name, 0.0)

    def _set(self, name: str, share: float) -> None:
        """Sums are kept up: adding up a million artworks at every step would be all there is."""
        self._done += (share - self._shares.get(name, 0.0)) * self._work.get(name, 0.0)
        self._shares[name] = share

    def _step(self, kind: type[ArtworkStep], name: str) -> ArtworkStep:
        elapsed = time.monotonic() - self._began
        wanted, done = self._wanted, min(self._done, self._wanted)
        return kind(
            name=name,
            artworks=self._artworks,
            made=self._made,
            done=done / wanted if wanted else 1.0,
            left=elapsed / done * (wanted - done) if done > 0 else None,
        )

"""What is done to the frames of a shot: each is made from its photo and from frames before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from impasto.events import Event, Losses
from impasto.motion.place import Place

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

Arrays = Mapping[str, NDArray[Any]]

BEFORE: Sequence[int] = (1,)
"""The reach of effects that look at the frame before alone."""


@dataclass(frozen=True)
class Past:
    """A frame of the same shot that has been made before."""

    photo: RGB
    picture: RGB
    """As it was read back from disk, so that it is the same for a run that was stopped."""
    kept: Arrays
    """What making it left for the frames after it."""


@dataclass(frozen=True)
class NewFrame:
    """A frame that has been made, the last that is yielded of it."""

    picture: RGB
    losses: Losses = field(default_factory=dict)
    steps: int = 0
    kept: Arrays = field(default_factory=dict)
    """Small arrays for the frames after it."""


class Effect(Protocol):
    """Makes frames; a frame depends on nothing but the arguments of `frame`.

    So shots can be made at the same time, and a shot that was stopped can go on at any frame.
    """

    @property
    def reach(self) -> Sequence[int]:
        """How many frames back the frames lie that it looks at, nearest first."""

    def frame(
        self, photo: RGB, past: Mapping[int, Past], moment: float
    ) -> Iterator[Event | NewFrame]:
        """Make a frame from its photo, at its final size.

        past: {how many frames back: that frame}, of those within `reach` that the shot has.
        moment: where in the film, 0 to 1.
        """


class Builder(Protocol):
    """Builds an effect in whatever process makes frames; it can be pickled."""

    @property
    def reach(self) -> Sequence[int]:
        """That of the effect."""

    def __call__(self, place: Place) -> Effect:
        """Build it from files that lie in this place; raises the errors of what they are."""

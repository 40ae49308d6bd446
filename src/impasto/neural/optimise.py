"""Descent inside the colour gamut: every canvas that is evaluated could be saved as it is.

A method evaluates the objective once a step and keeps all it knows in one frozen state, so that a
step happens whole or not at all, and a saved state goes on exactly where it was.
"""

import math
from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from impasto.events import Array
from impasto.neural.metric import inner
from impasto.neural.objective import Evaluation

Arrays = Mapping[str, Array]


class NotFinite(ArithmeticError):
    """An evaluation gave values that are not finite; the optimiser stays where it was."""


class Optimiser(Protocol):
    """A descent on one canvas, one evaluation a step."""

    @property
    def canvas(self) -> Tensor:
        """The canvas to go on with, (1, 3, H, W) in [0, 1]: L-BFGS's best, Adam's last."""

    def step(self) -> dict[str, float]:
        """Evaluate once and move; the named losses of the canvas that was evaluated.

        Raises NotFinite and undoes the move that led there; the next step moves less.
        """

    def curvature(self) -> Tensor | None:
        """What was learnt about the curvature that the next finer level can start from."""

    def arrays(self) -> Arrays:
        """The whole state, for `restore` on an optimiser made alike."""

    def restore(self, arrays: Arrays) -> None:
        """Go on from what `arrays` gave."""


def is_finite(found: Evaluation) -> bool:
    """Whether the total, every value of the gradient, and their squares' sum are finite."""
    return math.isfinite(found.total) and math.isfinite(inner(found.gradient, found.gradient))

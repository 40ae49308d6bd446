"""Adam inside the colour gamut."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from impasto.neural.objective import Objective
from impasto.neural.optimise import Arrays, NotFinite, is_finite
from impasto.neural.state import array_of, tensor_of
from impasto.neural.weights import IMAGENET_STD


@dataclass(frozen=True)
class Moments:
    """All that Adam knows.

    canvas: what it evaluates next; held: what it moved from, whose values were finite.
    first, second: the moments, (1, 3, H, W). steps: how many were taken.
    """

    canvas: Tensor
    held: Tensor
    first: Tensor
    second: Tensor
    steps: int
    failed: bool = False
    """Whether the last evaluation gave values that are not finite."""


class Adam:
    """Adam (Kingma & Ba 2015) in units of the ImageNet standard deviation, as the article uses it.

    A departure from the article: each step ends inside the gamut.
    """

    BETAS = 0.9, 0.999
    EPSILON = 1e-8

    def __init__(self, objective: Objective, start: Tensor, learning_rate: float) -> None:
        self._objective = objective
        self._unit = torch.tensor(IMAGENET_STD, device=start.device).view(1, 3, 1, 1)
        self._rate = learning_rate
        zero = torch.zeros_like(start)
        self._now = Moments(start, start, zero, zero, 0)

    @property
    def canvas(self) -> Tensor:
        """The canvas after the last step, (1, 3, H, W) in [0, 1]; not one that failed."""
        return self._now.held if self._now.failed else self._now.canvas

    def step(self) -> dict[str, float]:
        """Evaluate the canvas, then move it."""
        now = self._now
        found = self._objective.evaluate(now.canvas)
        if not is_finite(found):
            nearer = torch.lerp(now.held, now.canvas, 0.25)
            self._now = replace(now, canvas=nearer, failed=True)
            raise NotFinite
        steps = now.steps + 1
        # All in the gradient's memory: pictures may be large.
        work = found.gradient.mul_(self._unit)
        first = torch.lerp(work, now.first, self.BETAS[0])
        second = torch.lerp(work.square_(), now.second, self.BETAS[1])
        torch.div(second, 1 - self.BETAS[1] ** steps, out=work).sqrt_().add_(self.EPSILON)
        torch.div(first, work, out=work).mul_(self._rate / (1 - self.BETAS[0] ** steps))
        canvas = torch.sub(now.canvas, work.mul_(self._unit), out=work).clamp_(0, 1)
        self._now = Moments(canvas, now.canvas, first, second, steps)
        return found.losses

    def curvature(self) -> None:
        """Adam learns none that outlives its level."""

    def arrays(self) -> Arrays:
        """The state."""
        now = self._now
        state = {
            "canvas": now.canvas,
            "held": now.held,
            "first": now.first,
            "second": now.second,
            "numbers": torch.tensor([now.steps, now.failed]),
        }
        return {name: array_of(values) for name, values in state.items()}

    def restore(self, arrays: Arrays) -> None:
        """Go on from what `arrays` gave."""
        place = self._now.canvas.device
        names = "canvas", "held", "first", "second"
        pictures = {name: tensor_of(arrays[name], place) for name in names}
        steps, failed = tensor_of(arrays["numbers"], place).tolist()
        self._now = Moments(**pictures, steps=steps, failed=bool(failed))

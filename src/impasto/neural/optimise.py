"""Descent inside the colour gamut: every canvas that is evaluated could be saved as it is.

Both methods evaluate the objective once a step and keep all they know in one frozen state, so that
a step happens whole or not at all, and a saved state goes on exactly where it was.
"""

import math
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from impasto.neural.metric import Metric, Pair, inner
from impasto.neural.objective import Evaluation, Objective
from impasto.neural.weights import IMAGENET_STD
from impasto.settings import PaintSettings

HISTORY = 10
"""Pairs that L-BFGS remembers; 20 and 40 reached the same losses on the benchmarks' pairs."""

FIRST_CHANGE = 0.01
"""Root mean square of the first step where nothing is known about the curvature."""

WORSE = 1.02
"""A total that rises by more is not accepted: the step is shortened."""

SHORTER, SHORTEST = 0.4, 0.2
"""How much a step is shortened, and the share of a full one from which it is taken as it is."""

Arrays = dict[str, Tensor]


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


def make_optimiser(
    objective: Objective, start: Tensor, settings: PaintSettings, curvature: Tensor | None = None
) -> Optimiser:
    """The optimiser that the settings name; `curvature` is the coarser level's."""
    if settings.optimizer == "adam":
        return Adam(objective, start, settings.learning_rate)
    return LBFGS(objective, start, curvature)


@dataclass(frozen=True)
class Descent:
    """All that L-BFGS knows.

    canvas, gradient: where it stands, (1, 3, H, W); no gradient before the first evaluation.
    total: the objective there. best, best_total: the lowest so far.
    pairs: the last changes and responses. reach: the share of the full step to try next.
    """

    canvas: Tensor
    best: Tensor
    gradient: Tensor | None = None
    total: float = math.inf
    best_total: float = math.inf
    pairs: tuple[Pair, ...] = ()
    reach: float = 1.0


class LBFGS:
    """Projected limited-memory BFGS (Nocedal 1980; Bertsekas 1982 for the bounds).

    Values at 0 or 1 whose gradient pushes them outwards stay for the step, the others move by the
    two-loop recursion, started from a measured guess of the inverse Hessian (`Metric`), and stop at
    the bounds. A step that makes the total clearly worse is shortened; there is no other line
    search, since an evaluation costs far more than all the rest.
    """

    def __init__(self, objective: Objective, start: Tensor, curvature: Tensor | None) -> None:
        self._objective = objective
        self._metric = Metric(start.shape[2], start.shape[3], start.device)
        self._curvature = curvature
        self._now = Descent(start, start)

    @property
    def canvas(self) -> Tensor:
        """The best canvas so far, (1, 3, H, W) in [0, 1]."""
        return self._now.best

    def step(self) -> dict[str, float]:
        """Evaluate the next canvas; the first step evaluates the start."""
        now = self._now
        trial, free = now.canvas, torch.ones_like(now.canvas, dtype=torch.bool)
        if now.gradient is not None:
            free = ~held_at_bounds(now.canvas, now.gradient)
            move = self._direction(now, now.gradient * free, free)
            trial = (trial + now.reach * move).clamp_(0, 1)
        found = self._objective.evaluate(trial)
        if not is_finite(found):
            self._now = replace(now, pairs=(), reach=now.reach / 4)
            raise NotFinite
        if found.total > WORSE * now.total and now.reach > SHORTEST:
            self._now = replace(now, reach=SHORTER * now.reach)
        else:
            self._now = self._accepted(now, trial, found, free)
        return found.losses

    def _direction(self, now: Descent, gradient: Tensor, free: Tensor) -> Tensor:
        if now.pairs:
            move = -two_loop(gradient, now.pairs, self._metric) * free
            if inner(move, gradient) < 0:
                return move
        if self._curvature is not None and now.reach == 1:
            return -self._metric.apply(self._curvature, gradient) * free
        length = math.sqrt(inner(gradient, gradient) / gradient.numel())
        return gradient * (-FIRST_CHANGE / max(length, 1e-30))

    def _accepted(self, now: Descent, trial: Tensor, found: Evaluation, free: Tensor) -> Descent:
        pairs = now.pairs
        if now.gradient is not None:
            change, response = trial - now.canvas, (found.gradient - now.gradient) * free
            pair = self._metric.pair(change, response)
            pairs = (*pairs, pair)[-HISTORY:] if pair is not None else pairs
        better = found.total < now.best_total
        return Descent(
            canvas=trial,
            best=trial if better else now.best,
            gradient=found.gradient,
            total=found.total,
            best_total=min(found.total, now.best_total),
            pairs=pairs,
        )

    def curvature(self) -> Tensor | None:
        """Bands of the inverse Hessian for a level of twice the sides.

        It has four times the pixels, and each counts for a quarter in losses relative to the whole.
        """
        return 4 * self._metric.guess(self._now.pairs) if self._now.pairs else None

    def arrays(self) -> Arrays:
        """The state; what a pair's energies are follows from its change and response."""
        now = self._now
        numbers = torch.tensor([now.total, now.best_total, now.reach], dtype=torch.float64)
        arrays = {"canvas": now.canvas, "best": now.best, "numbers": numbers}
        if now.gradient is not None:
            arrays["gradient"] = now.gradient
        if self._curvature is not None:
            arrays["curvature"] = self._curvature
        for i, pair in enumerate(now.pairs):
            arrays |= {f"change.{i}": pair.change, f"response.{i}": pair.response}
        return arrays

    def restore(self, arrays: Arrays) -> None:
        """Go on from what `arrays` gave."""
        total, best_total, reach = arrays["numbers"].tolist()
        self._curvature = arrays.get("curvature")
        found: list[Pair | None] = []
        while (change := arrays.get(f"change.{len(found)}")) is not None:
            found.append(self._metric.pair(change, arrays[f"response.{len(found)}"]))
        self._now = Descent(
            arrays["canvas"],
            arrays["best"],
            arrays.get("gradient"),
            total,
            best_total,
            tuple(pair for pair in found if pair is not None),
            reach,
        )


def held_at_bounds(canvas: Tensor, gradient: Tensor) -> Tensor:
    """Where a value at 0 or 1 would leave [0, 1] if it followed the descent."""
    at_zero = (canvas <= 0) & (gradient > 0)
    at_one = (canvas >= 1) & (gradient < 0)
    return at_zero | at_one


def two_loop(gradient: Tensor, pairs: tuple[Pair, ...], metric: Metric) -> Tensor:
    """The inverse Hessian's product with the gradient (Nocedal 1980), (1, 3, H, W)."""
    q = gradient.clone()
    shares = []
    for pair in reversed(pairs):
        share = inner(pair.change, q) / pair.curvature
        q.sub_(pair.response, alpha=share)
        shares.append(share)
    r = metric.apply(metric.guess(pairs), q)
    for pair, share in zip(pairs, reversed(shares), strict=True):
        r.add_(pair.change, alpha=share - inner(pair.response, r) / pair.curvature)
    return r


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
        gradient = found.gradient * self._unit
        steps = now.steps + 1
        first = torch.lerp(gradient, now.first, self.BETAS[0])
        second = torch.lerp(gradient.square(), now.second, self.BETAS[1])
        spread = (second / (1 - self.BETAS[1] ** steps)).sqrt_().add_(self.EPSILON)
        move = first / spread * (self._rate / (1 - self.BETAS[0] ** steps))
        canvas = (now.canvas - move * self._unit).clamp_(0, 1)
        self._now = Moments(canvas, now.canvas, first, second, steps)
        return found.losses

    def curvature(self) -> None:
        """Adam learns none that outlives its level."""

    def arrays(self) -> Arrays:
        """The state."""
        now = self._now
        return {
            "canvas": now.canvas,
            "held": now.held,
            "first": now.first,
            "second": now.second,
            "steps": torch.tensor(now.steps),
            "failed": torch.tensor(now.failed),
        }

    def restore(self, arrays: Arrays) -> None:
        """Go on from what `arrays` gave."""
        self._now = Moments(
            arrays["canvas"],
            arrays["held"],
            arrays["first"],
            arrays["second"],
            int(arrays["steps"]),
            bool(arrays["failed"]),
        )


def is_finite(found: Evaluation) -> bool:
    """Whether the total, every value of the gradient, and their squares' sum are finite."""
    return math.isfinite(found.total) and math.isfinite(inner(found.gradient, found.gradient))

"""L-BFGS inside the colour gamut."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from impasto.neural.metric import Metric, Pair, inner
from impasto.neural.objective import Objective
from impasto.neural.optimise import Arrays, NotFinite, is_finite
from impasto.neural.rows import Rows, strips
from impasto.neural.state import array_of, load_rows, tensor_of

HISTORY = 10
"""Pairs that L-BFGS remembers; 20 and 40 reached the same losses on the benchmarks' pairs."""

FIRST_CHANGE = 0.01
"""Root mean square of the first step where nothing is known about the curvature."""

WORSE = 1.02
"""A total that rises by more is not accepted."""

SHORTER = 0.4
"""How much a step is shortened that was not accepted and taught nothing."""


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
    the bounds. There is no line search, since an evaluation costs far more than all the rest: a
    step that makes the total clearly worse is not taken, but how the gradient responded is
    remembered like that of any other, so the next one, from the same canvas, is a better one.
    """

    def __init__(
        self,
        objective: Objective,
        start: Tensor,
        curvature: Tensor | None,
        folder: Path | None = None,
    ) -> None:
        """`folder`: where pairs lie on disk; in memory without one."""
        self._objective, self._folder = objective, folder
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
        trial = now.canvas
        if now.gradient is not None:
            move = self._direction(now, now.gradient)
            trial = move.mul_(now.reach).add_(now.canvas).clamp_(0, 1)
        found = self._objective.evaluate(trial)
        if not is_finite(found):
            self._now = replace(now, pairs=(), reach=now.reach / 4)
            raise NotFinite
        pairs = self._learned(now, trial, found.gradient)
        if found.total > WORSE * now.total:
            taught = pairs is not now.pairs
            self._now = replace(now, pairs=pairs, reach=1.0 if taught else SHORTER * now.reach)
            return found.losses
        better = found.total < now.best_total
        self._now = Descent(
            canvas=trial,
            best=trial if better else now.best,
            gradient=found.gradient,
            total=found.total,
            best_total=min(found.total, now.best_total),
            pairs=pairs,
        )
        return found.losses

    def _direction(self, now: Descent, gradient: Tensor) -> Tensor:
        """A new tensor; 0 where values stay at a bound."""
        if now.pairs:
            move = two_loop_(held_(gradient.clone(), now.canvas, gradient), now.pairs, self._metric)
            held_(move.neg_(), now.canvas, gradient)
            if inner(move, gradient) < 0:
                return move
        move = held_(gradient.clone(), now.canvas, gradient)
        if self._curvature is not None and now.reach == 1:
            self._metric.apply_(self._curvature, move)
            return held_(move.neg_(), now.canvas, gradient)
        length = math.sqrt(inner(move, move) / move.numel())
        return move.mul_(-FIRST_CHANGE / max(length, 1e-30))

    def _learned(self, now: Descent, trial: Tensor, gradient: Tensor) -> tuple[Pair, ...]:
        """The pairs with that of a step to `trial`, or as they are where it has none to give."""
        if now.gradient is None:
            return now.pairs
        pair = self._pair(now.canvas, now.gradient, trial, gradient)
        return (*now.pairs, pair)[-HISTORY:] if pair is not None else now.pairs

    def _pair(self, canvas: Tensor, gradient: Tensor, trial: Tensor, after: Tensor) -> Pair | None:
        """What a step changed, and how the gradient responded where it was free to move."""
        change, response = self._room(canvas), self._room(canvas)
        for rows in change.strips():
            before, slope = canvas[:, :, rows], gradient[:, :, rows]
            change[rows] = trial[:, :, rows] - before
            free = ~held_at_bounds(before, slope)
            response[rows] = (after[:, :, rows] - slope) * free
        return self._metric.pair(change, response)

    def _room(self, like: Tensor) -> Rows:
        """bfloat16 reached the same losses as float32 on the benchmarks' pairs."""
        _, _, height, width = like.shape
        return Rows((1, 3, height, width), torch.bfloat16, like.device, self._folder)

    def curvature(self) -> Tensor | None:
        """Bands of the inverse Hessian for a level of twice the sides.

        It has four times the pixels, and each counts for a quarter in losses relative to the whole.
        """
        return 4 * self._metric.guess(self._now.pairs) if self._now.pairs else None

    def arrays(self) -> Arrays:
        """The state; what a pair's energies are follows from its change and response."""
        now = self._now
        numbers = torch.tensor([now.total, now.best_total, now.reach], dtype=torch.float64)
        state: dict[str, Tensor | Rows] = {"canvas": now.canvas, "numbers": numbers}
        if now.best is not now.canvas:
            state["best"] = now.best
        if now.gradient is not None:
            state["gradient"] = now.gradient
        if self._curvature is not None:
            state["curvature"] = self._curvature
        for i, pair in enumerate(now.pairs):
            state |= {f"change.{i}": pair.change, f"response.{i}": pair.response}
        return {name: array_of(values) for name, values in state.items()}

    def restore(self, arrays: Arrays) -> None:
        """Go on from what `arrays` gave."""
        place = self._now.canvas.device
        total, best_total, reach = tensor_of(arrays["numbers"], place).tolist()
        if "curvature" in arrays:
            self._curvature = tensor_of(arrays["curvature"], place).to(place)
        canvas = tensor_of(arrays["canvas"], place)
        pairs: list[Pair | None] = []
        while f"change.{len(pairs)}" in arrays:
            change, response = self._room(canvas), self._room(canvas)
            load_rows(arrays[f"change.{len(pairs)}"], change)
            load_rows(arrays[f"response.{len(pairs)}"], response)
            pairs.append(self._metric.pair(change, response))
        self._now = Descent(
            canvas=canvas,
            best=tensor_of(arrays["best"], place) if "best" in arrays else canvas,
            gradient=tensor_of(arrays["gradient"], place) if "gradient" in arrays else None,
            total=total,
            best_total=best_total,
            pairs=tuple(pair for pair in pairs if pair is not None),
            reach=reach,
        )


def held_at_bounds(canvas: Tensor, gradient: Tensor) -> Tensor:
    """Where a value at 0 or 1 would leave [0, 1] if it followed the descent."""
    at_zero = (canvas <= 0) & (gradient > 0)
    at_one = (canvas >= 1) & (gradient < 0)
    return at_zero | at_one


def held_(move: Tensor, canvas: Tensor, gradient: Tensor) -> Tensor:
    """Set a move to 0, in place, where the canvas is held at a bound."""
    for rows in strips(move.shape):
        held = held_at_bounds(canvas[:, :, rows], gradient[:, :, rows])
        move[:, :, rows].masked_fill_(held, 0)
    return move


def two_loop_(q: Tensor, pairs: tuple[Pair, ...], metric: Metric) -> Tensor:
    """Multiply a gradient by the inverse Hessian (Nocedal 1980), (1, 3, H, W), in place."""
    shares = []
    for pair in reversed(pairs):
        share = inner(pair.change, q) / pair.curvature
        add_(q, pair.response, -share)
        shares.append(share)
    metric.apply_(metric.guess(pairs), q)
    for pair, share in zip(pairs, reversed(shares), strict=True):
        add_(q, pair.change, share - inner(pair.response, q) / pair.curvature)
    return q


def add_(picture: Tensor, other: Rows, share: float) -> None:
    """Add a multiple of another picture, in place."""
    for rows in other.strips():
        picture[:, :, rows].add_(other[rows], alpha=share)

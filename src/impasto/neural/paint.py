"""The chain: pictures in, targets, descent level by level, a picture out."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import BadWeights, NotEnoughMemory, ran_out
from impasto.events import Event, LevelDone, Painted, RolledBack, Snapshot, Started, Step
from impasto.neural.adam import Adam
from impasto.neural.device import choose_device, choose_precision, return_freed_memory
from impasto.neural.lbfgs import LBFGS
from impasto.neural.objective import Objective, Targets
from impasto.neural.optimise import NotFinite, Optimiser
from impasto.neural.plan import Plan, Work, plan_for
from impasto.neural.pyramid import Size, enlarged
from impasto.neural.room import Room
from impasto.neural.shared import Shared
from impasto.neural.sources import RGB as RGB
from impasto.neural.sources import Inputs as Inputs
from impasto.neural.sources import Sources
from impasto.neural.sources import StyleImage as StyleImage
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings
from impasto.sizes import fitted

PATIENCE = 5
"""Attempts at a step without finite values after which a run ends with the best picture so far."""


def painting(
    inputs: Inputs,
    settings: PaintSettings,
    weights: Weights,
    resume: Snapshot | None = None,
    shared: Shared | None = None,
    run: "Callable[..., Run] | None" = None,
    beside: int = 0,
) -> Iterator[Event]:
    """Paint; the last event is `Painted`.

    The same on one machine, version and number of threads, whether resumed or not, whatever memory
    there is, and whatever is shared with other paintings. `beside`: bytes that whoever takes the
    events comes to hold meanwhile. `run`: makes that of a picture which follows others. Raises
    NotEnoughMemory before any work where the picture can't fit.
    """
    work, shared = work_of(inputs, settings, beside), shared or Shared()
    work = replace(work, followed=run is not None)
    try:
        plan = planned(work, shared)
        yield from (run or Run)(inputs, work, weights, plan, shared).events(resume)
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        width, height = work.size
        raise NotEnoughMemory(
            f"memory ran out while painting {width}x{height} px; "
            "choose a smaller --size, or end other programs"
        ) from error


def planned(work: Work, shared: Shared) -> Plan:
    """The plan, beside which as much may be shared as it leaves free."""
    try:
        plan = plan_for(work)
    except NotEnoughMemory:
        if not shared.held:
            raise
        shared.shrink(0)
        return_freed_memory()
        plan = plan_for(work)
    shared.allow(plan.budget - plan.memory)
    return plan


def work_of(inputs: Inputs, settings: PaintSettings, beside: int = 0) -> Work:
    """What decides how much memory a painting takes."""
    device = choose_device(settings.device)
    return Work(
        size=fitted(*size_of(inputs.photo), settings.size),
        styles=[size_of(style.rgb) for style in inputs.styles],
        settings=settings,
        dtype=choose_precision(settings.precision, device),
        device=device,
        beside=beside,
    )


def size_of(rgb: RGB) -> Size:
    """(width, height), px."""
    return rgb.shape[1], rgb.shape[0]


@dataclass(frozen=True)
class Done:
    """What a level leaves; `change` is what it did to the start, if a level follows."""

    level: int
    canvas: Tensor
    change: Tensor | None
    curvature: Tensor | None
    targets: Targets
    complete: bool
    """False where it ended for want of finite values."""


class Run:
    """One run of the chain: what holds for all its levels."""

    def __init__(
        self, inputs: Inputs, work: Work, weights: Weights, plan: Plan, shared: Shared
    ) -> None:
        self.settings = work.settings
        require_layers(weights, self.settings)
        self.sizes = tuple(level.size for level in plan.levels)
        self.steps = [level.steps for level in plan.levels]
        pooling = self.settings.pooling
        self.network = shared.network(weights, work.dtype, work.device, pooling)
        # Targets and losses of the final size are float32 whatever the descent runs in.
        self.exact = self.network
        if work.dtype != torch.float32:
            self.exact = shared.network(weights, torch.float32, work.device, pooling)
        self._sources = Sources(inputs, work.settings, self.sizes[-1], work.device, shared)
        self.room = Room(plan, shared)
        self._done: Done | None = None
        """What the last level left, until the next one has taken it up."""

    def events(self, resume: Snapshot | None) -> Iterator[Event]:
        """Level by level; each hands its change of the start, and its curvature, to the next."""
        yield Started(
            size=self.sizes[-1],
            levels=self.sizes,
            steps=sum(self.steps),
            device=str(self.network.device),
            precision=str(self.network.dtype).removeprefix("torch."),
            start=lambda size: to_rgb(self._sources.start(size)),
        )
        for level in range(resume.level if resume is not None else 1, len(self.sizes) + 1):
            return_freed_memory()
            complete = yield from self.level(level, resume)
            if not complete:
                break
        if self._done is None:
            raise ValueError(f"no level {resume.level if resume else 1} to resume at")
        return_freed_memory()
        yield (yield from self.room.within(len(self.sizes), partial(self.finished, self._done)))

    def level(self, number: int, resume: Snapshot | None) -> Generator[Event, None, bool]:
        """One level, from what the level before it left; whether it could take all its steps."""
        targets = yield from self.room.within(number, partial(self.targets, number))
        return_freed_memory()
        objective = self.objective(targets, number)
        optimiser = self.optimiser(objective, number)
        begun = 0
        if resume is not None and resume.level == number:
            optimiser.restore(resume.arrays)
            begun = resume.step
        complete = yield from self.descend(objective, optimiser, number, begun)
        canvas = optimiser.canvas
        yield LevelDone(number, partial(copied, canvas))
        change = canvas - self.start(number) if number < len(self.sizes) else None
        self._done = Done(number, canvas, change, optimiser.curvature(), targets, complete)
        return complete

    def objective(self, targets: Targets, level: int) -> Objective:
        """What the canvas of a level is judged by on its way."""
        return Objective(self.network, targets, self.settings, self.room.tiling(level))

    def enough(self, losses: Mapping[str, float]) -> bool:
        """Whether a level can end before it has had all its steps."""
        return False

    def optimiser(self, objective: Objective, level: int) -> Optimiser:
        """The descent of a level, from the start with what the level before it changed."""
        canvas, curvature = self.start(level), None
        before, self._done = self._done, None
        if before is not None and before.change is not None:
            canvas, curvature = changed(canvas, before.change), before.curvature
        if self.settings.optimizer == "adam":
            return Adam(objective, canvas, self.settings.learning_rate)
        return LBFGS(objective, canvas, curvature, self.room.tiling(level).folder)

    def finished(self, done: Done) -> Painted:
        """The picture at its final size, also where the last level could not be reached."""
        canvas, targets, final = done.canvas, done.targets, len(self.sizes)
        if done.change is not None:
            canvas, targets = changed(self.start(final), done.change), self.targets(final)
        objective = Objective(self.exact, targets, self.settings, self.room.tiling(final))
        losses = objective.losses(canvas)
        return Painted(to_rgb(canvas), losses, done.complete, learned(done))

    def descend(
        self, objective: Objective, optimiser: Optimiser, level: int, begun: int
    ) -> Generator[Event, None, bool]:
        """The level's steps from `begun` on; whether all of them could be taken."""

        def evaluate() -> dict[str, float]:
            objective.tiling = self.room.tiling(level)
            return optimiser.step()

        areas = [width * height for width, height in self.sizes]
        work = [area * steps for area, steps in zip(areas, self.steps, strict=True)]
        for step in range(begun + 1, self.steps[level - 1] + 1):
            losses = yield from self.attempt(evaluate, level, step)
            if losses is None:
                return False
            yield Step(
                level=level,
                step=step,
                taken=sum(self.steps[: level - 1]) + step,
                done=(sum(work[: level - 1]) + areas[level - 1] * step) / sum(work),
                losses=losses,
                picture=partial(copied, optimiser.canvas),
                whole=partial(self.whole, level, optimiser.canvas),
                snapshot=partial(Snapshot, level, step, optimiser.arrays()),
            )
            if self.enough(losses):
                break
        return True

    def attempt(
        self, evaluate: Callable[[], dict[str, float]], level: int, step: int
    ) -> Generator[Event, None, dict[str, float] | None]:
        """Take a step, again and again until its values are finite.

        Its losses, or None if patience ends. A step that is tried again doesn't count twice.
        """
        for failures in range(1, PATIENCE + 1):
            try:
                return (yield from self.room.within(level, evaluate))
            except NotFinite:
                yield RolledBack(level, step, failures)
        return None

    def start(self, level: int) -> Tensor:
        """What the canvas of a level starts from, before the coarser levels' change."""
        return self._sources.start(self.sizes[level - 1])

    def targets(self, level: int) -> Targets:
        """The targets of a level; in float32 at the final size."""
        network = self.exact if level == len(self.sizes) else self.network
        return self._sources.targets(network, self.sizes[level - 1], self.room.tiling(level))

    def whole(self, level: int, canvas: Tensor) -> RGB:
        """A level's canvas as the picture would be if the run ended there, at the final size.

        At the last level it is the canvas itself, for a copy may find no room, and can't be written
        to.
        """
        if level == len(self.sizes):
            rgb = to_rgb(canvas)
            rgb.flags.writeable = False
            return rgb
        change = canvas - self.start(level)
        return to_rgb(changed(self.start(len(self.sizes)), change))


def learned(done: Done) -> NDArray[np.float32] | None:
    """The inverse Hessian by opponent colours and bands of frequency, for pictures of that size."""
    # A level hands it on for twice the sides.
    return None if done.curvature is None else (done.curvature / 4).cpu().numpy()


def require_layers(weights: Weights, settings: PaintSettings) -> None:
    """Raise BadWeights where the settings name a layer that the weights end before."""
    for layer in (*settings.content_layers, *settings.style_layers):
        if layer not in weights.layers:
            raise BadWeights(
                f"the weights {weights.source} have no {layer}: they end at {max(weights.layers)}; "
                "choose other layers, or give complete weights"
            )


def changed(start: Tensor, change: Tensor) -> Tensor:
    """A level's start with the change that a coarser one made to its own."""
    size = start.shape[3], start.shape[2]
    return (start + enlarged(change, size)).clamp_(0, 1)


def to_rgb(canvas: Tensor) -> RGB:
    """(1, 3, H, W) -> (H, W, 3), in the same memory where that is possible."""
    return np.ascontiguousarray(canvas[0].permute(1, 2, 0).cpu().numpy())


def copied(canvas: Tensor) -> RGB:
    """The same in memory of its own, for those who may write to it while the run goes on."""
    return to_rgb(canvas).copy()

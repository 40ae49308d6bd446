"""How long a painting will take on this machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from impasto.neural.memory import Level
from impasto.neural.plan import LevelPlan, Plan, Work
from impasto.neural.speed import measure, operations
from impasto.neural.tiles import segments
from impasto.neural.weights import Weights
from impasto.settings import LAYERS

STARTING = 2.5
"""Seconds to load what is needed, and until the machine is at its pace."""

HALOS = 1.1
"""What tiles compute twice, and what is done beside the convolutions."""

RETURNED = 1.15
"""How much longer evaluations take where freed memory goes back after every segment."""

MOVING = 0.3e-6
"""Seconds a pixel and step, for what the optimiser does between evaluations."""

FILES = 0.3e-6
"""Seconds a pixel to read the photo and write the picture."""


@dataclass(frozen=True)
class Pace:
    """Operations a second of evaluations, in the descent's precision and in float32."""

    own: float
    exact: float

    @classmethod
    def measured(cls, work: Work, weights: Weights, seconds: float) -> "Pace":
        """By trials that take about so long, of pictures no larger than the one to paint."""
        trial = partial(measure, weights, work.device, seconds=seconds / 2, most=work.size)
        own = trial(work.dtype).evaluation
        return cls(own, own if work.dtype == torch.float32 else trial(torch.float32).evaluation)


def all_seconds(work: Work, levels: Sequence[float]) -> float:
    """From the program's start to its end: also what is read, and what is written."""
    files = math.prod(work.size) + sum(map(math.prod, work.styles))
    return STARTING + FILES * files + sum(levels)


def level_seconds(work: Work, plan: Plan, pace: Pace) -> list[float]:
    """Of each level: its targets, all steps, and behind the last one the losses."""
    return [
        _seconds(work, level, planned, pace)
        for level, planned in zip(work.levels(), plan.levels, strict=True)
    ]


def _seconds(work: Work, level: Level, planned: LevelPlan, pace: Pace) -> float:
    settings = work.settings
    content, style = deepest(settings.content_layers), deepest(settings.style_layers)
    shown = [operations(level.size, content) / 2]
    shown += [operations(size, style) / 2 for size in level.styles]
    layers = max(content, style, key=len)
    if level.final:
        shown.append(operations(level.size, layers) / 2)
    parts = segments(layers[-1])
    twice = parts[: len(parts) - planned.kept]
    passed = sum(operations(level.size, part.layers) / 2 for part in twice)
    step = (operations(level.size, layers) + passed) * HALOS / pace.own
    step *= 1 if planned.roomy else RETURNED
    step += MOVING * math.prod(level.size)
    return sum(shown) * HALOS / (pace.exact if level.final else pace.own) + level.steps * step


def deepest(layers: dict[str, float]) -> tuple[str, ...]:
    """The network down to the deepest of some layers."""
    return LAYERS[: max(map(LAYERS.index, layers)) + 1]

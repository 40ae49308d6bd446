"""What a painting will take, decided before any work, so that no job dies of memory."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from impasto.errors import NotEnoughMemory
from impasto.neural.budget import default_budget, free_memory, resident_memory
from impasto.neural.memory import CANVAS, Level, Model, Need
from impasto.neural.pyramid import Size, level_sizes, level_steps, style_size
from impasto.scratch import free_disk, held_in_memory, scratch_folder
from impasto.settings import PaintSettings
from impasto.sizes import MIN_SIDE

LIBRARIES = 214e6
"""Bytes that come on top of all maps: the kernels in the precisions in use, and what convolutions
take for code and copies of their own."""

SLACK = 1.15
"""For what is not counted."""


@dataclass(frozen=True)
class LevelPlan:
    """How one level is painted."""

    size: Size
    steps: int
    tiles: int
    """That the first segment is passed in."""
    kept: int
    """Segments whose maps are kept for the way back."""
    folder: Path | None
    """Where data lie on disk, if they have to."""
    memory: int
    """Bytes that the whole process holds at its peak; on CUDA: its tensors on the card."""
    disk: int
    """Bytes of scratch files."""
    roomy: bool = False
    """Whether freed memory stays with the process for most of an evaluation."""


@dataclass(frozen=True)
class Plan:
    """How a painting is made, and what it takes."""

    levels: tuple[LevelPlan, ...]
    segments: int
    """Of the network, whose maps can be kept."""
    budget: int
    """Bytes of memory that it may take."""

    @property
    def memory(self) -> int:
        """Bytes at the peak of all levels."""
        return max(level.memory for level in self.levels)

    @property
    def disk(self) -> int:
        """Bytes of scratch files at the peak."""
        return max(level.disk for level in self.levels)


@dataclass(frozen=True)
class Work:
    """What decides the memory of a painting; sizes are the picture's and the style images' own."""

    size: Size
    styles: Sequence[Size]
    settings: PaintSettings
    dtype: torch.dtype
    device: torch.device
    unread: bool = False
    """Whether the pictures are still to be read into memory, from files of these sizes."""
    beside: int = 0
    """Bytes of the system's memory that something else comes to hold meanwhile."""
    followed: bool = False
    """Whether the picture follows others, as frames of a film do."""

    def levels(self) -> list[Level]:
        """Coarse to fine."""
        sizes = level_sizes(*self.size, self.settings)
        steps = level_steps(sizes, self.settings)
        return [
            Level(
                size,
                [style_size(style, size, self.settings) for style in self.styles],
                count,
                final=size == sizes[-1],
            )
            for size, count in zip(sizes, steps, strict=True)
        ]


def budget_of(settings: PaintSettings, device: torch.device) -> int:
    """Bytes that a painting may take: what it is told, if so much is free, or a safe share."""
    if settings.memory == "auto":
        return default_budget(device)
    return min(settings.memory, resident_memory(device) + free_memory(device))


def plan_for(work: Work) -> Plan:
    """The fastest way within the budget; raises NotEnoughMemory where there is none.

    How a picture is made within less memory does not change it: what is not kept is made again,
    and what does not lie in memory lies on disk.
    """
    budget = budget_of(work.settings, work.device)
    plan = Planner(work, resident_memory(work.device), scratch()).plan(budget)
    if plan is None:
        raise NotEnoughMemory(refusal(work, budget))
    return plan


def scratch() -> tuple[Path, int] | None:
    """Where data may lie on disk, and how many bytes of them; None where there is no such place."""
    try:
        folder = scratch_folder()
        return None if held_in_memory(folder) else (folder, free_disk(folder))
    except OSError:  # no folder can be written, or it has just gone
        return None


class Planner:
    """Plans of one painting under different budgets."""

    def __init__(self, work: Work, base: int, disk: tuple[Path, int] | None) -> None:
        """`base`: bytes that the process holds before; `disk`: a folder and its free bytes."""
        self._model = Model(work.settings, work.dtype, work.device, followed=work.followed)
        inputs = CANVAS * sum(map(math.prod, (work.size, *work.styles))) if work.unread else 0
        self._levels, self._disk = work.levels(), disk
        others = inputs + work.beside if work.device.type == "cpu" else 0
        self._base = base + LIBRARIES + others
        self._returns = work.device.type == "cpu"  # on others PyTorch keeps what is freed

    def plan(self, budget: float) -> Plan | None:
        """The fastest within the budget."""
        levels = []
        for level in self._levels:
            fitting = (way for way in self._ways(level) if way.memory <= budget)
            found = next(fitting, None)
            if found is None:
                return None
            levels.append(found)
        return Plan(tuple(levels), self._model.segments, int(budget))

    def least(self) -> int:
        """Bytes of memory without which there is no plan."""
        return max(min(way.memory for way in self._ways(level)) for level in self._levels)

    def _ways(self, level: Level) -> Iterator[LevelPlan]:
        """All ways to paint a level, the fastest first."""
        kept = self._model.segments
        if self._returns:
            need = self._model.need(level, kept, on_disk=False, roomy=True)
            yield self._way(level, kept, need, roomy=True)
        for place in (None, self._disk):
            for fewer in range(kept, -1, -1):
                need = self._model.need(level, fewer, on_disk=place is not None)
                if place is None or need.disk <= place[1]:
                    yield self._way(level, fewer, need, place[0] if place is not None else None)
            if self._disk is None:
                return

    def _way(
        self,
        level: Level,
        kept: int,
        need: Need,
        folder: Path | None = None,
        *,
        roomy: bool = False,
    ) -> LevelPlan:
        return LevelPlan(
            level.size,
            level.steps,
            self._model.tiles(level),
            kept,
            folder,
            math.ceil(self._base + SLACK * need.memory),
            math.ceil(need.disk),
            roomy or not self._returns,
        )


def refusal(work: Work, budget: int) -> str:
    """Why there is no plan, and what would make one."""
    base = resident_memory(work.device)
    least = Planner(work, base, scratch()).least()
    width, height = work.size
    remedies = []
    largest = largest_side(work, budget)
    if largest:
        remedies.append(f"choose --size {largest} or less")
    roomy = Planner(work, base, (Path(), sys.maxsize)).plan(budget)
    if roomy is not None:
        disk = f"{roomy.disk / 1e9:.1f} GB of free disk"
        remedies.append(f"set TMPDIR to a folder with {disk}")
    if least <= base + free_memory(work.device):
        remedies.append(f"give it --memory {math.ceil(least / 1e7) / 100:g}GB")
    else:
        remedies.append("end other programs")
    return (
        f"painting {width}x{height} px takes at least {least / 1e9:.2f} GB of memory and "
        f"{budget / 1e9:.2f} GB may be used; {', or '.join(remedies)}"
    )


def largest_side(work: Work, budget: int) -> int:
    """The longest side of a picture of that shape for which there is a plan; 0 for none."""
    base, place = resident_memory(work.device), scratch()
    low, high = 0, max(work.size)
    while low < high:
        side = (low + high + 1) // 2
        share = side / max(work.size)
        styles = [shrunk(style, share) for style in work.styles] if work.unread else work.styles
        smaller = replace(work, size=shrunk(work.size, share), styles=styles)
        if side >= MIN_SIDE and Planner(smaller, base, place).plan(budget) is None:
            high = side - 1
        else:
            low = side
    return low if low >= MIN_SIDE else 0


def shrunk(size: Size, share: float) -> Size:
    """A size times a share, at least VGG-19's minimum, rounded up and a pixel more.

    The photo's exact shape, scaled to the long side that comes of this, may round up where this
    one does not; what is promised to fit has to fit all the same.
    """
    width, height = (max(MIN_SIDE, math.ceil(side * share)) + 1 for side in size)
    return width, height

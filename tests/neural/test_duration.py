"""How long a painting takes: closed forms of what is passed, and how often."""

import math
from itertools import pairwise
from typing import Any

import pytest
import torch

from impasto.neural import duration
from impasto.neural.duration import (
    FILES,
    HALOS,
    MOVING,
    RETURNED,
    STARTING,
    Pace,
    all_seconds,
    level_seconds,
)
from impasto.neural.plan import LevelPlan, Plan, Work
from impasto.neural.pyramid import Size, level_sizes
from impasto.neural.speed import operations
from impasto.neural.tiles import segments
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, PaintSettings

CPU = torch.device("cpu")
PACE = Pace(own=2e9, exact=1e9)
SEGMENTS = 4
STYLE, CONTENT = LAYERS[: LAYERS.index("relu5_1") + 1], LAYERS[: LAYERS.index("relu4_2") + 1]


def work(size: Size, changes: dict[str, Any], dtype: torch.dtype = torch.bfloat16) -> Work:
    return Work(size, [(64, 64)], PaintSettings().updated(changes), dtype, CPU)


def seconds(job: Work, kept: int = SEGMENTS, *, roomy: bool = True) -> list[float]:
    """Of each level, where the maps of so many segments are kept."""
    levels = tuple(
        LevelPlan(level.size, level.steps, 1, kept, None, 0, 0, roomy) for level in job.levels()
    )
    return level_seconds(job, Plan(levels, SEGMENTS, 0), PACE)


def test_steps_count_alike() -> None:
    """What a step takes is its evaluation, and what the optimiser does."""
    one, two, many = (
        seconds(work((512, 384), {"levels": 1, "steps": steps}))[0] for steps in (1, 2, 2000)
    )
    step = operations((512, 384)) * HALOS / 2e9 + MOVING * 512 * 384
    assert two - one == pytest.approx(step)
    assert many - one == pytest.approx(1999 * step)


def test_evaluations_take_longer_where_freed_memory_goes_back() -> None:
    job = work((512, 384), {"levels": 1, "steps": 10})
    more = seconds(job, roomy=False)[0] - seconds(job)[0]
    assert more == pytest.approx(10 * (RETURNED - 1) * operations((512, 384)) * HALOS / 2e9)


def test_targets_and_last_losses_are_passes_in_float32() -> None:
    """The content's and the style's target, and the losses; each is half an evaluation."""
    job = work((512, 384), {"levels": 1, "steps": 1})
    passes = operations((512, 384), CONTENT) + operations((512, 512)) + operations((512, 384))
    step = operations((512, 384)) * HALOS / 2e9 + MOVING * 512 * 384
    assert seconds(job) == [pytest.approx(passes / 2 * HALOS / 1e9 + step)]


def test_coarse_levels_count_by_their_own_size_and_pace() -> None:
    """They make their targets in the descent's precision, and no last losses."""
    job = work((256, 128), {"levels": 2, "steps": 2, "coarse_steps": 4})
    assert level_sizes(256, 128, job.settings) == ((128, 64), (256, 128))
    passes = (operations((128, 64), CONTENT) + operations((128, 128))) / 2
    step = operations((128, 64)) * HALOS / 2e9 + MOVING * 128 * 64
    assert seconds(job)[0] == pytest.approx(passes * HALOS / 2e9 + 4 * step)


@pytest.mark.parametrize("kept", range(SEGMENTS))
def test_segments_that_are_not_kept_are_passed_twice(kept: int) -> None:
    job = work((256, 128), {"levels": 1, "steps": 3})
    parts = segments("relu5_1")
    again = sum(operations((256, 128), part.layers) / 2 for part in parts[: len(parts) - kept])
    difference = seconds(job, kept)[0] - seconds(job)[0]
    assert difference == pytest.approx(3 * again * HALOS / 2e9)


def test_deeper_layers_take_longer() -> None:
    times = [
        sum(seconds(work((64, 64), {"content_layers": layer})))
        for layer in ("relu4_2", "relu5_2", "relu5_4")
    ]
    assert all(shorter < longer for shorter, longer in pairwise(times))


def test_beside_the_levels_files_are_read_and_written() -> None:
    job = work((2000, 1000), {})
    files = FILES * (2_000_000 + math.prod((64, 64)))
    assert all_seconds(job, [3.0, 4.0]) == pytest.approx(STARTING + files + 7)


def test_the_pace_is_measured_in_both_precisions(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = {torch.float32: 3.0, torch.bfloat16: 7.0}

    def measured(
        _: Weights, device: torch.device, dtype: torch.dtype, seconds: float, most: Size
    ) -> Any:
        assert (device, seconds, most) == (CPU, 1, (64, 64))
        return type("", (), {"evaluation": rates[dtype]})

    monkeypatch.setattr(duration, "measure", measured)
    assert Pace.measured(work((64, 64), {}), weights, 2) == Pace(7, 3)
    assert Pace.measured(work((64, 64), {}, torch.float32), weights, 2) == Pace(3, 3)

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.neural.runs import SMALL, TWO_LEVELS, last, steps

from impasto.errors import ExitStatus, NotEnoughMemory
from impasto.events import Event, Notice, Started
from impasto.neural import paint, plan, tiles
from impasto.neural.device import has_bfloat16
from impasto.neural.objective import Evaluation, Objective
from impasto.neural.paint import Inputs, painting
from impasto.neural.room import MOST_HALVINGS
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings

Paint = Callable[..., list[Event]]

pytestmark = pytest.mark.usefixtures("networks_made_once")


# Where it does not fit, or runs out


def test_a_picture_too_large_is_refused_before_any_work(
    inputs: Inputs, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "resident_memory", lambda device: 400_000_000)

    def first(changes: dict[str, Any]) -> Event:
        return next(painting(inputs, PaintSettings().updated(SMALL | changes), weights))

    with pytest.raises(NotEnoughMemory) as caught:
        first({"size": 6000, "memory": "1GB"})
    largest = int(str(caught.value).split("--size ")[1].split()[0])
    assert isinstance(first({"size": largest, "memory": "1GB"}), Started)


def out_of_memory(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let as many evaluations fail for want of memory."""
    evaluate, left = Objective.evaluate, iter(range(times))

    def fails(self: Objective, canvas: torch.Tensor) -> Evaluation:
        if next(left, None) is not None:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return evaluate(self, canvas)

    monkeypatch.setattr(Objective, "evaluate", fails)


def test_where_memory_runs_out_less_is_kept(
    painted: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = painted(TWO_LEVELS)
    out_of_memory(monkeypatch, 1)
    found = painted(TWO_LEVELS)
    assert [event.message for event in found if isinstance(event, Notice)] == [
        "memory ran out; going on with less at a time"
    ]
    assert np.array_equal(last(found).picture, last(whole).picture)


@pytest.fixture
def ample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for all, so that maps are kept, and what a process holds never changes."""
    monkeypatch.setattr(plan, "resident_memory", lambda device: 300_000_000)
    monkeypatch.setattr(plan, "free_memory", lambda device: 10**12)
    monkeypatch.setattr(plan, "default_budget", lambda device: 10**12)


def runs_out(monkeypatch: pytest.MonkeyPatch, when: Callable[[int], bool]) -> list[int]:
    """Let allocations fail in the passes that `when` chooses, counted from 1; all that ran."""
    forward, counted = VGG19.forward, [0]

    def failing(self: VGG19, *arguments: Any, **named: Any) -> Any:
        counted[0] += 1
        if when(counted[0]):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate")
        return forward(self, *arguments, **named)

    monkeypatch.setattr(VGG19, "forward", failing)
    return counted


def notices(events: list[Event]) -> list[str]:
    return [event.message for event in events if isinstance(event, Notice)]


@pytest.mark.usefixtures("ample")
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_memory_that_runs_out_once_does_not_end_a_run(
    painted: Paint, monkeypatch: pytest.MonkeyPatch, optimizer: str, share: float
) -> None:
    """Wherever it does, no maps are kept from there on, and the picture is the same."""
    changes = TWO_LEVELS | {"optimizer": optimizer}
    whole = painted(changes)
    with monkeypatch.context() as patch:
        passes = runs_out(patch, lambda count: False)
        painted(changes)
    failing = 1 + int(share * (passes[0] - 1))
    counted = runs_out(monkeypatch, lambda count: count == failing)
    events = painted(changes)
    assert counted[0] > failing
    assert notices(events) == ["memory ran out; going on with less at a time"]
    assert [event.losses for event in steps(events)] == [event.losses for event in steps(whole)]
    assert np.array_equal(last(events).picture, last(whole).picture)
    assert last(events).losses == last(whole).losses


@pytest.mark.usefixtures("ample")
def test_memory_that_runs_out_again_and_again_ends_it(
    painted: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on with less at a time as often as that is possible."""
    counted = runs_out(monkeypatch, lambda count: True)
    with pytest.raises(NotEnoughMemory, match="ran out while painting 64x64 px") as caught:
        painted(TWO_LEVELS)
    assert caught.value.status == ExitStatus.OUT_OF_MEMORY
    assert counted[0] == 2 + MOST_HALVINGS  # as planned, without maps kept, with smaller tiles


@pytest.mark.usefixtures("ample")
def test_smaller_tiles_paint_the_same_to_rounding(
    painted: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "tile_rows", lambda *_: 24)
    whole = last(painted(TWO_LEVELS))
    runs_out(monkeypatch, {1, 2, 3}.__contains__)
    events = painted(TWO_LEVELS)
    assert len(notices(events)) == 3
    assert np.abs(last(events).picture - whole.picture).max() < 1e-3


# The picture and the memory


def allowed(inputs: Inputs, changes: dict[str, Any]) -> tuple[int, int]:
    """The least budget that a plan accepts, and one that all fits into."""
    work = paint.work_of(inputs, PaintSettings().updated(changes))
    planner = plan.Planner(work, 300_000_000, plan.scratch())
    most = planner.plan(10**12)
    assert most is not None
    return planner.least(), most.memory


@pytest.mark.usefixtures("ample")
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize(
    "precision",
    [
        "float32",
        pytest.param(
            "bfloat16",
            marks=pytest.mark.skipif(
                not has_bfloat16(torch.device("cpu")), reason="bfloat16 would be emulated"
            ),
        ),
    ],
)
@pytest.mark.parametrize("rows", [None, 24], ids=["whole", "tiles"])
def test_the_picture_does_not_depend_on_the_memory(
    painted: Paint,
    inputs: Inputs,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    precision: str,
    optimizer: str,
    rows: int | None,
) -> None:
    """Bit for bit: with freed memory and all maps kept, with less, and with all data on disk."""
    if rows is not None:
        monkeypatch.setattr(tiles, "tile_rows", lambda *_: rows)
    changes = TWO_LEVELS | {"size": 112, "precision": precision, "optimizer": optimizer}
    used: list[plan.Plan] = []

    def spied(work: plan.Work) -> plan.Plan:
        used.append(plan.plan_for(work))
        return used[-1]

    monkeypatch.setattr(paint, "plan_for", spied)
    monkeypatch.setattr(plan, "scratch", lambda: None)
    least, _ = allowed(inputs, changes)
    plenty, little = (painted(changes | {"memory": memory}) for memory in (10**11, least))
    monkeypatch.setattr(paint, "plan_for", partial(forced, used, kept=0, folder=tmp_path))
    on_disk = painted(changes)
    monkeypatch.setattr(paint, "plan_for", partial(forced, used, kept=0, folder=None))
    none_kept = painted(changes)
    most = used[0].segments
    monkeypatch.setattr(paint, "plan_for", partial(forced, used, kept=most, folder=None))
    all_kept = painted(changes)
    assert [(level.kept, level.roomy) for level in used[0].levels] == [(most, True)] * 2
    for events in (little, on_disk, none_kept, all_kept):
        assert [x.losses for x in steps(events)] == [x.losses for x in steps(plenty)]
        assert np.array_equal(last(events).picture, last(plenty).picture)
        assert last(events).losses == last(plenty).losses
    assert list(tmp_path.iterdir()) == []


def forced(used: list[plan.Plan], work: plan.Work, *, kept: int, folder: Path | None) -> plan.Plan:
    """A plan of that work with less kept than would fit."""
    levels = (replace(level, kept=kept, folder=folder, roomy=False) for level in used[0].levels)
    return replace(used[0], levels=tuple(levels))


def test_running_out_while_painting_says_so(
    painted: Paint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Objective, "evaluate", lambda self, canvas: torch.empty(10**15))
    with pytest.raises(NotEnoughMemory, match="memory ran out while painting 64x64 px; choose a"):
        painted(TWO_LEVELS)


def test_other_errors_are_not_taken_for_it(painted: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Objective, canvas: torch.Tensor) -> Evaluation:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(Objective, "evaluate", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        painted(SMALL)

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.errors import ExitStatus, NotEnoughMemory
from impasto.neural import plan
from impasto.neural.duration import HALOS, MOVING, Pace, level_seconds
from impasto.neural.memory import Block
from impasto.neural.plan import Planner, Work, budget_of, largest_side, plan_for
from impasto.neural.speed import operations
from impasto.neural.tiles import segments
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, PaintSettings

CPU = torch.device("cpu")
BASE = 400_000_000
ROOM = Path("scratch"), 10**15
sides = st.integers(16, 9_000)
dtypes = st.sampled_from([torch.float32, torch.bfloat16])


def work(size: tuple[int, int], dtype: torch.dtype = torch.float32, **changes: object) -> Work:
    return Work(size, [(1280, 1014)], PaintSettings().updated(changes), dtype, CPU)


@pytest.fixture
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "resident_memory", lambda device: BASE)
    monkeypatch.setattr(plan, "free_memory", lambda device: 10**15)
    monkeypatch.setattr(plan, "scratch", lambda: ROOM)


@settings(max_examples=60, deadline=None)
@given(width=sides, height=sides, dtype=dtypes, share=st.floats(1, 5), steps=st.integers(1, 40))
def test_the_fastest_way_within_the_budget_is_taken(
    width: int, height: int, dtype: torch.dtype, share: float, steps: int
) -> None:
    planner = Planner(work((width, height), dtype, steps=steps), BASE, ROOM)
    least = planner.least()
    assert planner.plan(least - 1) is None
    tight, wide = planner.plan(least), planner.plan(share * least)
    assert tight is not None
    assert wide is not None
    assert tight.memory <= least
    assert wide.memory <= share * least
    for less, more in zip(tight.levels, wide.levels, strict=True):
        assert less.kept <= more.kept or (more.folder is None and less.folder is not None)
        assert (more.disk > 0) == (more.folder is not None)


def test_more_takes_more() -> None:
    def least(changed: Work) -> int:
        return Planner(changed, BASE, ROOM).least()

    small = work((2000, 1500))
    assert least(small) < least(work((4000, 3000)))
    half = Planner(work((2000, 1500), torch.bfloat16), BASE, None)
    assert half.least() < Planner(small, BASE, None).least()
    assert least(small) < least(replace(small, unread=True))
    assert least(small) < least(work((2000, 1500), style_scale=4))
    assert BASE < least(work((16, 16))) < BASE + 500e6


def test_without_a_disk_there_is_less_to_choose_from() -> None:
    large = work((8000, 6000), torch.bfloat16)
    with_disk, without = Planner(large, BASE, ROOM), Planner(large, BASE, None)
    full = Planner(large, BASE, (Path("scratch"), 1000))
    assert with_disk.least() < without.least() == full.least()


def test_a_refusal_names_what_would_do(plenty: None) -> None:
    wanted = work((8000, 6000), torch.bfloat16, memory="2GB")
    with pytest.raises(NotEnoughMemory) as caught:
        plan_for(wanted)
    assert caught.value.status == ExitStatus.OUT_OF_MEMORY
    found = re.fullmatch(
        r"painting 8000x6000 px takes at least \d+\.\d\d GB of memory and 2\.00 GB may be used; "
        r"choose --size (\d+) or less, or give it --memory ([\d.]+)GB",
        str(caught.value),
    )
    assert found is not None
    side = int(found[1])
    assert plan_for(replace(wanted, size=(side, side * 3 // 4))).memory <= 2e9
    with pytest.raises(NotEnoughMemory):
        plan_for(replace(wanted, size=(round(1.02 * side), round(1.02 * side * 3 / 4))))
    enough = wanted.settings.updated({"memory": f"{found[2]}GB"})
    assert plan_for(replace(wanted, settings=enough)).memory <= float(found[2]) * 1e9


def test_where_nothing_fits_no_size_is_named(plenty: None) -> None:
    with pytest.raises(NotEnoughMemory) as caught:
        plan_for(work((800, 600), memory="1MB"))
    assert "--size" not in str(caught.value)
    assert "give it --memory" in str(caught.value)


def test_the_budget_is_what_is_told_but_not_more_than_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plan, "resident_memory", lambda device: 1_000)
    monkeypatch.setattr(plan, "free_memory", lambda device: 2_000_000_000)
    assert budget_of(PaintSettings.checked({"memory": "1GB"}), CPU) == 1_000_000_000
    assert budget_of(PaintSettings.checked({"memory": "8GB"}), CPU) == 2_000_001_000
    assert budget_of(PaintSettings(), CPU) > 0


def test_the_largest_size_fits_and_a_larger_does_not(plenty: None) -> None:
    usual = work((8000, 6000), torch.bfloat16)
    side = largest_side(usual, 3_000_000_000)
    assert 3000 < side < 8000
    planner = Planner(replace(usual, size=(side, side * 3 // 4)), BASE, ROOM)
    assert planner.plan(3_000_000_000) is not None
    above = Planner(replace(usual, size=(side + 60, (side + 60) * 3 // 4)), BASE, ROOM)
    assert above.plan(3_000_000_000) is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_bytes_are_those_of_the_maps(weights: Weights, dtype: torch.dtype) -> None:
    network = VGG19(weights, dtype, CPU)
    x = network.enter(torch.rand((1, 3, 51, 70)))
    for segment in segments("relu5_1"):
        block = Block(segment, x.shape[3], x.shape[2], dtype.itemsize)
        assert block.input == x.nbytes
        passed = network.forward(x, segment.layers, LAYERS, pooled=segment.pooled)
        assert block.maps == sum(
            each.nbytes for each in (*passed.maps.values(), *passed.pooled.values())
        )
        x = passed.output


def test_seconds_are_those_of_the_operations(plenty: None) -> None:
    """In units of one evaluation at the final size; to pass once more is half of one."""
    usual = work((512, 384), levels=1, steps=10)
    found = plan_for(usual)
    assert found.levels[0].kept == 4
    once = operations((512, 384))
    quick = level_seconds(usual, found, Pace(once, once))[0]
    twice = level_seconds(
        replace(usual, settings=usual.settings.updated({"steps": 20})), found, Pace(once, once)
    )[0]
    assert twice - quick == pytest.approx(10 * (HALOS + MOVING * 512 * 384))
    again = replace(found, levels=(replace(found.levels[0], kept=0),))
    recomputed = level_seconds(usual, again, Pace(once, once))[0]
    assert recomputed - quick == pytest.approx(10 * HALOS / 2)

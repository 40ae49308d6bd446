"""Plans: what fits is the fastest that does, and what is refused is refused with what would do."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from impasto.errors import ExitStatus, NotEnoughMemory
from impasto.neural import plan
from impasto.neural.memory import CANVAS, ROOMY
from impasto.neural.plan import (
    LIBRARIES,
    SLACK,
    LevelPlan,
    Plan,
    Planner,
    Work,
    budget_of,
    largest_side,
    plan_for,
)
from impasto.neural.pyramid import Size
from impasto.settings import PaintSettings

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
MB, GB = 10**6, 10**9
HELD = 300 * MB
DISK = Path("/var/tmp"), 1000 * GB
DTYPES = [torch.float32, torch.bfloat16]

sides = st.integers(16, 5000)
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def work(
    size: Size = (1600, 1200),
    styles: tuple[Size, ...] = ((800, 600),),
    dtype: torch.dtype = torch.float32,
    device: torch.device = CPU,
    **changes: Any,
) -> Work:
    return Work(size, styles, PaintSettings().updated(changes), dtype, device)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process holds 300 MB, 8 GB are free, and no disk."""
    monkeypatch.setattr(plan, "resident_memory", lambda device: HELD)
    monkeypatch.setattr(plan, "free_memory", lambda device: 8 * GB)
    monkeypatch.setattr(plan, "default_budget", lambda device: 4 * GB)
    monkeypatch.setattr(plan, "scratch", lambda: None)


def planned(job: Work, budget: float, disk: tuple[Path, int] | None = DISK) -> Plan:
    found = Planner(job, HELD, disk).plan(budget)
    assert found is not None
    return found


def ways(job: Work, disk: tuple[Path, int] | None = DISK) -> Iterator[Plan]:
    """From all the memory that could be used down to the least, in 40 steps."""
    least, most = Planner(job, HELD, disk).least(), planned(job, 1000 * GB, disk).memory
    for k in range(41):
        yield planned(job, round(least + (most - least) * (1 - k / 40) ** 2), disk)


# Within the budget


@relaxed
@given(
    width=sides,
    height=sides,
    style=st.tuples(sides, sides),
    budget=st.integers(400 * MB, 20 * GB),
    dtype=st.sampled_from(DTYPES),
    disk=st.sampled_from([None, DISK, (DISK[0], GB)]),
)
def test_every_level_is_within_the_budget(
    width: int,
    height: int,
    style: Size,
    budget: int,
    dtype: torch.dtype,
    disk: tuple[Path, int] | None,
) -> None:
    job = work((width, height), (style,), dtype)
    planner = Planner(job, HELD, disk)
    found = planner.plan(budget)
    assert (found is None) == (planner.least() > budget)
    if found is None:
        return
    assert [level.size for level in found.levels] == [level.size for level in job.levels()]
    assert found.levels[-1].size == (width, height)
    assert all(HELD + LIBRARIES < level.memory <= budget for level in found.levels)
    assert found.memory == max(level.memory for level in found.levels)
    for level in found.levels:
        assert 0 <= level.kept <= found.segments
        assert (level.folder is None) == (level.disk == 0)
        assert disk is None or level.disk <= disk[1]


def test_the_least_is_accepted_and_a_byte_less_is_not() -> None:
    for disk in (None, DISK):
        planner = Planner(work(), HELD, disk)
        least = planner.least()
        assert planned(work(), least, disk).memory == least
        assert planner.plan(least - 1) is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("disk", [None, DISK])
def test_less_never_keeps_more(dtype: torch.dtype, disk: tuple[Path, int] | None) -> None:
    """The order of the ways: freed memory and all maps are kept, then fewer, then data on disk."""

    def cost(level: LevelPlan, segments: int) -> tuple[bool, int, bool]:
        return level.folder is not None, segments - level.kept, not level.roomy

    before: list[tuple[bool, int, bool]] | None = None
    seen = set()
    for found in ways(work(dtype=dtype), disk):
        costs = [cost(level, found.segments) for level in found.levels]
        assert before is None or all(a <= b for a, b in zip(before, costs, strict=True))
        before = costs
        seen.add(costs[-1])
    assert (False, 0, False) in seen
    assert (disk is not None) == any(on_disk for on_disk, *_ in seen)
    assert all(returned for *less, returned in seen if less != [False, 0])


def test_with_plenty_all_is_kept_in_memory() -> None:
    found = planned(work(), 1000 * GB)
    assert all(level.kept == found.segments and level.roomy for level in found.levels)
    assert found.disk == 0


def test_freed_memory_stays_where_all_that_it_takes_is_there() -> None:
    job = work()
    most = planned(job, 1000 * GB).levels[-1]
    less = planned(job, most.memory - 1).levels[-1]
    assert (most.roomy, less.roomy) == (True, False)
    assert (less.kept, less.folder) == (most.kept, None)
    assert most.memory - less.memory == pytest.approx(SLACK * ROOMY, abs=2)


def test_on_a_card_freed_memory_never_goes_back() -> None:
    job = work(device=CUDA)
    found = [planned(job, budget) for budget in (1000 * GB, Planner(job, HELD, DISK).least())]
    assert all(level.roomy for each in found for level in each.levels)


def test_levels_are_planned_alone() -> None:
    """A budget that the last level has to make room in leaves the first as fast as it was."""
    job = work()
    found = planned(job, Planner(job, HELD, DISK).least())
    assert found.levels[0].kept == found.segments
    assert found.levels[0].folder is None
    assert found.levels[-1].kept < found.segments
    assert found.levels[-1].folder == DISK[0]


@pytest.mark.parametrize("disk", [None, DISK])
def test_larger_pictures_never_take_less(disk: tuple[Path, int] | None) -> None:
    sizes = [(800, 600), (1200, 900), (1800, 1350), (2700, 2025), (4050, 3038), (6075, 4556)]
    needs = [Planner(work(size, (size,), steps=35), HELD, disk).least() for size in sizes]
    assert needs == sorted(needs)
    assert needs[-1] > 2 * needs[0]


def test_a_style_larger_than_the_canvas_counts() -> None:
    alike = Planner(work(style_scale=1.0), HELD, None).least()
    large = Planner(work(style_scale=4.0), HELD, None).least()
    assert large > alike + CANVAS * 15 * 1600 * 1200


def test_pictures_that_are_still_to_be_read_count() -> None:
    job = work((1600, 1200), ((800, 600), (400, 300)))
    read, unread = (Planner(replace(job, unread=unread), HELD, None) for unread in (False, True))
    pixels = 1600 * 1200 + 800 * 600 + 400 * 300
    assert unread.least() - read.least() == CANVAS * pixels


def test_pictures_are_read_into_the_system_s_memory_not_the_card_s() -> None:
    job = work(device=CUDA)
    read, unread = (Planner(replace(job, unread=unread), HELD, None) for unread in (False, True))
    assert unread.least() == read.least()


def test_what_others_come_to_hold_counts_in_the_system_s_memory() -> None:
    for device, counted in ((torch.device("cpu"), 10**8), (CUDA, 0)):
        alone = Planner(work(device=device), HELD, None).least()
        assert Planner(replace(work(device=device), beside=10**8), HELD, None).least() == (
            alone + counted
        )


# Disk


def test_a_disk_lowers_the_least() -> None:
    large = work((8000, 6000), dtype=torch.bfloat16)
    with_disk, without = (Planner(large, HELD, disk).least() for disk in (DISK, None))
    assert with_disk < without == Planner(large, HELD, (DISK[0], 1000)).least()


def test_a_disk_that_is_too_small_is_left_alone() -> None:
    job = work()
    needed = planned(job, Planner(job, HELD, DISK).least()).disk
    fits, small = (DISK[0], needed), (DISK[0], needed - 1)
    assert Planner(job, HELD, fits).least() == Planner(job, HELD, DISK).least()
    assert Planner(job, HELD, small).least() > Planner(job, HELD, fits).least()
    assert Planner(job, HELD, (DISK[0], 0)).least() == Planner(job, HELD, None).least()


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_disk_in_memory_is_none(monkeypatch: pytest.MonkeyPatch, in_memory: bool) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(plan, "scratch_folder", lambda: DISK[0])
    monkeypatch.setattr(plan, "held_in_memory", lambda folder: folder == DISK[0] and in_memory)
    monkeypatch.setattr(plan, "free_disk", lambda folder: 7 * GB)
    assert plan.scratch() == (None if in_memory else (DISK[0], 7 * GB))


# The budget


def test_what_is_told_is_the_budget_if_so_much_is_free() -> None:
    assert budget_of(PaintSettings(memory=GB), CPU) == GB
    assert budget_of(PaintSettings(memory=100 * GB), CPU) == HELD + 8 * GB
    assert budget_of(PaintSettings(), CPU) == 4 * GB


def test_plans_are_made_within_it() -> None:
    assert plan_for(work()).budget == 4 * GB
    assert plan_for(work(memory="3GB")).budget == 3 * GB
    assert plan_for(work(memory="2GB")).memory <= 2 * GB < plan_for(work()).memory


# Refusals


def refused(job: Work) -> str:
    with pytest.raises(NotEnoughMemory) as caught:
        plan_for(job)
    assert caught.value.status == ExitStatus.OUT_OF_MEMORY
    return str(caught.value)


def test_a_refusal_says_what_is_needed_and_what_there_is() -> None:
    wanted = (
        r"painting 4000x3000 px takes at least \d+\.\d\d GB of memory and 2\.00 GB may be used; "
        r"choose --size \d+ or less, or give it --memory \d+(\.\d+)?GB"
    )
    assert re.fullmatch(wanted, refused(work((4000, 3000), memory="2GB")))


def test_memory_that_is_not_there_is_not_asked_for() -> None:
    message = refused(work((8000, 6000), memory="50GB"))
    assert message.endswith("or end other programs")
    assert "--memory" not in message


def test_what_the_default_leaves_may_be_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "default_budget", lambda device: GB)
    assert re.search(r"or give it --memory [\d.]+GB$", refused(work((4000, 3000))))


def test_a_disk_may_be_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "scratch", lambda: None)
    message = refused(work((8000, 6000), memory="6GB"))
    told = re.search(r"set TMPDIR to a folder with ([\d.]+) GB of free disk", message)
    assert told is not None
    monkeypatch.setattr(plan, "scratch", lambda: (Path(), round(1.1 * GB * float(told[1]))))
    assert plan_for(work((8000, 6000), memory="6GB")).disk > 0


def test_where_nothing_fits_no_size_is_named() -> None:
    assert "--size" not in refused(work(memory="400MB"))


@relaxed
@example(size=(4854, 4854), style=(16, 16), memory=400 * MB, dtype=torch.float32)
@given(
    size=st.tuples(sides, sides),
    style=st.tuples(sides, sides),
    memory=st.integers(400 * MB, 4 * GB),
    dtype=st.sampled_from(DTYPES),
)
def test_the_remedies_of_a_refusal_are_enough(
    size: Size, style: Size, memory: int, dtype: torch.dtype
) -> None:
    def attempt(size: Size, memory: int) -> str:
        try:
            plan_for(work(size, (style,), dtype, memory=memory))
        except NotEnoughMemory as error:
            return str(error)
        return ""

    message = attempt(size, memory)
    if not message:
        return
    told = re.search(r"--memory ([\d.]+)GB", message)
    if told is None:  # not with all that is free
        assert "end other programs" in message
        assert attempt(size, HELD + 8 * GB)
    elif (enough := round(float(told[1]) * GB)) <= HELD + 8 * GB:  # rounded up, it may be more
        assert not attempt(size, enough)
        assert attempt(size, enough - 11 * MB)
    named = re.search(r"--size (\d+) or less", message)
    if named is not None:
        largest = int(named[1])
        assert 16 <= largest < max(size)
        assert not attempt(scaled_to(size, largest), memory)


def scaled_to(size: Size, side: int) -> Size:
    """As a photo of that shape is fitted."""
    share = side / max(size)
    return max(16, round(size[0] * share)), max(16, round(size[1] * share))


@pytest.mark.parametrize("memory", [2 * GB, 4 * GB])
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_size_that_is_named_is_no_timid_guess(memory: int, dtype: torch.dtype) -> None:
    """Tiles are alike in height, so that a few pixels more may take a little less; not a tenth."""
    job = work((8000, 6000), dtype=dtype, memory=memory)
    side = math.ceil(1.1 * largest_side(job, memory))
    assert "GB may be used" in refused(replace(job, size=(side, side * 3 // 4)))


def test_the_largest_side_grows_with_the_budget() -> None:
    job = work((16_000, 12_000))
    found = [largest_side(job, budget) for budget in (400 * MB, 800 * MB, 2 * GB, 4 * GB, 90 * GB)]
    assert found == sorted(found)
    assert found[0] == 0
    assert 0 < found[1] < found[2] < found[3] < found[4]


def test_a_picture_that_fits_is_its_own_largest() -> None:
    assert largest_side(work(), 100 * GB) == 1600

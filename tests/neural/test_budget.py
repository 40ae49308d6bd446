import subprocess
import sys

import psutil
import pytest
import torch

from impasto.neural import budget
from impasto.neural.budget import (
    default_budget,
    free_memory,
    peak_memory,
    resident_memory,
)

CPU, CUDA, MPS = map(torch.device, ("cpu", "cuda", "mps"))
GB = 1_000_000_000


def run(program: str) -> list[int]:
    """What a program prints, in a process of its own: what is tested holds for the process."""
    whole = (
        "import torch; from impasto.neural.budget import *; cpu = torch.device('cpu'); "
        f"torch.ones(1).sum(); {program}"
    )
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, check=True, text=True)
    return [int(word) for word in done.stdout.split()]


def test_peak_grows_with_what_is_held_and_stays_once_it_is_freed() -> None:
    before, held, after, now = run(
        "print(peak_memory(cpu)); held = torch.ones(2**26); print(resident_memory(cpu)); "
        "del held; print(peak_memory(cpu), resident_memory(cpu))"
    )
    assert after - before == pytest.approx(2**28, rel=0.1)
    assert held - before == pytest.approx(2**28, rel=0.1)
    assert held - now == pytest.approx(2**28, rel=0.1)


def test_free_memory_is_in_bytes() -> None:
    assert 2**24 < free_memory(CPU) < 2**50


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """9 GB are available, and nothing limits this process."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("", (), {"available": 9 * GB}))
    monkeypatch.setattr(budget, "container_memory", lambda: None)
    monkeypatch.setattr(budget, "process_memory", lambda: None)
    return monkeypatch


def test_free_memory_is_the_least(system: pytest.MonkeyPatch) -> None:
    assert free_memory(CPU) == 9 * GB
    system.setattr(budget, "container_memory", lambda: 5)
    assert free_memory(CPU) == 5
    system.setattr(budget, "process_memory", lambda: 0)
    assert free_memory(CPU) == 0


@pytest.mark.parametrize(("driver", "left"), [(1, 3), (6, 0)])
def test_apple_s_gpu_shares_the_system_s_memory(
    system: pytest.MonkeyPatch, driver: int, left: int
) -> None:
    system.setattr(torch.mps, "recommended_max_memory", lambda: 4 * GB)
    system.setattr(torch.mps, "driver_allocated_memory", lambda: driver * GB)
    assert free_memory(MPS) == left * GB
    system.setattr(budget, "container_memory", lambda: 2)
    assert free_memory(MPS) == (2 if left else 0)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 16 GB, 10 are free; PyTorch holds 3 and uses 1 of them, and used 2 once."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (10 * GB, 16 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 3 * GB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: GB)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _: 2 * GB)


@pytest.mark.usefixtures("card")
def test_what_pytorch_keeps_of_the_card_is_free() -> None:
    assert free_memory(CUDA) == 12 * GB
    assert resident_memory(CUDA) == GB
    assert peak_memory(CUDA) == 2 * GB
    assert default_budget(CUDA) == GB + int(0.8 * 12 * GB)


@pytest.mark.parametrize(
    ("free", "share"),
    [(10 * GB, 8 * GB), (GB, 700_000_000), (300_000_000, 0), (0, 0)],
)
def test_the_budget_leaves_the_rest_to_others(
    system: pytest.MonkeyPatch, free: int, share: int
) -> None:
    system.setattr(psutil, "virtual_memory", lambda: type("", (), {"available": free}))
    system.setattr(budget, "resident_memory", lambda _: GB)
    assert default_budget(CPU) == GB + share


@pytest.mark.parametrize("limit", ["container_memory", "process_memory"])
@pytest.mark.parametrize(
    ("left", "share"),
    [(400_000_000, 380_000_000), (8 * GB, 72 * GB // 10), (0, 0), (-GB, 0)],
)
def test_a_limit_of_its_own_is_used_almost_whole(
    system: pytest.MonkeyPatch, limit: str, left: int, share: int
) -> None:
    system.setattr(budget, "resident_memory", lambda _: GB)
    system.setattr(budget, limit, lambda: left)
    assert default_budget(CPU) == GB + share

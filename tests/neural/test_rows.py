"""Maps by rows: the same in memory as on disk, and what a disk that fails says."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.errors import UnwritableOutput
from impasto.neural.rows import STRIP, Rows, strips

CPU = torch.device("cpu")
DTYPES = [torch.float32, torch.float64, torch.bfloat16]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


def bits(values: Tensor) -> Tensor:
    return values.flatten().view(torch.uint8)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    channels=st.integers(1, 5),
    height=st.integers(1, 20),
    width=st.integers(1, 7),
    dtype=st.sampled_from(DTYPES),
    cuts=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=12),
    seed=st.integers(0, 99),
)
def test_on_disk_is_as_in_memory(
    scratch: Path,
    channels: int,
    height: int,
    width: int,
    dtype: torch.dtype,
    cuts: list[tuple[int, int]],
    seed: int,
) -> None:
    """Written and read by slices, some of them empty, of any layout and of wider numbers."""
    shape = 1, channels, height, width
    planted = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)
    in_memory, on_disk = Rows(shape, dtype, CPU), Rows(shape, dtype, CPU, scratch)
    for place in (in_memory, on_disk):
        place[0:height] = planted
    for k, (a, b) in enumerate(cuts):
        rows = slice(min(a, b, height), min(max(a, b), height))
        part = torch.full((1, channels, rows.stop - rows.start, width), 1 / (k + 3))
        planted[:, :, rows] = part
        for place in (in_memory, on_disk):
            place[rows] = part
        assert torch.equal(on_disk[rows], in_memory[rows])
        assert on_disk[rows].shape == part.shape
    for place in (in_memory, on_disk):
        assert (place.shape, place.dtype, place.device) == (shape, dtype, CPU)
        assert place[:].dtype == dtype
        assert torch.equal(bits(place[:]), bits(planted))
        assert torch.equal(place[-3:], planted[:, :, -3:])
        assert place[height // 2 : height + 9].shape[2] == height - height // 2
        assert place[:].is_contiguous(memory_format=torch.channels_last)
    assert list(scratch.iterdir()) == []


def test_numbers_that_are_none_come_back_bit_for_bit(tmp_path: Path) -> None:
    planted = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45]).view(1, 1, 2, 2)
    rows = Rows((1, 1, 2, 2), torch.float32, CPU, tmp_path)
    rows[0:2] = planted
    assert torch.equal(bits(rows[:]), bits(planted))


def test_rows_in_memory_are_views_and_on_disk_copies(tmp_path: Path) -> None:
    whole = torch.zeros(1, 2, 4, 3)
    rows = Rows.of(whole)
    rows[1:3].fill_(5)
    assert whole[:, :, 1:3].eq(5).all()
    on_disk = Rows((1, 2, 4, 3), torch.float32, CPU, tmp_path)
    on_disk[0:4] = whole
    on_disk[1:3].fill_(7)
    assert torch.equal(on_disk[:], whole)


@pytest.mark.parametrize(
    "shape", [(1, 3, 1000, 700), (1, 64, 37, 511), (1, 3, 1, 1), (1, 1, 5, STRIP)]
)
def test_strips_cover_all_rows_once_and_are_small(shape: tuple[int, int, int, int]) -> None:
    _, channels, height, width = shape
    found = [row for rows in strips(shape) for row in range(height)[rows]]
    assert found == list(range(height))
    most = max(STRIP, channels * width)
    assert all((rows.stop - rows.start) * channels * width <= most for rows in strips(shape))


def test_strips_of_no_rows_are_none() -> None:
    assert list(strips((1, 3, 0, 5))) == []


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_folder_that_takes_no_files_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / name
    with pytest.raises(UnwritableOutput) as caught:
        Rows((1, 3, 8, 8), torch.float32, CPU, folder)
    assert f"cannot keep the work's data in {folder}: " in str(caught.value)
    assert "TMPDIR" in str(caught.value)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk comes to."""
    resource = pytest.importorskip("resource", reason="needs POSIX's limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_folder_is_named(tmp_path: Path) -> None:
    rows = Rows((1, 1, 16, 64), torch.float32, CPU, tmp_path)
    planted = torch.rand(1, 1, 16, 64)
    with files_of_at_most(1000):
        rows[0:3] = planted[:, :, 0:3]
        with pytest.raises(UnwritableOutput) as caught:
            rows[3:16] = planted[:, :, 3:16]
    assert f"cannot keep the work's data in {tmp_path}: File too large; " in str(caught.value)
    assert torch.equal(rows[0:3], planted[:, :, 0:3])

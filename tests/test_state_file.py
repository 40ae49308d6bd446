"""Files of arrays: safetensors' own reader says whether they are what they should be."""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from torch import Tensor

from impasto.events import Array
from impasto.neural.rows import Rows
from impasto.neural.state import array_of, load_rows, tensor_of
from impasto.state_file import CODES, PIECE, read_arrays, write_arrays

CPU = torch.device("cpu")
FACTS = {"recipe": '{"name": "käse"}', "step": "3"}


def random(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def in_pieces(values: NDArray[Any], rows: int) -> Array:
    def pieces() -> Iterator[NDArray[Any]]:
        yield from (values[top : top + rows] for top in range(0, len(values), rows))

    return Array(values.dtype.name, values.shape, pieces)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    shapes=st.lists(st.lists(st.integers(1, 6), min_size=1, max_size=3), min_size=1, max_size=5),
    kinds=st.lists(st.sampled_from(sorted(CODES)), min_size=5, max_size=5),
    rows=st.integers(1, 4),
)
def test_safetensors_reads_what_is_written(
    tmp_path: Path, shapes: list[list[int]], kinds: list[str], rows: int
) -> None:
    """Arrays of all types one behind the other, at whatever offsets that gives."""
    planted = {
        f"array.{k}": (1000 * random(tuple(shape), k).numpy()).astype(kind)
        for k, (shape, kind) in enumerate(zip(shapes, kinds, strict=False))
    }
    path = tmp_path / "state"
    write_arrays(path, {name: in_pieces(x, rows) for name, x in planted.items()}, FACTS)
    with safe_open(path, framework="numpy") as file:
        assert file.metadata() == FACTS
        assert set(file.keys()) == set(planted)
        for name, values in planted.items():
            found = file.get_tensor(name)
            assert found.dtype == values.dtype
            np.testing.assert_array_equal(found, values)
    arrays, facts = read_arrays(path)
    assert facts == FACTS
    for name, values in planted.items():
        assert (arrays[name].dtype, arrays[name].shape) == (values.dtype.name, values.shape)
        for _ in range(2):  # as often as they are asked for
            np.testing.assert_array_equal(np.concatenate(list(arrays[name].pieces())), values)


def test_the_header_is_the_format_s(tmp_path: Path) -> None:
    """8 bytes of its length, JSON padded with spaces to 8 bytes, then the data, little-endian."""
    big = np.array([[1.5, -2.0]], dtype=">f4")
    array = Array("float32", big.shape, partial(iter, [big]))
    write_arrays(tmp_path / "state", {"a": array}, {})
    data = (tmp_path / "state").read_bytes()
    length = int.from_bytes(data[:8], "little")
    assert length % 8 == 0
    assert data[8:9] == b"{"
    assert data[8 + length :] == big.astype("<f4").tobytes()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pictures_come_back_channels_last(
    tmp_path: Path, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    picture = random((1, 3, 5, 7)).to(dtype).contiguous(memory_format=layout)
    write_arrays(tmp_path / "state", {"canvas": array_of(picture)}, {})
    with safe_open(tmp_path / "state", framework="numpy") as file:
        np.testing.assert_array_equal(
            file.get_tensor("canvas"), picture[0].permute(1, 2, 0).numpy()
        )
    found = tensor_of(read_arrays(tmp_path / "state")[0]["canvas"], CPU)
    assert torch.equal(found, picture)
    assert found.dtype == dtype
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("numbers", [[1.5, math.inf, -0.0], [7, 1]])
def test_numbers_come_back_as_they_are(tmp_path: Path, numbers: list[float]) -> None:
    planted = torch.tensor(numbers, dtype=torch.float64 if 1.5 in numbers else torch.int64)
    bands = random((3, 8))
    arrays = {"numbers": array_of(planted), "bands": array_of(bands)}
    write_arrays(tmp_path / "state", arrays, {})
    found, _ = read_arrays(tmp_path / "state")
    assert torch.equal(tensor_of(found["numbers"], CPU), planted)
    assert tensor_of(found["numbers"], CPU).dtype == planted.dtype
    assert torch.equal(tensor_of(found["bands"], CPU), bands)


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("strip", [2**20, 50])
def test_bfloat16_comes_back_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_disk: bool, strip: int
) -> None:
    """As integers of its size, whichever way it lies, in one piece or several."""
    monkeypatch.setattr("impasto.neural.rows.STRIP", strip)
    planted = random((1, 3, 11, 9)).bfloat16()
    planted[0, 0, 0, :3] = torch.tensor([math.nan, math.inf, -0.0])
    folder = tmp_path if on_disk else None
    rows = Rows((1, 3, 11, 9), torch.bfloat16, CPU, folder)
    rows[0:11] = planted
    array = array_of(rows)
    assert (array.dtype, array.shape) == ("int16", (11, 9, 3))
    assert len(list(array.pieces())) == (1 if strip > 300 else 11)
    write_arrays(tmp_path / "state", {"change": array}, {})
    bits = planted[0].permute(1, 2, 0).contiguous().view(torch.int16)
    with safe_open(tmp_path / "state", framework="numpy") as file:
        np.testing.assert_array_equal(file.get_tensor("change"), bits.numpy())
    found = Rows((1, 3, 11, 9), torch.bfloat16, CPU, folder)
    load_rows(read_arrays(tmp_path / "state")[0]["change"], found)
    back = found[:][0].permute(1, 2, 0).contiguous().view(torch.int16)
    assert torch.equal(back, bits)


@pytest.mark.parametrize("missing", [1, 7, 100, 400])
def test_a_truncated_file_is_an_error(tmp_path: Path, missing: int) -> None:
    path = tmp_path / "state"
    write_arrays(path, {"canvas": array_of(random((1, 3, 4, 5)))}, FACTS)
    data = path.read_bytes()
    path.write_bytes(data[:-missing])
    with pytest.raises(SafetensorError):
        read_arrays(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="state"):
        read_arrays(tmp_path / "state")


@pytest.mark.parametrize("shape", [(700, 500, 3), (3 * PIECE // 8, 1, 1), (3, PIECE // 4, 1)])
def test_arrays_are_read_by_small_pieces(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    """A row at least, and not more than PIECE together; nothing before it is asked for."""
    planted = np.arange(math.prod(shape), dtype=np.float32).reshape(shape)
    write_arrays(tmp_path / "state", {"a": in_pieces(planted, 100)}, {})
    array = read_arrays(tmp_path / "state")[0]["a"]
    pieces, top = array.pieces(), 0
    for piece in pieces:
        assert piece.nbytes <= max(PIECE, planted[0].nbytes)
        np.testing.assert_array_equal(piece, planted[top : top + len(piece)])
        top += len(piece)
    assert top == len(planted)


def test_pictures_are_written_by_small_pieces() -> None:
    picture = torch.zeros(1, 3, 900, 1000)
    sizes = [piece.size for piece in array_of(picture).pieces()]
    assert sum(sizes) == picture.numel()
    assert max(sizes) <= 2**20

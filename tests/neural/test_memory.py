import math
import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import ExitStatus, NotEnoughMemory
from impasto.image.resize import fit
from impasto.neural import memory
from impasto.neural.memory import needed_memory, require_memory

CPU = torch.device("cpu")
sides = st.integers(16, 20_000)
dtypes = st.sampled_from([torch.float32, torch.bfloat16])


@given(
    photo=st.tuples(sides, sides),
    style=st.tuples(sides, sides),
    scale=st.floats(0.05, 8),
    size=st.integers(16, 20_000),
    free=st.floats(0.5e9, 64e9).map(int),
    dtype=dtypes,
)
def test_the_size_that_a_refusal_names_fits(
    photo: tuple[int, int],
    style: tuple[int, int],
    scale: float,
    size: int,
    free: int,
    dtype: torch.dtype,
) -> None:
    def attempt(long_side: int) -> str:
        """What the refusal says of a picture that long; nothing if it is accepted."""
        canvas = fit(*photo, long_side)
        styles = [fit(*style, max(16, round(long_side * scale)))]
        try:
            require_memory(canvas, styles, CPU, dtype)
        except NotEnoughMemory as error:
            return str(error)
        return ""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "free_memory", lambda device: free)
        refusal = attempt(size)
        if not refusal:
            return
        named = re.search(r"--size (\d+) or less", refusal)
        if named is None:
            assert "end other programs" in refusal
            assert attempt(16) or size == 16 or free < 1.1 * needed_memory((16, 16), (), dtype)
        else:
            largest = int(named[1])
            assert 16 <= largest < size
            assert not attempt(largest)
            assert attempt(math.ceil(1.03 * largest) + 4)  # it is not a timid guess


def test_a_refusal_says_what_is_needed_and_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: int(2e9))
    with pytest.raises(NotEnoughMemory) as caught:
        require_memory((4000, 3000), [(4000, 4000)], CPU, torch.float32)
    assert caught.value.status == ExitStatus.OUT_OF_MEMORY
    wanted = r"painting 4000x3000 px takes about \d\d\.\d GB of memory and 2\.0 GB are free; "
    assert re.fullmatch(wanted + r"choose --size \d+ or less", str(caught.value))
    with pytest.raises(NotEnoughMemory, match=r"choose --size \d+ or less, or a smaller --style-s"):
        require_memory((400, 300), [(3200, 3200)], CPU, torch.float32)


def test_a_picture_that_fits_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = needed_memory((800, 600), [(800, 800)], torch.float32)
    monkeypatch.setattr(memory, "free_memory", lambda device: needed)
    require_memory((800, 600), [(800, 800)], CPU, torch.float32)
    monkeypatch.setattr(memory, "free_memory", lambda device: needed - 1)
    with pytest.raises(NotEnoughMemory):
        require_memory((800, 600), [(800, 800)], CPU, torch.float32)


def test_more_takes_more() -> None:
    small = needed_memory((640, 480), [], torch.float32)
    assert needed_memory((640, 480), [], torch.bfloat16) < small
    assert needed_memory((1280, 960), [], torch.float32) > 3 * small - 2.1e9
    assert needed_memory((640, 480), [(640, 480)], torch.float32) == small
    assert needed_memory((640, 480), [(5120, 5120)], torch.float32) > 20e9

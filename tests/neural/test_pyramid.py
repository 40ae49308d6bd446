import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.neural.pyramid import Size, enlarged, level_sizes, level_steps
from impasto.settings import PaintSettings

sides = st.integers(16, 20_000)


@given(width=sides, height=sides, levels=st.one_of(st.just("auto"), st.integers(1, 16)))
def test_each_level_is_half_the_next_and_none_is_too_small(
    width: int, height: int, levels: int | str
) -> None:
    sizes = level_sizes(width, height, PaintSettings().updated({"levels": levels}))
    assert sizes[-1] == (width, height)
    for k, size in enumerate(reversed(sizes)):
        assert size == pytest.approx((width / 2**k, height / 2**k), abs=0.5)
    assert all(min(size) >= 32 for size in sizes[:-1])
    another = min(width, height) / 2 ** len(sizes)  # the short side, were there one more level
    if levels == "auto":
        assert len(sizes) == 1 or max(sizes[0]) >= 128
        assert max(width, height) / 2 ** (len(sizes) - 1) < 256 or another < 32  # before rounding
    else:
        assert len(sizes) <= int(levels)
        assert len(sizes) == levels or another < 32


@pytest.mark.parametrize(
    ("size", "levels", "expected"),
    [
        ((800, 600), "auto", ((200, 150), (400, 300), (800, 600))),
        ((128, 128), "auto", ((128, 128),)),
        ((255, 255), "auto", ((255, 255),)),
        ((256, 100), "auto", ((128, 50), (256, 100))),
        ((10_000, 16), "auto", ((10_000, 16),)),
        ((16, 10_000), 5, ((16, 10_000),)),
        ((4000, 100), 16, ((2000, 50), (4000, 100))),
        ((64, 64), 2, ((32, 32), (64, 64))),
        ((63, 64), 2, ((63, 64),)),
        ((301, 99), 2, ((150, 50), (301, 99))),
    ],
)
def test_levels_as_counted_by_hand(
    size: tuple[int, int], levels: int | str, expected: tuple[tuple[int, int], ...]
) -> None:
    assert level_sizes(*size, PaintSettings().updated({"levels": levels})) == expected


def steps_of(*sizes: Size, **changes: object) -> tuple[int, ...]:
    return level_steps(sizes, PaintSettings().updated(changes))


def test_levels_up_to_1024_px_have_all_their_steps() -> None:
    assert steps_of((128, 96), (256, 192), (512, 384), (1024, 768)) == (30, 30, 30, 35)
    assert steps_of((1024, 16)) == (35,)


@pytest.mark.parametrize(
    ("side", "coarse", "final"),
    [(1025, 30, 35), (2048, 15, 18), (4096, 8, 9), (8192, 8, 8), (16_000, 8, 8)],
)
def test_larger_levels_have_fewer_as_counted_by_hand(side: int, coarse: int, final: int) -> None:
    assert steps_of((side, 100), (100, side)) == (coarse, final)


@given(st.lists(st.integers(16, 20_000), min_size=2, max_size=9))
def test_steps_fall_with_the_size_and_never_below_8(sides: list[int]) -> None:
    *coarse, _ = steps_of(*((side, 16) for side in sorted(sides)), (16, 16))
    assert all(more >= fewer >= 8 for more, fewer in pairwise(coarse))
    final = [steps_of((16, side))[0] for side in sorted(sides)]
    assert all(more >= fewer >= 8 for more, fewer in pairwise(final))


def test_steps_that_are_given_are_taken() -> None:
    assert steps_of((8000, 16), (16_000, 16), steps=3, coarse_steps=500) == (500, 3)
    assert steps_of((8000, 16), (16_000, 16), steps=3) == (8, 3)
    assert steps_of((8000, 16), (16_000, 16), coarse_steps=500) == (500, 8)


def test_a_flat_change_stays_what_it_is() -> None:
    grown = enlarged(torch.full((1, 3, 32, 40), 0.25), (81, 65))
    torch.testing.assert_close(grown, torch.full((1, 3, 65, 81), 0.25))


def test_a_soft_change_is_enlarged_in_place() -> None:
    """A wave keeps its height, and its place: a shift by half a pixel would be 0.04."""

    def wave(count: int) -> torch.Tensor:
        return torch.sin(2 * math.pi * (torch.arange(count) + 0.5) / count)

    coarse = wave(40).expand(1, 3, 32, 40).contiguous()
    fine = wave(80).expand(1, 3, 64, 80)
    inside = slice(4, -4)  # the wave goes on beyond the edge, what is known of it does not
    found = enlarged(coarse, (80, 64))[..., inside]
    torch.testing.assert_close(found, fine[..., inside], rtol=0, atol=1e-2)

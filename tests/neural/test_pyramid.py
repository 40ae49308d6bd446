import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from impasto.neural.pyramid import enlarged, level_sizes
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

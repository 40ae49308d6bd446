from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.neural.metric import BANDS, Metric, Pair, inner
from impasto.neural.rows import Rows

CPU = torch.device("cpu")
sides = st.integers(8, 41)


def randn(height: int, width: int, seed: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def pair_of(metric: Metric, change: Tensor, response: Tensor) -> Pair | None:
    return metric.pair(Rows.of(change), Rows.of(response))


def some_pairs(metric: Metric, height: int, width: int, count: int, seed: int) -> list[Pair]:
    """Changes and responses of a Hessian that differs by place and colour."""
    steep = 1 + 9 * torch.rand(3, 1, 1, generator=torch.Generator().manual_seed(seed))
    steep = steep * torch.linspace(1, 5, width)
    pairs = []
    for k in range(count):
        change = randn(height, width, seed + k)
        pair = pair_of(metric, change, change * steep)
        assert pair is not None
        pairs.append(pair)
    return pairs


@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, seed=st.integers(0, 99))
def test_bands_share_out_all_of_the_energy(height: int, width: int, seed: int) -> None:
    change, response = randn(height, width, seed), randn(height, width, seed)
    pair = pair_of(Metric(height, width, CPU), change, response)
    assert pair is not None
    assert pair.bands.shape == (2, 3, BANDS)
    energies = [inner(change, change), inner(response, response)]
    assert pair.bands.sum((1, 2)).tolist() == pytest.approx(energies, rel=1e-4)


def test_bands_tell_colour_and_frequency() -> None:
    grey_board = torch.ones(1, 3, 16, 16)
    grey_board[..., ::2, ::2] = grey_board[..., 1::2, 1::2] = -1
    magenta = torch.tensor([1.0, -2.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16).contiguous()
    metric = Metric(16, 16, CPU)
    board, flat = pair_of(metric, grey_board, grey_board), pair_of(metric, magenta, magenta)
    assert board is not None
    assert flat is not None
    expected = torch.zeros(3, BANDS)
    expected[0, -1] = 3 * 256  # brightness, the finest band
    torch.testing.assert_close(board.bands[0], expected, atol=1e-3, rtol=1e-5)
    expected = torch.zeros(3, BANDS)
    expected[2, 0] = 6 * 256  # green against magenta, the coarsest band
    torch.testing.assert_close(flat.bands[0], expected, atol=1e-3, rtol=1e-5)


@pytest.mark.parametrize("turn", [-1.0, 0.0])
def test_pairs_without_positive_curvature_are_none(turn: float) -> None:
    change = randn(16, 16, 0)
    assert pair_of(Metric(16, 16, CPU), change, turn * change) is None


def test_nothing_changed_is_no_pair() -> None:
    nothing = torch.zeros(1, 3, 16, 16)
    assert pair_of(Metric(16, 16, CPU), nothing, nothing) is None


@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, count=st.integers(1, 4), seed=st.integers(0, 99))
def test_guess_is_symmetric_positive_and_scaled_to_the_last_pair(
    height: int, width: int, count: int, seed: int
) -> None:
    metric = Metric(height, width, CPU)
    pairs = some_pairs(metric, height, width, count, seed)
    a, b = randn(height, width, seed + 200), randn(height, width, seed + 300)
    guess = metric.guess(pairs)
    guess_a, guess_b = metric.apply_(guess, a.clone()), metric.apply_(guess, b.clone())
    size = (inner(a, guess_a) * inner(b, guess_b)) ** 0.5
    assert inner(a, guess_a) > 0
    assert inner(a, guess_b) == pytest.approx(inner(b, guess_a), abs=1e-4 * size)
    last = pairs[-1]
    scaled = inner(last.response, metric.apply_(guess, last.response[:].clone()))
    assert scaled == pytest.approx(last.curvature, rel=1e-3)


@pytest.mark.parametrize("size", [(32, 40), (33, 41)])
def test_hessian_by_colour_and_frequency_is_found(size: tuple[int, int]) -> None:
    """Where the Hessian is a gain for each colour and band, the guess is its inverse."""
    height, width = size
    metric = Metric(height, width, CPU)
    gains = 4.0 ** torch.arange(3)[:, None] * 1.5 ** torch.arange(BANDS)[None]
    changes = [randn(height, width, seed) for seed in range(8)]
    pairs = [pair_of(metric, change, metric.apply_(gains, change.clone())) for change in changes]
    known = [pair for pair in pairs if pair is not None]
    assert len(known) == 8
    direction = randn(height, width, 100)
    found = metric.apply_(metric.guess(known), metric.apply_(gains, direction.clone()))
    # Gains blend between bands, and their inverses do not blend quite to the inverse.
    assert ((found - direction).norm() / direction.norm()).item() < 0.1


@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, strip=st.integers(1, 900), seed=st.integers(0, 99))
def test_strips_change_nothing(height: int, width: int, strip: int, seed: int) -> None:
    """Of pictures that lie on disk or in memory, in rounded numbers, of any part at a time."""
    change = randn(height, width, seed).bfloat16()
    response = (2 * change + randn(height, width, seed + 1)).bfloat16()
    direction = randn(height, width, seed + 2)
    metric = Metric(height, width, CPU)
    whole = pair_of(metric, change.float(), response.float())
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as folder:
        patch.setattr("impasto.neural.rows.STRIP", strip)
        on_disk = [Rows((1, 3, height, width), torch.bfloat16, CPU, Path(folder)) for _ in "sy"]
        for place, picture in zip(on_disk, (change, response), strict=True):
            place[0:height] = picture
        parts = metric.pair(*on_disk)
        assert whole is not None
        assert parts is not None
        assert parts.curvature == pytest.approx(whole.curvature, rel=1e-5)
        torch.testing.assert_close(parts.bands, whole.bands, rtol=1e-4, atol=1e-4)
        by_strips = metric.apply_(metric.guess([whole]), direction.clone())
    at_once = metric.apply_(metric.guess([whole]), direction.clone())
    torch.testing.assert_close(by_strips, at_once, rtol=1e-5, atol=1e-6)


def test_applying_is_in_place(picture: Callable[[str, int, int], Tensor]) -> None:
    metric, direction = Metric(16, 20, CPU), picture("coffee", 20, 16)
    found = metric.apply_(torch.full((3, BANDS), 2.0), direction)
    assert found is direction
    torch.testing.assert_close(found, 2 * picture("coffee", 20, 16))


def test_places_that_never_change_do_no_harm() -> None:
    """Where all values stay at a bound, both change and response are 0."""
    metric = Metric(64, 64, CPU)
    change = randn(64, 64, 0)
    change[..., 32:] = 0
    pair = pair_of(metric, change, 3 * change)
    assert pair is not None
    assert metric.apply_(metric.guess([pair]), randn(64, 64, 1)).isfinite().all()
    flat = torch.zeros(1, 3, 64, 64)
    flat[..., 0, 0] = 1.0
    pair = pair_of(metric, flat, 3 * flat)
    assert pair is not None
    assert metric.apply_(metric.guess([pair]), randn(64, 64, 1)).isfinite().all()

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.neural.metric import BANDS, Metric, Pair, inner

CPU = torch.device("cpu")
sides = st.integers(8, 41)


def randn(height: int, width: int, seed: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def some_pairs(metric: Metric, height: int, width: int, count: int, seed: int) -> list[Pair]:
    """Changes and responses of a Hessian that differs by place and colour."""
    steep = 1 + 9 * torch.rand(3, 1, 1, generator=torch.Generator().manual_seed(seed))
    steep = steep * torch.linspace(1, 5, width)
    pairs = []
    for k in range(count):
        change = randn(height, width, seed + k)
        pair = metric.pair(change, change * steep)
        assert pair is not None
        pairs.append(pair)
    return pairs


@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, seed=st.integers(0, 99))
def test_bands_share_out_all_of_the_energy(height: int, width: int, seed: int) -> None:
    change, response = randn(height, width, seed), randn(height, width, seed)
    pair = Metric(height, width, CPU).pair(change, response)
    assert pair is not None
    assert pair.bands.shape == (2, 3, BANDS)
    energies = [inner(change, change), inner(response, response)]
    assert pair.bands.sum((1, 2)).tolist() == pytest.approx(energies, rel=1e-4)


def test_bands_tell_colour_and_frequency() -> None:
    grey_board = torch.ones(1, 3, 16, 16)
    grey_board[..., ::2, ::2] = grey_board[..., 1::2, 1::2] = -1
    magenta = torch.tensor([1.0, -2.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 16, 16).contiguous()
    metric = Metric(16, 16, CPU)
    board, flat = metric.pair(grey_board, grey_board), metric.pair(magenta, magenta)
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
    assert Metric(16, 16, CPU).pair(change, turn * change) is None


def test_nothing_changed_is_no_pair() -> None:
    nothing = torch.zeros(1, 3, 16, 16)
    assert Metric(16, 16, CPU).pair(nothing, nothing) is None


@settings(max_examples=30, deadline=None)
@given(height=sides, width=sides, count=st.integers(1, 4), seed=st.integers(0, 99))
def test_guess_is_symmetric_positive_and_scaled_to_the_last_pair(
    height: int, width: int, count: int, seed: int
) -> None:
    metric = Metric(height, width, CPU)
    pairs = some_pairs(metric, height, width, count, seed)
    a, b = randn(height, width, seed + 200), randn(height, width, seed + 300)
    guess = metric.guess(pairs)
    guess_a, guess_b = metric.apply(guess, a), metric.apply(guess, b)
    size = (inner(a, guess_a) * inner(b, guess_b)) ** 0.5
    assert inner(a, guess_a) > 0
    assert inner(a, guess_b) == pytest.approx(inner(b, guess_a), abs=1e-4 * size)
    last = pairs[-1]
    scaled = inner(last.response, metric.apply(guess, last.response))
    assert scaled == pytest.approx(last.curvature, rel=1e-3)


@pytest.mark.parametrize("size", [(32, 40), (33, 41)])
def test_hessian_by_colour_and_frequency_is_found(size: tuple[int, int]) -> None:
    """Where the Hessian is a gain for each colour and band, the guess is its inverse."""
    height, width = size
    metric = Metric(height, width, CPU)
    gains = 4.0 ** torch.arange(3)[:, None] * 1.5 ** torch.arange(BANDS)[None]
    changes = [randn(height, width, seed) for seed in range(8)]
    pairs = [metric.pair(change, metric.apply(gains, change)) for change in changes]
    known = [pair for pair in pairs if pair is not None]
    assert len(known) == 8
    direction = randn(height, width, 100)
    found = metric.apply(metric.guess(known), metric.apply(gains, direction))
    # Gains blend between bands, and their inverses do not blend quite to the inverse.
    assert ((found - direction).norm() / direction.norm()).item() < 0.1


def test_places_that_never_change_do_no_harm() -> None:
    """Where all values stay at a bound, both change and response are 0."""
    metric = Metric(64, 64, CPU)
    change = randn(64, 64, 0)
    change[..., 32:] = 0
    pair = metric.pair(change, 3 * change)
    assert pair is not None
    assert metric.apply(metric.guess([pair]), randn(64, 64, 1)).isfinite().all()
    flat = torch.zeros(1, 3, 64, 64)
    flat[..., 0, 0] = 1.0
    pair = metric.pair(flat, 3 * flat)
    assert pair is not None
    assert metric.apply(metric.guess([pair]), randn(64, 64, 1)).isfinite().all()

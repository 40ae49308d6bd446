from itertools import pairwise

import pytest
import torch
from torch import Tensor

from impasto.neural.losses import (
    STRETCH,
    content_loss,
    energy,
    gram,
    gram_loss,
    products,
    through_gram_,
)


@pytest.fixture
def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def test_gram_of_flat_channels_is_their_outer_product() -> None:
    levels = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
    flat = levels.view(1, 3, 1, 1).expand(1, 3, 5, 7)
    torch.testing.assert_close(gram(flat), torch.outer(levels, levels), rtol=1e-15, atol=0)


def test_gram_of_channels_that_never_meet_is_diagonal() -> None:
    features = torch.zeros(1, 2, 4, 4, dtype=torch.float64)
    features[0, 0, :2] = 3.0
    features[0, 1, 2:] = 5.0
    assert gram(features).tolist() == [[4.5, 0.0], [0.0, 12.5]]


def test_gram_is_the_same_for_a_picture_repeated(rng: torch.Generator) -> None:
    features = torch.rand(1, 4, 6, 5, dtype=torch.float64, generator=rng)
    torch.testing.assert_close(gram(features.repeat(1, 1, 2, 3)), gram(features))


@pytest.mark.parametrize("pixels", [1, 7, STRETCH - 1, STRETCH, STRETCH + 1, 3 * STRETCH + 511])
def test_gram_of_half_precision_is_that_of_float64(pixels: int, rng: torch.Generator) -> None:
    # One rounding of a stretch's sum to 8 bits is 2^-9 at most; the mean of many is less.
    features = torch.randn(1, 16, 1, pixels, generator=rng).relu().bfloat16()
    exact = features.double()[0, :, 0] @ features.double()[0, :, 0].mT / pixels
    found = gram(channels_last(features))
    assert found.dtype == torch.float32
    assert ((found - exact).norm() / exact.norm()).item() < (1e-6 if pixels < STRETCH else 2**-9)


@pytest.mark.parametrize("size", [(96, 128), (45, 47)])
def test_gram_of_half_precision_does_not_lose_large_sums(size: tuple[int, int]) -> None:
    """Sums of 2048 equal values and more stand still in half precision if added one by one."""
    features = torch.full((1, 2, *size), 1.0).bfloat16()
    assert gram(channels_last(features)).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_losses_are_0_at_the_target_and_1_at_black(rng: torch.Generator) -> None:
    target = torch.rand(1, 3, 4, 5, dtype=torch.float64, generator=rng)
    scale = 1 / energy(target)
    assert content_loss(target, target, scale)[0].item() == 0
    assert content_loss(torch.zeros_like(target), target, scale)[0].item() == pytest.approx(1)
    correlations = gram(target)
    scale = 1 / energy(correlations)
    assert gram_loss(correlations, correlations, scale)[0].item() == 0
    black = torch.zeros_like(correlations)
    assert gram_loss(black, correlations, scale)[0].item() == pytest.approx(1)


def test_content_loss_in_closed_form() -> None:
    features = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64).view(1, 3, 1, 1)
    target = torch.tensor([0.0, 2.0, 5.0], dtype=torch.float64).view(1, 3, 1, 1)
    value, slope = content_loss(features, target, 0.5)
    assert value.item() == 1.0
    assert slope.flatten().tolist() == [1.0, 0.0, -1.0]


def test_gram_loss_in_closed_form() -> None:
    correlations = torch.tensor([[1.0, 2.0], [2.0, 3.0]], dtype=torch.float64)
    target = torch.tensor([[0.0, 2.0], [2.0, 1.0]], dtype=torch.float64)
    value, slope = gram_loss(correlations, target, 3.0)
    assert value.item() == 15.0
    assert slope.tolist() == [[6.0, 0.0], [0.0, 12.0]]


@pytest.mark.parametrize("size", [(1, 1), (1, 6), (6, 1), (5, 7)])
@pytest.mark.parametrize("begun", [False, True])
def test_derivative_through_the_gram_matrix_is_autograds(
    size: tuple[int, int], begun: bool, rng: torch.Generator
) -> None:
    features = torch.randn(1, 3, *size, dtype=torch.float64, generator=rng).requires_grad_()
    target = torch.randn(3, 3, dtype=torch.float64, generator=rng)
    target = target + target.mT
    before = torch.randn(1, 3, *size, dtype=torch.float64, generator=rng) * begun
    flat = features.flatten(2)[0]
    loss = 0.7 * (flat @ flat.mT / flat.shape[1] - target).square().sum()
    (expected,) = torch.autograd.grad(loss, features)

    fixed, gradient = channels_last(features.detach()), channels_last(before.clone())
    _, slope = gram_loss(gram(fixed), target, 0.7)
    through_gram_(fixed, slope, size[0] * size[1], gradient)
    torch.testing.assert_close(gradient, expected + before)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("cuts", [[0, 9], [0, 1, 9], [0, 0, 4, 8, 9, 9]])
def test_products_and_derivatives_of_parts_are_those_of_the_whole(
    dtype: torch.dtype, cuts: list[int], rng: torch.Generator
) -> None:
    """Of parts of a map that lie in it as rows, some of them empty."""
    features = channels_last(torch.randn(1, 3, 9, 5, generator=rng).to(dtype))
    slope = torch.randn(3, 3, generator=rng).to(torch.promote_types(dtype, torch.float32))
    whole, parts = (
        channels_last(torch.zeros_like(features)),
        channels_last(torch.zeros_like(features)),
    )
    through_gram_(features, slope, 45, whole)
    sums = torch.zeros_like(slope)
    for top, bottom in pairwise(cuts):
        sums += products(features[:, :, top:bottom])
        through_gram_(features[:, :, top:bottom], slope, 45, parts[:, :, top:bottom])
    torch.testing.assert_close(sums / 45, gram(features), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(parts, whole)
    assert whole.any()


def test_energy_of_nothing_can_be_divided_by() -> None:
    assert energy(torch.zeros(3)) > 0
    assert energy(torch.tensor([3.0, 4.0]).bfloat16()) == 25

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.neural import vgg
from impasto.neural.vgg import VGG19, ends_block
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, Pooling

Vgg = Callable[[torch.dtype, Pooling], VGG19]
Sample = Callable[[str, int, int], Tensor]
POOLINGS: list[Pooling] = ["max", "average"]


def plain_maps(weights: Weights, image: Tensor, pooling: Pooling) -> dict[str, Tensor]:
    """Every feature map by PyTorch's own functions, for autograd."""
    maps, x = {}, image - weights.mean.to(image.dtype).view(1, 3, 1, 1)
    for name, (weight, bias) in weights.layers.items():
        if name.endswith("_1") and name != "relu1_1":
            x = F.max_pool2d(x, 2) if pooling == "max" else F.avg_pool2d(x, 2)
        x = F.relu(F.conv2d(x, weight.to(x.dtype), bias.to(x.dtype), padding=1))
        maps[name] = x
    return maps


def small_weights(seed: int, whole: bool = False) -> Weights:
    """A chain shaped like VGG-19 with 4 channels; with whole numbers all sums are exact."""
    rng = torch.Generator().manual_seed(seed)
    layers = {}
    for name in LAYERS:
        shape = (4, 3 if name == "relu1_1" else 4, 3, 3)
        weight = torch.randn(shape, generator=rng) * (2 / 36) ** 0.5
        if whole:
            weight = torch.where(torch.rand(shape, generator=rng) < 0.1, weight.sign(), 0.0)
        layers[name] = weight, torch.ones(4) if whole else torch.randn(4, generator=rng) * 0.1
    mean = torch.zeros(3) if whole else torch.rand(3, generator=rng)
    return Weights(source="test", kind="caffe", sha256="", mean=mean, layers=layers)


def gradients(
    network: VGG19, weights: Weights, image: Tensor, pooling: Pooling, slopes: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """By the written-out backward pass and by autograd, of sum over layers of <map, slope>."""

    def add_slopes(layer: str, features: Tensor, gradient: Tensor | None) -> Tensor | None:
        return slopes[layer].clone() if gradient is None else gradient + slopes[layer]

    deepest = max(slopes, key=LAYERS.index)
    found = network.backward(network.forward(image, deepest), slopes, add_slopes)
    leaf = image.clone().requires_grad_()
    maps = plain_maps(weights, leaf, pooling)
    total = torch.stack([(maps[layer] * slope).sum() for layer, slope in slopes.items()]).sum()
    (expected,) = torch.autograd.grad(total, leaf)
    return found, expected


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("size", [(51, 37), (16, 16)])
def test_maps_are_those_of_plain_pytorch(
    vgg: Vgg, weights: Weights, picture: Sample, pooling: Pooling, size: tuple[int, int]
) -> None:
    image = picture("chelsea", *size).double()
    found = vgg(torch.float64, pooling).maps(image, LAYERS)
    expected = plain_maps(weights, image, pooling)
    assert list(found) == list(LAYERS)
    for layer in LAYERS:
        torch.testing.assert_close(found[layer], expected[layer], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("size", [(51, 37), (16, 16)])
@pytest.mark.parametrize("layers", [["relu5_4"], ["relu1_2", "relu3_4", "relu4_2", "relu5_1"]])
def test_gradient_is_autograds(
    vgg: Vgg,
    weights: Weights,
    picture: Sample,
    pooling: Pooling,
    size: tuple[int, int],
    layers: list[str],
) -> None:
    network, image = vgg(torch.float64, pooling), picture("coffee", *size).double()
    rng = torch.Generator().manual_seed(1)
    slopes = {
        layer: torch.randn(found.shape, dtype=found.dtype, generator=rng)
        for layer, found in network.maps(image, layers).items()
    }
    found, expected = gradients(network, weights, image, pooling, slopes)
    assert found.dtype == torch.float64
    assert ((found - expected).norm() / expected.norm()).item() < 1e-9


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(16, 40),
    height=st.integers(16, 40),
    layers=st.sets(st.sampled_from(LAYERS), min_size=1),
    pooling=st.sampled_from(POOLINGS),
    seed=st.integers(0, 1000),
)
def test_gradient_is_autograds_for_every_shape_and_choice_of_layers(
    width: int, height: int, layers: set[str], pooling: Pooling, seed: int
) -> None:
    weights = small_weights(seed)
    network = VGG19(weights, torch.float64, torch.device("cpu"), pooling)
    rng = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, height, width, dtype=torch.float64, generator=rng)
    slopes = {
        layer: torch.randn(found.shape, dtype=found.dtype, generator=rng)
        for layer, found in network.maps(image, sorted(layers)).items()
    }
    found, expected = gradients(network, weights, image, pooling, slopes)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(32, 32), (37, 51)])
def test_ties_of_max_pooling_go_where_autograd_sends_them(
    dtype: torch.dtype, size: tuple[int, int]
) -> None:
    weights = small_weights(3, whole=True)
    network = VGG19(weights, dtype, torch.device("cpu"))
    image = torch.ones(1, 3, *size, dtype=dtype)  # flat, so that nearly every pooling is a tie
    maps = network.maps(image, LAYERS)
    pooled = [maps[layer] for layer in LAYERS if ends_block(layer)]
    assert all((m[..., 2:-1, 2:-1].diff() == 0).float().mean() > 0.5 for m in pooled[:2])
    rng = torch.Generator().manual_seed(0)
    slopes = {
        layer: torch.randint(-3, 4, maps[layer].shape, generator=rng).to(dtype)
        for layer in ("relu1_1", "relu3_2", "relu5_1")
    }
    found, expected = gradients(network, weights, image, "max", slopes)
    assert expected.abs().sum() > 0
    assert torch.equal(found, expected)


def test_maps_that_are_not_asked_for_are_not_kept(vgg: Vgg, picture: Sample) -> None:
    found = vgg(torch.float32, "max").maps(picture("rocket", 32, 32), ["relu3_1", "relu1_2"])
    assert {layer: tuple(m.shape) for layer, m in found.items()} == {
        "relu1_2": (1, 64, 32, 32),
        "relu3_1": (1, 256, 8, 8),
    }


def test_maps_are_channels_last(vgg: Vgg, picture: Sample) -> None:
    """The Gram matrices are computed without a copy on that layout alone."""
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        for features in vgg(dtype, "max").maps(picture("rocket", 51, 37), LAYERS).values():
            assert features.is_contiguous(memory_format=torch.channels_last)


def test_backward_uses_up_what_has_passed(vgg: Vgg, picture: Sample) -> None:
    network = vgg(torch.float32, "max")
    passed = network.forward(picture("rocket", 32, 32), "relu2_1")
    assert list(passed.maps) == ["relu1_1", "relu1_2", "relu2_1"]
    network.backward(passed, ["relu2_1"], lambda _, features, gradient: features.clone())
    assert not passed.maps
    assert not passed.pools


def test_backward_without_any_loss_is_refused(vgg: Vgg, picture: Sample) -> None:
    network = vgg(torch.float32, "max")
    passed = network.forward(picture("rocket", 32, 32), "relu1_2")
    with pytest.raises(ValueError, match="no layer has a loss"):
        network.backward(passed, [], lambda _, features, gradient: gradient)


def test_blocks_end_before_their_poolings() -> None:
    ends = [layer for layer in LAYERS if ends_block(layer)]
    assert ends == ["relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_fused_convolution_is_the_plain_one(dtype: torch.dtype) -> None:
    if not vgg.fuses(torch.device("cpu"), dtype):
        assert dtype == torch.bfloat16
        return
    generator = torch.Generator().manual_seed(3)
    x = torch.randn((1, 16, 9, 11), generator=generator).to(dtype)
    x = x.contiguous(memory_format=torch.channels_last)
    kernel = torch.randn((32, 16, 3, 3), generator=generator).to(dtype)
    bias = torch.randn(32, generator=generator).to(dtype)
    plain = vgg.conv_relu(x, kernel, bias)
    torch.testing.assert_close(vgg.conv_relu_fused(x, kernel, bias), plain)


def test_float64_is_never_fused() -> None:
    assert not vgg.fuses(torch.device("cpu"), torch.float64)

from collections.abc import Callable, Collection

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.neural import vgg
from impasto.neural.vgg import VGG19, ends_block, halvings
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, Pooling

Vgg = Callable[[torch.dtype, Pooling], VGG19]
Sample = Callable[[str, int, int], Tensor]
Maps = dict[str, Tensor]
PlainMaps = Callable[[Weights, Tensor, Pooling], Maps]
SmallWeights = Callable[..., Weights]
POOLINGS: list[Pooling] = ["max", "average"]


def maps_of(network: VGG19, image: Tensor, layers: Collection[str]) -> dict[str, Tensor]:
    deepest = max(layers, key=LAYERS.index)
    return network.forward(network.enter(image), down_to(deepest), layers, pooled=False).maps


def down_to(layer: str) -> tuple[str, ...]:
    return LAYERS[: LAYERS.index(layer) + 1]


def add_one(layer: str, features: Tensor, gradient: Tensor) -> None:
    gradient.add_(1)


def gradients(
    network: VGG19, image: Tensor, plain: Callable[[Tensor], Maps], slopes: Maps
) -> tuple[Tensor, Tensor]:
    """By the written-out backward pass and by autograd, of sum over layers of <map, slope>."""

    def add_slopes(layer: str, features: Tensor, gradient: Tensor) -> None:
        gradient.add_(slopes[layer])

    layers = down_to(max(slopes, key=LAYERS.index))
    passed = network.forward(network.enter(image), layers, pooled=False)
    found = network.backward(passed, slopes, add_slopes)
    leaf = image.clone().requires_grad_()
    maps = plain(leaf)
    total = torch.stack([(maps[layer] * slope).sum() for layer, slope in slopes.items()]).sum()
    (expected,) = torch.autograd.grad(total, leaf)
    return found, expected


def test_float32_is_no_tf32_whatever_the_process_has_asked_for(
    small_weights: SmallWeights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of convolutions and of the products that Gram matrices are, from the first network on."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    torch.set_float32_matmul_precision("medium")
    try:
        VGG19(small_weights(0), torch.float32, torch.device("cpu"))
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("size", [(51, 37), (16, 16)])
def test_maps_are_those_of_plain_pytorch(
    vgg: Vgg,
    weights: Weights,
    picture: Sample,
    plain_maps: PlainMaps,
    pooling: Pooling,
    size: tuple[int, int],
) -> None:
    image = picture("chelsea", *size).double()
    found = maps_of(vgg(torch.float64, pooling), image, LAYERS)
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
    plain_maps: PlainMaps,
    pooling: Pooling,
    size: tuple[int, int],
    layers: list[str],
) -> None:
    network, image = vgg(torch.float64, pooling), picture("coffee", *size).double()
    rng = torch.Generator().manual_seed(1)
    slopes = {
        layer: torch.randn(found.shape, dtype=found.dtype, generator=rng)
        for layer, found in maps_of(network, image, layers).items()
    }
    found, expected = gradients(network, image, lambda x: plain_maps(weights, x, pooling), slopes)
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
    plain_maps: PlainMaps,
    small_weights: SmallWeights,
    width: int,
    height: int,
    layers: set[str],
    pooling: Pooling,
    seed: int,
) -> None:
    weights = small_weights(seed)
    network = VGG19(weights, torch.float64, torch.device("cpu"), pooling)
    rng = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 3, height, width, dtype=torch.float64, generator=rng)
    slopes = {
        layer: torch.randn(found.shape, dtype=found.dtype, generator=rng)
        for layer, found in maps_of(network, image, layers).items()
    }
    found, expected = gradients(network, image, lambda x: plain_maps(weights, x, pooling), slopes)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", [(32, 32), (37, 51)])
def test_ties_of_max_pooling_go_where_autograd_sends_them(
    plain_maps: PlainMaps,
    small_weights: SmallWeights,
    dtype: torch.dtype,
    size: tuple[int, int],
) -> None:
    weights = small_weights(3, whole=True)
    network = VGG19(weights, dtype, torch.device("cpu"))
    image = torch.ones(1, 3, *size, dtype=dtype)  # flat, so that nearly every pooling is a tie
    maps = maps_of(network, image, LAYERS)
    pooled = [maps[layer] for layer in LAYERS if ends_block(layer)]
    assert all((m[..., 2:-1, 2:-1].diff() == 0).float().mean() > 0.5 for m in pooled[:2])
    rng = torch.Generator().manual_seed(0)
    slopes = {
        layer: torch.randint(-3, 4, maps[layer].shape, generator=rng).to(dtype)
        for layer in ("relu1_1", "relu3_2", "relu5_1")
    }
    found, expected = gradients(network, image, lambda x: plain_maps(weights, x, "max"), slopes)
    assert expected.abs().sum() > 0
    assert torch.equal(found, expected)


def test_maps_that_are_not_asked_for_are_not_kept(vgg: Vgg, picture: Sample) -> None:
    network, image = vgg(torch.float32, "max"), picture("rocket", 32, 32)
    found = maps_of(network, image, ["relu3_1", "relu1_2"])
    assert {layer: tuple(m.shape) for layer, m in found.items()} == {
        "relu1_2": (1, 64, 32, 32),
        "relu3_1": (1, 256, 8, 8),
    }


def test_maps_are_channels_last(vgg: Vgg, picture: Sample) -> None:
    """The Gram matrices are computed without a copy on that layout alone."""
    for dtype in (torch.float32, torch.bfloat16, torch.float64):
        for features in maps_of(vgg(dtype, "max"), picture("rocket", 51, 37), LAYERS).values():
            assert features.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(("first", "last"), [("relu1_1", "relu2_2"), ("relu3_1", "relu4_4")])
@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("lossy", [(), (0,), (1, -1)])
def test_consecutive_layers_go_back_as_autograd_does(
    small_weights: SmallWeights,
    pooling: Pooling,
    first: str,
    last: str,
    pooled: bool,
    lossy: tuple[int, ...],
) -> None:
    """From the gradient by their output, and the losses' that some of them have."""
    weights, rng = small_weights(5), torch.Generator().manual_seed(5)
    network = VGG19(weights, torch.float64, torch.device("cpu"), pooling)
    layers = LAYERS[LAYERS.index(first) : LAYERS.index(last) + 1]
    leaf = torch.rand(1, 3 if first == "relu1_1" else 4, 21, 19, dtype=torch.float64, generator=rng)
    x, maps = leaf.requires_grad_(), {}
    for name in layers:
        weight, bias = (part.double() for part in weights.layers[name])
        maps[name] = x = F.relu(F.conv2d(x, weight, bias, padding=1))
        if ends_block(name) and (pooled or name != last):
            x = F.max_pool2d(x, 2) if pooling == "max" else F.avg_pool2d(x, 2)
    slopes = {
        layers[k]: torch.randn(maps[layers[k]].shape, dtype=x.dtype, generator=rng) for k in lossy
    }
    after = torch.randn(x.shape, dtype=x.dtype, generator=rng)
    terms = [(maps[layer] * slope).sum() for layer, slope in slopes.items()]
    (expected,) = torch.autograd.grad(torch.stack([*terms, (x * after).sum()]).sum(), leaf)

    def add_slopes(layer: str, features: Tensor, gradient: Tensor) -> None:
        gradient.add_(slopes[layer])

    passed = network.forward(leaf.detach(), layers, pooled=pooled)
    torch.testing.assert_close(passed.output, x.detach(), rtol=1e-12, atol=1e-12)
    found = network.backward(passed, slopes, add_slopes, after.clone())
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


def test_slopes_are_asked_for_from_the_deepest_up_with_the_maps(vgg: Vgg, picture: Sample) -> None:
    network, image = vgg(torch.float32, "max"), picture("rocket", 32, 32)
    layers = ["relu1_2", "relu3_1", "relu2_2"]
    maps, seen = maps_of(network, image, layers), []

    def add_slopes(layer: str, features: Tensor, gradient: Tensor) -> None:
        assert torch.equal(features, maps[layer])
        assert gradient.shape == features.shape
        assert gradient.is_contiguous(memory_format=torch.channels_last)
        seen.append(layer)

    passed = network.forward(network.enter(image), down_to("relu3_1"), pooled=False)
    network.backward(passed, layers, add_slopes)
    assert seen == ["relu3_1", "relu2_2", "relu1_2"]


def test_the_last_pooling_belongs_to_the_layers_where_it_is_asked_for(
    vgg: Vgg, picture: Sample
) -> None:
    network, image = vgg(torch.float32, "max"), picture("rocket", 33, 35)
    without = network.forward(network.enter(image), down_to("relu2_2"), pooled=False)
    within = network.forward(network.enter(image), down_to("relu2_2"), pooled=True)
    assert torch.equal(without.output, without.maps["relu2_2"])
    assert list(without.pooled) == ["relu1_2"]
    assert torch.equal(within.output, F.max_pool2d(within.maps["relu2_2"], 2))
    assert within.output.shape == (1, 128, 8, 8)
    assert list(within.pooled) == ["relu1_2", "relu2_2"]


def test_backward_uses_up_what_has_passed(vgg: Vgg, picture: Sample) -> None:
    network = vgg(torch.float32, "max")
    x = network.enter(picture("rocket", 32, 32))
    passed = network.forward(x, down_to("relu2_1"), pooled=False)
    assert list(passed.maps) == ["relu1_1", "relu1_2", "relu2_1"]
    network.backward(passed, ["relu2_1"], add_one)
    assert not passed.maps
    assert not passed.pooled


def test_backward_without_any_loss_is_refused(vgg: Vgg, picture: Sample) -> None:
    network = vgg(torch.float32, "max")
    x = network.enter(picture("rocket", 32, 32))
    passed = network.forward(x, down_to("relu1_2"), pooled=False)
    with pytest.raises(ValueError, match="no layer has a loss"):
        network.backward(passed, [], add_one)


def test_blocks_end_before_their_poolings() -> None:
    ends = [layer for layer in LAYERS if ends_block(layer)]
    assert ends == ["relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4"]
    assert [halvings(layer) for layer in ends] == [0, 1, 2, 3, 4]


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

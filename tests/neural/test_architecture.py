"""The table of layers against the real network: its shapes, its work, and what each value sees."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from impasto.neural.architecture import CHANNELS, layers_at
from impasto.neural.weights import Weights
from impasto.settings import CONTENT_LAYERS, LAYERS, STYLE_LAYERS

PlainMaps = Callable[[Weights, Tensor, str], dict[str, Tensor]]


def test_the_blocks_of_a_photo_of_1200_by_800() -> None:
    shapes = {(x.name[:5], x.width, x.height, x.channels) for x in layers_at(1200, 800)}
    assert shapes == {
        ("relu1", 1200, 800, 64),
        ("relu2", 600, 400, 128),
        ("relu3", 300, 200, 256),
        ("relu4", 150, 100, 512),
        ("relu5", 75, 50, 512),
    }


@pytest.mark.parametrize(("width", "height"), [(224, 224), (250, 187), (16, 31)])
def test_shapes_and_memory_are_those_of_the_real_maps(
    weights: Weights, plain_maps: PlainMaps, width: int, height: int
) -> None:
    maps = plain_maps(weights, torch.zeros(1, 3, height, width), "max")
    for layer in layers_at(width, height):
        features = maps[layer.name]
        assert features.shape == (1, layer.channels, layer.height, layer.width)
        assert features.nbytes == layer.memory
    assert [layer.name for layer in layers_at(width, height)] == list(maps)


@pytest.mark.parametrize(("width", "height"), [(1200, 800), (99, 64)])
def test_multiply_adds_are_those_that_pytorch_counts(
    weights: Weights, width: int, height: int
) -> None:
    """On tensors without values, which have a shape alone."""
    x = torch.zeros(1, 3, height, width, device="meta")
    for layer in layers_at(width, height):
        if layer.name.endswith("_1") and layer.block > 1:
            x = F.max_pool2d(x, 2)
        with FlopCounterMode(display=False) as counted:
            x = F.conv2d(x, weights.layers[layer.name][0].to("meta"), padding=1)
        assert 2 * layer.multiply_adds == counted.get_total_flops(), layer.name


def test_multiply_adds_in_closed_form() -> None:
    """With all poolings exact, blocks 2 to 5 hold halves of one number: 9 * 64² * W * H."""
    unit = 9 * 64**2 * 1200 * 800
    first = 9 * 3 * 64 * 1200 * 800
    expected = [first, unit, *[unit // 2, unit], *[unit // 2, *[unit] * 3]]
    expected += [*[unit // 2, *[unit] * 3], *[unit // 4] * 4]
    assert [layer.multiply_adds for layer in layers_at(1200, 800)] == expected


def test_a_value_depends_on_its_receptive_field_and_on_nothing_else(
    small_weights: Callable[[int], Weights], plain_maps: PlainMaps
) -> None:
    """Measured by the gradient of one value, through a chain of four channels.

    With average pooling and positive weights no path cancels another or loses a maximum.
    """
    side = 288
    positive = {
        k: (w.double().abs() + 1e-3, b.double().abs())
        for k, (w, b) in small_weights(0).layers.items()
    }
    network = Weights("test", "caffe", "", torch.zeros(3), positive)
    image = torch.full((1, 3, side, side), 0.5, dtype=torch.float64, requires_grad=True)
    maps = plain_maps(network, image, "average")
    for layer in layers_at(side, side):
        middle = layer.height // 2
        (slope,) = torch.autograd.grad(
            maps[layer.name][0, 0, middle, middle], image, retain_graph=True
        )
        rows = slope[0].abs().sum(dim=(0, 2)).nonzero().flatten()
        columns = slope[0].abs().sum(dim=(0, 1)).nonzero().flatten()
        for seen in (rows, columns):
            assert len(seen) == int(seen[-1] - seen[0]) + 1 == layer.receptive_field, layer.name


@pytest.mark.parametrize("name", ["relu1_1", "relu2_2", "relu3_1", "relu4_2", "relu5_4"])
def test_a_changed_pixel_moves_no_value_that_does_not_see_it(
    weights: Weights, plain_maps: PlainMaps, name: str
) -> None:
    """The real network: those that see it move, but for a row or column at the edge at most."""
    side = 272
    image = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    other = image.clone()
    at = side // 2
    other[:, :, at, at] = 1 - other[:, :, at, at].round()
    with torch.no_grad():
        before, after = (plain_maps(weights, x, "max")[name] for x in (image, other))
    layer = layers_at(side, side)[LAYERS.index(name)]
    stride = side // layer.height
    moved = (before != after)[0].any(dim=0).nonzero()
    # A value at i sees from i * stride - before to i * stride - before + field - 1.
    ahead = (layer.receptive_field - stride) // 2
    first = -(-(at + ahead - layer.receptive_field + 1) // stride)
    last = (at + ahead) // stride
    assert int(moved.min()) >= first
    assert int(moved.max()) <= last
    assert int(moved.max() - moved.min()) >= (last - first) - 1


def test_the_layers_of_the_losses_are_marked() -> None:
    layers = layers_at(64, 64)
    assert {x.name: x.style for x in layers if x.style} == STYLE_LAYERS
    assert {x.name: x.content for x in layers if x.content} == CONTENT_LAYERS
    assert [layer.channels for layer in layers] == [CHANNELS[layer.block - 1] for layer in layers]

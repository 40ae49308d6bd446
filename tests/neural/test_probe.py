"""Feature maps, their activity, Gram distances and answers to edges."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from impasto.errors import NotEnoughMemory
from impasto.neural import probe
from impasto.neural.edges import DIRECTIONS, edge_image, responses_to_edges
from impasto.neural.objective import Objective, Style, Targets
from impasto.neural.probe import feature_maps, gram_distance, gram_matrices
from impasto.neural.tiles import Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import STYLE_LAYERS, PaintSettings

CPU = torch.device("cpu")

Network = Callable[[torch.dtype], VGG19]
MadePicture = Callable[[str, int, int], Tensor]
PlainMaps = Callable[[Weights, Tensor, str], dict[str, Tensor]]


@pytest.mark.parametrize(("width", "height"), [(96, 65), (48, 3000)])
def test_maps_and_activity_are_those_of_the_plain_network(
    weights: Weights,
    vgg: Network,
    picture: MadePicture,
    plain_maps: PlainMaps,
    width: int,
    height: int,
) -> None:
    """Also where the picture is passed in several tiles."""
    image = picture("coffee", width, height)
    wanted = {"relu1_1": (3, 17), "relu2_1": (), "relu3_1": (255, 0, 40)}
    found = feature_maps(vgg(torch.float32), image, wanted)
    with torch.no_grad():
        plain = plain_maps(weights, image, "max")
    assert list(found) == list(wanted)
    for layer, maps in found.items():
        whole = plain[layer][0].numpy()
        assert maps.channels == wanted[layer]
        np.testing.assert_allclose(maps.values, whole[list(wanted[layer])], atol=2e-2)
        np.testing.assert_allclose(maps.means, whole.mean(axis=(1, 2)), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(maps.peaks, whole.max(axis=(1, 2)), rtol=1e-3, atol=1e-2)


def test_the_most_active_come_first_and_the_silent_are_known(
    small_weights: Callable[[int], Weights], picture: MadePicture
) -> None:
    """A filter that is nothing but its bias makes a map of it."""
    made = small_weights(0)
    biases = torch.tensor([2.0, -1.0, 3.0, 2.0])
    layers = {**made.layers, "relu1_1": (torch.zeros(4, 3, 3, 3), biases)}
    network = VGG19(replace(made, layers=layers), torch.float32, torch.device("cpu"))
    maps = feature_maps(network, picture("coffee", 32, 24), {"relu1_1": (1, 2)})["relu1_1"]
    np.testing.assert_array_equal(maps.means, [2, 0, 3, 2])
    np.testing.assert_array_equal(maps.peaks, [2, 0, 3, 2])
    assert maps.most_active(3) == (2, 0, 3)
    assert maps.silent == (1,)
    assert (maps.values == np.array([0, 3])[:, None, None]).all()


def test_maps_that_do_not_fit_are_refused_before_any_work(
    weights: Weights, picture: MadePicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are collected in the system's memory, so what a card has free says nothing."""
    budgets, held = {"cpu": 10**9}, {"cpu": 10**9 - 4 * 64 * 48 * 32 + 1}
    monkeypatch.setattr(probe, "default_budget", lambda device: budgets[device.type])
    monkeypatch.setattr(probe, "resident_memory", lambda device: held[device.type])
    network, image = VGG19(weights, torch.float32, CPU), picture("coffee", 48, 32)
    network.device = torch.device("cuda")
    with pytest.raises(NotEnoughMemory, match=r"48×32 px take 0\.0 GB.*smaller --size"):
        feature_maps(network, image, {"relu1_1": range(64)})
    network.device = CPU
    assert len(feature_maps(network, image, {"relu1_1": range(63)})["relu1_1"].values) == 63


def test_gram_distances_are_the_style_losses_without_weights(
    vgg: Network, picture: MadePicture
) -> None:
    network = vgg(torch.float32)
    style, photo = picture("mosaic", 80, 64), picture("chelsea", 64, 80)
    settings = PaintSettings()
    targets = Targets.of(network, photo, [Style("mosaic", 7.0, style)], settings, Tiling())
    losses = Objective(network, targets, settings, Tiling()).losses(photo)
    wanted = gram_matrices(network, style, STYLE_LAYERS)
    found = gram_matrices(network, photo, STYLE_LAYERS)
    for layer, weight in STYLE_LAYERS.items():
        distance = gram_distance(found[layer], wanted[layer])
        assert distance * 7 * weight == pytest.approx(losses[f"style/mosaic/{layer}"], rel=1e-5)


def test_gram_distance_of_the_same_and_of_nothing() -> None:
    target = torch.tensor([[4.0, 1.0], [1.0, 3.0]])
    assert gram_distance(target, target) == 0
    assert gram_distance(0 * target, target) == 1
    assert gram_distance(3 * target, target) == pytest.approx(4)


SOBEL = torch.tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


def test_planted_filters_are_found_with_their_answer(
    small_weights: Callable[[int], Weights],
) -> None:
    """A step of 0.5 gives (1 + 2 + 1) * 0.5 for each of three colours."""
    made = small_weights(0)
    kernels = torch.stack([SOBEL.mT, -SOBEL, SOBEL, -SOBEL.mT, 0 * SOBEL])
    first = kernels[:, None].expand(5, 3, 3, 3).contiguous(), torch.tensor([0, 0, 0, 0, 9.0])
    layers = {**made.layers, "relu1_1": first}
    network = VGG19(replace(made, layers=layers), torch.float32, torch.device("cpu"))
    found = responses_to_edges(network)
    assert found.ranking(4) == {
        "left-bright": (2,),
        "right-bright": (1,),
        "top-bright": (0,),
        "bottom-bright": (3,),
    }
    np.testing.assert_allclose(found.values.max(axis=1), [6, 6, 6, 6, 0], atol=1e-5)
    assert found.of(4) == dict.fromkeys(DIRECTIONS, 0.0)  # it answers, but not to edges


def test_pictures_of_edges_are_bright_where_their_name_says() -> None:
    for direction, place in zip(DIRECTIONS, [(8, 0), (8, 15), (0, 8), (15, 8)], strict=True):
        image = edge_image(direction)[0, 0]
        assert image[place] == image.max() > image.min() == image[15 - place[0], 15 - place[1]]
        assert image.mean() == (image.max() + image.min()) / 2


def bar(low: float, high: float, *, upright: bool, blur: int) -> Tensor:
    """A bright bar through the middle of a dark picture of 40 px, 12 px wide, (1, 3, 40, 40)."""
    image = torch.full((1, 3, 40, 40), low)
    image[..., 14:26] = high
    if blur:
        image = F.avg_pool2d(F.pad(image, (blur,) * 4, "replicate"), 2 * blur + 1, 1)
    return image if upright else image.mT


@pytest.mark.parametrize(("low", "high", "blur"), [(0.1, 0.5, 0), (0.4, 0.95, 0), (0.2, 0.8, 1)])
def test_real_maps_answer_to_the_edge_they_are_named_for(
    weights: Weights, vgg: Network, low: float, high: float, blur: int
) -> None:
    """On bars, whose sides are edges of both directions, by plain convolution."""
    found = responses_to_edges(vgg(torch.float32))
    kernel, bias = weights.layers["relu1_1"]
    mean = weights.mean.view(1, 3, 1, 1)
    for direction in DIRECTIONS:
        channels = found.strongest(direction, 4)
        assert len(channels) == 4
        upright = direction in {"left-bright", "right-bright"}
        image = bar(low, high, upright=upright, blur=blur)
        maps = F.relu(F.conv2d(image - mean, kernel, bias, padding=1))[0]
        maps = maps if upright else maps.mT
        across = maps[:, 20]  # a line through the bar, (64, 40)
        begins, ends = across[:, 12:16].amax(dim=1), across[:, 24:28].amax(dim=1)
        flat = torch.stack([across[:, 5], across[:, 20]]).amax(dim=0)
        # Behind where the bar begins it is bright on the far side, where it ends on the near one.
        own, other = (
            (ends, begins) if direction in {"left-bright", "top-bright"} else (begins, ends)
        )
        for channel in channels:
            assert own[channel] > 2 * other[channel], (direction, channel)
            assert own[channel] > 2 * flat[channel], (direction, channel)


def test_what_answers_to_the_left_is_silent_at_the_right(vgg: Network) -> None:
    """The first layer is linear before its ReLU."""
    values = responses_to_edges(vgg(torch.float32)).values
    assert values.shape == (64, 4)
    assert (values >= 0).all()
    for one, other in ((0, 1), (2, 3)):
        both = np.minimum(values[:, one], values[:, other])
        assert np.median(both) == 0

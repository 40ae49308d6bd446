from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from impasto.events import Event, Snapshot
from impasto.image.resize import resize
from impasto.image.samples import PHOTOS, photo, style
from impasto.neural import shared
from impasto.neural.paint import Inputs, StyleImage, painting
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights, load_weights
from impasto.settings import LAYERS, PaintSettings, Pooling

RGB = NDArray[np.float32]
Sample = Callable[[str], RGB]
Paint = Callable[..., list[Event]]


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


@pytest.fixture(scope="session", name="plain_maps")
def plain_maps_fixture() -> Callable[[Weights, Tensor, Pooling], dict[str, Tensor]]:
    return plain_maps


@pytest.fixture(scope="session", name="small_weights")
def small_weights_fixture() -> Callable[..., Weights]:
    return small_weights


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Pictures this small are computed sooner by one thread than they are shared among several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def weights() -> Weights:
    return load_weights()


@pytest.fixture(scope="session")
def vgg(weights: Weights) -> Callable[[torch.dtype, Pooling], VGG19]:
    """VGG-19 in a precision, made once."""

    @cache
    def make(dtype: torch.dtype, pooling: Pooling = "max") -> VGG19:
        return VGG19(weights, dtype, torch.device("cpu"), pooling)

    return make


@pytest.fixture(scope="session")
def sample() -> Callable[[str], RGB]:
    """A sample photo or style, (H, W, 3) in [0, 1]; photos are cut to 300x300."""

    @cache
    def load(name: str) -> RGB:
        pixels = photo(name)[:300, 100:400] if name in PHOTOS else style(name, 256)
        return pixels.astype(np.float32) / np.float32(255)

    return load


@pytest.fixture(scope="session")
def picture(sample: Callable[[str], RGB]) -> Callable[[str, int, int], Tensor]:
    """A sample at a size, (1, 3, height, width), float32."""

    def make(name: str, width: int, height: int) -> Tensor:
        planes = np.moveaxis(resize(sample(name), width, height), 2, 0)
        return torch.from_numpy(np.ascontiguousarray(planes))[None]

    return make


@pytest.fixture
def networks_made_once(
    monkeypatch: pytest.MonkeyPatch, vgg: Callable[[torch.dtype, Pooling], VGG19]
) -> None:
    def made(weights: Weights, dtype: torch.dtype, device: torch.device, pooling: Pooling) -> VGG19:
        return vgg(dtype, pooling)

    monkeypatch.setattr(shared, "VGG19", made)


@pytest.fixture(scope="session")
def inputs(sample: Sample) -> Inputs:
    return Inputs(sample("astronaut"), [StyleImage("mosaic", 100.0, sample("mosaic"))])


@pytest.fixture
def painted(inputs: Inputs, weights: Weights) -> Paint:
    """All events of a run with these settings."""

    def run(
        changes: dict[str, Any], other: Inputs | None = None, resume: Snapshot | None = None
    ) -> list[Event]:
        settings = PaintSettings().updated(changes)
        return list(painting(other or inputs, settings, weights, resume))

    return run

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.image.resize import resize
from impasto.image.samples import PHOTOS, photo, style
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights, load_weights
from impasto.settings import Pooling

RGB = NDArray[np.float32]


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

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from impasto.image.difference import CHUNK, ciede2000, difference, psnr


@pytest.fixture(scope="module")
def pair() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    rng = np.random.default_rng(3)
    first, second = rng.integers(256, size=(2, CHUNK + 77, 3), dtype=np.uint8)
    return first, second


def test_both_are_those_of_scikit_image(pair: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
    found = difference(*pair, np.ones(len(pair[0])))
    colours = deltaE_ciede2000(*(rgb2lab(side / 255) for side in pair))  # type: ignore[no-untyped-call]
    assert found.psnr == pytest.approx(peak_signal_noise_ratio(*pair))  # type: ignore[no-untyped-call]
    assert found.ciede2000 == pytest.approx(colours.mean(), abs=2e-3)


def test_a_weight_is_so_many_pixels(pair: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
    first, second = (side[:50] for side in pair)
    weights = np.arange(50)
    repeated = difference(
        first.repeat(weights, axis=0), second.repeat(weights, axis=0), np.ones(weights.sum())
    )
    assert difference(first, second, weights.astype(float)) == pytest.approx(repeated)


def test_equal_pictures_are_infinitely_alike() -> None:
    colours = np.full((4, 3), 7, np.uint8)
    assert psnr(colours, colours, np.ones(4)) == math.inf
    assert ciede2000(colours, colours, np.ones(4)) == 0


def test_a_step_of_one_in_every_channel_is_48_decibels() -> None:
    grey = np.full((9, 3), 100, np.uint8)
    assert psnr(grey, grey + 1, np.ones(9)) == pytest.approx(48.1308, abs=1e-4)

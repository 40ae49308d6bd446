from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from impasto.image.picture import Metadata, Picture
from impasto.image.srgb import to_unit


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """Part of a photograph, (96, 128, 3); neither square nor a multiple of anything odd."""
    pixels: NDArray[np.uint8] = skimage.data.astronaut()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(pixels[20:116, 160:288])


@pytest.fixture
def picture(photo: NDArray[np.uint8]) -> Picture:
    return Picture(to_unit(photo), None, Metadata(), "astronaut", "0" * 64)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder

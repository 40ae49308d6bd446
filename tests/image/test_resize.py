"""Sizes and resizing, against the reference, which shares no code with the package."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from impasto.image.read import read
from impasto.image.resize import fit, resize

REFERENCE = Path(__file__).parents[2] / "benchmarks" / "reference.py"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", REFERENCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("long_side", [37, 64, 100, 128, 300])
def test_same_numbers_as_the_reference(
    reference: ModuleType, photo: NDArray[np.uint8], tmp_path: Path, long_side: int
) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(photo).save(path)
    expected = reference.load(path, long_side)[0].permute(1, 2, 0).numpy()
    picture = read(path)
    result = resize(picture.rgb, *fit(*picture.size, long_side))
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, expected)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(16, 8000))
def test_fit(width: int, height: int, long_side: int) -> None:
    fitted = fit(width, height, long_side)
    scale = long_side / max(width, height)
    assert max(fitted) == long_side
    for side, original in zip(fitted, (width, height), strict=True):
        assert side >= 16
        assert side == 16 or abs(side - original * scale) <= 0.5


def test_halves_go_to_the_even_side() -> None:
    assert fit(200, 101, 100) == (100, 50)
    assert fit(200, 103, 100) == (100, 52)


def test_same_size_is_the_same_picture(photo: NDArray[np.uint8]) -> None:
    rgb = read(photo).rgb
    np.testing.assert_array_equal(resize(rgb, 128, 96), rgb)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_flat_stays_flat(value: float) -> None:
    flat = np.full((40, 50, 3), value, np.float32)
    np.testing.assert_allclose(resize(flat, 33, 77), value, atol=1e-6)


@pytest.mark.parametrize("size", [(20, 30), (90, 70)])
def test_overshoot_is_clamped(size: tuple[int, int]) -> None:
    edge = np.zeros((40, 40, 1), np.float32)
    edge[:, 20:] = 1
    result = resize(edge, *size)
    assert result.shape == (size[1], size[0], 1)
    assert (result.min(), result.max()) == (0, 1)


def test_what_lies_under_transparency_does_not_darken_the_edge() -> None:
    """Colour and alpha are resized apart: a flat colour stays flat whatever the alpha."""
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[..., :3] = [200, 100, 50]
    rgba[:, 20:, 3] = 255
    picture = read(rgba)
    assert picture.alpha is not None
    colours = resize(picture.rgb, 27, 27) * 255
    np.testing.assert_allclose(colours, np.broadcast_to([200, 100, 50], colours.shape), atol=1e-3)
    alpha = resize(picture.alpha[..., None], 27, 27)
    assert (alpha.min(), alpha.max()) == (0, 1)


def test_alpha_like_any_channel(photo: NDArray[np.uint8]) -> None:
    rgb = read(photo).rgb
    np.testing.assert_array_equal(resize(rgb[..., 1:2], 50, 60), resize(rgb, 50, 60)[..., 1:2])


def at_once(rgb: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Whole channels through Pillow, stacked: the definition, with all its copies."""
    planes = [np.ascontiguousarray(plane) * np.float32(255) for plane in np.moveaxis(rgb, 2, 0)]
    lanczos = Image.Resampling.LANCZOS
    resized = [np.asarray(Image.fromarray(p).resize((width, height), lanczos)) for p in planes]
    return (np.stack(resized, axis=2) / np.float32(255)).clip(0, 1)


@pytest.mark.parametrize("bands", [1, 3, 4])
@pytest.mark.parametrize("size", [(131, 300), (262, 300), (65, 99), (131, 64), (400, 700)])
def test_strips_change_no_bit(bands: int, size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).random((300, 131, bands), np.float32)
    planar = np.ascontiguousarray(np.moveaxis(rgb, 2, 0)).transpose(1, 2, 0)
    for source in (rgb, planar, rgb[::-1]):
        result = resize(source, *size)
        assert result.flags.c_contiguous
        np.testing.assert_array_equal(result, at_once(source, *size))


RESIZING = """
from pathlib import Path
import numpy as np
from impasto.image.resize import resize

def memory(name):
    status = Path("/proc/self/status").read_text()
    return int(status.partition(name + ":")[2].split()[0]) / 1024

rgb = np.ones((2000, 3000, 3), np.float32)
resize(rgb[:20], 20, 20)
Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
before = memory("VmRSS")
resize(rgb, 3000, 2000)
print((memory("VmHWM") - before) / (rgb.nbytes / 3 / 2**20))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_memory_is_that_of_the_result_and_few_channels(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RESIZING],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < 3 + 2.5

"""What each kind of file, Pillow image and array becomes, against Pillow, tifffile and NumPy."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from impasto.image.read import read
from impasto.image.srgb import to_bits, to_unit

Bytes = NDArray[np.uint8]


def saved(image: Image.Image, path: Path, **options: Any) -> Path:
    image.save(path, **options)
    return path


def write_tiff(path: Path, samples: NDArray[Any]) -> None:
    """(H, W, bands) as tifffile writes it; even bands end in alpha."""
    bands = samples.shape[2]
    options: dict[str, Any] = {"photometric": "rgb" if bands >= 3 else "minisblack"}
    if bands > 1:
        options["planarconfig"] = "contig"
    if bands % 2 == 0:
        options["extrasamples"] = ["unassalpha"]
    tifffile.imwrite(path, samples[..., 0] if bands == 1 else samples, **options)


def noise16(bands: int, seed: int = 0) -> NDArray[np.uint16]:
    return np.random.default_rng(seed).integers(0, 65536, (24, 20, bands), np.uint16)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp", "a.jpg", "a.gif"])
def test_formats_give_the_pixels_that_pillow_sees(photo: Bytes, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    image = Image.fromarray(photo)
    saved(image.quantize(64) if name.endswith("gif") else image, path, lossless=True)
    with Image.open(path) as opened:
        expected = np.asarray(opened.convert("RGB"))
    result = read(path)
    assert result.rgb.dtype == np.float32
    assert result.alpha is None
    assert result.size == (128, 96)
    assert (result.name, result.sha256) == ("a", hashlib.sha256(path.read_bytes()).hexdigest())
    np.testing.assert_array_equal(result.rgb, expected.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [(mode, suffix) for mode in ("1", "L", "P", "RGBA") for suffix in (".png", ".tif")]
    + [("LA", ".png")],
)
def test_modes_in_files(photo: Bytes, tmp_path: Path, mode: str, suffix: str) -> None:
    image = Image.fromarray(photo).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image = image.convert("RGB").quantize(32) if mode == "P" else image.convert(mode)
    path = saved(image, tmp_path / f"a{suffix}")
    expected = np.asarray(image.convert("RGBA"), np.float32) / np.float32(255)
    result = read(path)
    np.testing.assert_array_equal(result.rgb, expected[..., :3])
    if mode.endswith("A"):
        assert result.alpha is not None
        np.testing.assert_array_equal(result.alpha, expected[..., 3])
    else:
        assert result.alpha is None


def test_one_transparent_colour_becomes_alpha(photo: Bytes, tmp_path: Path) -> None:
    key = tuple(int(value) for value in photo[3, 5])
    path = saved(Image.fromarray(photo), tmp_path / "a.png", transparency=key)
    expected = ~(photo == photo[3, 5]).all(axis=2)
    with Image.open(path) as opened:
        for source in (path, opened):
            alpha = read(source).alpha
            assert alpha is not None
            np.testing.assert_array_equal(alpha, expected.astype(np.float32))


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_sixteen_bit_tiff_keeps_every_bit(tmp_path: Path, bands: int) -> None:
    samples = noise16(bands)
    write_tiff(tmp_path / "a.tif", samples)
    result = read(tmp_path / "a.tif")
    colours = samples[..., : bands - 1 + bands % 2]
    np.testing.assert_array_equal(
        to_bits(result.rgb, 16), np.broadcast_to(colours, (*samples.shape[:2], 3))
    )
    if bands % 2 == 0:
        assert result.alpha is not None
        np.testing.assert_array_equal(to_bits(result.alpha, 16), samples[..., -1])


def test_sixteen_bit_png_keeps_every_bit(tmp_path: Path) -> None:
    grey = noise16(1)[..., 0]
    Image.fromarray(grey).save(tmp_path / "a.png")
    result = read(tmp_path / "a.png")
    np.testing.assert_array_equal(to_bits(result.rgb[..., 1], 16), grey)


def test_white_is_zero_tiff(tmp_path: Path) -> None:
    grey = noise16(1)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", grey, photometric="miniswhite")
    np.testing.assert_array_equal(to_bits(read(tmp_path / "a.tif").rgb[..., 0], 16), 65535 - grey)


def test_multiplied_alpha_is_divided_out(tmp_path: Path) -> None:
    alpha = np.full((20, 20, 1), 32768, np.uint16)
    colour = np.full((20, 20, 3), [32768, 16384, 0], np.uint16)
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.dstack([colour, alpha]),
        photometric="rgb",
        extrasamples=["assocalpha"],
    )
    np.testing.assert_allclose(read(tmp_path / "a.tif").rgb[5, 5], [1, 0.5, 0], atol=1e-4)


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_float_tiff_holds_what_float_arrays_hold(tmp_path: Path, bands: int) -> None:
    samples = np.random.default_rng(1).random((18, 22, bands), np.float32)
    write_tiff(tmp_path / "a.tif", samples)
    result = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(result.rgb, np.broadcast_to(samples[..., :3], (18, 22, 3)))
    np.testing.assert_array_equal(result.rgb, read(samples).rgb)


def test_thirty_two_bit_tiff(tmp_path: Path) -> None:
    grey = noise16(1)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", grey.astype(np.uint32) * 65537)
    np.testing.assert_allclose(read(tmp_path / "a.tif").rgb[..., 0], grey / 65535, atol=1e-7)


@pytest.mark.parametrize("name", ["a.gif", "a.webp", "a.png", "a.tif"])
def test_first_frame_of_several(photo: Bytes, tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (32, 24), colour) for colour in ("#c80000", "#0000c8", "#00c800")]
    saved(frames[0], tmp_path / name, save_all=True, append_images=frames[1:], lossless=True)
    np.testing.assert_allclose(read(tmp_path / name).rgb[9, 9] * 255, [200, 0, 0], atol=1.01)


ORIENTED = {1: "", 2: "L", 3: "LT", 4: "T", 5: "X", 6: "XL", 7: "XLT", 8: "XT"}
"""How EXIF's eight orientations are undone: X swaps axes, then L mirrors columns, T rows."""


def upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    for move in ORIENTED[orientation]:
        match move:
            case "X":
                stored = stored.swapaxes(0, 1)
            case "L":
                stored = stored[:, ::-1]
            case "T":
                stored = stored[::-1]
    return stored


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp", "a.jpg"])
def test_orientation(photo: Bytes, tmp_path: Path, orientation: int, name: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(Image.fromarray(photo), tmp_path / name, exif=exif, lossless=True)
    stored = photo
    if name == "a.jpg":
        with Image.open(path) as opened:
            stored = np.asarray(opened)
    expected = upright(stored, orientation)
    with Image.open(path) as opened:
        for source in (path, opened):
            np.testing.assert_array_equal(to_bits(read(source).rgb, 8), expected)


def test_pillow_image_made_here_with_orientation(photo: Bytes) -> None:
    image = Image.fromarray(photo)
    image.getexif()[0x0112] = 6
    np.testing.assert_array_equal(to_bits(read(image).rgb, 8), upright(photo, 6))


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV"]
)
def test_pillow_modes(photo: Bytes, mode: str) -> None:
    image = Image.fromarray(photo).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image = {
        "P": lambda: image.convert("RGB").quantize(32),
        "PA": lambda: image.convert("RGB").quantize(32).convert("PA"),
        "HSV": lambda: image.convert("RGB").convert("HSV"),
    }.get(mode, lambda: image.convert(mode))()
    expected = np.asarray(image.convert("RGBA"), np.float32) / np.float32(255)
    result = read(image)
    np.testing.assert_array_equal(result.rgb, expected[..., :3])
    if mode[-1] in "Aa":
        assert result.alpha is not None
        np.testing.assert_array_equal(result.alpha, expected[..., 3])
    else:
        assert result.alpha is None


@pytest.mark.parametrize("order", ["<u2", ">u2"])
def test_pillow_sixteen_bits(order: str) -> None:
    grey = noise16(1)[..., 0]
    mode = {"<u2": "I;16", ">u2": "I;16B"}[order]
    image = Image.frombytes(mode, grey.shape[::-1], grey.astype(order).tobytes())
    np.testing.assert_array_equal(to_bits(read(image).rgb[..., 2], 16), grey)


def test_pillow_integers_and_floats() -> None:
    grey = noise16(1)[..., 0]
    integers = Image.fromarray(grey.astype(np.int32))
    floats = Image.fromarray(grey.astype(np.float32) / np.float32(65535))
    assert (integers.mode, floats.mode) == ("I", "F")
    for image in (integers, floats):
        np.testing.assert_array_equal(to_bits(read(image).rgb[..., 0], 16), grey)


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.uint16]),
        st.tuples(st.integers(16, 20), st.integers(16, 20), st.integers(1, 4)),
    )
)
@settings(max_examples=40, deadline=None)
def test_arrays_come_back_bit_for_bit(samples: NDArray[Any]) -> None:
    result = read(samples)
    depth = samples.dtype.itemsize * 8
    bands = samples.shape[2]
    colours = samples[..., : bands - (bands in {2, 4})]
    np.testing.assert_array_equal(
        to_bits(result.rgb, depth), np.broadcast_to(colours, (*samples.shape[:2], 3))
    )
    assert (result.alpha is not None) == (bands in {2, 4})
    if result.alpha is not None:
        np.testing.assert_array_equal(to_bits(result.alpha, depth), samples[..., -1])


def test_two_dimensional_array_is_grey() -> None:
    grey = noise16(1)[..., 0]
    np.testing.assert_array_equal(read(grey).rgb, read(grey[..., None]).rgb)


def test_array_digests_tell_pixels_shapes_and_types_apart() -> None:
    samples = np.zeros((20, 30, 3), np.uint8)
    other = samples.copy()
    other[19, 29, 2] = 1
    cases: list[NDArray[Any]] = [
        samples,
        other,
        samples.transpose(1, 0, 2),
        samples.astype(np.uint16),
    ]
    assert len({read(case).sha256 for case in cases}) == 4
    assert read(samples).sha256 == read(samples.copy(order="F")).sha256
    swapped = noise16(3).astype(">u2")
    assert read(swapped).sha256 == read(swapped.astype("<u2")).sha256


def test_reading_leaves_the_array_alone() -> None:
    samples = np.random.default_rng(3).random((16, 16, 3), np.float32)
    before = samples.copy()
    read(samples).rgb[:] = 0
    np.testing.assert_array_equal(samples, before)


def test_every_value_survives_the_byte_boundary() -> None:
    for depth, kind in ((8, np.uint8), (16, np.uint16)):
        values = np.arange(2**depth).astype(kind)
        np.testing.assert_array_equal(to_bits(to_unit(values), depth), values)


def test_bits_are_rounded_and_clamped() -> None:
    floats = np.array([-1, 0.4999 / 255, 0.5001 / 255, 254.4 / 255, 254.6 / 255, 7], np.float32)
    assert to_bits(floats, 8).tolist() == [0, 0, 1, 254, 255, 255]


def test_two_files_of_one_length_are_not_confused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    for value in range(40):
        tifffile.imwrite(path, np.full((16, 16, 3), value, np.uint8), photometric="rgb")
        assert to_bits(read(path).rgb, 8)[0, 0].tolist() == [value] * 3


def test_standard_input(photo: Bytes, tmp_path: Path) -> None:
    path = saved(Image.fromarray(photo), tmp_path / "a.png")
    script = "from impasto.image.read import read; p = read('-'); print(p.name, p.sha256, p.size)"
    with path.open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", script], stdin=stream, capture_output=True, text=True, check=True
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert done.stdout.strip() == f"stdin {digest} (128, 96)"

"""Every way in which a source can be no picture, and what the person is told."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import ExitStatus, UnreadableImage
from impasto.image import decode
from impasto.image.metadata import read_recipe
from impasto.image.picture import Source
from impasto.image.read import read

Bytes = NDArray[np.uint8]


def complaint(source: Source) -> str:
    with pytest.raises(UnreadableImage) as caught:
        read(source)
    assert caught.value.status == ExitStatus.BAD_INPUT
    return str(caught.value)


def test_missing(tmp_path: Path) -> None:
    message = complaint(tmp_path / "none.jpg")
    assert message.startswith(f"cannot read {tmp_path / 'none.jpg'}: there is no such file")


def test_folder(tmp_path: Path) -> None:
    assert "it is a folder" in complaint(tmp_path)


def test_impossible_names(tmp_path: Path) -> None:
    assert "cannot read" in complaint("zero\0byte.png")
    assert "cannot read" in complaint(tmp_path / ("n" * 300 + ".png"))


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
def test_no_permission(tmp_path: Path, photo: Bytes) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(photo).save(path)
    path.chmod(0)
    user = os.geteuid()
    try:
        if user == 0:  # the superuser may read everything
            os.seteuid(65534)
        message = complaint(path)
    finally:
        os.seteuid(user)
    assert "permission denied" in message.lower()


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert "it is empty (0 bytes)" in complaint(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.txt", "a.jpg", "a.csv", "a.svg", "a.mat"])
def test_text(tmp_path: Path, name: str) -> None:
    text = '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>'
    (tmp_path / name).write_text(text if name.endswith("svg") else "1 2\n3 4\n" * 40)
    assert "not a JPEG, PNG, WebP, TIFF or GIF picture" in complaint(tmp_path / name)


SAVERS: dict[str, Callable[[Bytes, Path], object]] = {
    "a.jpg": lambda photo, path: Image.fromarray(photo).save(path, quality=90),
    "progressive.jpg": lambda photo, path: Image.fromarray(photo).save(path, progressive=True),
    "a.png": lambda photo, path: Image.fromarray(photo).save(path),
    "a.webp": lambda photo, path: Image.fromarray(photo).save(path),
    "lossless.webp": lambda photo, path: Image.fromarray(photo).save(path, lossless=True),
    "a.tif": lambda photo, path: tifffile.imwrite(path, photo, photometric="rgb"),
    "deflate.tif": lambda photo, path: Image.fromarray(photo).save(
        path, compression="tiff_adobe_deflate"
    ),
    "a.gif": lambda photo, path: Image.fromarray(photo).save(path),
}


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.985])
@pytest.mark.parametrize("name", SAVERS)
def test_truncated(photo: Bytes, tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    SAVERS[name](photo, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    message = complaint(path)
    assert f"cannot read {path}: " in message
    assert "truncated file?" in message
    assert f"{int(share * len(whole))} " in message


def test_truncated_webp_names_both_lengths(photo: Bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    Image.fromarray(photo).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:700])
    assert f"it ends after 700 of {len(whole)} bytes (truncated file?)" in complaint(path)


@pytest.mark.parametrize(
    ("name", "patch"), [("a.jpg", b"\xff\xd9"), ("a.jpg", b"\xff\xd3"), ("a.png", bytes(200))]
)
def test_damaged_in_the_middle(photo: Bytes, tmp_path: Path, name: str, patch: bytes) -> None:
    """JPEG: an end or restart marker where pixels should be; PNG: a block of zeros."""
    path = tmp_path / name
    SAVERS[name](photo, path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(patch)] = patch
    path.write_bytes(data)
    assert "damaged" in complaint(path)


def test_stray_bytes_of_careless_cameras_are_harmless(photo: Bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    SAVERS["a.jpg"](photo, path)
    data = path.read_bytes()
    expected = read(path).rgb
    path.write_bytes(data[:-2] + bytes(7) + data[-2:])  # before the end marker
    np.testing.assert_array_equal(read(path).rgb, expected)
    path.write_bytes(data + bytes(100))  # behind it
    np.testing.assert_array_equal(read(path).rgb, expected)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size and whose pixels are missing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_bomb_is_refused_from_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_claiming(20_000, 20_000))
    message = complaint(path)
    assert "20000×20000 px" in message
    assert "256 million pixels" in message


def test_largest_size_that_is_read(tmp_path: Path) -> None:
    decode.check_size(16_000, 16_000, "x")
    with pytest.raises(UnreadableImage, match="16000×16001"):
        decode.check_size(16_000, 16_001, "x")


def test_bombs_in_memory_are_refused_unloaded() -> None:
    array = np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (20_000, 20_000, 3))
    assert "20000×20000" in complaint(array)


@pytest.mark.parametrize("size", [(1, 1), (15, 400), (400, 15)])
def test_too_small(tmp_path: Path, size: tuple[int, int]) -> None:
    image = Image.new("RGB", size)
    image.save(tmp_path / "a.png")
    for source in (tmp_path / "a.png", image, np.asarray(image)):
        assert f"{size[0]}×{size[1]} px, too small to paint" in complaint(source)


def test_smallest_size_that_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png").size == (16, 16)


@pytest.mark.parametrize("shape", [(64,), (64, 64, 5), (3, 64, 64), (2, 64, 64, 3), (64, 64, 0)])
def test_array_shapes(shape: tuple[int, ...]) -> None:
    message = complaint(np.zeros(shape, np.uint8))
    assert str(shape) in message
    assert "(height, width" in message


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint32, bool, complex, "U1", object])
def test_array_types(kind: Any) -> None:
    assert "its type is" in complaint(np.zeros((20, 20, 3), kind))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.01, 1.01, 255.0])
def test_array_values(value: float) -> None:
    array = np.full((20, 20, 3), 0.5, np.float32)
    array[3, 4, 1] = value
    message = complaint(array)
    assert "floating-point samples run from" in message
    assert "0 to 1" in message


def test_rounding_above_one_is_forgiven() -> None:
    array = np.full((20, 20, 3), np.nextafter(np.float32(1), np.float32(2)))
    assert read(array).rgb.max() == 1


def test_float_file_out_of_range(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.full((20, 20), 200, np.float32))
    assert "run from 200 to 200" in complaint(tmp_path / "a.tif")


def test_signed_and_many_channelled_files(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((20, 20), np.int16))
    assert "int16" in complaint(tmp_path / "a.tif")
    tifffile.imwrite(
        tmp_path / "b.tif",
        np.zeros((20, 20, 10), np.uint8),
        photometric="minisblack",
        planarconfig="contig",
    )
    assert "10 channels" in complaint(tmp_path / "b.tif")


def test_pillow_image_of_a_truncated_file(photo: Bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    SAVERS["a.jpg"](photo, path)
    path.write_bytes(path.read_bytes()[:2000])
    with Image.open(path) as image:
        message = complaint(image)
    assert "cut short or damaged" in message
    assert str(path) in message


@pytest.mark.parametrize("mode", ["LAB"])
def test_pillow_mode_without_meaning_here(mode: str) -> None:
    assert "mode LAB" in complaint(Image.new(mode, (20, 20)))


def test_pillow_integers_out_of_range() -> None:
    image = Image.fromarray(np.full((20, 20), 70_000, np.int32))
    assert "70000" in complaint(image)


def test_recipes_are_read_from_pictures_only(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no picture")
    for name in ("a.txt", "none.png"):
        with pytest.raises(UnreadableImage):
            read_recipe(tmp_path / name)


def test_nothing_is_printed(photo: Bytes, tmp_path: Path) -> None:
    """libvips warns on standard error unless it is stopped; people see our one sentence."""
    path = tmp_path / "a.jpg"
    SAVERS["a.jpg"](photo, path)
    path.write_bytes(path.read_bytes()[:-400])
    (tmp_path / "b.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    script = (
        "import sys\nfrom impasto.errors import UnreadableImage\n"
        "from impasto.image.read import read\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n        read(name)\n    except UnreadableImage:\n        pass\n"
        "    else:\n        raise SystemExit(1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path, tmp_path / "b.tif"], capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

"""Palettes in files, as they are and as they should not be."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import GimpPaletteFile, Image

from impasto.errors import UnreadableImage, UsageError
from impasto.image.palette_file import (
    check_palette_output,
    holds_palette,
    page,
    read_palette,
    write_palette,
)
from impasto.image.read import read

COLOURS = np.array([[255, 0, 16], [0, 128, 7], [9, 9, 9]], np.uint8)

PALETTES = st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=1, max_size=256, unique=True)


@pytest.mark.parametrize("name", ["a.gpl", "a.hex", "A.GPL"])
@given(colours=PALETTES)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read_again(
    out: Path, name: str, colours: list[tuple[int, int, int]]
) -> None:
    write_palette(np.array(colours, np.uint8), out / name, "night\nsky")
    found, digest = read_palette(out / name)
    assert found.tolist() == [list(colour) for colour in colours]
    assert digest == hashlib.sha256((out / name).read_bytes()).hexdigest()


def test_gimp_files_are_those_that_pillow_reads(out: Path) -> None:
    write_palette(COLOURS, out / "a.gpl", "three")
    with (out / "a.gpl").open("rb") as file:
        palette, mode = GimpPaletteFile.GimpPaletteFile(file).getpalette()
    assert mode == "RGB"
    assert list(palette[:9]) == COLOURS.ravel().tolist()


def test_hexadecimal_files_are_a_colour_a_line(out: Path) -> None:
    write_palette(COLOURS, out / "a.hex", "three")
    assert (out / "a.hex").read_bytes() == b"ff0010\n008007\n090909\n"


@pytest.mark.parametrize("count", [1, 2, 5, 16, 17, 31, 37, 256])
def test_swatches_show_each_colour_alike_and_no_other(out: Path, count: int) -> None:
    colours = np.stack([np.arange(count), 255 - np.arange(count), np.arange(count) * 7 % 256], 1)
    write_palette(colours.astype(np.uint8), out / "a.png", "many")
    pixels = np.asarray(Image.open(out / "a.png")).reshape(-1, 3)
    found, areas = np.unique(pixels, axis=0, return_counts=True)
    assert found.tolist() == sorted(colours.tolist())
    assert areas.max() <= 2 * areas.min()
    np.testing.assert_array_equal(read(out / "a.png").rgb * 255, page(colours.astype(np.uint8)))


def adobe(colours: NDArray[np.uint8]) -> bytes:
    return colours.tobytes().ljust(768, b"\0")


def test_adobe_tables(out: Path) -> None:
    full = np.stack([np.arange(256)] * 3, axis=1).astype(np.uint8)
    (out / "full.act").write_bytes(adobe(full))
    np.testing.assert_array_equal(read_palette(out / "full.act")[0], full)
    (out / "few.act").write_bytes(adobe(COLOURS) + b"\0\x03\xff\xff")
    np.testing.assert_array_equal(read_palette(out / "few.act")[0], COLOURS)
    (out / "rest.act").write_bytes(adobe(COLOURS))  # what follows is black, once
    assert read_palette(out / "rest.act")[0].tolist() == [*COLOURS.tolist(), [0, 0, 0]]


def test_what_people_write_by_hand(out: Path) -> None:
    (out / "a.hex").write_text("; sky\r\n#FF0010\n\n008007 ; leaf\nff0010\n")
    np.testing.assert_array_equal(read_palette(out / "a.hex")[0], COLOURS[:2])
    (out / "a.gpl").write_text("GIMP Palette\nName: 3 sets\nColumns: 2\n# 1 2 3\n 255 0  16 Red\n")
    np.testing.assert_array_equal(read_palette(out / "a.gpl")[0], COLOURS[:1])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.gpl", b"", "does not hold a palette as .gpl files do"),
        ("a.gpl", b"ff0010\n", "does not hold a palette as .gpl files do"),
        ("a.gpl", b"GIMP Palette\n1 2 999 x\n", "does not hold a palette"),
        ("a.gpl", b"GIMP Palette\n1 2\n", "does not hold a palette"),
        ("a.gpl", b"GIMP Palette\n#\n", "it has 0 colours; give a palette of 1 to 256"),
        ("a.hex", b"red\n", "does not hold a palette as .hex files do"),
        ("a.hex", b"\x89PNG\r\n\x1a\n\0\0\0", "does not hold a palette as .hex files do"),
        ("a.hex", b"", "it has 0 colours"),
        ("a.hex", b"".join(b"%06x\n" % i for i in range(257)), "it has 257 colours"),
        ("a.act", b"\0" * 767, "does not hold a palette as .act files do"),
    ],
)
def test_files_that_hold_no_palette(out: Path, name: str, content: bytes, words: str) -> None:
    (out / name).write_bytes(content)
    with pytest.raises(UnreadableImage, match=words):
        read_palette(out / name)


def test_a_missing_palette(out: Path) -> None:
    with pytest.raises(UnreadableImage, match=r"none.gpl: there is no such file"):
        read_palette(out / "none.gpl")


def test_endings_tell_palettes_from_pictures() -> None:
    assert holds_palette("a.GPL")
    assert holds_palette(Path("a.act"))
    assert not holds_palette("a.png")
    assert not holds_palette("sample:mosaic")


def test_endings_that_palettes_are_not_written_as(out: Path) -> None:
    for name in ("a.act", "a.jpg", "a"):
        with pytest.raises(UsageError, match=r"written as .gpl, .hex, .png \(swatches\)"):
            check_palette_output(out / name, [], force=False)
    (out / "a.hex").touch()
    with pytest.raises(UsageError, match="it exists already"):
        check_palette_output(out / "a.hex", [], force=False)
    check_palette_output(out / "a.hex", [], force=True)

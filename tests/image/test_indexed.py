"""Files with a palette, as Pillow and libvips see them."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import UnwritableOutput
from impasto.image.metadata import read_recipe
from impasto.image.picture import Indexed, Metadata, Picture
from impasto.image.read import read
from impasto.image.srgb import srgb_profile, to_unit
from impasto.image.write import write
from impasto.settings import OutputSettings

RNG = np.random.default_rng(5)


def indexed(count: int, alpha: NDArray[np.float32] | None = None) -> Picture:
    """A picture of `count` distinct colours, each of which occurs."""
    red = RNG.permutation(256)[:count]
    colours = np.stack([red, 255 - red, red * 7 % 256], axis=1)
    indices = np.arange(64 * 80).reshape(64, 80) % count
    pixels = Indexed(indices.astype(np.uint8), colours.astype(np.uint8))
    rgb = to_unit(pixels.colours)[pixels.indices]
    return Picture(rgb, alpha, Metadata(), "few", "0" * 64, indexed=pixels)


def ramp(levels: int) -> NDArray[np.float32]:
    """Alpha that takes so many values, 0 and 1 among them, in any order over the colours."""
    values = np.rint(np.linspace(0, 255, levels)).astype(np.uint8)
    return to_unit(RNG.permutation(np.resize(values, 64 * 80)).reshape(64, 80))


def written(picture: Picture, path: Path) -> Image.Image:
    write(picture, path, OutputSettings(), '{"kind": "quantize"}')
    return Image.open(io.BytesIO(path.read_bytes()))


@pytest.mark.parametrize(
    ("count", "bits"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)]
)
def test_png_has_as_few_bits_a_pixel_as_its_palette_needs(out: Path, count: int, bits: int) -> None:
    picture = indexed(count)
    image = written(picture, out / "a.png")
    header = (out / "a.png").read_bytes()[16:33]
    assert (header[8], header[9]) == (bits, 3)  # bit depth, colour type "palette"
    np.testing.assert_array_equal(np.asarray(image.convert("RGB")), np.rint(picture.rgb * 255))
    np.testing.assert_array_equal(read(out / "a.png").rgb, picture.rgb)


@pytest.mark.parametrize("count", [1, 2, 7, 256])
def test_gif_holds_the_same_colours_in_the_same_order(out: Path, count: int) -> None:
    picture = indexed(count)
    image = written(picture, out / "a.gif")
    assert picture.indexed is not None
    assert image.format == "GIF"
    palette = image.getpalette()
    assert palette is not None
    assert palette[: 3 * count] == picture.indexed.colours.ravel().tolist()
    np.testing.assert_array_equal(np.asarray(image), picture.indexed.indices)
    np.testing.assert_array_equal(read(out / "a.gif").rgb, picture.rgb)


@pytest.mark.parametrize(("count", "levels"), [(16, 2), (16, 16), (1, 256), (255, 2), (128, 2)])
def test_alpha_is_kept_exactly_while_its_pairs_fit(out: Path, count: int, levels: int) -> None:
    picture = indexed(count, ramp(levels))
    written(picture, out / "a.png")
    assert (out / "a.png").read_bytes()[25] == 3
    again = read(out / "a.png")
    assert again.alpha is not None
    np.testing.assert_array_equal(again.alpha, picture.alpha)
    seen = again.alpha > 0
    np.testing.assert_array_equal(again.rgb[seen], picture.rgb[seen])


@pytest.mark.parametrize("count", [16, 64, 128])
def test_alpha_keeps_as_many_even_levels_as_fit(out: Path, count: int) -> None:
    picture = indexed(count, ramp(256))
    image = written(picture, out / "a.png")
    again = read(out / "a.png")
    assert again.alpha is not None
    assert picture.alpha is not None
    levels = np.unique(again.alpha)
    # All colours with each level but the invisible one; one level more would not fit.
    assert count * (len(levels) - 1) + 1 <= 256 < count * len(levels) + 1
    assert np.abs(again.alpha - picture.alpha).max() <= 0.5 / (len(levels) - 1) + 0.5 / 255
    np.testing.assert_allclose(levels, np.linspace(0, 1, len(levels)), atol=1 / 255)
    seen = again.alpha > 0
    np.testing.assert_array_equal(again.rgb[seen], picture.rgb[seen])
    assert image.mode == "P"


def test_gif_is_either_seen_or_not(out: Path) -> None:
    picture = indexed(31, ramp(256))
    written(picture, out / "a.gif")
    again = read(out / "a.gif")
    assert again.alpha is not None
    assert picture.alpha is not None
    np.testing.assert_array_equal(again.alpha, picture.alpha >= 0.5)
    seen = again.alpha > 0
    np.testing.assert_array_equal(again.rgb[seen], picture.rgb[seen])


def test_what_is_opaque_needs_no_transparency(out: Path) -> None:
    ones = np.ones((64, 80), np.float32)
    assert "transparency" not in written(indexed(9, ones), out / "a.gif").info
    assert read(out / "a.gif").alpha is None


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_a_full_palette_has_no_room_for_transparency(out: Path, name: str) -> None:
    with pytest.raises(UnwritableOutput, match="256 colours and transparency do not fit"):
        written(indexed(256, ramp(2)), out / name)
    assert not (out / name).exists()


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_the_recipe_and_what_is_known_of_the_photo_are_kept(
    picture: Picture, out: Path, name: str
) -> None:
    tagged = Metadata(dpi=(300.0, 300.0))
    image = written(replace(indexed(4), metadata=tagged), out / name)
    assert read_recipe(out / name) == '{"kind": "quantize"}'
    if name == "a.png":
        assert image.info["icc_profile"] == srgb_profile()
        assert read(out / name).metadata.dpi == pytest.approx((300, 300), abs=0.1)
    else:
        assert (out / name).read_bytes()[:6] == b"GIF89a"


def test_exif_and_xmp_travel_into_indexed_png(picture: Picture, out: Path, photo: object) -> None:
    camera = Image.Exif()
    camera[0x010F] = "Maker"
    Image.fromarray(np.asarray(photo)).save(out / "photo.jpg", exif=camera)
    few = replace(indexed(4), metadata=read(out / "photo.jpg").metadata)
    assert written(few, out / "a.png").getexif()[0x010F] == "Maker"


def test_strip_leaves_nothing_but_pixels(out: Path) -> None:
    few = replace(indexed(4), metadata=Metadata(dpi=(300.0, 300.0)))
    write(few, out / "a.gif", OutputSettings(strip=True), "{}")
    write(few, out / "a.png", OutputSettings(strip=True), "{}")
    assert b"XMP" not in (out / "a.gif").read_bytes()
    assert b"XMP" not in (out / "a.png").read_bytes()
    assert b"pHYs" not in (out / "a.png").read_bytes()


@pytest.mark.parametrize("name", ["a.tif", "a.webp"])
def test_formats_without_a_palette_hold_the_colours_all_the_same(out: Path, name: str) -> None:
    few = indexed(6)
    write(few, out / name, OutputSettings(lossless=True), None)
    np.testing.assert_array_equal(read(out / name).rgb, few.rgb)

"""Profiles and ink become sRGB, against closed forms and LittleCMS through Pillow."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms

from impasto.image.read import read
from impasto.image.srgb import to_bits

Floats = NDArray[np.floating[Any]]

P3_TO_SRGB = np.array(
    [[1.22494, -0.22494, 0], [-0.042057, 1.042057, 0], [-0.019638, -0.078636, 1.098274]]
)
"""Linear light; CSS Color 4 gives these, both whites being D65."""


def profile(name: str) -> bytes:
    data = pyvips.Operation.call("profile_load", name)
    assert isinstance(data, bytes)
    return data


def pillow_srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def linear(encoded: Floats) -> Floats:
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def encoded(light: Floats) -> Floats:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def muted() -> NDArray[np.float64]:
    """Colours that lie in both gamuts, (50, 24, 3), P3-encoded."""
    return np.random.default_rng(5).uniform(0.35, 0.75, (50, 24, 3))


def test_display_p3_bytes(tmp_path: Path) -> None:
    samples = np.rint(muted() * 255).astype(np.uint8)
    expected = encoded(linear(samples / 255) @ P3_TO_SRGB.T)
    assert np.abs(expected - samples / 255).max() > 0.05
    path = tmp_path / "a.png"
    Image.fromarray(samples).save(path, icc_profile=profile("p3"))
    np.testing.assert_allclose(read(path).rgb, expected, atol=0.4 / 255)
    with Image.open(path) as image:
        np.testing.assert_array_equal(read(image).rgb, read(path).rgb)


def test_display_p3_sixteen_bits(tmp_path: Path) -> None:
    samples = np.rint(muted() * 65535).astype(np.uint16)
    expected = encoded(linear(samples / 65535) @ P3_TO_SRGB.T)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, photometric="rgb", iccprofile=profile("p3"))
    error = np.abs(read(path).rgb - expected)
    assert error.mean() < 0.05 / 255
    assert error.max() < 0.4 / 255


def test_floats_with_a_profile(tmp_path: Path) -> None:
    samples = muted().astype(np.float32)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, samples, photometric="rgb", iccprofile=profile("p3"))
    expected = encoded(linear(samples) @ P3_TO_SRGB.T)
    np.testing.assert_allclose(read(path).rgb, expected, atol=0.4 / 255)


def test_alpha_passes_beside_a_profile(tmp_path: Path) -> None:
    samples = np.rint(muted() * 255).astype(np.uint8)
    alpha = np.random.default_rng(6).integers(0, 256, (50, 24), np.uint8)
    for name, pixels in (("a.png", samples), ("b.png", np.dstack([samples, alpha]))):
        Image.fromarray(pixels).save(tmp_path / name, icc_profile=profile("p3"))
    result = read(tmp_path / "b.png")
    assert result.alpha is not None
    np.testing.assert_array_equal(to_bits(result.alpha, 8), alpha)
    np.testing.assert_array_equal(result.rgb, read(tmp_path / "a.png").rgb)


@pytest.mark.parametrize("name", ["pillow", "libvips"])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_srgb_under_any_name_leaves_every_sample(
    tmp_path: Path, name: str, kind: type[np.uint8 | np.uint16]
) -> None:
    icc = pillow_srgb() if name == "pillow" else profile("srgb")
    samples = np.random.default_rng(7).integers(0, np.iinfo(kind).max, (20, 24, 3), kind)
    tifffile.imwrite(tmp_path / "a.tif", samples, photometric="rgb", iccprofile=icc)
    result = to_bits(read(tmp_path / "a.tif").rgb, 8 * samples.dtype.itemsize)
    np.testing.assert_array_equal(result, samples)


@pytest.mark.parametrize("damaged", [b"not a profile", profile("srgb")[:200], profile("cmyk")])
def test_a_profile_that_does_not_fit_counts_as_none(
    photo: NDArray[np.uint8], tmp_path: Path, damaged: bytes
) -> None:
    Image.fromarray(photo).save(tmp_path / "a.jpg", icc_profile=damaged, quality=95)
    Image.fromarray(photo).save(tmp_path / "b.jpg", quality=95)
    np.testing.assert_allclose(
        read(tmp_path / "a.jpg").rgb, read(tmp_path / "b.jpg").rgb, atol=1e-3
    )


def test_grey_with_an_rgb_profile(photo: NDArray[np.uint8], tmp_path: Path) -> None:
    grey = Image.fromarray(photo).convert("L")
    grey.save(tmp_path / "a.png", icc_profile=pillow_srgb())
    for channel in np.moveaxis(to_bits(read(tmp_path / "a.png").rgb, 8), 2, 0):
        np.testing.assert_array_equal(channel, np.asarray(grey))


def test_grey_profile(tmp_path: Path) -> None:
    """A linear grey profile, written out by hand: 'kTRC' with gamma 1."""
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (16, 1))
    tifffile.imwrite(tmp_path / "a.tif", ramp, iccprofile=linear_grey_profile())
    result = read(tmp_path / "a.tif").rgb
    expected = encoded(ramp / 65535)[..., None].repeat(3, axis=2)
    np.testing.assert_allclose(result, expected, atol=1 / 255)


def linear_grey_profile() -> bytes:
    """ICC 2.1 with the three tags that a grey profile needs."""
    white = b"XYZ \0\0\0\0" + b"".join(
        round(value * 65536).to_bytes(4, "big") for value in (0.9642, 1.0, 0.8249)
    )
    curve = b"curv\0\0\0\0" + (1).to_bytes(4, "big") + (256).to_bytes(2, "big") + b"\0\0"
    text = b"desc\0\0\0\0" + (5).to_bytes(4, "big") + b"grey\0" + bytes(4 + 4 + 2 + 1 + 67)
    text += bytes(-len(text) % 4)
    table, at = b"", 128 + 4 + 3 * 12
    for tag, data in ((b"wtpt", white), (b"kTRC", curve), (b"desc", text)):
        table += tag + at.to_bytes(4, "big") + len(data).to_bytes(4, "big")
        at += len(data)
    header = at.to_bytes(4, "big") + b"\0\0\0\0\x02\x10\0\0mntrGRAYXYZ " + bytes(12) + b"acsp"
    header = header.ljust(68, b"\0") + white[8:]
    return header.ljust(128, b"\0") + (3).to_bytes(4, "big") + table + white + curve + text


def inks() -> NDArray[np.uint8]:
    return np.random.default_rng(8).integers(0, 256, (20, 24, 4), np.uint8)


def press_to_srgb(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """LittleCMS through Pillow: relative colorimetric with black-point compensation."""
    converted = ImageCms.profileToProfile(
        cmyk(samples),
        io.BytesIO(profile("cmyk")),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert converted is not None
    return np.asarray(converted)


def cmyk(samples: NDArray[np.uint8]) -> Image.Image:
    return Image.frombytes("CMYK", (samples.shape[1], samples.shape[0]), samples.tobytes())


@pytest.mark.parametrize("tagged", [True, False])
def test_cmyk_tiff(tmp_path: Path, tagged: bool) -> None:
    options: dict[str, Any] = {"icc_profile": profile("cmyk")} if tagged else {}
    cmyk(inks()).save(tmp_path / "a.tif", **options)
    expected = press_to_srgb(inks())
    for source in (tmp_path / "a.tif", cmyk(inks())):
        np.testing.assert_allclose(read(source).rgb * 255, expected, atol=2)


@pytest.mark.parametrize("tagged", [True, False])
def test_cmyk_jpeg_is_not_a_negative(tmp_path: Path, tagged: bool) -> None:
    options: dict[str, Any] = {"icc_profile": profile("cmyk")} if tagged else {}
    paper_and_ink = np.zeros((32, 64, 4), np.uint8)
    paper_and_ink[:, 32:] = [0, 255, 255, 0]
    cmyk(paper_and_ink).save(tmp_path / "a.jpg", quality=100, subsampling=0, **options)
    red = press_to_srgb(paper_and_ink)[0, 40]
    result = read(tmp_path / "a.jpg").rgb * 255
    np.testing.assert_allclose(result[10, 10], 255, atol=2)
    np.testing.assert_allclose(result[10, 50], red, atol=4)
    assert red[0] > 200 > 60 > red[1]


def test_cmyk_sixteen_bits(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", inks().astype(np.uint16) * 257, photometric="separated")
    np.testing.assert_allclose(read(tmp_path / "a.tif").rgb * 255, press_to_srgb(inks()), atol=2)


def test_all_ink_is_black(tmp_path: Path) -> None:
    cmyk(np.full((16, 16, 4), 255, np.uint8)).save(tmp_path / "a.tif")
    assert read(tmp_path / "a.tif").rgb.max() < 30 / 255

"""What written files hold, as Pillow and tifffile see them."""

import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from impasto.errors import UnwritableOutput
from impasto.image.encode import check_sides
from impasto.image.picture import Indexed, Metadata, Picture
from impasto.image.read import read
from impasto.image.srgb import to_bits, to_unit
from impasto.image.write import EXTENSIONS, write
from impasto.settings import OutputSettings

Bytes = NDArray[np.uint8]

LOSSLESS = [".png", ".tif", ".tiff", ".webp"]


def painted(rgb: NDArray[np.float32], alpha: NDArray[np.float32] | None = None) -> Picture:
    return Picture(rgb, alpha, Metadata(), "painted", "0" * 64)


def random_picture(seed: int, bands: int = 3) -> Picture:
    samples = np.random.default_rng(seed).random((24, 31, bands), np.float32)
    return painted(samples[..., :3], samples[..., 3] if bands == 4 else None)


def with_pillow(path: Path) -> Bytes:
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.parametrize("suffix", LOSSLESS)
@pytest.mark.parametrize("bands", [3, 4])
def test_eight_bits_are_rounded(out: Path, suffix: str, bands: int) -> None:
    picture = random_picture(0, bands)
    write(picture, out / f"a{suffix}", OutputSettings(lossless=True), None)
    floats = picture.rgb if picture.alpha is None else np.dstack([picture.rgb, picture.alpha])
    expected = np.floor(floats.astype(np.float64) * 255 + 0.5)
    np.testing.assert_array_equal(with_pillow(out / f"a{suffix}"), expected)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("bands", [3, 4])
def test_sixteen_bits_round_trip(out: Path, suffix: str, bands: int) -> None:
    samples = np.random.default_rng(1).integers(0, 65536, (24, 31, bands), np.uint16)
    write(read(samples), out / f"a{suffix}", OutputSettings(depth=16), None)
    if suffix == ".tif":
        np.testing.assert_array_equal(tifffile.imread(out / "a.tif"), samples)
    again = read(out / f"a{suffix}")
    np.testing.assert_array_equal(again.rgb, read(samples).rgb)
    if bands == 4:
        assert again.alpha is not None
        np.testing.assert_array_equal(again.alpha, read(samples).alpha)


def test_sixteen_bit_png_says_so_in_its_header(out: Path) -> None:
    write(random_picture(0), out / "a.png", OutputSettings(depth=16), None)
    assert (out / "a.png").read_bytes()[24] == 16


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("bands", [3, 4])
def test_samples_are_those_of_to_bits(out: Path, depth: Literal[8, 16], bands: int) -> None:
    """Written in strips by libvips, but as NumPy rounds: halves, what lies outside, huge values."""
    generator = np.random.default_rng(4)
    halves = generator.integers(-9, 2 * 2**depth + 9, (300, 131, bands)) / (2 * (2.0**depth - 1))
    samples = np.concatenate([halves, generator.normal(0.5, 0.6, halves.shape)]).astype(np.float32)
    samples[-1, :4, 0] = -0.0, -3e38, 3e38, np.nextafter(np.float32(1), np.float32(2))
    picture = painted(samples[..., :3], samples[..., 3] if bands == 4 else None)
    expected = to_bits(samples, depth)
    write(picture, out / "a.tif", OutputSettings(depth=depth), None)
    np.testing.assert_array_equal(tifffile.imread(out / "a.tif"), expected)
    write(picture, out / "a.png", OutputSettings(depth=depth), None)
    np.testing.assert_array_equal(to_bits(read(out / "a.png").rgb, depth), expected[..., :3])


def test_samples_over_white_are_those_of_to_bits(out: Path) -> None:
    samples = np.random.default_rng(5).normal(0.5, 0.6, (300, 131, 4)).astype(np.float32)
    rgb, cover = samples[..., :3], samples[..., 3:]
    flat = to_unit(to_bits(rgb * cover + (1 - cover), 8))
    write(painted(rgb, cover[..., 0]), out / "a.jpg", OutputSettings(), None)
    write(painted(flat), out / "b.jpg", OutputSettings(), None)
    assert (out / "a.jpg").read_bytes() == (out / "b.jpg").read_bytes()


def test_values_outside_the_unit_interval_are_clamped(out: Path) -> None:
    rgb = np.zeros((16, 16, 3), np.float32)
    rgb[..., 0], rgb[..., 1] = -0.3, 1.7
    write(painted(rgb), out / "a.png", OutputSettings(), None)
    assert with_pillow(out / "a.png")[0, 0].tolist() == [0, 255, 0]


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("band", [0, 3])
def test_values_that_are_not_finite_are_never_written(out: Path, value: float, band: int) -> None:
    samples = np.zeros((100, 16, 4), np.float32)
    samples[-1, -1, band] = value
    with pytest.raises(ValueError, match="not finite"):
        write(painted(samples[..., :3], samples[..., 3]), out / "a.png", OutputSettings(), None)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif", "-"])
def test_write_says_how_many_bytes(
    picture: Picture, out: Path, suffix: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    tagged = replace(picture, metadata=Metadata(iptc=b"\x1c\x02\x05\0\1x"))
    output = "-" if suffix == "-" else str(out / f"a{suffix}")
    count = write(tagged, output, OutputSettings(), '{"seed":1}')
    data = capfdbinary.readouterr().out if suffix == "-" else Path(output).read_bytes()
    assert count == len(data) > 1000


@pytest.mark.parametrize("suffix", EXTENSIONS)
def test_every_ending_gives_its_format(picture: Picture, out: Path, suffix: str) -> None:
    if suffix == ".gif":
        black = np.zeros(picture.rgb.shape[:2], np.uint8)
        picture = replace(picture, indexed=Indexed(black, np.zeros((1, 3), np.uint8)))
    write(picture, out / f"a{suffix.upper()}", OutputSettings(), None)
    with Image.open(out / f"a{suffix.upper()}") as image:
        assert image.format == EXTENSIONS[suffix].upper()
        assert image.size == picture.size


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_files_look_alike_and_obey_quality(
    picture: Picture, photo: Bytes, out: Path, suffix: str
) -> None:
    sizes, errors = [], []
    for quality in (30, 60, 92, 100):
        write(picture, out / f"a{suffix}", OutputSettings(quality=quality), None)
        sizes.append((out / f"a{suffix}").stat().st_size)
        errors.append(np.abs(with_pillow(out / f"a{suffix}").astype(float) - photo).mean())
    assert sizes == sorted(set(sizes))
    assert errors == sorted(set(errors), reverse=True)
    assert errors[2] < 4


@pytest.mark.parametrize(("quality", "factors"), [(89, (2, 2)), (90, (1, 1)), (100, (1, 1))])
def test_chroma_of_good_jpeg_is_whole(
    picture: Picture, out: Path, quality: int, factors: tuple[int, int]
) -> None:
    write(picture, out / "a.jpg", OutputSettings(quality=quality), None)
    with Image.open(out / "a.jpg") as image:
        layers = vars(image)["layer"]  # (component, across, down, table)
    assert layers[0][1:3] == factors


def test_jpeg_lays_transparency_over_white(out: Path) -> None:
    rgb = np.zeros((32, 32, 3), np.float32)
    alpha = np.zeros((32, 32), np.float32)
    alpha[:16, 16:], alpha[16:] = 0.5, 1
    write(painted(rgb, alpha), out / "a.jpg", OutputSettings(quality=100), None)
    pixels = with_pillow(out / "a.jpg").astype(int)
    assert pixels.shape == (32, 32, 3)
    for corner, expected in ((pixels[4, 4], 255), (pixels[4, 28], 128), (pixels[28, 4], 0)):
        assert np.abs(corner - expected).max() <= 2


def test_lossy_webp_keeps_alpha_exactly(picture: Picture, out: Path) -> None:
    steps = np.arange(96 * 128).reshape(96, 128) % 256
    alpha = to_unit(steps.astype(np.uint8))
    write(replace(picture, alpha=alpha), out / "a.webp", OutputSettings(quality=50), None)
    np.testing.assert_array_equal(with_pillow(out / "a.webp")[..., 3], steps)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_colours_under_full_transparency_are_kept(out: Path, suffix: str) -> None:
    picture = painted(random_picture(2).rgb, np.zeros((24, 31), np.float32))
    write(picture, out / f"a{suffix}", OutputSettings(lossless=True), None)
    np.testing.assert_array_equal(
        with_pillow(out / f"a{suffix}")[..., :3], np.rint(picture.rgb * 255)
    )


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
@pytest.mark.parametrize("strip", [False, True])
def test_files_are_tagged_srgb(picture: Picture, out: Path, suffix: str, strip: bool) -> None:
    write(picture, out / f"a{suffix}", OutputSettings(strip=strip), None)
    with Image.open(out / f"a{suffix}") as image:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)


@pytest.mark.parametrize(
    ("suffix", "depth"),
    [(".png", 8), (".png", 16), (".tif", 8), (".tif", 16), (".webp", 8), (".jpg", 8)],
)
def test_same_picture_same_bytes(
    picture: Picture, out: Path, suffix: str, depth: Literal[8, 16]
) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    tagged = replace(picture, metadata=Metadata(exif=exif.tobytes(), iptc=b"\x1c\x02\x05\0\1x"))
    for name in ("a", "b"):
        write(tagged, out / (name + suffix), OutputSettings(depth=depth), '{"seed":1}')
    assert (out / f"a{suffix}").read_bytes() == (out / f"b{suffix}").read_bytes()


@given(st.integers(16, 40), st.integers(16, 40), st.integers(3, 4), st.integers(0, 2**32 - 1))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_size_round_trips(out: Path, width: int, height: int, bands: int, seed: int) -> None:
    samples = np.random.default_rng(seed).integers(0, 256, (height, width, bands), np.uint8)
    for suffix in LOSSLESS:
        write(read(samples), out / f"a{suffix}", OutputSettings(lossless=True), None)
        np.testing.assert_array_equal(with_pillow(out / f"a{suffix}"), samples)


def test_existing_file_is_replaced(picture: Picture, photo: Bytes, out: Path) -> None:
    (out / "a.png").write_text("old")
    write(picture, out / "a.png", OutputSettings(), None)
    np.testing.assert_array_equal(with_pillow(out / "a.png"), photo)
    assert [path.name for path in out.iterdir()] == ["a.png"]


def test_standard_output_is_png(picture: Picture, photo: Bytes, out: Path) -> None:
    write(picture, out / "a.png", OutputSettings(), "{}")
    script = (
        "import sys\nfrom impasto.image.read import read\nfrom impasto.image.write import write\n"
        "from impasto.settings import OutputSettings\n"
        "write(read(sys.argv[1]), '-', OutputSettings(), '{}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, out / "a.png"], capture_output=True, check=True
    )
    assert done.stdout == (out / "a.png").read_bytes()
    assert done.stderr == b""


def test_closed_pipe(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(UnwritableOutput, match="standard output"):
            write(picture, "-", OutputSettings(), None)
        monkeypatch.undo()
        os.dup2(os.open(os.devnull, os.O_WRONLY), writer)  # lets the stream close quietly


@pytest.mark.skipif(sys.platform == "win32", reason="needs setrlimit")
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("most", [0, 10, 5000])
def test_full_disk(out: Path, suffix: str, most: int) -> None:
    """The limit on a process's files stands in for a full disk."""
    import resource

    (out / f"a{suffix}").write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = painted(np.random.default_rng(3).random((200, 300, 3), np.float32))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
        with pytest.raises(UnwritableOutput) as caught:
            write(noise, out / f"a{suffix}", OutputSettings(), '{"seed":1}')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == (
        f"cannot write {out / f'a{suffix}'}: no space left on its disk (File too large); "
        "free some, or choose an output on another disk"
    )
    assert [(path.name, path.read_text()) for path in out.iterdir()] == [(f"a{suffix}", "old")]


@pytest.mark.parametrize(
    ("kind", "size"), [("JPEG", (65_501, 20)), ("WebP", (20, 16_384)), ("WebP", (16_384, 20))]
)
def test_formats_that_end_somewhere(kind: str, size: tuple[int, int]) -> None:
    with pytest.raises(UnwritableOutput, match=f"{kind} holds at most"):
        check_sides(*size, kind, "a")
    check_sides(size[0] - 1, size[1] - 1, kind, "a")
    check_sides(*size, "PNG", "a")


@pytest.mark.parametrize(("suffix", "longest"), [(".webp", 16_383), (".jpg", 65_500)])
def test_longest_picture_can_be_written(out: Path, suffix: str, longest: int) -> None:
    strip = painted(np.zeros((16, longest, 3), np.float32))
    write(strip, out / f"a{suffix}", OutputSettings(), None)
    with pytest.raises(UnwritableOutput, match="holds at most"):
        write(
            painted(np.zeros((16, longest + 1, 3), np.float32)),
            out / f"b{suffix}",
            OutputSettings(),
            None,
        )
    assert [path.name for path in out.iterdir()] == [f"a{suffix}"]

import re
import struct
import sys
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import MissingExtra, UnwritableOutput, UsageError
from impasto.image import film
from impasto.image.animation import Frame, check_animation, check_size, write_animation
from impasto.image.metadata import read_recipe
from impasto.image.samples import photo

ENDINGS = ("gif", "webp", "mp4")


@pytest.fixture(scope="module")
def growth() -> list[Frame]:
    """A photo that turns into another; its right third stands still."""
    before, after = photo("coffee")[100:196, 200:328], photo("astronaut")[20:116, 160:288]
    frames = []
    for share in np.linspace(0, 1, 9):
        frame = before.copy()
        frame[:, :84] = np.rint((1 - share) * before[:, :84] + share * after[:, :84])
        frames.append(frame)
    return frames


def by_vips(path: Path) -> tuple[list[Frame], list[int]]:
    """Frames and their times in ms, as libnsgif or libwebp decodes them."""
    image = pyvips.Image.new_from_file(str(path), n=-1)
    high = image.get("page-height")
    tall = image.numpy()[:, :, :3]
    return list(tall.reshape(-1, high, *tall.shape[1:])), image.get("delay")


def psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else np.inf


def gif_blocks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What a GIF consists of, by the letter of its specification: (kind, fixed part)."""
    assert data[:6] == b"GIF89a"
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    yield "screen", data[6:at]
    while data[at] != 0x3B:
        if data[at] == 0x21:
            kind, at = f"extension {data[at + 1]:x}", at + 2
            start = at
        else:
            kind, start = "image", at + 1
            at += 10
            at += 3 << (data[at - 1] & 7) + 1 if data[at - 1] & 0x80 else 0
            at += 1  # the LZW code's size
        end = at
        while data[at]:
            at += data[at] + 1
            end = at
        at += 1
        yield kind, data[start : start + 9 if kind == "image" else end]
    assert at == len(data) - 1


def test_a_gif_has_one_palette_and_no_other(growth: list[Frame], tmp_path: Path) -> None:
    file = tmp_path / "grow.gif"
    assert write_animation(growth, file, [0.1] * 9) == file.stat().st_size
    found = list(gif_blocks(file.read_bytes()))
    kinds = [kind for kind, _ in found]
    assert kinds == ["screen", "extension ff", *["extension f9", "image"] * 9]
    assert found[0][1][4] & 0x80  # the screen's palette
    images = [part for kind, part in found if kind == "image"]
    assert not any(part[8] & 0x80 for part in images)
    assert found[1][1] == b"\x0bNETSCAPE2.0\x03\x01\0\0"  # 0 times: without end
    decoded, _ = by_vips(file)
    assert len(np.unique(np.concatenate(decoded).reshape(-1, 3), axis=0)) <= 255


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_recipe_changes_no_frame(growth: list[Frame], tmp_path: Path, ending: str) -> None:
    plain, told = tmp_path / f"plain.{ending}", tmp_path / f"told.{ending}"
    recipe = '{"a": "\N{SNOWMAN} <&>"}'
    write_animation(growth, plain, [0.1] * 9)
    assert write_animation(growth, told, [0.1] * 9, recipe) == told.stat().st_size
    if ending == "mp4":
        with av.open(str(plain)) as one, av.open(str(told)) as other:
            assert other.metadata["comment"] == recipe
            pairs = zip(one.demux(video=0), other.demux(video=0), strict=True)
            assert all(bytes(before) == bytes(after) for before, after in pairs)
        return
    assert read_recipe(told) == recipe
    for decoded in (by_vips, by_pillow):
        np.testing.assert_array_equal(decoded(told)[0], decoded(plain)[0])


def test_a_colour_is_the_same_wherever_and_whenever_it_is_in_a_gif(
    growth: list[Frame], tmp_path: Path
) -> None:
    file = tmp_path / "grow.gif"
    write_animation(growth, file, [0.1] * 9)
    decoded, _ = by_vips(file)
    shown: dict[bytes, bytes] = {}
    for frame, seen in zip(growth, decoded, strict=True):
        for colour, one in zip(frame.reshape(-1, 3), seen.reshape(-1, 3), strict=True):
            assert shown.setdefault(colour.tobytes(), one.tobytes()) == one.tobytes()


def test_what_stands_still_in_a_gif_does_not_flicker(growth: list[Frame], tmp_path: Path) -> None:
    file = tmp_path / "grow.gif"
    write_animation(growth, file, [0.1] * 9)
    for decoded in (by_vips(file)[0], by_pillow(file)):
        assert len(decoded) == 9
        for seen in decoded:
            np.testing.assert_array_equal(seen[:, 84:], decoded[0][:, 84:])
        assert min(map(psnr, growth, decoded)) > 32


def by_pillow(file: Path) -> list[Frame]:
    frames = []
    with Image.open(file) as image:
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            frames.append(np.asarray(image.convert("RGB")))
    return frames


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5),
    st.integers(1, 255),
)
@settings(max_examples=40, deadline=None)
def test_a_gif_of_few_colours_is_exact(
    width: int, height: int, seeds: list[int], colours: int
) -> None:
    """Whatever part of it changes, and if nothing does."""
    palette = np.random.default_rng(0).integers(0, 256, (colours, 3), dtype=np.uint8)
    frame = np.zeros((height, width), int)
    frames = []
    for seed in seeds:
        random = np.random.default_rng(seed)
        (x, y), share = random.integers((width, height)), random.random()
        part = frame[y : y + height // 2, x : x + width // 2]
        part[random.random(part.shape) < share] = random.integers(colours)
        frames.append(palette[frame])
    data = animated(frames)
    decoded = pyvips.Image.gifload_buffer(data, n=-1).numpy()[:, :, :3]
    np.testing.assert_array_equal(decoded, np.concatenate(frames))


def animated(frames: list[Frame]) -> bytes:
    from impasto.image.animated_gif import encoded

    return b"".join(encoded(frames, [10] * len(frames)))


class Drawn(Sequence[Frame]):
    """Frames that are made when they are asked for, and counted while somebody has them."""

    def __init__(self, count: int) -> None:
        self._count, self.alive, self.most, self.drawn = count, 0, 0, 0
        self._photo = photo("coffee")[:96, :200]

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count:
            raise IndexError(index)
        frame = self._photo[:, index : index + 128].copy()
        self.alive += 1
        self.drawn += 1
        self.most = max(self.most, self.alive)
        weakref.finalize(frame, self._gone)
        return frame

    def _gone(self) -> None:
        self.alive -= 1


@pytest.mark.parametrize("ending", ENDINGS)
def test_frames_lie_in_memory_only_while_they_are_coded(tmp_path: Path, ending: str) -> None:
    drawn = Drawn(30)
    write_animation(drawn, tmp_path / f"lazy.{ending}", [0.1] * 30)
    assert 1 <= drawn.most <= 4
    write_animation([drawn[i] for i in range(30)], tmp_path / f"whole.{ending}", [0.1] * 30)
    lazy, whole = (tmp_path / f"{name}.{ending}" for name in ("lazy", "whole"))
    assert lazy.read_bytes() == whole.read_bytes()


def test_a_still_background_makes_a_gif_small(tmp_path: Path) -> None:
    still = photo("coffee")[:96, :128]
    spot = still.copy()
    spot[20:30, 40:50] = 255, 0, 0
    one = write_animation([still], tmp_path / "one.gif", [0.1])
    many = write_animation([still, spot] * 10, tmp_path / "many.gif", [0.1] * 20)
    assert many < 1.25 * one + 20 * 100


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("durations", [[1 / 12] * 9, [1 / 30] * 8 + [2.0], [0.02] * 9])
def test_times_add_up(
    growth: list[Frame], tmp_path: Path, ending: str, durations: list[float]
) -> None:
    file = tmp_path / f"grow.{ending}"
    write_animation(growth, file, durations)
    if ending == "mp4":
        with av.open(str(file)) as film_file:
            stream = film_file.streams.video[0]
            assert stream.frames == 9
            decoded = list(film_file.decode(stream))
            starts = [frame.time for frame in decoded]
            seconds = [float(frame.duration * (frame.time_base or 0)) for frame in decoded]
    else:
        seconds = [count / 1000 for count in by_vips(file)[1]]
        starts = list(accumulate(seconds[:-1], initial=0.0))
    tick = 0.01 if ending == "gif" else 0.001
    wanted = list(accumulate(durations, initial=0.0))
    np.testing.assert_allclose([*starts, starts[-1] + seconds[-1]], wanted, atol=0.5001 * tick)
    np.testing.assert_allclose(seconds, np.diff(wanted), atol=1.0001 * tick)
    assert [b - a for a, b in pairwise(starts)] == pytest.approx(seconds[:-1])


def test_a_webp_shows_the_frames_again_and_again(growth: list[Frame], tmp_path: Path) -> None:
    file = tmp_path / "grow.webp"
    size = write_animation(growth, file, [0.1] * 9)
    assert size == file.stat().st_size
    decoded, _ = by_vips(file)
    assert min(map(psnr, growth, decoded)) > 30
    with Image.open(file) as image:
        assert image.info["loop"] == 0


def test_a_film_is_h264_that_browsers_play(growth: list[Frame], tmp_path: Path) -> None:
    file = tmp_path / "grow.mp4"
    assert write_animation(growth, file, [0.1] * 9) == file.stat().st_size
    with av.open(str(file)) as opened:
        stream = opened.streams.video[0]
        coder = stream.codec_context
        assert (coder.name, coder.pix_fmt, coder.profile) == ("h264", "yuv420p", "High")
        tags = coder.colorspace, coder.color_primaries, coder.color_trc, coder.color_range
        assert tags == (1, 1, 1, 1)
        assert (coder.width, coder.height) == (128, 96)
        decoded = [frame.to_ndarray(format="rgb24") for frame in opened.decode(stream)]
    assert min(map(psnr, growth, decoded)) > 30
    boxes = list(mp4_boxes(file.read_bytes()))
    assert boxes.index(b"moov") < boxes.index(b"mdat")  # it plays while it loads


def mp4_boxes(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind
        at += size


@pytest.mark.parametrize("colour", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 120, 40)])
def test_a_films_colours_are_those_of_bt709(colour: tuple[int, int, int], tmp_path: Path) -> None:
    """ITU-R BT.709-6, sections 3.2 to 3.5, at 8 bits."""
    file = tmp_path / "flat.mp4"
    write_animation([np.full((32, 48, 3), colour, np.uint8)] * 2, file, [0.1] * 2)
    red, green, blue = np.array(colour) / 255
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    wanted = [
        16 + 219 * luma,
        128 + 224 * (blue - luma) / 1.8556,
        128 + 224 * (red - luma) / 1.5748,
    ]
    with av.open(str(file)) as opened:
        planes = next(opened.decode(video=0)).to_ndarray(format="yuv420p")
    found = planes[5, 5], planes[32 + 4, 4], planes[32 + 8 + 4, 4]
    np.testing.assert_allclose(found, wanted, atol=1.5)


@pytest.mark.parametrize(("height", "width"), [(33, 48), (32, 47), (31, 31)])
def test_a_film_with_odd_sides_repeats_its_last_pixels(
    height: int, width: int, tmp_path: Path
) -> None:
    file = tmp_path / "odd.mp4"
    slope = np.linspace(0, 255, width)[None, :, None] * np.ones((height, 1, 3))
    frame = slope.astype(np.uint8)
    write_animation([frame] * 3, file, [0.1] * 3)
    with av.open(str(file)) as opened:
        decoded = next(opened.decode(video=0)).to_ndarray(format="rgb24")
    assert decoded.shape[:2] == (height + height % 2, width + width % 2)
    assert psnr(decoded[:height, :width], frame) > 35
    np.testing.assert_allclose(decoded[:, -1].astype(int), 255, atol=6)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_frames_give_the_same_bytes(
    growth: list[Frame], tmp_path: Path, ending: str
) -> None:
    files = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for file in files:
        write_animation(growth, file, [0.1] * 9)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_single_frame_and_a_name_that_is_no_text_are_fine(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"one-\udcff.{ending}"
    write_animation([photo("coffee")[:40, :60]], file, [1.0])
    assert file.stat().st_size > 100


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("grow.png", "the ending '.png' is no animation's; use one of .gif, .webp, .mp4"),
        ("grow", "it has no ending; use one of"),
        ("-", "an animation goes to a file; use one of"),
        ("there.GIF", "it exists already; choose another name, or add --force"),
    ],
)
def test_what_cannot_be_written_is_refused(
    output: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.GIF").touch()
    with pytest.raises(UsageError, match=said):
        check_animation(output, [], force=False)
    if output == "there.GIF":
        check_animation(output, [], force=True)


def test_an_input_is_never_replaced(tmp_path: Path) -> None:
    photo_file = tmp_path / "photo.gif"
    photo_file.touch()
    with pytest.raises(UsageError, match="the same file as the input"):
        check_animation(photo_file, [photo_file], force=True)


def test_a_film_without_its_package_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r"writing a film needs the package av; .*\[video\]"):
        check_animation(tmp_path / "grow.mp4", [], force=False)
    check_animation(tmp_path / "grow.gif", [], force=False)


def test_what_is_interrupted_leaves_nothing(
    growth: list[Frame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(frames: list[Frame], ticks: list[int], path: Path, recipe: str | None) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(film, "encode", cut_short)
    with pytest.raises(KeyboardInterrupt):
        write_animation(growth, tmp_path / "grow.mp4", [0.1] * 9)
    assert not list(tmp_path.iterdir())


@contextmanager
def full_after(size: int) -> Iterator[None]:
    """While it lasts, no file takes more bytes, as if its disk were full."""
    resource = pytest.importorskip("resource")
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_full_disk_is_said_and_leaves_what_was_there(
    growth: list[Frame], tmp_path: Path, ending: str, share: float
) -> None:
    file = tmp_path / f"grow.{ending}"
    size = write_animation(growth, file, [0.1] * 9)
    file.write_bytes(b"the film before")
    message = f"cannot write {file}: no space left on its disk"
    with full_after(int(share * size)), pytest.raises(UnwritableOutput, match=re.escape(message)):
        write_animation(growth, file, [0.1] * 9)
    assert file.read_bytes() == b"the film before"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_folder_that_takes_no_films_is_named(growth: list[Frame], ending: str) -> None:
    with pytest.raises(UnwritableOutput, match=f"cannot write /proc/grow.{ending}: "):
        write_animation(growth, f"/proc/grow.{ending}", [0.1] * 9)


def test_frames_must_match(growth: list[Frame], tmp_path: Path) -> None:
    odd: list[NDArray[np.uint8]] = [growth[0], growth[1][:50]]
    with pytest.raises(ValueError, match="one size"):
        write_animation(odd, tmp_path / "a.gif", [0.1] * 2)
    with pytest.raises(ValueError, match="needs a frame"):
        write_animation([], tmp_path / "a.gif", [])
    with pytest.raises(ValueError, match=r"0.02 s"):
        write_animation(growth, tmp_path / "a.gif", [0.01] * 9)
    with pytest.raises(ValueError, match="a time each"):
        write_animation(growth, tmp_path / "a.webp", [0.1] * 3)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_frame_that_does_not_match_is_found_as_it_is_drawn(tmp_path: Path, ending: str) -> None:
    drawn, file = Drawn(30), tmp_path / f"a.{ending}"
    write_animation(drawn, file, [0.1] * 30)
    # A GIF chooses its colours first; of the others, only the first frame is drawn again.
    assert drawn.drawn <= (90 if ending == "gif" else 32)
    before = file.read_bytes()
    with pytest.raises(ValueError, match="one size"):
        write_animation([drawn[0], drawn[1], drawn[2][:50]], file, [0.1] * 3)
    assert [file.read_bytes()] == [before] and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("ending", "size", "said"),
    [
        ("webp", (16_384, 8), r"with 16384×8 px: .* at most 16383; .* ends in .gif or .mp4"),
        ("mp4", (8, 16_385), r"with 8×16385 px: .* at most 16384; .* ends in .gif$"),
        ("gif", (65_536, 8), r"with 65536×8 px: .* at most 65535; choose a smaller size$"),
    ],
)
def test_sides_that_a_format_does_not_have_are_refused(
    ending: str, size: tuple[int, int], said: str, tmp_path: Path
) -> None:
    file = tmp_path / f"a.{ending}"
    with pytest.raises(UsageError, match=said):
        check_size(file, size)
    most = min(max(size) - 1, 16_384)
    check_size(file, (most, most))
    write_animation([np.zeros((8, most, 3), np.uint8)] * 2, file, [0.1] * 2)

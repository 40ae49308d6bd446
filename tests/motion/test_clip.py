import gc
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.motion.broken import (
    at_front,
    cut_short,
    empty_file,
    hollow,
    hurt,
    picture_file,
    sound_file,
    sound_only,
    text_file,
)
from tests.motion.clips import Frames, How, cut, film, pan, psnr

from impasto.errors import UnreadableVideo, UsageError
from impasto.image.dynamic_range import to_screen
from impasto.image.samples import photo
from impasto.motion.clip import Clip
from impasto.motion.development import turned
from impasto.motion.survey import Survey

FLOATS = NDArray[np.float32]
EXACT = (("crf", "0"), ("preset", "veryfast"))


def read(clip: Clip, first: int = 0) -> FLOATS:
    return np.stack([frame.rgb for frame in clip.frames(first)])


def patches(width: int = 96, height: int = 64) -> Frames:
    """Two frames of 24 flat colours of 16 px."""
    colours = np.array(list(product((20, 128, 235), (40, 220), (0, 90, 170, 255))), np.uint8)
    grid = np.resize(colours, (height // 16, width // 16, 3))
    return np.repeat(grid.repeat(16, 0).repeat(16, 1)[None], 2, 0)


def within(error: FLOATS) -> FLOATS:
    """The error of patches, away from where they share colours with others."""
    count, height, width, _ = error.shape
    return error.reshape(count, height // 16, 16, width // 16, 16, 3)[:, :, 4:12, :, 4:12]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "avi", "ts"])
def test_every_frame_comes_in_order_at_its_time(ending: str, tmp_path: Path) -> None:
    known = pan(14, (96, 64))
    # AVI's frames have no times, so they must come in the order in which they are coded.
    how = How("mpeg4", (("qmin", "1"), ("qmax", "2"))) if ending == "avi" else How()
    clip = Clip(film(tmp_path / f"pan.{ending}", known.frames, how))
    frames = list(clip.frames())
    assert [frame.index for frame in frames] == list(range(14))
    # Matroska's clock has thousandths of a second, but 40 of them are a frame.
    assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(14)]
    assert not any(frame.damaged for frame in frames)
    for frame, given in zip(frames, known.frames, strict=True):
        assert frame.rgb.shape == (64, 96, 3)
        assert frame.rgb.dtype == np.float32
        assert psnr(frame.rgb * 255, given) > 29


def test_the_facts_are_the_files(tmp_path: Path) -> None:
    how = How(
        sounds=("aac", "libopus"), pixel_aspect=Fraction(4, 3), time_base=Fraction(1001, 30000)
    )
    facts = Clip(film(tmp_path / "a.mkv", pan(5, (96, 64)).frames, how)).facts
    assert (facts.size, facts.codec, facts.depth) == ((96, 64), "h264", 8)
    assert facts.sounds == ("aac", "opus")
    assert facts.pixel_aspect == Fraction(4, 3)
    assert float(facts.rate) == pytest.approx(30000 / 1001, rel=1e-3)


@pytest.mark.parametrize("matrix", [601, 709, 2020])
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("depth", [8, 10])
def test_colours_follow_matrix_range_and_depth(
    matrix: int, full: bool, depth: int, tmp_path: Path
) -> None:
    how = How(options=EXACT, matrix=matrix, primaries=1, full=full, depth=depth)
    clip = Clip(film(tmp_path / "patches.mp4", patches(), how))
    assert clip.facts.depth == depth
    error = np.abs(read(clip) * 255 - patches())
    assert within(error).max() < (2.5 if depth == 8 else 1)
    given = photo("coffee")[None, 100:196, 200:328]
    assert np.abs(read(Clip(film(tmp_path / "photo.mp4", given, how))) * 255 - given).mean() < 2


@pytest.mark.parametrize(("height", "matrix"), [(704, 601), (720, 709)])
def test_colours_without_a_word_are_those_of_the_size(
    height: int, matrix: int, tmp_path: Path
) -> None:
    frames = patches(32, height)
    how = How(options=EXACT, matrix=matrix, tagged=False)
    error = np.abs(read(Clip(film(tmp_path / "plain.mp4", frames, how))) * 255 - frames)
    assert within(error).max() < 2.5


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_a_high_dynamic_range_is_brought_to_the_screens(
    transfer: int, name: str, tmp_path: Path
) -> None:
    how = How(options=EXACT, matrix=2020, transfer=transfer, depth=10)
    clip = Clip(film(tmp_path / "bright.mp4", patches(), how))
    assert clip.facts.dynamic_range == name
    signal = (patches()[0] / 255).astype(np.float32)
    error = np.abs(read(clip) - to_screen(signal, transfer, 9))
    assert within(error).max() < 0.03
    assert Clip(film(tmp_path / "usual.mp4", patches())).facts.dynamic_range is None


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_frames_are_upright(degrees: int, ending: str, tmp_path: Path) -> None:
    how = How(options=EXACT, rotation=degrees, pixel_aspect=Fraction(4, 3))
    path = film(tmp_path / f"turned.{ending}", pan(2, (96, 64)).frames, how)
    with av.open(str(path)) as container:
        stored = list(container.decode(video=0))
    quarters = stored[0].rotation // 90  # counterclockwise, as NumPy's
    assert quarters % 4 == -degrees // 90 % 4 or quarters % 4 == degrees // 90 % 4
    clip = Clip(path)
    assert clip.facts.size == ((96, 64) if degrees == 180 else (64, 96))
    assert clip.facts.pixel_aspect == (Fraction(4, 3) if degrees == 180 else Fraction(3, 4))
    for frame, one in zip(clip.frames(), stored, strict=True):
        assert psnr(frame.rgb * 255, np.rot90(one.to_ndarray(format="rgb24"), quarters)) > 35


@pytest.mark.parametrize("turn", [(a, 0, 0, d) for a in (-1, 1) for d in (-1, 1)])
@pytest.mark.parametrize("lies", [False, True])
def test_pixels_go_where_the_matrix_says(turn: tuple[int, int, int, int], lies: bool) -> None:
    """x′ = a·x + c·y and y′ = b·x + d·y, moved to where both begin at 0."""
    a, b, c, d = (0, turn[0], turn[3], 0) if lies else turn
    picture = np.arange(15).reshape(3, 5)
    shown = turned(picture, (a, b, c, d))
    y, x = np.mgrid[:3, :5]
    right, down = a * x + c * y, b * x + d * y
    np.testing.assert_array_equal(shown[down - down.min(), right - right.min()], picture)


def test_interlaced_frames_are_made_whole(tmp_path: Path) -> None:
    moments = pan(16, (128, 96), (5, 0)).frames
    path = film(tmp_path / "woven.mp4", moments, How(options=EXACT, interlaced=True))
    with av.open(str(path)) as container:
        stored = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    clip = Clip(path)
    frames = list(clip.frames())
    assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(8)]
    for frame, woven, moment in zip(frames, stored, moments[::2], strict=True):
        assert psnr(frame.rgb * 255, moment) > psnr(woven, moment) + 5
        # The lines of the first moment are those that were stored.
        assert psnr(frame.rgb[1::2] * 255, moment[1::2]) > 30


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_times_that_vary_are_exact(ending: str, tmp_path: Path) -> None:
    ticks = (0, 40, 57, 190, 191, 400, 1033, 1100)
    codec = "libvpx-vp9" if ending == "webm" else "libx264"
    options = (("crf", "30"),) if ending == "webm" else EXACT
    how = How(codec, options, time_base=Fraction(1, 1000), ticks=ticks)
    clip = Clip(film(tmp_path / f"varying.{ending}", pan(7, (64, 48)).frames, how))
    assert [frame.time for frame in clip.frames()] == [Fraction(tick, 1000) for tick in ticks[:-1]]


def test_a_part_is_what_the_whole_has_there(tmp_path: Path) -> None:
    """Bit for bit, wherever the key frames are."""
    for ending in ("mp4", "mkv", "avi", "ts"):
        how = How(options=(("crf", "20"), ("g", "7"), ("bf", "0" if ending == "avi" else "2")))
        path = film(tmp_path / f"long.{ending}", pan(30, (64, 48), (2, 1)).frames, how)
        whole = read(Clip(path))
        part = Clip(path, start=Fraction(12, 25), end=Fraction(24, 25), every=3)
        frames = list(part.frames())
        assert [frame.index for frame in frames] == [0, 1, 2, 3]
        assert [frame.time for frame in frames] == [Fraction(3 * index, 25) for index in range(4)]
        np.testing.assert_array_equal(read(part), whole[12:24:3])
        np.testing.assert_array_equal(read(part, 2), whole[18:24:3])
        np.testing.assert_array_equal(read(Clip(path), 17), whole[17:])


def test_a_start_between_frames_begins_with_the_next(tmp_path: Path) -> None:
    path = film(tmp_path / "pan.mp4", pan(10, (64, 48)).frames)
    clip = Clip(path, start=Fraction(13, 100), end=Fraction(2, 10))
    np.testing.assert_array_equal(read(clip), read(Clip(path))[4:5])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"start": Fraction(-1)}, "from must be at least 0 seconds, not -1"),
        ({"start": Fraction(1, 4), "end": Fraction(1, 4)}, "to must be later than from, 0.25 s"),
        ({"every": 0}, "every must be at least 1, not 0"),
        ({"start": Fraction(2, 5)}, r"from 0.4 s is after the end of .*pan.mp4, which lasts 0.4 s"),
    ],
)
def test_impossible_times_are_refused(
    asked: dict[str, Fraction], said: str, tmp_path: Path
) -> None:
    path = film(tmp_path / "pan.mp4", pan(10, (64, 48)).frames)
    with pytest.raises(UsageError, match=said):
        Clip(path, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(("width", "height"), [(63, 47), (64, 47), (63, 48), (17, 99)])
def test_odd_sizes_are_kept(width: int, height: int, tmp_path: Path) -> None:
    given = pan(3, (width, height)).frames
    clip = Clip(film(tmp_path / "odd.mkv", given, How(options=EXACT, every_colour=True)))
    assert clip.facts.size == (width, height)
    assert np.abs(read(clip) * 255 - given).max() < 3


def test_a_single_frame_is_a_clip(tmp_path: Path) -> None:
    clip = Clip(film(tmp_path / "one.mp4", pan(1, (64, 48)).frames))
    assert [(frame.index, frame.time) for frame in clip.frames()] == [(0, Fraction(0))]


def test_a_gif_is_a_clip_with_its_own_colours(tmp_path: Path) -> None:
    frames = [Image.fromarray(frame) for frame in patches()]
    other = Image.fromarray(255 - patches()[0])
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=[other], duration=[100, 250])
    clip = Clip(tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as image:
        for frame in clip.frames():
            image.seek(frame.index)
            np.testing.assert_allclose(frame.rgb * 255, np.asarray(image.convert("RGB")), atol=0.01)
    assert [frame.time for frame in clip.frames()] == [0, Fraction(1, 10)]


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("codec", "wipe"),
    # Noise within a frame is a picture of something else to VP9's decoder.
    [*product(["libx264", "libx265", "mpeg4"], [False, True]), ("libvpx-vp9", True)],
)
def test_a_damaged_frame_is_bridged_at_its_own_time(
    codec: str, ending: str, wipe: bool, tmp_path: Path
) -> None:
    """Every frame is a key frame, so one damaged coded frame is one damaged frame."""
    options = [("g", "1")]
    if codec == "libx265":
        options += [("x265-params", "log-level=none")]
    path = film(tmp_path / f"hurt.{ending}", pan(8, (96, 64)).frames, How(codec, tuple(options)))
    whole = list(Clip(path).frames())
    hurt(path, 4, wipe=wipe)
    frames = list(Clip(path).frames())
    assert [frame.time for frame in frames] == [frame.time for frame in whole]
    assert [frame.index for frame in frames if frame.damaged] == [4]
    for frame, good in zip(frames, whole, strict=True):
        np.testing.assert_array_equal(frame.rgb, whole[3].rgb if frame.damaged else good.rgb)


def test_frames_that_matroska_lost_are_bridged_too(tmp_path: Path) -> None:
    """Where the file itself is torn, its reader goes on at the next cluster, without a word."""
    how = How(options=(("g", "10"), ("crf", "1")), sounds=("aac",))
    path = film(tmp_path / "torn.mkv", pan(60, (320, 240), (2, 1)).frames, how)
    whole = list(Clip(path).frames())
    data = bytearray(path.read_bytes())
    first, second = clusters(data)[1:3]
    data[first - 2000 : first + 3000] = np.random.default_rng(0).bytes(5000)
    path.write_bytes(data)
    assert second > first + 10_000
    frames = list(Clip(path).frames())
    assert [frame.time for frame in frames] == [frame.time for frame in whole]
    damaged = [frame.index for frame in frames if frame.damaged]
    assert damaged == list(range(damaged[0], damaged[-1] + 1))
    assert 3 < len(damaged) < 50
    for frame, good in zip(frames, whole, strict=True):
        if not frame.damaged:
            np.testing.assert_array_equal(frame.rgb, good.rgb)


def clusters(data: bytes | bytearray) -> list[int]:
    """Where Matroska's clusters begin."""
    found, at = [], data.find(b"\x1f\x43\xb6\x75")
    while at >= 0:
        found.append(at)
        at = data.find(b"\x1f\x43\xb6\x75", at + 1)
    return found


def test_files_that_were_joined_byte_by_byte_are_refused(tmp_path: Path) -> None:
    """Their clock goes back, so it is not known any more when frames are shown."""
    part = film(tmp_path / "part.ts", pan(50, (64, 48)).frames, How(options=(("g", "12"),)))
    joined = tmp_path / "joined one.ts"
    joined.write_bytes(part.read_bytes() * 2)
    said = r"its clock begins anew in the middle, .* ffmpeg -i '.*joined one.ts' -c copy joined.mkv"
    with pytest.raises(UnreadableVideo, match=said):
        list(Clip(joined).shown())
    assert len(list(Clip(part).shown())) == 50
    list(Clip(joined, end=Fraction(1)).shown())


def test_what_is_damaged_is_the_same_on_every_run(tmp_path: Path) -> None:
    path = film(tmp_path / "hurt.mp4", pan(20, (96, 64)).frames, How(options=(("g", "10"),)))
    hurt(path, 4)
    one, other = (list(Clip(path).frames()) for _ in range(2))
    assert len(one) == 20
    assert any(frame.damaged for frame in one[:10])
    assert not any(frame.damaged for frame in one[10:])
    for frame, again in zip(one, other, strict=True):
        assert frame.damaged == again.damaged
        np.testing.assert_array_equal(frame.rgb, again.rgb)


def test_very_many_damaged_frames_are_passed_over_at_once(tmp_path: Path) -> None:
    clip, count = Clip(film(tmp_path / "a.mp4", pan(3, (64, 48)).frames)), 40_000
    times, damaged = tuple(range(count + 1)), tuple(range(1, count))
    known = Survey(time_base=Fraction(1, 25), times=times, damaged=damaged)
    began = time.perf_counter()
    assert next(clip.shown(count - 1, known)).index == 0
    assert time.perf_counter() - began < 2


def test_a_damaged_beginning_shows_what_there_is(tmp_path: Path) -> None:
    path = film(tmp_path / "hurt.mp4", pan(8, (96, 64)).frames, How(options=(("g", "4"),)))
    hurt(path, 0)
    frames = list(Clip(path).frames())
    assert frames[0].time == 0
    assert not any(frame.damaged for frame in frames[-4:])


@pytest.mark.parametrize("ending", ["mp4", "mkv", "ts", "avi"])
def test_a_file_cut_short_gives_what_it_has(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"short.{ending}"
    how = How(options=(("g", "5"), ("crf", "10")))
    film(path, pan(24, (128, 96)).frames, how)
    if ending == "mp4":
        at_front(path)
    whole = list(Clip(path).frames())
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    frames = list(Clip(path).frames())
    assert 8 < len(frames) < 20
    good = [frame for frame in frames if not frame.damaged]
    assert len(good) >= len(frames) - 5
    for frame in good:
        assert frame.time == whole[frame.index].time
        np.testing.assert_array_equal(frame.rgb, whole[frame.index].rgb)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda folder: folder / "gone.mp4", "there is no such file; check its name"),
        (lambda folder: folder, "it is a folder; name a video in it"),
        (lambda folder: empty_file(folder / "a.mp4"), r"it is empty \(0 bytes\); copy it again"),
        (lambda folder: text_file(folder / "a.mp4"), "it is not a video that FFmpeg knows"),
        (lambda folder: cut_short(folder / "a.mp4"), r"its index is missing or damaged within"),
        (lambda folder: picture_file(folder / "a.jpg"), "it is a picture, not a video; impasto"),
        (lambda folder: picture_file(folder / "a.png"), "it is a picture, not a video; impasto"),
        (lambda folder: sound_file(folder / "a.wav"), "it has no video stream, only audio;"),
        (lambda folder: sound_only(folder / "a.m4a"), "it has no video stream, only audio;"),
        (
            lambda folder: sound_only(folder / "a.mp3", cover=True),
            "it has no video stream, only a cover picture and audio;",
        ),
        (lambda folder: hollow(folder / "a.mp4"), "it is a .* file with nothing in it; record"),
        (lambda folder: hollow(folder / "a.mkv"), "it has no frame that can be found"),
    ],
)
def test_what_cannot_be_read_is_said(
    made: Callable[[Path], Path], said: str, tmp_path: Path
) -> None:
    path = made(tmp_path)
    with pytest.raises(UnreadableVideo, match=said) as caught:
        Clip(path)
    assert str(caught.value).startswith(f"cannot read {path}: ")
    assert "\n" not in str(caught.value)


def test_a_name_that_looks_like_an_address_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "a.mp4", pan(2, (64, 48)).frames).rename("concat:a \udcff.mp4")
    assert len(read(Clip(Path("concat:a \udcff.mp4")))) == 2


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    path = film(tmp_path / "long.mp4", np.tile(cut(10, (320, 240)), (30, 1, 1, 1)))
    process = psutil.Process()
    sizes = []
    for frame in Clip(path).frames():
        if frame.index % 50 == 49:
            gc.collect()
            sizes.append(process.memory_info().rss)
    assert len(sizes) == 6
    assert sizes[-1] - sizes[0] < 12e6  # 250 frames are 230 MB

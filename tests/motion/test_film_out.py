import gc
import resource
import struct
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from tests.motion.clips import Frames, How, cut, film, pan, psnr

from impasto.errors import ImpastoError, UnreadableVideo, UnwritableOutput, UsageError
from impasto.events import Event
from impasto.image.film import created
from impasto.image.film_codec import CODECS, container_of
from impasto.motion.clip import Clip
from impasto.motion.film_out import check_film, film_depth, recipe_text, write_film
from impasto.motion.film_settings import FilmSettings
from impasto.motion.survey import Survey, survey

KINDS = [
    ("mp4", "h264"),
    ("m4v", "h264"),
    ("mov", "h264"),
    ("mkv", "h264"),
    ("mp4", "hevc"),
    ("mov", "hevc"),
    ("webm", "vp9"),
    ("mp4", "vp9"),
    ("webm", "av1"),
    ("mp4", "av1"),
    ("mkv", "av1"),
    ("mov", "prores"),
    ("mkv", "prores"),
]
"""Every codec, and every container."""

IRREGULAR = (0, 40, 57, 190, 191, 400, 1033, 1100, 1433)


def nobody(_: Event) -> None:
    pass


def regular(count: int, rate: int = 25) -> Survey:
    return Survey(time_base=Fraction(1, rate), times=tuple(range(count + 1)))


def spans(path: Path) -> list[tuple[Fraction, Fraction]]:
    """When each frame begins and ends, seconds, as its packet says."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        return [
            (packet.pts * packet.time_base, (packet.pts + packet.duration) * packet.time_base)
            for packet in packets
            if packet.pts is not None and packet.duration is not None
        ]


def decoded(path: Path, layout: str = "rgb24") -> list[NDArray[Any]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format=layout) for frame in container.decode(video=0)]


def heard(path: Path) -> list[list[tuple[bytes, Fraction]]]:
    """The packets of each sound stream, with their times in seconds."""
    with av.open(str(path)) as container:
        streams = container.streams.audio
        packets = [packet for packet in container.demux(*streams) if packet.size]
        return [
            [
                (bytes(packet), (packet.pts or 0) * packet.time_base)
                for packet in packets
                if packet.stream_index == stream.index
            ]
            for stream in streams
        ]


@pytest.mark.parametrize(("ending", "codec"), KINDS)
def test_every_frame_is_there_as_it_was_given_and_twice_the_same(
    ending: str, codec: str, tmp_path: Path
) -> None:
    frames = pan(9, (128, 96)).frames
    settings = FilmSettings.checked({"codec": codec})
    files = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for file in files:
        check_film(file, [], force=False, settings=settings)
        size = write_film(iter(frames), regular(9), None, file, settings, '{"a": "\N{SNOWMAN}"}')
        assert size == file.stat().st_size
    assert files[0].read_bytes() == files[1].read_bytes()
    shown = decoded(files[0])
    assert len(shown) == 9
    assert min(map(psnr, frames, shown)) > 31
    assert recipe_text(files[0]) == '{"a": "\N{SNOWMAN}"}'
    with av.open(str(files[0])) as container:
        coder = container.streams.video[0].codec_context
        assert coder.codec.canonical_name == codec
        tags = coder.colorspace, coder.color_primaries, coder.color_trc, coder.color_range
        assert tags == (1, 1, 1, 1)


@pytest.mark.parametrize(("ending", "codec"), KINDS)
def test_every_frame_is_shown_when_and_as_long_as_the_survey_says(
    ending: str, codec: str, tmp_path: Path
) -> None:
    file = tmp_path / f"a.{ending}"
    settings = FilmSettings.checked({"codec": codec})
    frames = pan(8, (64, 48)).frames
    # A clock that Matroska's thousandths of a second cannot follow.
    timing = Survey(time_base=Fraction(1001, 1_000_000), times=IRREGULAR)
    write_film(frames, timing, None, file, settings)
    begins = [float(begin) for begin, _ in spans(file)]
    wanted = [float(tick * timing.time_base) for tick in IRREGULAR]
    tick = 0.00051 if ending in ("mkv", "webm") else 1e-6
    np.testing.assert_allclose(begins, wanted[:-1], atol=tick)
    with av.open(str(file)) as container:
        said = (container.duration or 0) / 1_000_000
    assert said == pytest.approx(wanted[-1], abs=0.0011)


def test_a_clock_that_the_file_can_follow_is_followed_exactly(tmp_path: Path) -> None:
    for clock in (Fraction(1, 90_000), Fraction(1001, 30_000), Fraction(1, 1000)):
        timing = Survey(time_base=clock, times=IRREGULAR)
        file = tmp_path / "a.mp4"
        write_film(pan(8, (64, 48)).frames, timing, None, file, FilmSettings())
        assert spans(file) == [(a * clock, b * clock) for a, b in pairwise(IRREGULAR)]


def after_pictures(path: Path) -> list[float]:
    """When each packet of sound is heard, seconds from the first frame."""
    first = spans(path)[0][0]
    return [float(time - first) for stream in heard(path) for _, time in stream]


SOURCES = {
    "mp4": How(sounds=("aac",)),
    "mkv": How(sounds=("aac", "libopus", "pcm_s16le")),
    "webm": How("libvpx-vp9", (("crf", "30"),), sounds=("libopus",)),
    "mov": How(sounds=("pcm_s16le", "aac")),
    "varying.mp4": How(
        time_base=Fraction(1, 1000), ticks=(*IRREGULAR[:-1], 1200, 1500), sounds=("aac",)
    ),
}


@pytest.mark.parametrize("source", SOURCES)
def test_sound_is_copied_packet_by_packet(source: str, tmp_path: Path) -> None:
    how = SOURCES[source]
    count = 9 if how.ticks else 30
    path = film(tmp_path / f"source.{source}", pan(count, (64, 48), (1, 0)).frames, how)
    clip = Clip(path)
    found = survey(clip, nobody)
    output = tmp_path / f"out{path.suffix}"
    check_film(output, [path], force=False, settings=FilmSettings(), clip=clip)
    frames = (np.rint(frame.rgb * 255).astype(np.uint8) for frame in clip.frames())
    write_film(frames, found, clip, output, FilmSettings())
    given, copied = heard(path), heard(output)
    assert len(given) == len(copied) == len(how.sounds)
    for one, other in zip(given, copied, strict=True):
        assert [data for data, _ in one] == [data for data, _ in other]
    np.testing.assert_allclose(after_pictures(output), after_pictures(path), atol=0.00051)
    shown = spans(output)
    assert len(shown) == count
    assert float(shown[-1][1] - shown[0][0]) == pytest.approx(found.seconds, abs=0.0011)


@pytest.mark.parametrize(
    ("source", "ending", "codec"),
    [
        ("mkv", "mp4", "aac"),
        ("mkv", "mov", "libmp3lame"),
        ("mkv", "mp4", "pcm_s16le"),
        ("avi", "mp4", "pcm_s16le"),
        ("ts", "mp4", "aac"),
        ("mp4", "mkv", "aac"),
    ],
)
def test_sound_goes_from_one_kind_of_file_to_another(
    source: str, ending: str, codec: str, tmp_path: Path
) -> None:
    path = film(tmp_path / f"a.{source}", pan(30, (64, 48), (1, 0)).frames, How(sounds=(codec,)))
    clip, output = Clip(path), tmp_path / f"out.{ending}"
    write_film(pan(30, (64, 48)).frames, survey(clip, nobody), clip, output, FilmSettings())
    (given,), (copied,) = heard(path), heard(output)
    # In a transport stream every packet has a header of seven bytes that others say once.
    head = 7 if source == "ts" else 0
    assert [data[head:] for data, _ in given] == [data for data, _ in copied]
    np.testing.assert_allclose(after_pictures(output), after_pictures(path), atol=0.0011)
    if ending != "mkv":
        steps = {later - now for (_, now), (_, later) in pairwise(copied)}
        assert steps == {Fraction(1152 if codec == "libmp3lame" else 1024, 48_000)}


def samples(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0))


def test_packets_that_do_not_say_how_long_they_are_heard_are_heard_to_their_end(
    tmp_path: Path,
) -> None:
    path = film(tmp_path / "a.mkv", pan(30, (64, 48), (1, 0)).frames, How(sounds=("alac",)))
    with av.open(str(path)) as container:
        assert {packet.duration for packet in container.demux(audio=0)} <= {0, None}
    clip, output = Clip(path), tmp_path / "a.mp4"
    write_film(pan(30, (64, 48)).frames, survey(clip, nobody), clip, output, FilmSettings())
    assert samples(output) == samples(path) == 57_600


def test_sound_that_ffmpeg_refuses_at_the_end_is_refused_before_any_work(tmp_path: Path) -> None:
    """PCM of so many channels that have no usual places, which MP4 would have to name."""
    path, mute = tmp_path / "nine.mkv", film(tmp_path / "a.mkv", pan(5, (64, 48)).frames)
    with av.open(str(mute)) as source, av.open(str(path), "w") as container:
        pictures = container.add_stream_from_template(source.streams.video[0])
        stream = container.add_stream("pcm_s16le", 48_000)
        stream.layout = "9 channels"
        silence = np.zeros((1, 9 * 9600), np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="9 channels")
        frame.sample_rate, frame.pts = 48_000, 0
        for packet in chain(source.demux(video=0), stream.encode(frame)):
            if packet.dts is not None:
                packet.stream = pictures if packet.stream.type == "video" else stream
                container.mux(packet)
    clip, output, settings = Clip(path), tmp_path / "out.mp4", FilmSettings()
    with pytest.raises(UsageError, match=r"FFmpeg refuses such a film .* or --sound none"):
        check_film(output, [path], force=False, settings=settings, clip=clip)
    with pytest.raises(UnwritableOutput, match=r"cannot write .*out.mp4: FFmpeg .* --sound none"):
        write_film(pan(5, (64, 48)).frames, regular(5), clip, output, settings)
    assert not output.exists()
    check_film(tmp_path / "out.mkv", [path], force=False, settings=settings, clip=clip)


def test_sound_of_a_part_is_that_part(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pan(50, (64, 48), (1, 0)).frames, How(sounds=("aac",)))
    clip = Clip(path, start=Fraction(3, 5), end=Fraction(7, 5))
    output = tmp_path / "part.mp4"
    found = survey(clip, nobody)
    frames = (np.rint(frame.rgb * 255).astype(np.uint8) for frame in clip.frames())
    write_film(frames, found, clip, output, FilmSettings())
    (given,), (copied,) = heard(path), heard(output)
    inside = [(data, time) for data, time in given if 0.6 - 1024 / 48000 < time < 1.4]
    assert [data for data, _ in copied] == [data for data, _ in inside]
    for (_, now), (_, before) in zip(copied, inside, strict=True):
        assert float(before - now) == pytest.approx(0.6, abs=1e-4)
    assert float(spans(output)[-1][1]) == pytest.approx(0.8, abs=1e-4)


def test_sound_too_damaged_for_the_film_is_left_out(tmp_path: Path) -> None:
    """A transport stream's packet of sound without its header, which MP4 would need to read."""
    path = film(tmp_path / "a.ts", pan(30, (64, 48), (1, 0)).frames, How(sounds=("aac",)))
    data = bytearray(path.read_bytes())
    (given,) = heard(path)
    header = given[20][0][:4]
    places = [at for at in range(len(data)) if data[at : at + 4] == header]
    data[places[5] : places[5] + 4] = bytes(4)
    path.write_bytes(data)
    clip, output = Clip(path), tmp_path / "a.mp4"
    check_film(output, [], force=False, settings=FilmSettings(), clip=clip)
    write_film(pan(30, (64, 48)).frames, survey(clip, nobody), clip, output, FilmSettings())
    (copied,) = heard(output)
    (left,) = heard(path)
    assert len(left) - 3 < len(copied) < len(left)
    assert {data for data, _ in copied} < {data[7:] for data, _ in left}
    assert len(spans(output)) == 30


def test_pictures_that_begin_after_the_sound_do_so_in_the_film(tmp_path: Path) -> None:
    ticks = tuple(range(500, 1001, 100))
    how = How(time_base=Fraction(1, 1000), ticks=ticks, sounds=("aac",), sound_seconds=1.0)
    path = film(tmp_path / "late.mkv", pan(5, (64, 48)).frames, how)
    clip = Clip(path)
    for ending in ("mkv", "mp4"):
        output = tmp_path / f"out.{ending}"
        write_film(pan(5, (64, 48)).frames, survey(clip, nobody), clip, output, FilmSettings())
        (given,), (copied,) = heard(path), heard(output)
        assert [data for data, _ in given] == [data for data, _ in copied]
        lead = spans(output)[0][0] - copied[0][1]
        assert float(lead) == pytest.approx(float(spans(path)[0][0] - given[0][1]), abs=0.0011)


def test_sound_can_be_left_out(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pan(5, (64, 48)).frames, How(sounds=("aac",)))
    settings = FilmSettings(sound="none")
    write_film(pan(5, (64, 48)).frames, regular(5), Clip(path), tmp_path / "b.mp4", settings)
    assert heard(tmp_path / "b.mp4") == []


def test_what_is_said_of_sound_and_film_stays(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", pan(5, (64, 48)).frames, How(sounds=("aac", "aac")))
    named = tmp_path / "named.mkv"
    with av.open(str(path)) as source, av.open(str(named), "w") as container:
        streams = [container.add_stream_from_template(one, opaque=True) for one in source.streams]
        streams[2].metadata["language"] = "ger"
        container.metadata["title"] = "Coffee"
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                container.mux(packet)
    for strip in (False, True):
        output = tmp_path / f"out{strip}.mkv"
        frames, settings = pan(5, (64, 48)).frames, FilmSettings(strip=strip)
        write_film(frames, regular(5), Clip(named), output, settings, "recipe")
        with av.open(str(output)) as container:
            said = {key.lower(): text for key, text in container.metadata.items()}
            assert container.streams.audio[1].language == "ger"
        assert ("title" in said, "comment" in said) == (not strip, not strip)
        assert recipe_text(output) == (None if strip else "recipe")


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_a_long_recipe_comes_back_whole(ending: str, tmp_path: Path) -> None:
    recipe = '{"é": "' + "x" * 100_000 + '"}'
    file = tmp_path / f"a.{ending}"
    write_film(pan(2, (64, 48)).frames, regular(2), None, file, FilmSettings(), recipe)
    assert recipe_text(file) == recipe


def test_a_film_that_carries_no_recipe_has_none(tmp_path: Path) -> None:
    assert recipe_text(film(tmp_path / "a.mp4", pan(2, (64, 48)).frames)) is None
    with pytest.raises(UnreadableVideo):
        recipe_text(tmp_path / "none.mp4")


def gradient() -> NDArray[np.uint16]:
    """Four frames of grey that differs by a quarter of what 8 bits tell apart."""
    slope = np.linspace(0.25, 0.35, 128)[None, :, None] * np.ones((64, 1, 3))
    return np.repeat(np.rint(slope * 65535).astype(np.uint16)[None], 4, 0)


@pytest.mark.parametrize(
    ("ending", "codec", "layout"),
    [
        ("mp4", "hevc", "yuv420p10le"),
        ("mkv", "av1", "yuv420p10le"),
        ("mov", "prores", "yuv422p10le"),
        ("mp4", "h264", "yuv420p10le"),
    ],
)
def test_ten_bits_are_kept(ending: str, codec: str, layout: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    settings = FilmSettings.checked({"codec": codec, "depth": "10", "quality": 90})
    assert film_depth(file, settings) == 16
    frames = gradient()
    write_film(frames, regular(4), None, file, settings)
    clip = Clip(file)
    assert clip.facts.depth == 10
    with av.open(str(file)) as container:
        assert container.streams.video[0].codec_context.pix_fmt == layout
    for frame, given in zip(clip.frames(), frames, strict=True):
        error = frame.rgb - given / 65535
        assert np.abs(error).mean() < 0.4 / 255
        levels = np.unique(np.rint(frame.rgb[20, :, 1] * 1023))
        assert len(levels) > 60  # of 102; 8 bits would show 26


def test_depth_follows_the_source_where_players_do(tmp_path: Path) -> None:
    how = How("libx265", (("x265-params", "log-level=none"),), depth=10)
    deep = Clip(film(tmp_path / "deep.mp4", pan(2, (64, 48)).frames, how))
    plain = Clip(film(tmp_path / "plain.mp4", pan(2, (64, 48)).frames))
    auto, ten = FilmSettings(), FilmSettings(depth=10)
    hevc, prores = FilmSettings(codec="hevc"), FilmSettings(codec="prores")
    assert film_depth(Path("a.mp4"), auto, deep) == 8  # H.264
    assert film_depth(Path("a.mp4"), ten, deep) == 16
    assert film_depth(Path("a.mkv"), FilmSettings(codec="av1"), deep) == 16
    assert film_depth(Path("a.webm"), auto, plain) == 8
    assert film_depth(Path("a.mp4"), hevc, deep) == 16
    assert film_depth(Path("a.mov"), prores, plain) == 16


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_quality_makes_films_larger_and_better(codec: str, tmp_path: Path) -> None:
    file = tmp_path / "a.mkv"
    frames = pan(6, (128, 96)).frames
    found = []
    for quality in (30, 65, 90):
        settings = FilmSettings.checked({"codec": codec, "quality": quality})
        size = write_film(frames, regular(6), None, file, settings)
        found.append((size, min(map(psnr, frames, decoded(file)))))
    assert found == sorted(found)


def test_quality_is_the_crf_from_the_other_end() -> None:
    crf = {name: codec.options_for(65).get("crf") for name, codec in CODECS.items()}
    assert crf == {"h264": "18", "hevc": "18", "vp9": "22", "av1": "22", "prores": None}
    assert CODECS["h264"].options_for(100)["crf"] == "0"
    assert CODECS["vp9"].options_for(1)["crf"] == "62"
    profiles = [
        CODECS["prores"].options_for(quality)["profile"] for quality in (1, 26, 65, 76, 100)
    ]
    assert profiles == ["0", "1", "2", "3", "3"]


def test_pixels_that_are_not_square_stay_so(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pan(3, (64, 48)).frames, How(pixel_aspect=Fraction(16, 11)))
    clip = Clip(path)
    for ending, codec in [("mp4", "h264"), ("mkv", "h264"), ("mov", "hevc"), ("mp4", "hevc")]:
        output, settings = tmp_path / f"out.{ending}", FilmSettings.checked({"codec": codec})
        check_film(output, [], force=True, settings=settings, clip=clip)
        write_film(pan(3, (64, 48)).frames, regular(3), clip, output, settings)
        assert Clip(output).facts.pixel_aspect == Fraction(16, 11)
    for ending, codec in [("webm", "vp9"), ("mp4", "av1"), ("mov", "prores")]:
        with pytest.raises(UsageError, match=r"the pixels of .*a.mp4 are not square"):
            settings = FilmSettings.checked({"codec": codec})
            check_film(tmp_path / f"b.{ending}", [], force=True, settings=settings, clip=clip)


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_odd_sides_repeat_their_last_pixels(codec: str, tmp_path: Path) -> None:
    frames = pan(3, (127, 95)).frames
    file = tmp_path / "odd.mkv"
    write_film(frames, regular(3), None, file, FilmSettings.checked({"codec": codec}))
    for shown, given in zip(decoded(file), frames, strict=True):
        assert shown.shape == (96, 128, 3)
        assert psnr(shown[:95, :127], given) > 30
        assert psnr(shown[:95, 127], given[:, 126]) > 25


@pytest.mark.parametrize("ending", ["mp4", "mov", "m4v"])
def test_what_players_need_first_stands_first(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"a.{ending}"
    write_film(pan(3, (64, 48)).frames, regular(3), None, file, FilmSettings())
    data, at, boxes = file.read_bytes(), 0, []
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        boxes.append(kind)
        at += size
    assert boxes.index(b"moov") < boxes.index(b"mdat")


def test_apples_players_know_hevc(tmp_path: Path) -> None:
    settings = FilmSettings(codec="hevc")
    write_film(pan(3, (64, 48)).frames, regular(3), None, tmp_path / "a.mp4", settings)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize(
    ("output", "asked", "said"),
    [
        ("a.avi", {}, r"the ending '.avi' is no film's; use one of .mp4, .m4v, .mov, .mkv, .webm"),
        ("a", {}, "it has no ending; use one of"),
        ("a.webm", {"codec": "h264"}, r"in H.264: WebM holds VP9, AV1; .* ends in .mp4 or .m4v or"),
        ("a.mp4", {"codec": "prores"}, r"in ProRes: MP4 holds .*; .* ends in .mov or .mkv"),
        ("a.mov", {"codec": "prores", "depth": 8}, r"with 8 bits: the ProRes .* has 10; leave"),
        (
            "a.mp4",
            {},
            r"the sound of source.mkv: MP4 does not hold pcm_u8; choose .* ends in .mov or .mkv",
        ),
        ("a.webm", {}, r"WebM does not hold aac or pcm_u8; choose .* ends in .mov or .mkv, or --"),
        ("gone/a.mkv", {}, "there is no folder"),
        ("source.mkv", {}, "the same file as the input"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(
    output: str,
    asked: dict[str, object],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    how = How(sounds=("aac", "pcm_u8"))
    source = film(Path("source.mkv"), pan(3, (64, 48)).frames, how)
    settings = FilmSettings.checked(asked)
    with pytest.raises(ImpastoError, match=said) as caught:
        check_film(Path(output), [source], force=True, settings=settings, clip=Clip(source))
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == [tmp_path / "source.mkv"]


@pytest.mark.parametrize(
    ("codec", "size"),
    [
        ("h264", (16_385, 8)),
        ("h264", (1080, 16_386)),
        ("hevc", (1920, 13)),
        ("vp9", (65_537, 1080)),
        ("av1", (2, 2)),
        ("av1", (1920, 8705)),
        ("h264", (10**10, 8)),
    ],
)
def test_frames_that_the_encoder_does_not_take_are_refused(
    codec: str, size: tuple[int, int], tmp_path: Path
) -> None:
    settings = FilmSettings.checked({"codec": codec})
    said = rf"its encoder does not take frames of {size[0]}×{size[1]} px; choose another --size"
    with pytest.raises(UsageError, match=said):
        check_film(tmp_path / "a.mkv", [], force=False, settings=settings, size=size)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("size", [(16, 16), (17, 31), (2160, 3840), (7680, 4320)])
def test_frames_that_the_encoder_takes_are_not_refused(
    codec: str, size: tuple[int, int], tmp_path: Path
) -> None:
    """And it takes little time and memory to know: whole frames of 8K take SVT-AV1 3.7 GB."""
    settings = FilmSettings.checked({"codec": codec})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check_film(tmp_path / "a.mkv", [], force=False, settings=settings, size=size)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # KiB


def test_sound_that_fits_is_not_refused(tmp_path: Path) -> None:
    for codec, endings in [("aac", "mp4 mov mkv"), ("libopus", "mp4 mkv webm")]:
        source = film(tmp_path / "source.mkv", pan(3, (64, 48)).frames, How(sounds=(codec,)))
        for ending in endings.split():
            check_film(
                tmp_path / f"a.{ending}",
                [],
                force=False,
                settings=FilmSettings(),
                clip=Clip(source),
            )


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_full_disk_is_said_and_leaves_nothing(ending: str, tmp_path: Path) -> None:
    file, frames = tmp_path / f"a.{ending}", pan(40, (128, 96)).frames
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(UnwritableOutput, match=r"cannot write .*: no space left on its disk"):
            write_film(frames, regular(40), None, file, FilmSettings())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_what_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    def frames() -> Iterator[Frames]:
        yield from pan(3, (64, 48)).frames
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(frames(), regular(9), None, tmp_path / "a.mp4", FilmSettings())
    assert not list(tmp_path.iterdir())


def test_frames_that_are_too_few_or_too_many_are_a_defect(tmp_path: Path) -> None:
    for count in (4, 6):
        with pytest.raises(ValueError, match="zip"):
            write_film(
                pan(count, (64, 48)).frames, regular(5), None, tmp_path / "a.mp4", FilmSettings()
            )
    assert not list(tmp_path.iterdir())


def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Neither that of pictures nor that of sound."""
    count = 600
    scene = cut(10, (320, 240))
    process = psutil.Process()
    sizes: list[int] = []

    def frames() -> Iterator[Frames]:
        for index in range(count):
            if index % 100 == 99:
                gc.collect()
                sizes.append(process.memory_info().rss)
            yield scene[index % 10]

    how = How(sounds=("pcm_s16le",), sound_seconds=count / 25)
    source = Clip(film(tmp_path / "a.mkv", scene, how))
    write_film(frames(), regular(count), source, tmp_path / "out.mkv", FilmSettings())
    assert len(heard(tmp_path / "out.mkv")[0]) == len(heard(source.path)[0])
    assert sizes[-1] - sizes[1] < 15e6  # 400 frames are 92 MB, their sound 3 MB


def test_a_file_says_nothing_of_versions(tmp_path: Path) -> None:
    for ending in ("mp4", "mkv", "webm", "mov"):
        file = tmp_path / f"a.{ending}"
        with created(file, container_of(file)) as container:
            stream = container.add_stream("libx264" if ending != "webm" else "libvpx-vp9", 25)
            stream.width, stream.height = 64, 48
            container.start_encoding()
        assert b"Lavf6" not in file.read_bytes()

from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from tests.motion.broken import at_front, hurt
from tests.motion.clips import How, cut, film, pan

from impasto.errors import UsageError
from impasto.events import Event, Notice, Stage
from impasto.motion import clip as module
from impasto.motion.clip import Clip
from impasto.motion.damage import Decoded, decoded
from impasto.motion.survey import Survey, survey


def nobody(_: Event) -> None:
    pass


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_times_shots_and_faults_are_known_before_any_work(ending: str, tmp_path: Path) -> None:
    path = film(tmp_path / f"two.{ending}", cut(24, at=14), How(options=(("g", "1"),)))
    hurt(path, 5)
    found = survey(Clip(path), nobody)
    assert found.frames == 24
    seconds = [tick * found.time_base for tick in found.times]
    assert seconds == [Fraction(index, 25) for index in range(25)]
    assert found.seconds == pytest.approx(24 / 25)
    assert found.seconds_at(14) == pytest.approx(14 / 25)
    assert (found.damaged, found.cuts, found.missing) == ((5,), (0, 14), 0.0)


def test_it_can_be_kept(tmp_path: Path) -> None:
    how = How(time_base=Fraction(1001, 30000))
    found = survey(Clip(film(tmp_path / "a.mp4", cut(12), how)), nobody)
    assert Survey.model_validate_json(found.model_dump_json()) == found


def test_progress_is_told_and_grows(tmp_path: Path) -> None:
    events: list[Event] = []
    survey(Clip(film(tmp_path / "a.mp4", pan(20, (64, 48)).frames)), events.append)
    stages = [event for event in events if isinstance(event, Stage)]
    assert len(stages) == len(events) == 20
    assert stages[0].name == "looking through a.mp4"
    assert [stage.done for stage in stages] == pytest.approx([index / 20 for index in range(20)])


def test_a_person_is_told_of_light_that_is_not_kept(tmp_path: Path) -> None:
    events: list[Event] = []
    how = How(matrix=2020, transfer=18, depth=10)
    survey(Clip(film(tmp_path / "a.mp4", pan(2, (64, 48)).frames, how)), events.append)
    (told,) = [event.message for event in events if isinstance(event, Notice)]
    assert told.startswith("a.mp4 has a high dynamic range (HLG); ")


def test_a_person_is_told_of_colours_and_of_all_else_that_is_not_kept(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pan(2, (64, 48)).frames, How(matrix=2020, transfer=1, depth=10))
    other, words = tmp_path / "b.mkv", tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:00,040\nCoffee\n")
    with (
        av.open(str(path)) as source,
        av.open(str(words)) as written,
        av.open(str(other), "w") as container,
    ):
        stream = container.add_stream_from_template(source.streams.video[0])
        container.add_stream_from_template(written.streams.subtitles[0])
        container.set_chapters(
            [{"id": 1, "start": 0, "end": 80, "time_base": Fraction(1, 1000), "metadata": {}}]
        )
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    events: list[Event] = []
    survey(Clip(other), events.append)
    assert [event.message for event in events if isinstance(event, Notice)] == [
        "b.mkv has a wide gamut; its colours are brought to those of usual screens, sRGB",
        "what b.mkv has beside pictures and sound is left out: subtitles, chapters",
    ]


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("last", [20, 333, 900])
def test_the_last_frame_lasts_as_long_as_the_file_says(
    ending: str, last: int, tmp_path: Path
) -> None:
    ticks = (0, 40, 57, 190, 191, 400, 400 + last)
    how = How(time_base=Fraction(1, 1000), ticks=ticks)
    if ending == "webm":
        how = How("libvpx-vp9", (("crf", "30"),), time_base=Fraction(1, 1000), ticks=ticks)
    found = survey(Clip(film(tmp_path / f"a.{ending}", pan(6, (64, 48)).frames, how)), nobody)
    seconds = [tick * found.time_base for tick in found.times]
    assert seconds == [Fraction(tick, 1000) for tick in ticks]


def test_frames_left_out_are_shown_by_those_before_them(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", cut(20, at=10))
    found = survey(Clip(path, start=Fraction(2, 25), end=Fraction(15, 25), every=4), nobody)
    seconds = [tick * found.time_base * 25 for tick in found.times]
    assert seconds == [0, 4, 8, 12, 13]
    assert found.begins * found.time_base == Fraction(2, 25)


def test_a_part_ends_when_it_was_to(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pan(10, (64, 48)).frames)
    found = survey(Clip(path, start=Fraction(1, 10), end=Fraction(21, 100)), nobody)
    assert found.frames == 3  # at 0.12, 0.16 and 0.2 s
    assert found.seconds == pytest.approx(0.09, abs=1e-4)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_what_is_missing_at_the_end_is_told(ending: str, tmp_path: Path) -> None:
    path = film(
        tmp_path / f"a.{ending}", pan(60, (128, 96), (2, 1)).frames, How(options=(("g", "5"),))
    )
    if ending == "mp4":
        at_front(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    found = survey(Clip(path), nobody)
    assert 5 < found.frames < 40
    assert found.missing + found.seconds == pytest.approx(60 / 25, abs=0.01)


def test_no_frame_between_the_times_is_said(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", pan(10, (64, 48)).frames)
    clip = Clip(path, start=Fraction(361, 1000), end=Fraction(362, 1000))
    with pytest.raises(UsageError, match=r"no frame of .*a.mp4 is shown from 0.361 s on"):
        survey(clip, nobody)


CODED = {
    "whole": How(options=(("g", "12"), ("bf", "2"), ("crf", "20"))),
    "torn": How(options=(("g", "12"), ("bf", "2"), ("crf", "20"))),
    "woven": How(options=(("g", "12"), ("bf", "0"), ("crf", "20")), interlaced=True),
    "varying": How(
        options=(("g", "12"), ("crf", "20")),
        time_base=Fraction(1, 1000),
        ticks=tuple(40 * index + 7 * (index % 3) for index in range(121)),
    ),
}


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("coded", CODED)
def test_what_is_known_saves_decoding_and_changes_nothing(
    coded: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = CODED[coded]
    scene = pan(240 if how.interlaced else 120, (64, 48), (1, 0)).frames
    path = film(tmp_path / f"a.{ending}", scene, how)
    if coded == "torn":
        for number in (36, 84):  # key frames, which hold enough to be damaged
            hurt(path, number, wipe=number > 80)
    clip = Clip(path, start=Fraction(1, 5), every=2)
    known = survey(clip, nobody)
    assert bool(known.damaged) == (coded == "torn")
    whole = list(clip.frames())
    drawn = 0

    def counted(*streams: Any) -> Iterator[Decoded]:
        nonlocal drawn
        for item in decoded(*streams):
            drawn += 1
            yield item

    monkeypatch.setattr(module, "decoded", counted)
    for first in (0, 1, 3, 4, 17, 20, 38, 39, 50, len(whole) - 1):
        drawn = 0
        some = list(islice(clip.frames(first, known), 2))
        assert drawn < 55  # a group of pictures or two, and the leap, of 115
        for frame, other in zip(some, whole[first:], strict=False):
            assert (frame.index, frame.time) == (other.index, other.time)
            assert frame.damaged == other.damaged
            np.testing.assert_array_equal(frame.rgb, other.rgb)

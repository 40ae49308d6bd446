"""`impasto video`, as a person gives it."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from tests.motion.clips import How, cut, film, pan, psnr

from impasto.motion.film_recipe import FilmRecipe
from impasto.motion.job_folder import folder_of
from impasto.motion.store import numbered

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]

FEW = ("--effect", "quantize", "-k", "4")
BRIEF = ("--steps", "2", "--coarse-steps", "1", "--frame-steps", "1", "--precision", "float32")
COUNT, CUT = 9, 5
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def clip(folder: Path) -> Path:
    return film(Path("clip.mp4"), cut(COUNT, (64, 48), CUT), How(sounds=("aac",)))


def pictures(path: Path | str) -> "list[np.ndarray[Any, np.dtype[Any]]]":
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


def sound(path: Path | str) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def names() -> set[str]:
    return {path.name for path in Path().iterdir()}


def test_a_clip_becomes_a_film_with_its_sound(impasto: Impasto, clip: Path) -> None:
    before = names()
    status, out, err = impasto("video", clip, *FEW, "-o", "film.mp4", "--json", "--quiet")
    assert (status, err) == (0, "")
    facts = json.loads(out)
    assert facts.pop("seconds") > 0
    assert facts == {
        "output": "film.mp4",
        "size": [64, 48],
        "frames": COUNT,
        "shots": 2,
        "duration": COUNT / 25,
        "damaged": [],
        "missing": 0.0,
        "made": COUNT,
        "bytes": Path("film.mp4").stat().st_size,
        "complete": True,
    }
    assert len(pictures("film.mp4")) == COUNT
    assert sound("film.mp4") == sound(clip)
    assert names() - before == {"film.mp4"}


def test_kept_frames_are_pictures_of_few_colours(impasto: Impasto, clip: Path) -> None:
    assert impasto("video", clip, *FEW, "-o", "film.mp4", "--keep-frames", "-q")[0] == 0
    frames = sorted(folder_of(Path("film.mp4")).glob("*.png"))
    assert [path.name for path in frames] == [f"{i:06}.png" for i in range(COUNT)]
    for path, shown in zip(frames, pictures("film.mp4"), strict=True):
        with Image.open(path) as image:
            assert len(image.getcolors() or ()) <= 4
            assert psnr(np.asarray(image), shown) > 25


def test_the_film_tells_how_it_was_made(impasto: Impasto, clip: Path) -> None:
    turn = ("--style", "starry.png=100:0", "--style", "wave.png=0:50")
    assert impasto("video", clip, *turn, *BRIEF, "-o", "film.mkv", "-q", "--threads", "1")[0] == 0
    status, out, _ = impasto("recipe", "film.mkv")
    assert status == 0
    recipe = FilmRecipe.model_validate_json(out)
    assert [(style.path, style.begins, style.ends) for style in recipe.styles] == [
        ("starry.png", 100, 0),
        ("wave.png", 0, 50),
    ]
    assert (recipe.effect, recipe.settings["steps"], recipe.threads) == ("paint", 2, 1)
    assert "memory" not in recipe.settings
    assert {"torch", "av", "opencv-contrib-python-headless", "scipy"} <= set(recipe.versions)
    status, _, err = impasto("recipe", clip)
    assert (status, "carries no recipe" in err) == (3, True)
    status, _, err = impasto("replay", "film.mkv", "-o", "again.mkv")
    command = f"impasto video {clip} --style starry.png=100:0 --style wave.png=0:50 -o again.mkv"
    assert (status, command in " ".join(err.split())) == (2, True)


@posix
def test_names_may_hold_bytes_that_are_no_text(impasto: Impasto, clip: Path) -> None:
    style = Path("starry.png").rename(os.fsdecode(b"st\xff.png"))
    clip = clip.rename(os.fsdecode(b"cl\xfe.mp4"))
    output = os.fsdecode(b"film\xfd.mp4")
    paint = ("video", clip, "--style", style, *BRIEF, "--size", "32", "-o", output, "-q")
    assert impasto(*paint, "--keep-frames")[0] == 0
    status, out, _ = impasto("recipe", output)
    recipe = FilmRecipe.model_validate_json(out)
    assert (status, recipe.styles[0].path) == (0, r"st\udcff.png")
    Path(output).unlink()
    status, out, err = impasto("video", "--status", "-o", output)
    assert (status, err) == (0, "")
    assert out.startswith(r"film\udcfd.mp4: ")


def test_threads_are_those_of_the_frames_that_it_goes_on_with_alone(
    impasto: Impasto, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def threads() -> int | None:
        return FilmRecipe.model_validate_json(impasto("recipe", "film.mp4")[1]).threads

    monkeypatch.setattr("impasto.motion.video.processors", lambda: 1)
    paint = ("video", clip, "--style", "starry.png", "--size", "32", "-o", "film.mp4", "--json")
    assert impasto(*paint, *BRIEF, "--threads", "2", "--keep-frames")[0] == 0
    Path("film.mp4").unlink()
    status, out, _ = impasto(*paint, *BRIEF, "--keep-frames")
    assert (status, json.loads(out)["made"], threads()) == (0, 0, 2)
    status, out, _ = impasto(*paint, *BRIEF, "--alpha", "2", "--force")
    assert (status, json.loads(out)["made"], threads()) == (0, COUNT, 1)


def test_workers_paint_the_same_film(impasto: Impasto, clip: Path) -> None:
    paint = ("video", clip, "--style", "starry.png", *BRIEF, "--threads", "1", "-q")
    assert impasto(*paint, "-o", "one.mp4")[0] == 0
    assert impasto(*paint, "-o", "two.mp4", "--workers", "2")[0] == 0
    assert Path("one.mp4").read_bytes() == Path("two.mp4").read_bytes()


def test_a_part_at_another_size(impasto: Impasto, clip: Path) -> None:
    part = ("--from", "0:00.08", "--to", "0.28", "--every", "2", "--size", "32")
    status, out, _ = impasto("video", clip, *FEW, *part, "-o", "film.mov", "--json", "-q")
    facts = json.loads(out)
    assert (status, facts["frames"], facts["size"], facts["duration"]) == (0, 3, [32, 24], 0.2)
    assert {picture.shape for picture in pictures("film.mov")} == {(24, 32, 3)}


@posix
def test_ctrl_c_and_the_same_command_again(clip: Path, start: Start, impasto: Impasto) -> None:
    command = ("video", clip, *FEW, "-o", "film.mp4")
    assert impasto("video", clip, *FEW, "-o", "calm.mp4", "-q")[0] == 0
    process = start(*command)
    while not numbered(folder_of(Path("film.mp4"))):
        time.sleep(0.005)
        assert process.poll() is None
    process.send_signal(signal.SIGSTOP)  # so that there is time to look
    status, out, err = impasto("video", "--status", "-o", "film.mp4", "--json")
    seen = json.loads(out)
    assert (status, err, seen["process"], seen["frames"]) == (0, "", process.pid, COUNT)
    assert 1 <= seen["made"] < COUNT
    assert (status, seen["disk"] > 0, seen["pace"] > 0) == (0, True, True)
    status, _, err = impasto(*command)
    assert (status, f"process {process.pid} is making it" in err) == (2, True)
    process.send_signal(signal.SIGCONT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "frames are in " in err.splitlines()[-1]
    assert err.endswith("film.mp4.frames; to go on, give the same command again\n")
    assert "Traceback" not in err
    status, out, _ = impasto("video", "--status", "-o", "film.mp4")
    assert out.startswith("film.mp4: stopped; ")
    status, _, err = impasto("video", clip, *FEW[:2], "-k", "5", "-o", "film.mp4")
    assert (status, "made with other k; give the same" in err) == (2, True)
    assert impasto(*command, "-q")[0] == 0
    assert Path("film.mp4").read_bytes() == Path("calm.mp4").read_bytes()
    assert not folder_of(Path("film.mp4")).exists()


def test_progress_is_told_line_by_line(impasto: Impasto, clip: Path) -> None:
    status, out, err = impasto("video", clip, *FEW, "-o", "film.mp4")
    assert (status, out) == (0, "")
    first, *lines, last = err.splitlines()
    assert first.startswith(f"{COUNT} frames of 64×48 px in 2 shots; until they are a film")
    assert [line.split(" frames")[0] for line in lines] == [f"{i} of 9" for i in range(1, 10)]
    assert last.startswith(f"film.mp4: {COUNT} frames, 0.36 s, ")


def test_a_damaged_clip_gives_all_its_frames_and_says_so(impasto: Impasto, clip: Path) -> None:
    data = bytearray(clip.read_bytes())
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    (broken,) = [packet for packet in packets if packet.pts == 3 * (packets[0].duration or 0)]
    at, size = broken.pos or 0, broken.size
    data[at : at + size] = bytes(size)
    clip.write_bytes(data)
    status, _, err = impasto("video", clip, *FEW, "-o", "film.mp4")
    assert status == 5
    assert len(pictures("film.mp4")) == COUNT
    assert sound("film.mp4") == sound(clip)
    assert "frame 4 is damaged in the source, at 0.12 s: the last good one is shown" in err
    assert "of the clip damaged and bridged" in err.splitlines()[-1]


def test_a_clip_that_was_cut_short_gives_what_it_has(impasto: Impasto, folder: Path) -> None:
    clip = film(Path("clip.mkv"), pan(20, (64, 48)).frames, How(time_base=Fraction(1, 5)))
    os.truncate(clip, clip.stat().st_size // 2)
    status, out, err = impasto("video", clip, *FEW, "-o", "film.mkv", "--json")
    facts = json.loads(out)
    assert (status, facts["complete"]) == (5, False)
    assert facts["missing"] > 0.1
    assert facts["frames"] == len(pictures("film.mkv")) < 20
    assert "s missing at its end" in err


@pytest.mark.parametrize("count", [1, 2])
def test_a_clip_of_hardly_any_frames(impasto: Impasto, folder: Path, count: int) -> None:
    clip = film(Path("clip.mp4"), pan(count, (63, 47)).frames, How(every_colour=True))
    paint = ("video", clip, "--style", "starry.png", *BRIEF, "-o", "film.mp4", "-q")
    assert impasto(*paint)[0] == 0
    assert [picture.shape for picture in pictures("film.mp4")] == [(48, 64, 3)] * count


def test_frames_keep_their_own_times(impasto: Impasto, folder: Path) -> None:
    ticks = (0, 40, 50, 200, 210, 400)
    how = How(options=(("bf", "0"),), ticks=ticks, time_base=Fraction(1, 1000))
    clip = film(Path("clip.mp4"), pan(5, (64, 48)).frames, how)
    assert impasto("video", clip, *FEW, "-o", "film.mp4", "-q")[0] == 0
    with av.open("film.mp4") as container:
        times = [frame.time for frame in container.decode(video=0)]
        lasts = container.duration
    assert times == pytest.approx([tick / 1000 for tick in ticks[:-1]])
    assert lasts == 400_000  # µs


REFUSED = {
    "no style picture: give at least one with --style": (2, ()),
    "k is a setting of --effect quantize, not of paint": (2, ("--style", "starry.png", "-k", "3")),
    "styles and weights are of the effect paint": (2, (*FEW, "--style", "starry.png")),
    "--to must lie after --from": (2, (*FEW, "--from", "3", "--to", "2")),
    "from must have less than 60 seconds after its minutes": (2, (*FEW, "--from", "1:75")),
    "from must be a time such as 75.5, 1:15.5": (2, (*FEW, "--from", "soon")),
    "is after the end of clip.mp4": (2, (*FEW, "--from", "9")),
    "workers must be at least 1 or 'auto', not 0": (2, (*FEW, "--workers", "0")),
    "beta of starry.png is 0 all the time": (2, ("--style", "starry.png=0:0")),
    "beta of starry.png must be a number from 0 up": (2, ("--style", "starry.png=3:-1")),
    "superpixels do not fit into 64×48 px": (2, ("--effect", "superpixels", "-n", "769")),
    "does not take frames of 16400×12300 px": (2, (*FEW, "--size", "16400")),
    "cannot read none.png: there is no such file": (3, ("--style", "none.png")),
    "give it --memory": (4, ("--style", "starry.png", "--memory", "100MB")),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_makes_no_sense_is_refused(impasto: Impasto, clip: Path, words: str) -> None:
    before, (status, options) = names(), REFUSED[words]
    found, out, err = impasto("video", clip, *options, "-o", "film.mp4")
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert words in err
    assert names() == before


@pytest.mark.parametrize(
    ("source", "output", "status", "words"),
    [
        ("photo.jpg", "film.mp4", 3, "it is a picture, not a video"),
        ("none.mp4", "film.mp4", 3, "there is no such file"),
        ("clip.mp4", "clip.mp4", 2, "same file as the input"),
        ("clip.mp4", "photo.jpg", 2, "is no film's; use one of .mp4"),
        ("clip.mp4", "none/film.mp4", 3, "there is no folder"),
        ("clip.mp4", "there.mp4", 2, "it exists already; choose another name, or add --force"),
        ("clip.mp4", "film.webm", 2, "WebM does not hold aac"),
    ],
)
def test_files_that_cannot_be_are_refused(
    impasto: Impasto, clip: Path, source: str, output: str, status: int, words: str
) -> None:
    Path("there.mp4").write_bytes(b"mine")
    before = names()
    found, _, err = impasto("video", source, *FEW, "-o", output)
    assert (found, words in err) == (status, True), err
    assert names() == before
    assert Path("there.mp4").read_bytes() == b"mine"


def test_what_stands_in_the_way_is_replaced_with_force_alone(impasto: Impasto, clip: Path) -> None:
    Path("film.mp4").write_bytes(b"mine")
    Path("film.mp4").chmod(0o640)
    assert impasto("video", clip, *FEW, "-o", "film.mp4", "-q", "--force")[0] == 0
    assert len(pictures("film.mp4")) == COUNT
    assert Path("film.mp4").stat().st_mode & 0o777 == 0o640

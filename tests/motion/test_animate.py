import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence
from tests.motion.photos import shaken, timed, written

import impasto
from impasto.errors import Interrupted, UnreadableImage, UnwritableOutput, UsageError
from impasto.events import Event, FrameDone, Notice
from impasto.image.listing import gathered, natural
from impasto.image.srgb import to_unit
from impasto.motion.animate import Shown, animate, playing
from impasto.motion.burst import fitted_to
from impasto.motion.film_recipe import FilmRecipe, any_recipe_in
from impasto.motion.gathering import taken
from impasto.motion.job_folder import folder_of
from impasto.motion.video import listed, turn_of

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")

QUICK: dict[str, Any] = {"effect": "quantize", "k": 6, "size": "full"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four photos, and what else lies about in such folders."""
    folder = tmp_path_factory.mktemp("photos") / "burst"
    written(folder, shaken(4)[0], ["img_10.png", "IMG_2.png", "img_1.png", "img_9.png"])
    (folder / "notes.txt").write_text("f/8, tripod forgotten")
    (folder / ".hidden.png").write_bytes((folder / "img_1.png").read_bytes())
    (folder / "raw").mkdir()
    return folder


def frames_of(path: Path) -> tuple[list[np.ndarray], list[int]]:
    """Frames of a GIF or WebP, and how long each is shown, ms, as Pillow reads them."""
    frames, times = [], []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            frames.append(np.asarray(frame.convert("RGB")))
            times.append(frame.info["duration"])
    return frames, times


def names(paths: Sequence[str]) -> list[str]:
    return [Path(path).name for path in paths]


def test_photos_are_counted_as_people_do(folder: Path) -> None:
    output = folder / "out.gif"
    order = ["img_1.png", "IMG_2.png", "img_9.png", "img_10.png"]
    assert names(gathered([folder], output)) == order
    assert names(gathered([f"{folder}/*.png"], output)) == order
    assert names(gathered([folder / "img_9.png", folder], output)) == ["img_9.png", *order]
    several = ["a/x9.png", "b/x1.png", "a/x10.png", "a2/x1.png", "a10/x1.png", "a/X9b.png"]
    assert sorted(several, key=natural) == [
        "a/x9.png", "a/X9b.png", "a/x10.png", "a2/x1.png", "a10/x1.png", "b/x1.png",
    ]  # fmt: skip
    assert sorted(["7", "07", "007", "b", "A", ""], key=natural) == ["", "007", "07", "7", "A", "b"]


@posix
def test_photos_may_have_names_that_are_no_text(tmp_path: Path) -> None:
    plain = ["a.png", "b.png", "c.png"]
    burst = tmp_path / os.fsdecode(b"b\xfe")
    written(burst, shaken(3)[0], plain)
    (burst / "a.png").rename(burst / os.fsdecode(b"a\xff.png"))
    made = animate(burst, output=tmp_path / "out.gif", align=True, **QUICK)
    assert names([source.path for source in made.recipe.sources]) == [r"a\udcff.png", *plain[1:]]
    assert any_recipe_in(tmp_path / "out.gif") == made.recipe


def test_frames_that_are_there_already_are_no_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that is asked for all that there is names their folder too."""
    monkeypatch.chdir(tmp_path)
    written(tmp_path, shaken(3)[0], ["a.png", "b.png", "c.png"])

    def stop(event: Event) -> None:
        if isinstance(event, FrameDone):
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        animate("*", output="out.gif", show=stop, effect="quantize", k=6, size="120")
    everything = sorted(path.name for path in tmp_path.iterdir())
    assert "out.gif.frames" in everything
    names = ["a.png", "b.png", "c.png"]
    made = animate(everything, output="out.gif", effect="quantize", k=6, size="120")
    assert [source.path for source in made.recipe.sources] == names
    assert made.made == 2
    written(tmp_path / "more", shaken(1)[0], ["d.png"])
    folder = folder_of(Path("out.gif"))
    written(folder, shaken(1)[0], ["000000.png"])
    assert gathered(["*", "*/*"], Path("out.gif"), folder) == [*names, "more/d.png"]
    with pytest.raises(UsageError, match=r"there is no picture in .*out\.gif\.frames: "):
        gathered([folder], Path("out.gif"), folder)


def test_every_photo_is_a_frame_in_its_time(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.gif"
    made = animate(folder, output=output, fps=4, **QUICK)
    frames, times = frames_of(output)
    assert times == [250] * 4
    assert names([source.path for source in made.recipe.sources]) == [
        "img_1.png", "IMG_2.png", "img_9.png", "img_10.png",
    ]  # fmt: skip
    assert frames[0].shape == (160, 240, 3)
    for name, frame in zip(names([s.path for s in made.recipe.sources]), frames, strict=True):
        photo = np.asarray(Image.open(folder / name)).astype(float)
        assert np.abs(frame - photo).mean() < 20
    assert (made.duration, made.complete, made.bytes) == (1, True, output.stat().st_size)
    assert not output.with_name("out.gif.frames").exists()


@pytest.mark.parametrize("ending", ["gif", "webp", "mp4"])
def test_an_animation_carries_its_recipe(folder: Path, tmp_path: Path, ending: str) -> None:
    """Also through Pillow and FFmpeg, which know nothing of it."""
    output = tmp_path / f"out.{ending}"
    made = animate(folder, output=output, **QUICK)
    assert any_recipe_in(output) == made.recipe
    command = [sys.executable, "-m", "impasto.cli"]
    done = subprocess.run([*command, "recipe", output], capture_output=True, check=True)
    assert FilmRecipe.model_validate_json(done.stdout) == made.recipe
    if ending == "mp4":
        with av.open(str(output)) as film:
            assert film.metadata["comment"] == made.recipe.to_json()
            assert len(list(film.decode(video=0))) == 4
    else:
        assert len(frames_of(output)[0]) == 4
    again = tmp_path / "again.png"
    refused = subprocess.run([*command, "replay", output, "-o", again], capture_output=True)
    said = refused.stderr.decode()
    assert refused.returncode == 2
    assert f"impasto animate {made.recipe.sources[0].path}" in " ".join(said.split())
    assert not again.exists()


@pytest.mark.parametrize("ending", ["gif", "webp", "mp4"])
def test_back_and_forth(folder: Path, tmp_path: Path, ending: str) -> None:
    assert list(playing(1, "bounce")) == [0]
    assert list(playing(2, "bounce")) == [0, 1]
    assert list(Shown(list("abc"), "bounce")) == list("abcb")
    output = tmp_path / f"out.{ending}"
    made = animate(folder, output=output, loop="bounce", fps=12.5, **QUICK)
    assert made.duration == pytest.approx(6 / 12.5)
    if ending == "mp4":
        with av.open(str(output)) as container:
            (stream,) = container.streams
            shown = [frame.time for frame in container.decode(stream)]  # type: ignore[union-attr]
            assert shown == pytest.approx([i / 12.5 for i in range(6)], abs=1e-3)
        return
    frames, times = frames_of(output)
    assert times == [80] * 6
    if ending == "gif":  # which is exact
        assert all((frames[i] == frames[-i]).all() for i in (1, 2))


def test_a_burst_is_aligned(tmp_path: Path) -> None:
    photos, _ = shaken(5)
    paths = written(tmp_path / "burst", photos)
    shaky = animate(paths, output=tmp_path / "shaky.gif", effect="quantize", k=64, size="full")
    steady = animate(
        paths, output=tmp_path / "steady.gif", effect="quantize", k=64, size="full", align=True
    )
    assert shaky.size == (240, 160)
    assert 0.7 < np.prod(steady.size) / np.prod(shaky.size) < 1

    def unrest(path: Path) -> float:
        """Shift from frame to frame by phase correlation, px."""
        greys = [frame[:128, :200].mean(axis=2) for frame in frames_of(path)[0]]
        shifts = [cv2.phaseCorrelate(a, b)[0] for a, b in pairwise(greys)]
        return float(np.linalg.norm(shifts, axis=1).mean())

    assert unrest(tmp_path / "shaky.gif") > 3
    assert unrest(tmp_path / "steady.gif") < 0.1


def test_a_stranger_in_a_burst_is_left_out(tmp_path: Path) -> None:
    photos = shaken(4)[0]
    photos.insert(1, shaken(1, "astronaut")[0][0])
    paths = written(tmp_path / "burst", photos)
    events: list[Event] = []
    made = animate(paths, output=tmp_path / "out.gif", align=True, show=events.append, **QUICK)
    assert made.left_out == (str(paths[1]),)
    assert (made.frames, made.complete) == (4, False)
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert any("img_2.png does not show the same" in notice for notice in notices)
    with pytest.raises(UsageError, match="most photos do not show the same"):
        animate([*paths[1:3], "sample:rocket"], output=tmp_path / "x.gif", align=True, fit="crop",
                order="given", **QUICK)  # fmt: skip


def test_photos_that_cannot_be_read_are_left_out(folder: Path, tmp_path: Path) -> None:
    paths = written(tmp_path / "burst", shaken(3)[0])
    paths[1].write_bytes(paths[1].read_bytes()[:3000])
    made = animate(tmp_path / "burst", output=tmp_path / "out.gif", **QUICK)
    assert made.left_out == (str(paths[1]),)
    assert len(frames_of(tmp_path / "out.gif")[0]) == 2
    run = command("animate", tmp_path / "burst", *OPTIONS, "-o", tmp_path / "two.gif", "--json")
    assert run.returncode == 5
    assert "img_2.png" in run.stderr
    assert json.loads(run.stdout)["left_out"] == [str(paths[1])]
    with pytest.raises(UsageError, match=r"img_1.png alone is no animation"):
        animate(paths[:2], output=tmp_path / "out2.gif", **QUICK)
    with pytest.raises(UnreadableImage, match="no photo that can be read"):
        animate([paths[1]], output=tmp_path / "out2.gif", **QUICK)
    with pytest.raises(UnreadableImage, match="no such file"):
        animate([*paths, tmp_path / "missing.jpg"], output=tmp_path / "out2.gif", **QUICK)
    assert not list(tmp_path.glob("out2*"))


def test_the_time_they_were_taken_orders_them(tmp_path: Path) -> None:
    moments = [("2024:06:30 12:00:01", "05"), ("2024:06:30 12:00:00", "9"),
               ("2024:06:30 12:00:01", "5"), ("2023:12:31 23:59:59", "")]  # fmt: skip
    paths = [
        timed(tmp_path / f"{i}.jpg", 40 + 50 * i, moment, fraction)
        for i, (moment, fraction) in enumerate(moments)
    ]
    made = animate(tmp_path, output=tmp_path / "out.gif", order="time", **QUICK)
    assert names([source.path for source in made.recipe.sources]) == [
        "3.jpg", "1.jpg", "0.jpg", "2.jpg",
    ]  # fmt: skip
    written(tmp_path, [np.zeros((24, 32, 3), np.uint8)], ["untimed.png"])
    with pytest.raises(UsageError, match=r"untimed.png does not say when taken"):
        animate(
            [*paths, tmp_path / "untimed.png"], output=tmp_path / "b.gif", order="time", **QUICK
        )


def test_the_order_given_may_name_a_photo_twice(folder: Path, tmp_path: Path) -> None:
    paths = [folder / "img_9.png", folder / "img_1.png", folder / "img_9.png"]
    made = animate(paths, output=tmp_path / "a.gif", order="given", **QUICK)
    assert names([source.path for source in made.recipe.sources]) == names(list(map(str, paths)))
    assert animate(paths, output=tmp_path / "b.gif", **QUICK).frames == 2


def test_other_sizes_are_refused_or_fitted(folder: Path, tmp_path: Path) -> None:
    wide = written(tmp_path, [np.full((100, 300, 3), 200, np.uint8)], ["wide.png"])[0]
    with pytest.raises(UsageError, match=r"wide.png is not 240×160 px as the others; add --fit"):
        animate([folder, wide], output=tmp_path / "out.gif", **QUICK)
    for fit in ("crop", "pad", "stretch"):
        output = tmp_path / f"{fit}.gif"
        assert animate([folder, wide], output=output, fit=fit, **QUICK).size == (240, 160)


def test_fitting_in_closed_form() -> None:
    """Stripes of 20 px across a picture of 60 × 40, at twice and half its width."""
    stripes = np.zeros((40, 60, 3), np.float32)
    stripes[:, :20, 0], stripes[:, 20:40, 1], stripes[:, 40:, 2] = 1, 1, 1
    cropped = fitted_to(stripes, (20, 40), "crop")
    assert (cropped == stripes[:, 20:40]).all()
    padded = fitted_to(stripes, (60, 60), "pad")
    assert (padded[10:50] == stripes).all()
    assert not padded[:10].any() and not padded[50:].any()
    beside = fitted_to(stripes, (81, 40), "pad")
    assert (beside[:, 11:71] == stripes).all()
    stretched = fitted_to(stripes, (120, 40), "stretch")
    assert stretched[:, [10, 60, 110]] == pytest.approx(stripes[:, [5, 30, 55]], abs=0.01)


def test_what_is_hidden_is_grey(tmp_path: Path) -> None:
    glass = np.zeros((32, 48, 4), np.uint8)
    glass[..., 0] = 255
    Image.fromarray(glass).save(tmp_path / "1.png")
    written(tmp_path, [np.full((32, 48, 3), 128, np.uint8)], ["2.png"])
    animate(tmp_path, output=tmp_path / "out.gif", **QUICK)
    frames, _ = frames_of(tmp_path / "out.gif")
    assert np.abs(frames[0].astype(int) - 128).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output": "out.avi"}, "use one of .gif, .webp, .mp4"),
        ({"fps": 51}, "fps must be at most 50"),
        ({"workers": 2}, "no setting 'workers'"),
        ({"n": 20}, "n is a setting of"),
    ],
)
def test_what_makes_no_sense_is_refused(
    folder: Path, tmp_path: Path, arguments: dict[str, Any], message: str
) -> None:
    given = QUICK | {"output": "out.gif"} | arguments
    given["output"] = tmp_path / given["output"]
    with pytest.raises(UsageError, match=message):
        animate(folder, **given)
    assert not list(tmp_path.iterdir())


def test_what_the_frames_do_not_allow_is_refused_before_any_work(tmp_path: Path) -> None:
    written(tmp_path / "wide", [np.zeros((16, 16_384, 3), np.uint8)] * 2)
    with pytest.raises(UsageError, match=r"with 16384×16 px: sides have at most 16383"):
        animate(tmp_path / "wide", output=tmp_path / "out.webp", **QUICK)
    written(tmp_path / "small", [np.zeros((20, 30, 3), np.uint8)] * 2)
    many: dict[str, Any] = {"effect": "superpixels", "n": 151, "size": "full"}
    with pytest.raises(UsageError, match=r"do not fit into 30×20 px.*150 at most"):
        animate(tmp_path / "small", output=tmp_path / "out.gif", **many)
    assert {path.name for path in tmp_path.iterdir()} == {"wide", "small"}


def test_styles_that_are_none_are_refused(folder: Path, tmp_path: Path) -> None:
    wrong: list[tuple[Any, str]] = [
        ([["a.jpg", 100, 0], "b.jpg"], r"\['a.jpg', 100, 0\] is no style: give a file, or a tuple"),
        ([["a.jpg", 100]], r"\['a.jpg', 100\] is no style"),
        (["a.jpg", "b.jpg", 100], "100 is no style"),
        ([("a.jpg", 1, 2, 3)], "is no style"),
        ([("a.jpg",)], "is no style"),
        ([None], "None is no style"),
        (("a.jpg", 0, 0), "beta of a.jpg is 0 all the time; leave the style out"),
        (("a.jpg", 0), "beta of a.jpg is 0 all the time"),
        ("a.jpg=0:0", "beta of a.jpg is 0 all the time"),
        (("a.jpg", -1), "begins must be at least 0"),
    ]
    for styles, said in wrong:
        with pytest.raises(UsageError, match=said):
            animate(folder, styles, output=tmp_path / "out.gif")
    given: list[Any] = [("a.jpg", 2), ("b.jpg", 0, 3), Path("c.jpg"), "d.jpg=4:0"]
    assert [(turn.path, turn.begins, turn.ends) for turn in map(turn_of, listed(given))] == [
        ("a.jpg", 2, 2), ("b.jpg", 0, 3), ("c.jpg", None, None), ("d.jpg", 4, 0),
    ]  # fmt: skip


def test_a_pan_that_shares_too_little_is_not_cropped_to_nothing(tmp_path: Path) -> None:
    """Eleven photos, each a tenth of its width further than the one before."""
    scene = shaken(1, size=(400, 120))[0][0]
    paths = written(tmp_path / "pan", [scene[:, 20 * i : 20 * i + 200] for i in range(11)])
    with pytest.raises(UsageError, match=r"less than 25% .* name fewer photos, or leave --align"):
        animate(paths, output=tmp_path / "out.gif", align=True, **QUICK)
    made = animate(paths[:6], output=tmp_path / "out.gif", align=True, **QUICK)
    assert made.size == pytest.approx((100, 120), abs=3)


def test_folders_without_pictures_and_outputs_that_exist(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no picture in .*raw"):
        animate(folder / "raw", output=tmp_path / "out.gif", **QUICK)
    with pytest.raises(UsageError, match=r"there is no picture in .*jpg"):
        animate(f"{folder}/*.jpg", output=tmp_path / "out.gif", **QUICK)
    (tmp_path / "out.gif").write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        animate(folder, output=tmp_path / "out.gif", **QUICK)
    with pytest.raises(UnwritableOutput):
        animate(folder, output=tmp_path / "nowhere" / "out.gif", **QUICK)
    with pytest.raises(UsageError, match="no style picture"):
        animate(folder, output=tmp_path / "painted.gif")
    assert [path.name for path in tmp_path.iterdir()] == ["out.gif"]


def test_the_output_of_before_is_none_of_the_photos(tmp_path: Path) -> None:
    written(tmp_path, shaken(3)[0])
    output = tmp_path / "out.gif"
    assert animate(tmp_path, output=output, **QUICK).frames == 3
    assert animate(tmp_path, output=output, force=True, **QUICK).frames == 3


def test_exif_that_says_no_time_is_none() -> None:
    assert taken(None) is None
    exif = Image.Exif()
    exif[0x8769] = {0x9003: "0000:00:00 00:00:00"}
    assert taken(exif.tobytes()) is None


OPTIONS = ("--effect", "quantize", "-k", "6", "--size", "full")


def command(*arguments: object, **how: Any) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "impasto.cli", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, **how)


def test_a_run_that_is_killed_goes_on(folder: Path, tmp_path: Path) -> None:
    photos = written(tmp_path / "burst", shaken(9)[0])
    words = ["animate", *photos, *OPTIONS, "--align", "--loop", "bounce", "-o"]
    settings = QUICK | {"align": True, "loop": "bounce"}
    animate(photos, output=tmp_path / "whole.gif", **settings)
    output = tmp_path / "killed.gif"
    frames = output.with_name("killed.gif.frames")
    process = subprocess.Popen(
        [sys.executable, "-m", "impasto.cli", *map(str, [*words, output])],
        stderr=subprocess.DEVNULL,
    )
    while len(list(frames.glob("[0-9]*.png"))) < 3 and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    there = len(list(frames.glob("[0-9]*.png")))
    assert impasto.status(output).made == there
    assert animate(photos, output=output, **settings).made == 9 - there > 0
    assert output.read_bytes() == (tmp_path / "whole.gif").read_bytes()
    assert not frames.exists()


def test_frames_may_stay(folder: Path, tmp_path: Path) -> None:
    first = animate(folder, output=tmp_path / "out.gif", keep_frames=True, **QUICK)
    kept = sorted((tmp_path / "out.gif.frames").glob("*.png"))
    assert len(kept) == first.made == 4
    for path, frame in zip(kept, frames_of(tmp_path / "out.gif")[0], strict=True):
        with Image.open(path) as picture:
            assert (np.asarray(picture) == frame).all()


def test_painted_frames_hold_together(folder: Path, tmp_path: Path) -> None:
    """The real network on a tiny burst: what is the same in two photos stays nearly the same."""
    photo = shaken(1)[0][0][:96, :128]
    paths = written(tmp_path / "burst", [photo, photo, photo])
    settings: dict[str, Any] = {"size": 64, "steps": 8, "coarse_steps": 8, "threads": 1}
    made = impasto.animate(paths, "sample:mosaic", output=tmp_path / "out.gif", **settings)
    assert made.size == (64, 48)
    frames = to_unit(np.stack(frames_of(tmp_path / "out.gif")[0]))
    assert np.abs(np.diff(frames, axis=0)).mean() < 0.02
    assert np.abs(frames[0] - cv2.resize(photo, (64, 48)) / 255).mean() > 0.05

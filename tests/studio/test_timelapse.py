import json
import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import impasto as package
from impasto.artwork import Job
from impasto.errors import NotEnoughMemory
from impasto.events import Event, Painted, Step
from impasto.image.resize import resize
from impasto.image.samples import photo
from impasto.recipe import PaintRecipe
from impasto.settings import PaintSettings
from impasto.studio.growth import MOST, Moment
from impasto.studio.recording import memory_of
from impasto.studio.recording_settings import RecordingSettings
from impasto.studio.timelapse import AT_HAND, Timelapse, film_memory, keep

SMALL: dict[str, Any] = {"size": 96, "levels": 2, "steps": 5, "coarse_steps": 4}


@pytest.fixture(scope="module")
def events() -> list[Event]:
    """Of a real painting over two levels; what its steps show is asked for when they are taken."""
    kept: list[Event] = []
    for event in package.painting(photo("coffee")[:150, :200], "sample:mosaic", **SMALL):
        if isinstance(event, Step):
            picture, whole = event.picture(), event.whole()
            kept.append(replace(event, picture=partial(copy, picture), whole=partial(copy, whole)))
        else:
            kept.append(event)
    return kept


def film_of(events: list[Event], output: Path, size: int, *, resume: bool = False) -> Timelapse:
    film = Timelapse(output, size, 8.0, resume=resume)
    for event in events:
        film(event)
    return film


def frames_of(film: Timelapse) -> list[NDArray[np.uint8]]:
    return [moment.frame for moment in film._growth.moments]


def as_bytes(rgb: NDArray[np.float32]) -> NDArray[np.int_]:
    return np.rint(rgb * 255).astype(int)


def test_it_shows_the_photo_every_step_and_the_painting(
    events: list[Event], tmp_path: Path
) -> None:
    frames = frames_of(film_of(events, tmp_path / "grow.gif", 96))
    steps = [event for event in events if isinstance(event, Step)]
    (painted,) = [event for event in events if isinstance(event, Painted)]
    source = photo("coffee")[:150, :200].astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(frames[0], as_bytes(resize(source, 96, 72)))
    np.testing.assert_array_equal(frames[-1], as_bytes(painted.picture))
    # What the chain itself would make of each step; those that changed nothing are left out.
    wholes = [as_bytes(step.whole()) for step in steps]
    found = [
        min(int(np.abs(frame.astype(int) - whole).max()) for whole in wholes)
        for frame in frames[1:]
    ]
    assert max(found) <= 1
    assert len(frames) >= 6


@pytest.mark.parametrize(("size", "shape"), [(60, (45, 60)), (32, (24, 32)), (4096, (72, 96))])
def test_all_levels_have_the_films_size(
    events: list[Event], tmp_path: Path, size: int, shape: tuple[int, int]
) -> None:
    frames = frames_of(film_of(events, tmp_path / "grow.gif", size))
    assert {frame.shape[:2] for frame in frames} == {shape}
    (painted,) = [event for event in events if isinstance(event, Painted)]
    wanted = as_bytes(resize(painted.picture, shape[1], shape[0]))
    assert np.abs(frames[-1] - wanted).mean() < 6


def test_a_level_hands_over_to_the_next_without_a_jump(events: list[Event], tmp_path: Path) -> None:
    frames = frames_of(film_of(events, tmp_path / "grow.gif", 60))
    changes = [float(np.abs(b.astype(int) - a).mean()) for a, b in pairwise(frames)]
    assert max(changes) < 0.6 * np.abs(frames[-1].astype(int) - frames[0]).mean()


def test_a_stopped_film_goes_on_with_all_its_frames(events: list[Event], tmp_path: Path) -> None:
    whole = film_of(events, tmp_path / "whole.gif", 60)
    whole.write()
    output = tmp_path / "grow.gif"
    steps = [i for i, event in enumerate(events) if isinstance(event, Step)]
    film_of(events[: steps[6] + 1], output, 60).settle(going_on=True)
    assert (tmp_path / "grow.gif.unfinished").exists()
    rest = [events[0], *events[steps[5] :]]  # some steps are taken again
    film = film_of(rest, output, 60, resume=True)
    film.write()
    film.settle(going_on=False)
    assert output.read_bytes() == (tmp_path / "whole.gif").read_bytes()
    assert not (tmp_path / "grow.gif.unfinished").exists()


def test_what_was_stopped_before_it_began_leaves_the_frames_of_the_run_before(
    events: list[Event], tmp_path: Path
) -> None:
    output, kept = tmp_path / "grow.gif", tmp_path / "grow.gif.unfinished"
    film_of(events[:4], output, 60).settle(going_on=True)
    before = kept.read_bytes()
    film = Timelapse(output, 60, 8.0, resume=True)
    assert not film.has_begun
    film.settle(going_on=True)
    assert kept.read_bytes() == before


def test_frames_of_another_painting_are_not_taken_over(events: list[Event], tmp_path: Path) -> None:
    """Not by one that starts anew and is killed, nor by one of other settings that goes on."""
    output, kept = tmp_path / "grow.gif", tmp_path / "grow.gif.unfinished"

    def stopped(recipe: PaintRecipe) -> None:
        film = Timelapse(output, 60, 8.0, resume=False)
        film.recipe = recipe
        for event in events[:5]:
            film(event)
        film.settle(going_on=True)

    def begun(recipe: PaintRecipe | None, *, resume: bool) -> int:
        film = Timelapse(output, 60, 8.0, resume=resume)
        film.recipe = recipe
        film(events[0])
        return len(frames_of(film))

    one = Job("sample:coffee", [("sample:mosaic", None)], PaintSettings()).recipe
    other = one.model_copy(update={"settings": one.settings.updated({"alpha": 7})})
    stopped(one)
    assert begun(other, resume=True) == begun(None, resume=True) == 1
    moved = one.model_copy(update={"settings": one.settings.updated({"memory": "9GB"})})
    assert begun(moved, resume=True) > 1
    assert begun(one, resume=False) == 1
    assert not kept.exists()
    kept.write_bytes(b"")
    assert begun(one, resume=True) == 1


def test_what_a_film_holds_is_in_the_plan_of_its_painting(
    events: list[Event], tmp_path: Path
) -> None:
    film = film_of(events, tmp_path / "grow.gif", 60)
    settings = PaintSettings.checked(SMALL)
    held = [*frames_of(film), *vars(film._canvas).values()]
    known = sum(each.nbytes for each in held if isinstance(each, np.ndarray))
    assert known < film_memory((96, 72), 60, settings) < 3 * known
    # Long runs keep so many frames, large films are no larger than the picture.
    long = settings.updated({"steps": 10_000})
    assert film_memory((96, 72), 4096, long) == 96 * 72 * (3 * (MOST + 1) + AT_HAND)
    asked = RecordingSettings.checked({"timelapse": "grow.gif", "timelapse_size": 4096})
    settings = PaintSettings.checked({"size": 1500, "memory": "100MB", "steps": 500})
    job = Job("sample:coffee", [("sample:mosaic", None)], settings)
    alone, job.beside = least_of(job), memory_of(asked, job)
    assert job.beside > 150 * 3 * 1500 * 1000
    assert least_of(job) - alone == pytest.approx(job.beside / 1e9, abs=0.05)


def least_of(job: Job) -> float:
    """Gigabytes that a painting says it needs when it is refused for want of memory."""
    with pytest.raises(NotEnoughMemory) as caught:
        list(job.events())
    found = re.search(r"takes at least ([0-9.]+) GB of memory", str(caught.value))
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize("left", [b"", b"no file of arrays", None])
def test_frames_that_are_not_there_are_done_without(
    events: list[Event], tmp_path: Path, left: bytes | None
) -> None:
    kept = tmp_path / "grow.gif.unfinished"
    if left is None:
        keep([Moment(np.zeros((5, 5, 3), np.uint8), taken) for taken in range(2)], None, kept)
    else:
        kept.write_bytes(left)
    film = film_of(events, tmp_path / "grow.gif", 60, resume=True)
    film.write()
    assert {frame.shape for frame in frames_of(film)} == {(45, 60, 3)}


Outcome = tuple[int, str, str]


def test_the_command_writes_a_film(impasto: Callable[..., Outcome], folder: Path) -> None:
    words = "paint photo.jpg --style starry.png --size 64 --steps 6 --coarse-steps 3 -o art.png"
    film = "--timelapse grow.mp4 --timelapse-seconds 4 --timelapse-size 50 --json -q"
    status, out, err = impasto(*words.split(), *film.split())
    assert (status, err) == (0, "")
    told = json.loads(out)["timelapse"]
    with av.open("grow.mp4") as opened:
        stream = opened.streams.video[0]
        assert (stream.width, stream.height) == (50, 38)
        frames = list(opened.decode(stream))
        assert len(frames) == told["frames"]
        length = float((stream.duration or 0) * (stream.time_base or 0))
        assert length == pytest.approx(4, abs=1e-3)
        last = frames[-1].time
    assert told["seconds"] == 4
    assert told["bytes"] == Path("grow.mp4").stat().st_size
    assert last == pytest.approx(3, abs=0.05)  # a quarter of the film looks at the end


def test_a_film_ends_with_the_enhanced_picture(
    impasto: Callable[..., Outcome], folder: Path
) -> None:
    words = "paint photo.jpg --style starry.png --size 64 --steps 3 --levels 1 -o art.png -q"
    assert impasto(*words.split(), "--enhance", "auto", "--timelapse", "grow.webp")[0] == 0
    with Image.open("grow.webp") as film, Image.open("art.png") as art:
        film.seek(getattr(film, "n_frames", 1) - 1)
        last, wanted = np.asarray(film.convert("RGB")), np.asarray(art.convert("RGB"))
    assert 10 * np.log10(255**2 / np.mean((last.astype(float) - wanted) ** 2)) > 28

"""Pictures set in motion, from Python and as a person gives the command."""

import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import impasto as package
from impasto.errors import UnreadableImage, UsageError
from impasto.events import Event, Stage
from impasto.image.animation import SHORTEST
from impasto.image.histogram import bits
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.image.samples import style
from impasto.image.srgb import to_unit
from impasto.motion.flow import estimate
from impasto.motion.moving_settings import MovingSettings
from impasto.motion.strokes import flow_of

Impasto = Callable[..., tuple[int, str, str]]
Bits = NDArray[np.uint8]

BRIEF: dict[str, Any] = {"size": 96, "seconds": 1, "fps": 12}
SHORT = ("--size", "96", "--seconds", "1", "--fps", "10")


def still(source: Any, width: int, height: int) -> Bits:
    return bits(resize(read(source).rgb, width, height))


def changes(frames: "list[Bits]") -> list[float]:
    """From each frame to the next, and from the last to the first."""
    steps = pairwise([*frames, frames[0]])
    return [float(np.abs(b.astype(int) - a).mean()) for a, b in steps]


@cache
def drawing(side: int) -> Bits:
    return style("spirograph", side)


def pattern(height: int = 60, width: int = 90) -> Bits:
    """A part of a drawing."""
    return drawing(max(height, width, 160))[:height, :width]


# From Python


def test_a_painting_moves_evenly_and_for_ever() -> None:
    loop = package.moving("sample:spirograph", **BRIEF)
    frames = list(loop.frames)
    assert [frame.shape for frame in frames] == [(96, 96, 3)] * 12
    steps = changes(frames)
    assert min(steps) > 0.75 * np.mean(steps)
    assert max(steps) < 1.25 * np.mean(steps)
    assert 0.5 < loop.moving <= 1


def test_what_moves_goes_along_the_strokes() -> None:
    """As optical flow sees it, which knows nothing of how the frames were made."""
    loop = package.moving("sample:spirograph", size=320, seconds=1, fps=12)
    rgb = resize(read("sample:spirograph").rgb, 320, 320)
    planned = flow_of(rgb, 0.008 * 320)
    one, other = (to_unit(loop.frames[i]) for i in (3, 4))
    seen = estimate(one, other)
    fast = np.linalg.norm(planned, axis=-1) > 0.7
    along = (seen * planned).sum(axis=-1)[fast] / np.linalg.norm(planned, axis=-1)[fast]
    assert (along > 0).mean() > 0.95
    # 0.02 of 320 px in 12 frames; the copies that fade hold back what optical flow sees of it.
    assert 0.55 < np.median(along) / (0.02 * 320 / 12) < 1.1


def test_distance_and_seconds_say_how_fast() -> None:
    slow, fast = (
        package.moving(pattern(), distance=distance, **BRIEF).frames for distance in (0.005, 0.02)
    )
    assert np.mean(changes(list(fast))) > 1.5 * np.mean(changes(list(slow)))
    assert len(package.moving(pattern(), size=96, seconds=2, fps=10).frames) == 20


def test_far_means_more_turns_not_longer_ways() -> None:
    """The picture does not go out of shape, however far paint gets."""
    far = package.moving("sample:spirograph", size=96, seconds=0.5, fps=20, distance=0.1)
    near = package.moving("sample:spirograph", size=96, seconds=0.5, fps=20, distance=0.02)
    np.testing.assert_array_equal(far.frames[0], near.frames[0])
    np.testing.assert_array_equal(far.frames[1], near.frames[5])


def test_only_what_the_mask_shows_white_moves() -> None:
    mask = np.zeros((60, 90), np.uint8)
    mask[:, 45:] = 255
    loop = package.moving(pattern(), mask=mask, **BRIEF)
    for frame in loop.frames:
        np.testing.assert_array_equal(frame[:, :45], pattern()[:, :45])
    spread = np.ptp(np.stack(list(loop.frames)).astype(int), axis=0)
    assert (spread[:, 55:80] > 0).mean() > 0.8
    assert 0.3 < loop.moving < 0.55


def test_a_mask_of_another_size_is_fitted_and_grey_is_slower() -> None:
    mask = np.full((120, 180), 255, np.uint8)
    whole = package.moving(pattern(), mask=mask, **BRIEF)
    free = package.moving(pattern(), **BRIEF)
    np.testing.assert_array_equal(whole.frames[3], free.frames[3])
    slow = package.moving(pattern(), mask=mask // 2, **BRIEF)
    assert np.mean(changes(list(slow.frames))) < 0.8 * np.mean(changes(list(free.frames)))


def test_what_is_transparent_is_white_and_keeps_still() -> None:
    rgba = np.dstack([pattern(), np.full((60, 90), 255, np.uint8)])
    rgba[:30, :, 3] = 0
    loop = package.moving(rgba, **BRIEF)
    for frame in loop.frames:
        assert (frame[:30] == 255).all()
    assert (loop.frames[0][35:] != loop.frames[4][35:]).mean() > 0.3


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        (pattern(), (90, 60)),  # not enlarged to 640 px
        (pattern(300, 900), (640, 213)),
        (pattern(16, 16), (16, 16)),
        (pattern(40, 400), (400, 40)),
    ],
)
def test_pictures_keep_their_shape_and_are_not_enlarged(
    picture: Bits, size: tuple[int, int]
) -> None:
    loop = package.moving(picture, seconds=1, fps=5)
    facts = loop.facts()
    assert (facts["width"], facts["height"]) == size
    assert loop.frames[2].shape == (size[1], size[0], 3)


def test_flat_pictures_and_masks_that_fit_nothing_are_refused() -> None:
    with pytest.raises(UnreadableImage, match="it has no strokes to move along"):
        package.moving(np.full((40, 60, 3), 90, np.uint8))
    with pytest.raises(UnreadableImage, match=r"has 60×90 px, another shape than .* 90×60"):
        package.moving(pattern(), mask=np.ones((90, 60), np.uint8))
    with pytest.raises(UnreadableImage, match="the mask keeps all strokes still"):
        package.moving(pattern(), mask=np.zeros((60, 90), np.uint8))
    with pytest.raises(UsageError, match="a loop has sides of at most 16383 px, not 16400×16"):
        package.moving(np.tile(pattern(16, 100), (1, 164, 1)), size="full")
    faults: list[dict[str, Any]] = [
        {"fps": 100}, {"seconds": 0}, {"distance": 0}, {"scale": 1}, {"speed": 1},
    ]  # fmt: skip
    for wrong in faults:
        with pytest.raises(UsageError):
            package.moving(pattern(), **wrong)


def test_frames_are_told_as_they_are_made(tmp_path: Path) -> None:
    events: list[Event] = []
    package.moving(pattern(), output=tmp_path / "loop.webp", show=events.append, **BRIEF)
    names = [event.name for event in events if isinstance(event, Stage)]
    assert names[:2] == ["reading", "finding the strokes"]
    assert {f"frame {i} of 12" for i in range(1, 13)} < set(names)


@given(st.floats(0.5, 60) | st.integers(50, 6000).map(lambda n: n / 100), st.floats(5, 50))
@settings(max_examples=500, deadline=None)
@example(1.011, 50.0)
@example(0.58, 50.0)
def test_no_frame_of_a_loop_is_too_short(seconds: float, fps: float) -> None:
    frames = MovingSettings(seconds=seconds, fps=fps).frames
    assert round(seconds / frames, 6) >= SHORTEST
    assert abs(frames - seconds * fps) <= (0.5 if fps < 49 else 1)


def test_a_loop_at_the_highest_rate_is_written(tmp_path: Path) -> None:
    for seconds, frames in ((1.011, 50), (0.58, 29)):
        loop = package.moving(pattern(), size=32, seconds=seconds, fps=50)
        loop.save(tmp_path / "loop.mp4", force=True)
        shown, lasts = decoded(str(tmp_path / "loop.mp4"))
        assert len(shown) == frames
        assert lasts == pytest.approx(seconds, abs=5e-4)


# As a command


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("ending", ["webp", "gif", "mp4"])
def test_the_command_writes_a_loop(impasto: Impasto, ending: str) -> None:
    name = f"loop.{ending}"
    status, out, err = impasto("moving", "starry.png", "-o", name, "--json", *SHORT)
    assert (status, err) == (0, "")
    facts = json.loads(out)
    assert facts["bytes"] == Path(name).stat().st_size
    assert {key: facts[key] for key in ("width", "height", "frames", "seconds")} == {
        "width": 96, "height": 96, "frames": 10, "seconds": 1.0,
    }  # fmt: skip
    wanted = package.moving("starry.png", size=96, seconds=1, fps=10).frames
    frames, lasts = decoded(name)
    assert len(frames) == 10
    assert lasts == pytest.approx(1.0)
    for frame, right in zip(frames, wanted, strict=True):
        # Each codec loses something; another frame of the loop differs more.
        assert np.abs(frame.astype(int) - right).mean() < 14


def decoded(name: str) -> tuple[list[Bits], float]:
    """A loop's frames and seconds, as other libraries read them."""
    if name.endswith(".mp4"):
        with av.open(name) as container:
            stream = container.streams.video[0]
            shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
            lasts = float((stream.duration or 0) * (stream.time_base or 0))
            return [np.asarray(frame, np.uint8) for frame in shown], lasts
    frames, lasts = [], 0.0
    with Image.open(name) as image:
        assert image.info["loop"] == 0
        for i in range(getattr(image, "n_frames", 1)):
            image.seek(i)
            frames.append(np.asarray(image.convert("RGB")))
            lasts += image.info["duration"] / 1000
    return frames, lasts


@pytest.mark.usefixtures("folder")
def test_the_same_command_writes_the_same_file(impasto: Impasto) -> None:
    for name in ("one.webp", "two.webp"):
        assert impasto("moving", "starry.png", "-o", name, "-q", *SHORT) == (0, "", "")
    assert Path("one.webp").read_bytes() == Path("two.webp").read_bytes()


@pytest.mark.usefixtures("folder")
def test_faults_are_one_sentence(impasto: Impasto) -> None:
    Image.new("RGB", (64, 48), "teal").save("flat.png")
    Image.new("L", (96, 40), 255).save("mask.png")
    Path("there.webp").write_bytes(b"")
    faults = [
        (3, "it has no strokes to move along", ("flat.png", "-o", "loop.webp")),
        (3, "another shape", ("starry.png", "--mask", "mask.png", "-o", "loop.webp")),
        (3, "cannot read gone.png", ("starry.png", "--mask", "gone.png", "-o", "loop.webp")),
        (2, "no animation's", ("starry.png", "-o", "loop.png")),
        (2, "it exists already", ("starry.png", "-o", "there.webp")),
        (2, "fps must be at most 50", ("starry.png", "-o", "loop.webp", "--fps", "60")),
        (3, "there is no folder", ("starry.png", "-o", "gone/loop.webp")),
    ]
    for status, words, arguments in faults:
        found = impasto("moving", *arguments)
        assert found[:2] == (status, ""), found
        assert words in found[2], found
        assert found[2].count("\n") == 1, found
    assert not Path("loop.webp").exists()


@pytest.mark.usefixtures("folder")
def test_an_input_is_never_replaced(impasto: Impasto) -> None:
    Image.fromarray(style("spirograph", 64)).save("picture.webp", lossless=True)
    before = Path("picture.webp").read_bytes()
    for arguments in (("picture.webp",), ("starry.png", "--mask", "picture.webp")):
        status, _, err = impasto("moving", *arguments, "-o", "picture.webp", "--force")
        assert status == 2
        assert "the same file as the input" in err
    assert Path("picture.webp").read_bytes() == before

"""The Python functions do what the command line does, bit for bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import impasto as package
from impasto import Artwork, OutputSettings, paint, painting
from impasto.errors import UnreadableImage, UnwritableOutput, UsageError
from impasto.events import Event, LevelDone, Painted, Started, Step
from impasto.settings import PaintSettings

pytestmark = pytest.mark.usefixtures("one_thread", "folder")

Impasto = Callable[..., tuple[int, str, str]]

QUICK: dict[str, Any] = {"size": 32, "steps": 2, "precision": "float32"}


def array(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(name) as image:
        return np.asarray(image)


def test_the_same_file_as_the_command_line_s(impasto: Impasto) -> None:
    arguments = ("--style", "starry.png=30", "--style", "wave.png", "--beta", "45", "-q")
    settings = ("--size", "32", "--steps", "3", "--init", "noise", "--seed", "7")
    assert impasto("paint", "photo.jpg", *arguments, *settings, "-o", "cli.png")[0] == 0
    artwork = paint(
        "photo.jpg", ["starry.png=30", "wave.png"],
        beta=45, size=32, steps=3, init="noise", seed=7, output="api.png",
    )  # fmt: skip
    assert Path("api.png").read_bytes() == Path("cli.png").read_bytes()
    artwork.save("saved.png")
    assert Path("saved.png").read_bytes() == Path("cli.png").read_bytes()


@pytest.mark.parametrize(
    "styles",
    [
        "wave.png=45",
        Path("wave.png"),
        ["wave.png=45"],
        ("wave.png", 45),
        ("wave.png", np.float32(45)),
        [("wave.png", 45)],
        [(Path("wave.png"), 45.0)],
        [Path("wave.png")],
    ],
)
def test_ways_to_give_a_style(styles: object) -> None:
    artwork = paint("photo.jpg", styles, beta=45, **QUICK)  # type: ignore[arg-type]
    (style,) = artwork.recipe.styles
    assert (style.path, style.beta) == ("wave.png", 45)
    assert "style/wave/relu1_1" in artwork.losses


def test_paths_images_and_arrays_give_the_same_picture() -> None:
    Image.fromarray(array("photo.jpg")).save("plain.png")
    from_files = paint("plain.png", "wave.png", **QUICK)
    with Image.open("plain.png") as photo, Image.open("wave.png") as wave:
        from_images = paint(photo, wave, **QUICK)
    pair = (array("wave.png"), 100)
    from_arrays = paint(array("plain.png"), [pair], **QUICK)
    floats = array("plain.png").astype(np.float32) / np.float32(255)
    from_floats = paint(floats, [array("wave.png")], **QUICK)
    for other in (from_images, from_arrays, from_floats):
        np.testing.assert_array_equal(other.picture.rgb, from_files.picture.rgb)
    assert from_arrays.losses.keys() != from_files.losses.keys()
    assert from_arrays.losses["total"] == from_files.losses["total"]


def test_losses_have_names_and_a_total() -> None:
    artwork = paint("photo.jpg", [array("wave.png"), array("starry.png")], **QUICK)
    names = {name.split("/")[1] for name in artwork.losses if name.startswith("style/")}
    assert names == {"array", "array-2"}
    named = [value for name, value in artwork.losses.items() if name != "total"]
    assert artwork.losses["total"] == pytest.approx(sum(named))
    assert artwork.complete
    assert artwork.steps == 2


def test_the_image_is_what_is_saved() -> None:
    rgba = np.dstack([array("photo.jpg"), np.full((96, 128), 51, np.uint8)])
    for photo, mode in ((array("photo.jpg"), "RGB"), (rgba, "RGBA")):
        artwork = paint(photo, "wave.png", **QUICK)
        artwork.save(f"{mode}.png")
        assert artwork.image.mode == mode
        np.testing.assert_array_equal(np.asarray(artwork.image), array(f"{mode}.png"))
    assert (array("RGBA.png")[:, :, 3] == 51).all()


def test_presets_are_settings_to_start_from() -> None:
    artwork = paint("photo.jpg", "wave.png", preset="article", size=32, steps=2)
    expected = PaintSettings(optimizer="adam", learning_rate=0.003, levels=1, size=32, steps=2)
    assert artwork.recipe.settings == expected


def test_painting_yields_events() -> None:
    events = list(painting("photo.jpg", "wave.png", **(QUICK | {"size": 96, "levels": 2})))
    kinds = [type(event) for event in events]
    assert kinds == [Started, *[Step] * 30, LevelDone, *[Step] * 2, LevelDone, Painted]
    started, last = events[0], events[-1]
    assert isinstance(started, Started)
    assert (started.size, started.levels) == ((96, 72), ((48, 36), (96, 72)))
    assert isinstance(last, Painted)
    assert last.picture.shape == (72, 96, 3)
    done = [event.done for event in events if isinstance(event, Step)]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1)


def test_show_takes_every_event() -> None:
    events: list[Event] = []
    paint("photo.jpg", "wave.png", show=events.append, **QUICK)
    assert [type(event) for event in events] == [Started, Step, Step, LevelDone, Painted]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sise": 32}, "no setting 'sise'; there are size, alpha"),
        ({"size": 3}, "size must be at least 16 px a side, not 3"),
        ({"beta": float("nan")}, "beta must be a finite number, not nan"),
        ({"preset": "cubist"}, "no preset 'cubist'"),
        ({"style_layers": {"relu9_9": 1}}, "style-layers has no layer 'relu9_9'"),
        ({"init": "photo.jpg", "output": "photo.jpg", "force": True}, "the same file as the input"),
        ({"output": "wave.png", "force": True}, "the same file as the input wave.png"),
        ({"output": "art.gif"}, "a GIF holds 256 colours"),
        ({"output": "art.jpg", "save": OutputSettings(depth=16)}, "8 bits a channel, not 16"),
    ],
)
def test_wrong_settings(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        paint("photo.jpg", "wave.png", **wrong)  # type: ignore[arg-type]


def test_wrong_styles() -> None:
    with pytest.raises(UsageError, match="no style picture"):
        paint("photo.jpg", [])
    with pytest.raises(UsageError, match="beta must be at least 0, not -1"):
        paint("photo.jpg", ("wave.png", -1))
    with pytest.raises(UnreadableImage, match=r"cannot read none.png: there is no such file"):
        paint("photo.jpg", "none.png")


def test_painting_checks_when_it_is_called() -> None:
    with pytest.raises(UsageError, match="size must be"):
        painting("photo.jpg", "wave.png", size=3)


def test_nothing_is_overwritten_unasked() -> None:
    artwork = paint("photo.jpg", "wave.png", output="art.png", **QUICK)
    before = Path("art.png").read_bytes()
    for again in (
        lambda: artwork.save("art.png"),
        lambda: paint("photo.jpg", "wave.png", output="art.png", **QUICK),
        lambda: paint("photo.jpg", "wave.png", output="art.png", resume=True, **QUICK),
    ):
        with pytest.raises(UsageError, match="it exists already"):
            again()
    with pytest.raises(UnwritableOutput, match="there is no folder"):
        artwork.save("none/art.png")
    artwork.save("art.png", OutputSettings(depth=16), force=True)
    assert Path("art.png").read_bytes() != before


def test_the_package_names_what_people_use() -> None:
    assert package.Artwork is Artwork
    assert package.paint is paint

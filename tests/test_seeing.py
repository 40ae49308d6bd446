"""`layers`, `features` and `gram` as commands and as Python functions."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

import impasto as package
from impasto.errors import BadWeights, MissingExtra, UsageError
from impasto.settings import LAYERS, STYLE_LAYERS
from impasto.studio import figure
from impasto.studio.theme import THEMES, Paper

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]


def test_layers_are_listed_for_people_and_for_programs(impasto: Run) -> None:
    status, out, err = impasto("layers", "--size", "1200x800")
    assert (status, err) == (0, "")
    for line in ("relu1_1 64 1200×800 3 1.66 G 246 MB style 1", "relu5_4 512 75×50 252"):
        assert any(" ".join(row.split()).startswith(line) for row in out.splitlines())
    status, out, _ = impasto("layers", "--size", "1200x800", "--json")
    found = json.loads(out)["layers"]
    assert [layer["name"] for layer in found] == list(LAYERS)
    assert found[1] == {
        "name": "relu1_2",
        "channels": 64,
        "width": 1200,
        "height": 800,
        "receptive_field": 5,
        "multiply_adds": 9 * 64 * 64 * 1200 * 800,
        "memory": 4 * 64 * 1200 * 800,
        "content": 0.0,
        "style": 0.0,
    }


def test_sizes_of_layers() -> None:
    def first(size: int | str) -> tuple[int, int]:
        layer = package.layers(size)[0]
        return layer.width, layer.height

    assert first("1200x800") == (1200, 800)
    assert first("4K") == (3840, 2560)
    assert first(16) == (16, 16)
    assert first("10x5cm@254dpi") == (1000, 500)
    for size in ("full", "8", "2x2", "wide"):
        with pytest.raises(UsageError, match="size must be"):
            package.layers(size)


def test_layers_are_drawn(impasto: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert impasto("layers", "-o", "layers.svg")[0] == 0
    assert Path("layers.svg").read_text().startswith("<?xml")
    status, _, err = impasto("layers", "-o", "layers.svg")
    assert status == 2
    assert "add --force" in err
    assert impasto("layers", "-o", "layers.svg", "--force", "--paper", "dark")[0] == 0
    status, _, err = impasto("layers", "-o", "layers.gif")
    assert status == 2
    assert "ends in .svg or .png" in err
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'impasto\[plots\]'"):
        figure.check_figure(folder / "other.svg", (), force=False)


def test_listing_layers_imports_no_torch() -> None:
    code = "import sys; sys.argv[1:] = ['layers']; from impasto.cli import main; main(); "
    process = subprocess.run(
        [sys.executable, "-c", code + "print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"torch", "numpy", "matplotlib"} & set(process.stdout.split())


def test_maps_are_shown_for_people_and_for_programs(impasto: Run, folder: Path) -> None:
    status, out, err = impasto(
        "features",
        "photo.jpg",
        "--layer",
        "relu2_1",
        "--top",
        "5",
        "--size",
        "64",
        "-o",
        "maps.png",
    )
    assert (status, out) == (0, "")
    assert "maps.png: relu2_1, the 5 most active of 128 maps" in err
    with Image.open("maps.png") as page:
        assert page.getpixel((2, 2)) == THEMES[Paper.LIGHT].paper
    status, out, _ = impasto(
        "features", "photo.jpg", "--layer", "relu2_1", "--maps", "3,17", "--size", "64", "--json"
    )
    found = json.loads(out)
    assert [one["map"] for one in found["maps"]] == [3, 17]
    assert (found["photo_size"], found["map_size"]) == ([64, 48], [32, 24])
    maps = package.features("photo.jpg", "relu2_1", size=64, maps=(3, 17)).maps
    assert [one["mean"] for one in found["maps"]] == pytest.approx(
        [float(values.mean()) for values in maps.values], abs=1e-3
    )
    assert found["output"] is None


def test_the_most_active_maps_are_those_with_the_highest_means(folder: Path) -> None:
    everything = package.features("photo.jpg", "relu3_1", size=64)
    means = everything.maps.values.mean(axis=(1, 2))
    top = package.features("photo.jpg", "relu3_1", size=64, top=7).maps
    assert top.channels == tuple(np.argsort(-means)[:7])
    np.testing.assert_array_equal(top.values, everything.maps.values[list(top.channels)])


def test_pages_are_light_or_dark_and_go_through_pipes(
    folder: Path, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    page = package.features("photo.jpg", size=32, top=1)
    assert page.image.getpixel((2, 2)) == THEMES[Paper.LIGHT].paper
    page.save("dark.png", paper="dark")
    with Image.open("dark.png") as dark:
        assert dark.getpixel((2, 2)) == THEMES[Paper.DARK].paper
    command = [sys.executable, "-m", "impasto.cli", "features", "-", "--size", "32", "-o", "-"]
    done = subprocess.run(
        command, input=Path("photo.jpg").read_bytes(), capture_output=True, check=True
    )
    assert done.stdout.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "call",
    [
        lambda how: package.walk_layers("missing.jpg", "depth.gif", **how),
        lambda how: package.sweep("missing.jpg", "starry.png", output="sheet.png", **how),
        lambda how: package.compare("missing.png", **how),
        lambda how: package.reconstruct("missing.png", **how),
        lambda how: package.plot("missing.jsonl", "losses.svg", **how),
        lambda how: package.first_filters().save("missing/filters.png", **how),
    ],
)
def test_paper_that_there_is_not_is_refused_before_anything_else(
    call: Callable[[dict[str, Any]], object], folder: Path
) -> None:
    with pytest.raises(UsageError, match="paper must be 'light' or 'dark', not blue"):
        call({"paper": "blue"})


def test_the_walk_shows_every_layer_at_a_readable_pace(impasto: Run, folder: Path) -> None:
    command = "features", "photo.jpg", "--all", "--size", "32", "--top", "3", "-o", "depth.gif"
    assert impasto(*command)[0] == 0
    with Image.open("depth.gif") as film:
        assert getattr(film, "n_frames") == len(LAYERS)  # noqa: B009 (mypy knows it not)
        lengths = []
        for number in range(len(LAYERS)):
            film.seek(number)
            lengths.append(film.info["duration"])
    assert lengths == [1500] * 15 + [3000]
    assert impasto(*command)[0] == 2
    assert impasto(*command[:-1], "depth.png")[0] == 2


def test_filters_are_numbers_and_a_picture(impasto: Run, folder: Path) -> None:
    assert impasto("features", "--filters", "-o", "filters.png", "--quiet") == (0, "", "")
    values = np.array(json.loads(impasto("features", "--filters", "--json")[1])["filters"])
    np.testing.assert_array_equal(values, package.first_filters().values)
    assert values.shape == (64, 3, 3, 3)


def test_edges_are_a_table_and_numbers(impasto: Run) -> None:
    _, out, _ = impasto("features", "--edges", "--top", "2")
    found = json.loads(impasto("features", "--edges", "--json")[1])
    listed = [row.split() for row in out.splitlines() if "bright" in row]
    assert {row[0]: int(row[1]) for row in listed} == {
        direction: maps[0] for direction, maps in found["strongest"].items()
    }
    assert len(out.splitlines()) < 20
    assert [one["map"] for one in found["maps"]] == list(range(64))


def test_gram_distances_are_printed_and_drawn(impasto: Run, folder: Path) -> None:
    sizes = "--size", "64"
    status, out, err = impasto("gram", "starry.png", "photo.jpg", *sizes, "-o", "gram.png")
    assert status == 0
    assert "gram.png: Gram matrices of relu1_1" in err
    _, printed, _ = impasto("gram", "starry.png", "photo.jpg", *sizes, "--json")
    found = json.loads(printed)
    assert list(found["distances"]) == list(STYLE_LAYERS)
    for layer, distance in found["distances"].items():
        assert f"{layer} {distance:.4f}" in [" ".join(row.split()) for row in out.splitlines()]
    assert found["sizes"] == {"style": [64, 64], "photo": [64, 48]}
    again = package.gram("starry.png", "starry.png", size=64).distances
    assert set(again.values()) == {0.0}


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_grams_are_on_the_footing_of_the_losses(folder: Path, pooling: str) -> None:
    """Those that a painting of its own size reports, within the rounding of a file of 16 bits."""
    seen = {"style_scale": 0.5, "pooling": pooling}
    how = {"steps": 2, "levels": 1, "size": 64, "beta": 10.0, **seen}
    art = package.paint("photo.jpg", "starry.png", precision="float32", **cast(Any, how))
    art.save("art.tif", package.OutputSettings(depth=16))
    found = package.gram("starry.png", "art.tif", size="full", **cast(Any, seen))
    for layer, distance in found.distances.items():
        loss = art.losses[f"style/starry/{layer}"] / (10 * STYLE_LAYERS[layer])
        assert distance == pytest.approx(loss, rel=2e-3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["features", "-o", "x.png"], "no photo"),
        (["features", "photo.jpg"], "no output: name a file with -o, or ask"),
        (["features", "photo.jpg", "--all"], "name a .gif, .webp or .mp4 with -o"),
        (["features", "photo.jpg", "-o", "photo.jpg", "--force"], "same file as the input"),
        (["features", "photo.jpg", "-o", "x.png", "--layer", "relu6_1"], "must be one of relu1_1"),
        (["features", "photo.jpg", "-o", "x.png", "--maps", "3,64"], "maps 0 to 63, but no 64"),
        (["features", "photo.jpg", "-o", "x.png", "--maps", "3,3"], "each once"),
        (["features", "photo.jpg", "-o", "x.png", "--maps", "3", "--top", "2"], "exclude each"),
        (["features", "photo.jpg", "-o", "-", "--json"], "cannot both go to standard output"),
        (["features", "photo.jpg", "--all", "--layer", "relu2_1", "-o", "x.gif"], "no meaning"),
        (["features", "--edges", "--filters"], "--filters and --edges exclude each other"),
        (["features", "photo.jpg", "--edges"], "leave the photo photo.jpg out"),
        (["features", "--edges", "-o", "x.png"], "--edges is a table"),
        (["features", "--filters", "--top", "3", "-o", "x.png"], "--top has no meaning"),
        (["gram", "starry.png"], "no output"),
        (["gram", "starry.png", "photo.jpg", "--style-scale", "9", "--json"], "style-scale must"),
        (["layers", "--size", "full"], "size must be pixels"),
    ],
)
def test_what_makes_no_sense_is_refused(
    impasto: Run, folder: Path, arguments: list[str], said: str
) -> None:
    before = sorted(folder.iterdir())
    status, out, err = impasto(*arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert sorted(folder.iterdir()) == before


def test_missing_files_and_bad_weights_are_inputs_that_cannot_be_used(
    impasto: Run, folder: Path
) -> None:
    assert impasto("features", "missing.jpg", "-o", "x.png")[0] == 3
    assert impasto("gram", "starry.png", "missing.jpg", "--json")[0] == 3
    assert impasto("features", "photo.jpg", "--weights", "wave.png", "--json")[0] == 3
    with pytest.raises(BadWeights):
        package.edge_responses("photo.jpg")

"""The filters as commands and as Python functions: files, recipes, errors."""

import io
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
from impasto.errors import UnreadableImage, UsageError
from impasto.image.metadata import recipe_in
from impasto.image.read import read
from impasto.settings import OutputSettings

Outcome = tuple[int, str, str]
Impasto = Callable[..., Outcome]

FILTERS = {
    "quantize": ("-k", "5"),
    "superpixels": ("-n", "60"),
    "enhance": ("--levels", "1", "--saturation", "0.5"),
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "quantize": lambda photo, **more: package.quantize(photo, 5, **more),
    "superpixels": lambda photo, **more: package.superpixels(photo, 60, **more),
    "enhance": lambda photo, **more: package.enhance(photo, levels=1, saturation=0.5, **more),
}
ALL = pytest.mark.parametrize("command", FILTERS)


def samples(path: str | Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


@ALL
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.png", ()),
        ("a.jpg", ("--quality", "80")),
        ("a.tif", ("--depth", "16")),
        ("a.webp", ("--lossless",)),
    ],
)
def test_replay_gives_the_same_bytes(
    impasto: Impasto, folder: Path, command: str, name: str, options: tuple[str, ...]
) -> None:
    made = impasto(command, "photo.jpg", *FILTERS[command], *options, "-o", name, "--quiet")
    assert made == (0, "", "")
    recipe = json.loads(impasto("recipe", name)[1])
    assert recipe["kind"] == command
    assert recipe["photo"]["path"] == "photo.jpg"
    assert recipe["versions"]["opencv-contrib-python-headless"]
    again = f"again{Path(name).suffix}"
    assert impasto("replay", name, "-o", again, "--quiet") == (0, "", "")
    assert Path(again).read_bytes() == Path(name).read_bytes()


@ALL
def test_the_command_and_the_function_make_the_same_file(
    impasto: Impasto, folder: Path, command: str
) -> None:
    assert impasto(command, "photo.jpg", *FILTERS[command], "-o", "cli.png")[0] == 0
    FUNCTIONS[command]("photo.jpg", output="api.png")
    assert Path("api.png").read_bytes() == Path("cli.png").read_bytes()


@ALL
def test_json_says_what_came_of_it(impasto: Impasto, folder: Path, command: str) -> None:
    status, out, err = impasto(command, "photo.jpg", *FILTERS[command], "-o", "a.png", "--json")
    facts = json.loads(out)
    assert (status, facts["output"], facts["size"]) == (0, "a.png", [128, 96])
    assert facts["bytes_before"] == Path("photo.jpg").stat().st_size
    assert facts["bytes_after"] == Path("a.png").stat().st_size
    assert err == ""


@ALL
def test_a_person_is_told_what_came_of_it(impasto: Impasto, folder: Path, command: str) -> None:
    status, out, err = impasto(command, "photo.jpg", *FILTERS[command], "-o", "a.png")
    assert (status, out, err.count("\n")) == (0, "", 1)
    words = {"quantize": "5 colours", "superpixels": " superpixels of ", "enhance": "levels 1"}
    assert err.startswith("a.png: ")
    assert words[command] in err
    assert f"→ {Path('a.png').stat().st_size:,} bytes" in err


@ALL
def test_pipes(environment: dict[str, str], folder: Path, command: str) -> None:
    process = subprocess.run(
        [sys.executable, "-m", "impasto.cli", command, "-", *FILTERS[command], "-o", "-"],
        input=Path("photo.jpg").read_bytes(),
        capture_output=True,
        env=environment,
        check=True,
    )
    with Image.open(io.BytesIO(process.stdout)) as image:
        assert (image.format, image.size) == ("PNG", (128, 96))


@ALL
@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("none.jpg", "-o", "a.png"), 3, "cannot read none.jpg: there is no such file"),
        (("photo.jpg", "-o", "photo.jpg", "--force"), 2, "the same file as the input photo.jpg"),
        (("photo.jpg", "-o", "wave.png"), 2, "it exists already"),
        (("photo.jpg", "-o", "no/a.png"), 3, "there is no folder"),
        (("photo.jpg", "-o", "a.bmp"), 2, "the ending '.bmp' is not known"),
        (("photo.jpg", "-o", "-", "--json"), 2, "cannot both go to standard output"),
        (("photo.jpg", "-o", "a.png", "--brush"), 2, "--brush"),
        (("cut.jpg", "-o", "a.png"), 3, "truncated"),
        (("text.jpg", "-o", "a.png"), 3, "it is not a JPEG, PNG, WebP, TIFF or GIF picture"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(
    impasto: Impasto,
    folder: Path,
    command: str,
    arguments: tuple[str, ...],
    status: int,
    words: str,
) -> None:
    Path("cut.jpg").write_bytes(Path("photo.jpg").read_bytes()[:3000])
    Path("text.jpg").write_text("hello, this is no picture at all")
    before = {file: file.read_bytes() for file in folder.iterdir()}
    found, out, err = impasto(command, *arguments)
    assert (found, out, err.count("\n")) == (status, "", 1), err
    assert words in err
    assert {file: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("quantize", "-k", "1"), "k must be at least 2, not 1"),
        (("quantize", "-k", "257"), "k must be at most 256, not 257"),
        (("quantize", "--space", "hsv"), "hsv"),
        (("quantize", "--depth", "16"), "a palette holds 8 bits"),
        (("quantize", "--save-palette", "a.txt"), "a.txt"),
        (("quantize", "--save-palette", "photo.jpg"), "photo.jpg"),
        (("quantize", "--save-palette", "a.png"), "a.png"),
        (("superpixels", "-n", "1"), "n must be at least 2, not 1"),
        (("superpixels", "-n", "100000"), "100000"),
        (("superpixels", "--borders", "wite"), "must be a colour such as white"),
        (("superpixels", "--borders", "red:0"), "a width of 1 to 100 px"),
        (("superpixels", "--labels", "a.jpg"), "labels are written as .png (16 bits) or .npy"),
        (("superpixels", "--labels", "a.png"), "a.png"),
        (("superpixels", "-n", "70000", "--labels", "b.png"), "65536"),
        (("enhance", "--levels", "2"), "levels must be at most 1, not 2"),
        (("enhance", "--gamma", "0"), "gamma must be at least 0.1, not 0"),
        (("enhance", "--neutral", "grey-ish"), "must be a colour such as white"),
        (("enhance", "--match", "wave.png", "--like-photo", "wave.png"), "exclude each other"),
    ],
)
def test_wrong_settings_are_usage_errors(
    impasto: Impasto, folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    command, *options = arguments
    before = sorted(folder.iterdir())
    status, out, err = impasto(command, "photo.jpg", *options, "-o", "a.png")
    assert (status, out, err.count("\n")) == (2, "", 1), err
    assert words in err
    assert sorted(folder.iterdir()) == before


@ALL
def test_wrong_settings_from_python(folder: Path, command: str) -> None:
    with pytest.raises(UsageError, match="no setting 'brush'"):
        FUNCTIONS[command]("photo.jpg", brush=1)
    with pytest.raises(UnreadableImage, match=r"none.jpg"):
        FUNCTIONS[command]("none.jpg")
    with pytest.raises(UsageError, match="it exists already"):
        FUNCTIONS[command]("photo.jpg", output="wave.png")


@ALL
def test_pictures_are_turned_upright_and_transparency_is_kept(
    impasto: Impasto, folder: Path, command: str
) -> None:
    photo = samples("photo.jpg")
    alpha = np.zeros((96, 128), np.uint8)
    alpha[20:70, 30:100] = 255
    tagged = Image.Exif()
    tagged[0x0112] = 6  # to be turned a quarter
    Image.fromarray(np.dstack([photo, alpha])).save("turned.png", exif=tagged)
    assert impasto(command, "turned.png", *FILTERS[command], "-o", "a.png", "-q")[0] == 0
    found = read("a.png")
    assert found.size == (96, 128)
    assert found.alpha is not None
    np.testing.assert_array_equal(found.alpha, np.rot90(alpha, -1) / 255)


@ALL
def test_greyscale_stays_grey(impasto: Impasto, folder: Path, command: str) -> None:
    Image.open("photo.jpg").convert("L").save("grey.png")
    assert impasto(command, "grey.png", *FILTERS[command], "-o", "a.png", "-q")[0] == 0
    rgb = samples("a.png") if command != "quantize" else np.rint(read("a.png").rgb * 255)
    spread = rgb.astype(int).max(axis=2) - rgb.astype(int).min(axis=2)
    assert spread.max() <= 1


@ALL
def test_cmyk_is_the_same_as_its_srgb(impasto: Impasto, folder: Path, command: str) -> None:
    Image.open("photo.jpg").convert("CMYK").save("press.tif")
    as_srgb = np.rint(read("press.tif").rgb * 65535).astype(np.uint16)
    assert impasto(command, "press.tif", *FILTERS[command], "-o", "a.png", "-q")[0] == 0
    FUNCTIONS[command](as_srgb, output="b.png")
    difference = np.abs(read("a.png").rgb - read("b.png").rgb)
    assert difference.mean() < 1 / 255


@ALL
def test_sixteen_bits_come_in(impasto: Impasto, folder: Path, command: str) -> None:
    deep = (samples("photo.jpg").astype(np.uint16) << 8) + 77
    made = FUNCTIONS[command](deep, output="a.tif", save=OutputSettings(depth=16))
    assert made is not None
    assert recipe_in("a.tif").output.depth == 16
    again = read("a.tif")
    assert again.size == (128, 96)
    np.testing.assert_allclose(again.rgb, made.picture.rgb, atol=1e-5)


@ALL
def test_events_and_results_from_python(folder: Path, command: str) -> None:
    from impasto.events import Stage

    seen: list[object] = []
    made = FUNCTIONS[command]("photo.jpg", show=seen.append)
    assert [type(event) for event in seen] == [Stage, Stage]
    assert made.image.size == (128, 96)
    assert made.seconds > 0
    made.save("a.webp")
    assert recipe_in("a.webp").kind == command


def test_quantize_writes_indexed_files_and_palettes(impasto: Impasto, folder: Path) -> None:
    quantize = ("quantize", "photo.jpg", "-k", "4")
    status, out, _ = impasto(*quantize, "-o", "a.png", "--save-palette", "a.hex", "--json")
    assert status == 0
    facts = json.loads(out)
    with Image.open("a.png") as image:
        assert image.mode == "P"
        palette = image.getpalette()
        assert palette is not None
        shares = np.bincount(np.asarray(image).ravel()) / image.width / image.height
    assert Path("a.png").read_bytes()[24] == 2  # bits a pixel
    colours = ["#{:02x}{:02x}{:02x}".format(*palette[i : i + 3]) for i in (0, 3, 6, 9)]
    assert [entry["color"] for entry in facts["palette"]] == colours
    np.testing.assert_allclose([entry["share"] for entry in facts["palette"]], shares, atol=1e-5)
    assert sorted(shares, reverse=True) == list(shares)
    assert [f"#{line.lower()}" for line in Path("a.hex").read_text().split()] == colours
    assert impasto(*quantize, "-o", "a.gif")[0] == 0
    np.testing.assert_array_equal(read("a.gif").rgb, read("a.png").rgb)


@pytest.mark.parametrize("name", ["colours.gpl", "colours.hex", "colours.png"])
def test_quantizing_with_the_saved_palette_changes_nothing(
    impasto: Impasto, folder: Path, name: str
) -> None:
    made = impasto("quantize", "photo.jpg", "-k", "9", "-o", "a.png", "--save-palette", name, "-q")
    assert made == (0, "", "")
    for dither in ("none", "floyd-steinberg"):
        options = ("--palette", name, "--dither", dither, "--force", "-o", "b.png")
        status, out, _ = impasto("quantize", "a.png", *options, "--json")
        assert status == 0
        assert json.loads(out)["psnr"] is None  # nothing differs
        np.testing.assert_array_equal(read("b.png").rgb, read("a.png").rgb)
    status, out, _ = impasto("recipe", "b.png")
    assert json.loads(out)["references"]["palette"]["path"] == name
    assert impasto("replay", "b.png", "-o", "c.png", "-q")[0] == 0
    assert Path("c.png").read_bytes() == Path("b.png").read_bytes()
    Path(name).write_bytes(Path("wave.png").read_bytes())
    assert "has changed since" in impasto("replay", "b.png", "-o", "d.png")[2]


def test_few_colours_stay_few_in_webp(impasto: Impasto, folder: Path) -> None:
    assert impasto("quantize", "photo.jpg", "-k", "6", "-o", "a.webp", "-q")[0] == 0
    assert len(np.unique(samples("a.webp").reshape(-1, 3), axis=0)) == 6


def test_superpixels_write_their_labels(impasto: Impasto, folder: Path) -> None:
    command = ("superpixels", "photo.jpg", "-n", "60", "-o", "a.png", "--force", "-q")
    assert impasto(*command, "--labels", "labels.png")[0] == 0
    assert impasto(*command, "--labels", "labels.npy")[0] == 0
    array = np.load("labels.npy")
    with Image.open("labels.png") as image:
        assert image.mode == "I;16"
        np.testing.assert_array_equal(np.asarray(image), array)
    groups = package.superpixels("photo.jpg", 60)
    np.testing.assert_array_equal(groups.labels, array)
    np.testing.assert_array_equal(groups.areas, np.bincount(array.ravel()))
    assert groups.means.shape == (len(groups.areas), 3)
    assert (groups.adjacency[:, 0] < groups.adjacency[:, 1]).all()
    np.testing.assert_array_equal(samples("a.png"), np.rint(groups.means * 255)[array])


def test_auto_keeps_what_it_chose_in_the_recipe(impasto: Impasto, folder: Path) -> None:
    auto = ("enhance", "photo.jpg", "--auto", "--sharpen", "0", "-q")
    assert impasto(*auto, "-o", "a.png") == (0, "", "")
    settings = json.loads(impasto("recipe", "a.png")[1])["settings"]
    assert settings["sharpen"] == 0
    assert any(settings[name] for name in ("white_balance", "levels", "local_contrast", "vibrance"))
    assert impasto("replay", "a.png", "-o", "b.png", "-q")[0] == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_enhancing_with_nothing_on_changes_no_pixel(impasto: Impasto, folder: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (40, 50, 3), np.uint16)
    package.enhance(deep, output="a.tif", save=OutputSettings(depth=16))
    np.testing.assert_array_equal(read("a.tif").rgb, read(deep).rgb)


@pytest.mark.parametrize("option", ["--match", "--like-photo"])
def test_models_of_colour_are_inputs_like_others(
    impasto: Impasto, folder: Path, option: str
) -> None:
    assert impasto("enhance", "wave.png", option, "photo.jpg", "-o", "a.png", "-q")[0] == 0
    recipe = json.loads(impasto("recipe", "a.png")[1])
    name = option.strip("-").replace("-", "_")
    assert recipe["references"][name]["path"] == "photo.jpg"
    assert impasto("replay", "a.png", "-o", "b.png", "-q")[0] == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    overwriting = ("enhance", "wave.png", option, "photo.jpg", "-o", "photo.jpg", "--force")
    assert "the same file as the input photo.jpg" in impasto(*overwriting)[2]
    assert (
        "there is no such file" in impasto("enhance", "wave.png", option, "x.jpg", "-o", "c.png")[2]
    )


def test_painting_ends_with_the_enhancement_that_is_asked_for(
    impasto: Impasto, folder: Path
) -> None:
    paint = ("paint", "photo.jpg", "--style", "wave.png", "--size", "48", "--steps", "3", "--json")
    plain = json.loads(impasto(*paint, "--depth", "16", "-o", "plain.tif")[1])
    better = json.loads(impasto(*paint, "--enhance", "auto", "-o", "better.png")[1])
    assert better["losses"] == plain["losses"]
    package.enhance("plain.tif", auto=True, output="same.png")
    np.testing.assert_allclose(read("better.png").rgb, read("same.png").rgb, atol=1.01 / 255)
    assert (samples("better.png") != np.rint(read("plain.tif").rgb * 255)).any()
    recipe = json.loads(impasto("recipe", "better.png")[1])
    assert recipe["settings"]["enhance"] == "auto"
    assert recipe["versions"]["opencv-contrib-python-headless"]
    assert impasto("replay", "better.png", "-o", "again.png", "-q")[0] == 0
    assert Path("again.png").read_bytes() == Path("better.png").read_bytes()


@ALL
def test_samples_work_without_a_file(impasto: Impasto, folder: Path, command: str) -> None:
    status, out, _ = impasto(command, "sample:coffee", *FILTERS[command], "-o", "a.png", "--json")
    assert status == 0
    assert json.loads(out)["bytes_before"] is None

"""The command line: every option does something or is refused in a sentence."""

import io
import json
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks import reference
from PIL import Image, ImageCms
from rich.console import Console

from impasto.cli import app
from impasto.events import LevelDone, Notice, RolledBack, Snapshot, Started, Step
from impasto.neural.duration import Pace
from impasto.neural.objective import Evaluation, Objective
from impasto.neural.plan import Planner
from impasto.neural.vgg import VGG19
from impasto.options import shown
from impasto.progress import Lines
from impasto.progress import shown as progress
from impasto.settings import OutputSettings, PaintSettings, Settings
from impasto.studio.recording_settings import RecordingSettings

pytestmark = pytest.mark.usefixtures("folder")

Impasto = Callable[..., tuple[int, str, str]]
Pixels = Callable[[Path | str], np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]

QUICK = ("--size", "32", "--steps", "2", "--precision", "float32", "-q")
ONE = ("paint", "photo.jpg", "--style", "starry.png", "-o", "art.png", *QUICK)


def recipe_of(impasto: Impasto, file: str = "art.png") -> dict[str, object]:
    recipe = json.loads(impasto("recipe", file)[1])
    assert isinstance(recipe, dict)
    return recipe


# What goes in and comes out


def test_two_styles_with_and_without_a_beta(impasto: Impasto) -> None:
    status, out, err = impasto(
        "paint", "photo.jpg", "--style", "starry.png=30", "--style", "wave.png",
        "--beta", "45", "--json", "-o", "art.png", *QUICK,
    )  # fmt: skip
    assert (status, err) == (0, "")
    losses = json.loads(out)["losses"]
    layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    names = {f"style/{style}/{layer}" for style in ("starry", "wave") for layer in layers}
    assert set(losses) == {"content", "total"} | names
    styles = recipe_of(impasto)["styles"]
    assert isinstance(styles, list)
    assert [style["beta"] for style in styles] == [30, 45]


def test_styles_of_one_name_are_numbered(impasto: Impasto, folder: Path) -> None:
    (folder / "other").mkdir()
    shutil.copy("wave.png", folder / "other" / "starry.png")
    shutil.copy("wave.png", "a=b.png")
    styles = ("--style", "other/starry.png", "--style", "starry.png=3", "--style", "a=b.png=2")
    status, out, _ = impasto(*ONE, *styles, "--json")
    assert status == 0
    names = {name.split("/")[1] for name in json.loads(out)["losses"] if name.startswith("style/")}
    assert names == {"starry", "starry-2", "starry-3", "a=b"}


def test_json_is_one_object_with_the_losses_of_the_saved_picture(impasto: Impasto) -> None:
    status, out, err = impasto(
        "paint", "photo.jpg", "--style", "starry.png=100", "--style", "wave.png=45", "--size", "64",
        "--steps", "12", "-q", "--json", "-o", "art.png",
    )  # fmt: skip
    assert (status, err, out.count("\n")) == (0, "", 1)
    report = json.loads(out)
    assert set(report) == {
        "output", "size", "steps", "seconds", "losses", "peak_memory", "device", "precision",
        "complete",
    }  # fmt: skip
    assert (report["output"], report["size"], report["steps"]) == ("art.png", [64, 48], 12)
    assert (report["device"], report["complete"]) == ("cpu", True)
    assert report["seconds"] > 0
    assert report["peak_memory"] > 50e6
    losses = report["losses"]
    total = losses.pop("total")
    assert total == pytest.approx(sum(losses.values()), rel=1e-6)

    layers = reference.network()
    image = reference.load(Path("art.png"), 64)
    content = reference.load(Path("photo.jpg"), 64)
    expected: dict[str, float] = {}
    with torch.no_grad():
        for name, beta in (("starry", 100.0), ("wave", 45.0)):
            target = reference.targets(layers, content, reference.load(Path(f"{name}.png"), 64))
            for term, value in reference.losses(layers, image, target, 1.0, beta).items():
                expected["content" if term == "content" else f"style/{name}/{term}"] = float(value)
    assert losses == {name: pytest.approx(value, rel=0.01) for name, value in expected.items()}


def test_pipes(folder: Path, environment: dict[str, str]) -> None:
    arguments = ["paint", "-", "--style", "starry.png", "-o", "-", *QUICK]
    process = subprocess.run(
        [sys.executable, "-m", "impasto.cli", *arguments],
        input=Path("photo.jpg").read_bytes(),
        capture_output=True,
        env=environment,
        check=True,
    )
    assert process.stderr == b""
    with Image.open(io.BytesIO(process.stdout)) as image:
        assert (image.format, image.size) == ("PNG", (32, 24))
    assert not list(folder.glob("*unfinished*"))


def test_json_and_the_picture_do_not_share_standard_output(impasto: Impasto) -> None:
    status, out, err = impasto(
        "paint", "photo.jpg", "--style", "starry.png", "-o", "-", "--json", *QUICK
    )
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "--json and the picture cannot both go to standard output" in err


def test_quiet_is_silent_and_otherwise_progress_is_on_standard_error(impasto: Impasto) -> None:
    assert impasto(*ONE) == (0, "", "")
    loud = [argument for argument in ONE if argument != "-q"]
    status, out, err = impasto(*loud, "--force")
    assert (status, out) == (0, "")
    assert re.search(r"^painting on cpu in float32$", err, re.MULTILINE)
    assert re.search(r"^32×24 done: loss \S+ = content \S+ \+ style \S+ at step 2$", err, re.M)
    assert re.search(r"^art.png: loss .*, \d+\.\d s$", err, re.MULTILINE)


@pytest.mark.parametrize("name", ["[bold]art.png", "[", "art[/b].png", ":star:.png"])
def test_names_are_not_markup(impasto: Impasto, name: str) -> None:
    status, _, err = impasto("recipe", name)
    assert (status, err) == (
        3,
        f"impasto: cannot read {name}: there is no such file; check its name and folder\n",
    )


def test_transparency_is_kept(impasto: Impasto, pixels: Pixels) -> None:
    with Image.open("photo.jpg") as photo:
        image = photo.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save("clear.png")
    status, _, _ = impasto("paint", "clear.png", "--style", "wave.png", "-o", "art.png", *QUICK)
    assert status == 0
    found = pixels("art.png")
    assert found.shape == (24, 32, 4)
    alpha = image.getchannel("A").resize((32, 24), Image.Resampling.LANCZOS)
    assert np.abs(found[:, :, 3].astype(int) - np.asarray(alpha).astype(int)).max() <= 1


def with_capture_data() -> None:
    """photo.jpg lying on its side, of a camera and with 300 dpi: 96×128 px when upright."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Camera"
    with Image.open("photo.jpg") as photo:
        photo.save("side.jpg", exif=exif, dpi=(300, 300), quality=95)


def test_capture_data_travel_and_the_picture_stands_upright(impasto: Impasto) -> None:
    with_capture_data()
    arguments = ("paint", "side.jpg", "--style", "wave.png", *QUICK, "--force")
    assert impasto(*arguments, "-o", "art.jpg")[0] == 0
    with Image.open("art.jpg") as image:
        assert image.size == (24, 32)
        assert image.getexif().get(0x010F) == "Camera"
        assert image.getexif().get(0x0112, 1) == 1
        assert image.info["dpi"] == pytest.approx((300, 300))
        assert ImageCms.getOpenProfile(io.BytesIO(image.info["icc_profile"]))
    assert impasto(*arguments, "-o", "art.jpg", "--strip")[0] == 0
    with Image.open("art.jpg") as image:
        assert 0x010F not in image.getexif()
        assert image.info.get("dpi", (72, 72)) == pytest.approx((72, 72))


@pytest.mark.parametrize("name", ["art.png", "art.jpg", "art.tif"])
@pytest.mark.parametrize(
    ("size", "pixels", "dpi"),
    [("8x8cm@10dpi", (31, 23), 10), ("4in@8dpi", (32, 24), 8), ("32x32@300dpi", (32, 24), 300)],
)
def test_the_resolution_of_the_size_is_the_file_s(
    impasto: Impasto, name: str, size: str, pixels: tuple[int, int], dpi: int
) -> None:
    """Also where the photo has another; alone in the recipe, which has the size as it was given."""
    with Image.open("photo.jpg") as photo:
        photo.save("print.jpg", dpi=(150, 200))
    arguments = ("paint", "print.jpg", "--style", "wave.png", "-o", name)
    assert impasto(*arguments, *QUICK[2:], "--size", size) == (0, "", "")
    with Image.open(name) as image:
        assert image.size == pixels
        assert image.info["dpi"] == pytest.approx((dpi, dpi), rel=1e-3)
    settings = recipe_of(impasto, name)["settings"]
    assert isinstance(settings, dict)
    assert settings["size"] == size
    assert not any("dpi" in key for key in settings)


# Plans


PLAN = ("paint", "photo.jpg", "--style", "starry.png", "--plan", "--precision", "float32")


@pytest.fixture
def quick_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own: this one may hold more than the program ever does."""
    monkeypatch.setattr("impasto.neural.plan.resident_memory", lambda device: 300_000_000)
    monkeypatch.setattr(Pace, "measured", lambda *_: Pace(1e11, 1e11))


@pytest.mark.usefixtures("quick_trial")
@pytest.mark.parametrize("output", [(), ("-o", "art.png")])
def test_a_plan_has_a_row_for_each_level_and_writes_nothing(
    impasto: Impasto, folder: Path, output: tuple[str, ...]
) -> None:
    before = sorted(folder.iterdir())
    status, out, err = impasto(*PLAN, "--size", "512", *output)
    assert (status, err) == (0, "")
    assert sorted(folder.iterdir()) == before
    rows = [line.split() for line in out.splitlines() if "×" in line]
    assert [(row[0], row[1]) for row in rows] == [
        ("128×96", "30"),
        ("256×192", "30"),
        ("512×384", "35"),
    ]
    (total,) = [line.split() for line in out.splitlines() if line.split()[:1] == ["all"]]
    assert total[1] == "95"
    assert re.search(r"cpu, float32; \d+\.\d GB may be used", out)


@pytest.mark.usefixtures("quick_trial")
def test_a_plan_as_json_is_one_object(impasto: Impasto) -> None:
    status, out, err = impasto(*PLAN, "--size", "512", "--json", "--memory", "3GB")
    assert (status, err, out.count("\n")) == (0, "", 1)
    plan = json.loads(out)
    assert set(plan) == {
        "size", "seconds", "memory", "budget", "disk", "levels", "tiles", "device", "precision",
    }  # fmt: skip
    names = {"size", "steps", "tiles", "kept", "memory", "disk", "seconds"}
    assert all(set(level) == names for level in plan["levels"])
    assert [level["size"] for level in plan["levels"]] == [[128, 96], [256, 192], [512, 384]]
    assert [level["steps"] for level in plan["levels"]] == [30, 30, 35]
    assert (plan["size"], plan["device"], plan["precision"]) == ([512, 384], "cpu", "float32")
    assert plan["memory"] == max(level["memory"] for level in plan["levels"])
    assert plan["memory"] <= plan["budget"] <= 3e9
    assert plan["seconds"] > sum(level["seconds"] for level in plan["levels"])
    assert plan["tiles"] == plan["levels"][-1]["tiles"] >= 1


def test_a_plan_s_machine_is_tried(impasto: Impasto, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of twice the pace takes half as long, but for what is not computed."""
    seconds = []
    for rate in (1e9, 2e9):
        monkeypatch.setattr(Pace, "measured", lambda *_, rate=rate: Pace(rate, rate))
        _, out, _ = impasto(*PLAN, "--size", "512", "--json")
        seconds.append(json.loads(out)["levels"][-1]["seconds"])
    assert seconds[0] == pytest.approx(2 * seconds[1], rel=0.01)


@pytest.mark.parametrize("plan", [(), ("--plan",)])
def test_too_little_memory_is_refused_before_any_work(
    impasto: Impasto, folder: Path, monkeypatch: pytest.MonkeyPatch, plan: tuple[str, ...]
) -> None:
    monkeypatch.setattr(VGG19, "__init__", lambda *_: pytest.fail("the network was made"))
    before = sorted(folder.iterdir())
    status, out, err = impasto(*ONE, "--memory", "1MB", *plan)
    assert (status, out, err.count("\n")) == (4, "", 1)
    wanted = (
        r"impasto: painting 32x24 px takes at least \d\.\d\d GB of memory and 0\.00 GB may be used"
    )
    assert re.match(wanted, err)
    assert sorted(folder.iterdir()) == before


def test_the_memory_that_a_refusal_names_is_enough(impasto: Impasto) -> None:
    _, _, err = impasto(*ONE, "--memory", "1MB")
    named = re.search(r"--memory (\S+GB)", err)
    assert named is not None
    amount = f"{float(named[1].removesuffix('GB')) + 0.05}GB"  # the process grows meanwhile
    assert impasto(*ONE, "--memory", amount) == (0, "", "")


def test_no_output_and_no_plan(impasto: Impasto) -> None:
    status, out, err = impasto(*(word for word in PLAN if word != "--plan"))
    assert (status, out) == (2, "")
    assert err == (
        "impasto: no output: name a file to write with -o, or ask for the --plan alone\n"
    )


def test_the_memory_does_not_decide_the_picture(impasto: Impasto, pixels: Pixels) -> None:
    assert impasto(*ONE) == (0, "", "")
    arguments = ("paint", "photo.jpg", "--style", "starry.png", *QUICK)
    assert impasto(*arguments, "--memory", "99GB", "-o", "other.png") == (0, "", "")
    assert np.array_equal(pixels("art.png"), pixels("other.png"))
    assert impasto("replay", "other.png", "-o", "again.png", "-q") == (0, "", "")
    assert Path("again.png").read_bytes() == Path("other.png").read_bytes()


# Options


@pytest.mark.parametrize("model", [PaintSettings, OutputSettings])
def test_every_setting_is_an_option_with_its_default_in_the_help(
    impasto: Impasto, model: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text = impasto("paint", "--help")[1]
    for name, field in model.model_fields.items():
        line = next(x for x in text.splitlines() if f" --{name.replace('_', '-')} " in x)
        assert f"[default: {shown(field.default)}]" in line


def test_no_option_is_unknown_to_these_tests() -> None:
    arguments = app["paint"].assemble_argument_collection(default_parameter=app.default_parameter)
    names = {argument.name.removeprefix("--").replace("-", "_") for argument in arguments}
    own = {"PHOTO", "style", "output", "plan", "preset", "weights", "force", "resume"}
    own |= {"checkpoint_every", "quiet", "json", "*"}  # the star stands for each group of settings
    models = PaintSettings, OutputSettings, RecordingSettings
    assert names == own.union(*(model.model_fields for model in models))


def test_a_plan_needs_no_output_and_paints_nothing(impasto: Impasto, folder: Path) -> None:
    before = sorted(folder.iterdir())
    paint = ("paint", "photo.jpg", "--style", "starry.png", "--plan")
    status, out, _ = impasto(*paint, "--json", "-o", "wave.png")  # which is there, and stays
    facts = json.loads(out)
    assert status == 0
    assert facts["size"] == [800, 600]
    assert facts["memory"] <= facts["budget"]
    assert [level["size"] for level in facts["levels"]] == [[200, 150], [400, 300], [800, 600]]
    assert sum(level["steps"] for level in facts["levels"]) == 95
    status, out, _ = impasto("paint", "photo.jpg", "--style", "starry.png", "--plan")
    assert status == 0
    assert "800×600" in out
    assert sorted(folder.iterdir()) == before
    status, _, err = impasto("paint", "photo.jpg", "--style", "starry.png")
    assert status == 2
    assert "no output: name a file to write with -o" in err


def test_the_picture_is_the_same_within_the_least_memory(
    impasto: Impasto, folder: Path, monkeypatch: pytest.MonkeyPatch, pixels: Pixels
) -> None:
    """Here nothing is kept, and all that can be lies on disk."""
    assert impasto(*ONE)[0] == 0
    ways = Planner._ways
    monkeypatch.setattr(Planner, "_ways", lambda self, level: [*ways(self, level)][-1:])
    shutil.move("art.png", "plenty.png")
    assert impasto(*ONE)[0] == 0
    assert np.array_equal(pixels("plenty.png"), pixels("art.png"))


@pytest.mark.parametrize(
    ("base", "change"),
    [
        ("", "--size 40"),
        ("--steps 5", "--alpha 30"),
        ("", "--beta 0"),
        ("--steps 5", "--content-layers relu2_2=100"),
        ("", "--style-layers relu2_1"),
        ("", "--style-scale 0.5"),
        ("", "--pooling average"),
        ("", "--init noise"),
        ("", "--init wave.png"),
        ("", "--optimizer adam"),
        ("--optimizer adam", "--learning-rate 0.03"),
        ("", "--steps 3"),
        ("--size 96 --levels 2 --coarse-steps 2", "--coarse-steps 6"),
        ("--size 96 --levels 1 --coarse-steps 3", "--levels 2"),
        ("--init noise", "--seed 1"),
        ("", "--precision bfloat16"),
        ("", "--depth 16"),
        ("-o art.jpg", "--quality 50"),
        ("-o art.webp", "--lossless"),
        ("", "--strip"),
        ("", "--preset gatys --levels 1 --steps 2"),
    ],
)
def test_every_option_changes_the_picture(
    impasto: Impasto, pixels: Pixels, base: str, change: str
) -> None:
    output = re.search(r"-o (\S+)", base)
    name = output[1] if output is not None else "art.png"
    plain = without(base, f"paint photo.jpg --style starry.png -o {name} --force {' '.join(QUICK)}")
    for arguments, copy in ((plain, "before"), (without(change, plain), "after")):
        assert impasto(*arguments.split()) == (0, "", "")
        shutil.copy(name, copy)
    if change == "--strip":
        assert b"impasto" in Path("before").read_bytes()
        assert b"impasto" not in Path("after").read_bytes()
    elif change == "--depth 16":  # 24th byte of a PNG: bits a sample
        assert (Path("before").read_bytes()[24], Path("after").read_bytes()[24]) == (8, 16)
    else:
        assert not np.array_equal(pixels("before"), pixels("after"))


def without(change: str, arguments: str) -> str:
    """The arguments with a change: an option that is there already gets its new value."""
    for name, value in re.findall(r"(--?[a-z][a-z-]*)(?: (?!-)(\S+))?", change):
        arguments = re.sub(rf" {name}( (?!-)\S+)?(?= |$)", "", arguments) + f" {name} {value}"
    return arguments


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("--size 5", "size must be at least 16 px a side, not 5"),
        ("--size big", "size must be pixels as 800 or 1200x800, 2K, 4K"),
        ("--beta -1", "beta must be at least 0, not -1"),
        ("--beta=nan", "beta must be a finite number, not nan"),
        ("--alpha inf", "alpha must be a finite number, not inf"),
        ("--style wave.png=-3", "beta of wave.png must be a number from 0 up, not -3"),
        ("--style-layers relu1_1,relu7_1", "style-layers has no layer 'relu7_1'"),
        ("--style-layers relu1_1,relu1_1", "style-layers names a layer twice"),
        ("--content-layers relu4_2=0", "content-layers needs at least one layer with a weight"),
        ("--content-layers relu4_2=x", "content-layers relu4_2 must be a number, not x"),
        ("--steps 0", "steps must be at least 1 or 'auto', not 0"),
        ("--coarse-steps 2.5", "coarse-steps must be a whole number or 'auto', not 2.5"),
        ("--levels 0", "levels must be at least 1 or 'auto', not 0"),
        ("--learning-rate 2", "learning-rate must be at most 1, not 2"),
        ("--style-scale 0", "style-scale must be at least 0.05, not 0"),
        ("--seed -1", "seed must be at least 0, not -1"),
        ("--depth 12", "depth must be 8 or 16, not 12"),
        ("--quality 101", "quality must be at most 100, not 101"),
        ("--checkpoint-every nan", "checkpoint-every must be at least 0 seconds, not nan"),
        ("--checkpoint-every -2", "checkpoint-every must be at least 0 seconds, not -2"),
        ("--pooling min", '"min" for --pooling'),
        ("--memory lots", "memory must be an amount of memory such as 4GB or 512MB, not lots"),
        ("--memory 4", "memory must be at least 1MB, not 4"),
        ("--device abacus", '"abacus" for --device'),
        ("--precision float16", '"float16" for --precision'),
        ("--optimizer sgd", '"sgd" for --optimizer'),
        ("--preset cubist", '"cubist" for --preset'),
        ("--stepz 3", "--stepz"),
        ("--no-force", "--no-force"),
        ("--size", "--size requires an argument"),
        ("another.jpg", "another.jpg"),
        ("--style --force", "there is no option --force; if it is a file, write ./--force"),
    ],
)
def test_what_is_refused(impasto: Impasto, folder: Path, arguments: str, words: str) -> None:
    before = sorted(folder.iterdir())
    status, out, err = impasto(
        "paint", "photo.jpg", "--style", "starry.png", "-o", "art.png", *arguments.split()
    )
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("impasto: ")
    assert words in err
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("paint",),
        ("paint", "photo.jpg", "-o", "art.png"),
        ("paint", "photo.jpg", "--style", "starry.png"),
        ("paint", "--stepz", "3", "photo.jpg", "--style", "starry.png", "-o", "art.png"),
        ("draw", "photo.jpg"),
        ("demo", "--photo", "mona-lisa"),
        ("demo", "--size", "3"),
        ("recipe",),
        ("paint", "photo.jpg", "--style", "starry.png", "-o", "art.gif"),
        ("paint", "photo.jpg", "--style", "starry.png", "-o", "art.jpg", "--depth", "16"),
    ],
)
def test_other_mistakes(impasto: Impasto, arguments: tuple[str, ...]) -> None:
    status, out, err = impasto(*arguments)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("impasto: ")


@pytest.mark.skipif(torch.cuda.is_available(), reason="has CUDA")
def test_a_device_that_is_not_there(impasto: Impasto) -> None:
    status, _, err = impasto(*ONE, "--device", "cuda")
    assert (status, err.count("\n")) == (2, 1)
    assert "this machine has none" in err


def test_demo(impasto: Impasto, pixels: Pixels) -> None:
    assert impasto("demo", "--size", "16", "-o", "small.png", "--quiet")[0] == 0
    assert max(pixels("small.png").shape) == 16


def test_version_and_bare_command(impasto: Impasto) -> None:
    status, out, _ = impasto("--version")
    assert (status, out.strip()) == (0, "0.1.0")
    status, out, _ = impasto()
    assert status == 0
    assert "paint" in out


# Values that are not finite


def test_values_that_stop_being_finite(
    impasto: Impasto, monkeypatch: pytest.MonkeyPatch, pixels: Pixels
) -> None:
    evaluate, count = Objective.evaluate, iter(range(100))

    def failing(self: Objective, canvas: torch.Tensor) -> Evaluation:
        found = evaluate(self, canvas)
        return found if next(count) < 3 else replace(found, losses={"content": math.nan})

    monkeypatch.setattr(Objective, "evaluate", failing)
    more = [argument if argument != "2" else "9" for argument in ONE]
    status, out, err = impasto(*more, "--json")
    assert (status, err.count("\n")) == (5, 1)
    assert "stopped being finite; art.png is the best picture up to there" in err
    report = json.loads(out)
    assert report["complete"] is False
    assert all(math.isfinite(value) for value in report["losses"].values())
    assert pixels("art.png").shape == (24, 32, 3)


def test_json_without_numbers_that_are_not_finite(impasto: Impasto) -> None:
    status, out, _ = impasto(*ONE, "--beta", "1e300", "--json")
    assert status == 5
    losses = json.loads(out, parse_constant=lambda name: pytest.fail(name))["losses"]
    assert losses["total"] is None
    assert losses["content"] == 0


# Progress


def step(level: int, number: int, **losses: float) -> Step:
    return Step(
        level=level,
        step=number,
        taken=number,
        done=0.5,
        losses=losses,
        picture=lambda: BLACK,
        whole=lambda: BLACK,
        snapshot=lambda: Snapshot(1, 1, {}),
    )


BLACK = np.zeros((1, 1, 3), np.float32)
EVENTS = (
    Started((64, 48), ((32, 24), (64, 48)), 4, "cpu", "float32", lambda _: BLACK),
    step(1, 1, **{"content": 1.0, "style/a/relu1_1": 20.0}),
    RolledBack(1, 2, 1),
    step(1, 2, **{"content": 9.0, "style/a/relu1_1": 900.0}),
    LevelDone(1, lambda: np.zeros((24, 32, 3), np.float32)),
    Notice("[bold]mind the gap"),
    step(2, 1, **{"content": 2.0, "style/a/relu1_1": 3.0, "style/b/relu1_1": 4.0}),
)


def test_lines_are_one_a_level() -> None:
    console = Console(record=True, file=io.StringIO(), width=200, markup=False)
    lines = Lines(console)
    for event in EVENTS:
        lines(event)
    assert console.export_text().splitlines() == [
        "painting on cpu in float32",
        "step 2 gave values that are not finite: undone, tried smaller",
        "32×24 done: loss 21 = content 1 + style 20 at step 1",
        "[bold]mind the gap",
    ]


def test_the_bar_tells_level_step_and_losses() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120, markup=False)
    with progress(console, quiet=False) as show:
        for event in EVENTS:
            show(event)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", file.getvalue())
    assert "64×48 step 1" in text
    assert "loss 9 = content 2 + style 7" in text
    assert "50%" in text
    assert "[bold]mind the gap" in text


def test_quiet_shows_nothing() -> None:
    console = Console(record=True, file=io.StringIO())
    with progress(console, quiet=True) as show:
        for event in EVENTS:
            show(event)
    assert console.export_text() == ""


def test_words_too_many_are_named(impasto: Impasto) -> None:
    status, out, err = impasto("paint", "photo.jpg", "wave.png", "--style", "starry.png", "-o", "a")
    assert (status, out) == (2, "")
    assert err == "impasto: too many arguments: wave.png; see the command with --help\n"

"""A sweep makes the pictures that paint makes, once each, and loses none of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.api import paint
from impasto.artwork import Job
from impasto.errors import Interrupted, NotEnoughMemory, UsageError
from impasto.events import Event, Notice, Stage, Step
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.neural import shared
from impasto.neural.vgg import VGG19
from impasto.neural.weights import load_weights
from impasto.studio import sweep_files
from impasto.studio.axes import field_of
from impasto.studio.sheet import Sheet
from impasto.studio.sweep import Sweep, sweep
from impasto.studio.sweep_files import NOTES
from impasto.studio.sweep_sheet import LEAST, LONG, drawn, sheet_of
from impasto.studio.theme import Paper
from impasto.studio.variants import Variant

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.usefixtures("one_thread", "folder")

QUICK: dict[str, Any] = {"size": 32, "steps": 2, "precision": "float32"}
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


@pytest.fixture(scope="module", autouse=True)
def made_once() -> Iterator[None]:
    """Weights and networks are, for all that happens in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "load_weights", cache(load_weights))
        patch.setattr(shared, "VGG19", cache(VGG19))
        yield


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The settings of all paintings that are begun."""
    found: list[Any] = []
    events = Job.events

    def counted(self: Job, *arguments: Any) -> Any:
        found.append(self.settings)
        return events(self, *arguments)

    monkeypatch.setattr(Job, "events", counted)
    return found


def small(**changes: Any) -> Sweep:
    settings: dict[str, Any] = {"output": "sheet.png", "beta": [1, 100]} | QUICK | changes
    return sweep("photo.jpg", settings.pop("styles", "starry.png"), **settings)


def contents(folder: str = "sheet-pictures") -> dict[str, bytes]:
    """The pictures in a folder, and what else is there but the note of its sheets."""
    files = (file for file in Path(folder).iterdir() if file.name != NOTES)
    return {file.name: file.read_bytes() for file in files}


# What is painted


def test_pictures_are_those_of_paint_to_the_last_byte(impasto: Impasto) -> None:
    arguments = ("--size", "48", "--steps", "3", "--coarse-steps", "2", "--levels", "2", "-q")
    swept = ("--beta", "1,1000", "--init", "photo,noise")
    style = ("--style", "starry.png")
    assert impasto("sweep", "photo.jpg", *style, *swept, *arguments, "-o", "sheet.png")[0] == 0
    assert len(contents()) == 4
    for beta in ("1", "1000"):
        for init in ("photo", "noise"):
            one = ("--beta", beta, "--init", init, "-o", "one.png", "--force")
            assert impasto("paint", "photo.jpg", *style, *one, *arguments)[0] == 0
            assert contents()[f"beta-{beta}_init-{init}.png"] == Path("one.png").read_bytes()


def test_each_style_is_painted_by_itself(painted: list[Any]) -> None:
    made = small(styles=["starry.png=7", "wave.png"], beta=30, preset=["default", "article"])
    assert [v.point.title for v in made.pictures] == [
        "starry, preset default", "wave, preset default",
        "starry, preset article", "wave, preset article",
    ]  # fmt: skip
    assert [[s.beta for s in v.recipe.styles] for v in made.pictures] == [[7], [30], [7], [30]]
    assert [settings.optimizer for settings in painted] == ["lbfgs", "lbfgs", "adam", "adam"]
    alone = paint("photo.jpg", "wave.png", beta=30, preset="article", **QUICK)
    picture = read("sheet-pictures/preset-article_style-wave.png")
    assert np.abs(picture.rgb - alone.picture.rgb).max() <= 0.5 / 255 + 1e-6


def test_pictures_can_be_replayed(impasto: Impasto) -> None:
    small()
    file = "sheet-pictures/beta-100.png"
    assert impasto("replay", file, "-o", "again.png", "-q")[0] == 0
    assert Path("again.png").read_bytes() == Path(file).read_bytes()


def test_distances_are_the_losses_without_their_weights() -> None:
    (variant,) = small(alpha=4, beta=50).pictures
    losses = variant.recipe.losses
    style = sum(x or 0 for name, x in losses.items() if name.startswith("style/"))
    assert variant.content == pytest.approx((losses["content"] or 0) / 4)
    assert variant.style == pytest.approx(style / 50)
    # Alpha and beta together only scale the loss, so the distances stay.
    (other,) = small(alpha=8, beta=100, output="other.png").pictures
    assert other.content == pytest.approx(variant.content, rel=0.02)
    (content_only,) = small(beta=0, output="content.png").pictures
    assert content_only.style is None
    assert content_only.note.startswith("content ")


def test_a_picture_from_standard_input(impasto: Impasto, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ("--size", "32", "--steps", "1", "--beta", "1,2", "-q", "-o", "sheet.png")
    with Path("photo.jpg").open() as photo:
        monkeypatch.setattr(sys, "stdin", photo)
        assert impasto("sweep", "-", "--style", "starry.png", *options) == (0, "", "")
    assert set(contents()) == {"beta-1.png", "beta-2.png"}


# What is there


def test_what_is_there_is_not_painted_again(painted: list[Any]) -> None:
    first = small()
    before, sheet = contents(), Path("sheet.png").read_bytes()
    painted.clear()
    again = small()
    assert painted == []
    assert again.facts() == first.facts()
    assert (contents(), Path("sheet.png").read_bytes()) == (before, sheet)
    more = small(beta=[1, 5, 100])
    assert [settings.beta for settings in painted] == [5]
    assert [variant.facts() for variant in more.pictures if variant.file.stem != "beta-5"] == (
        first.facts()["pictures"]
    )
    assert {name: contents()[name] for name in before} == before


def test_other_pictures_are_not_replaced_by_mistake(painted: list[Any]) -> None:
    small()
    before = contents()
    painted.clear()
    message = "cannot write sheet-pictures/beta-1.png: there is a picture with other alpha, seed; "
    with pytest.raises(UsageError, match=message):
        small(alpha=2, seed=3, output="sheet.jpg")
    Path("sheet-pictures/beta-1.png").write_bytes(Path("wave.png").read_bytes())
    with pytest.raises(UsageError, match="there is a picture with other or no recipe; "):
        small(output="sheet.jpg")
    assert not Path("sheet.jpg").exists()
    with pytest.raises(UsageError, match="there is a picture with other or no recipe; "):
        small()
    assert painted == []
    small(force=True)
    assert [settings.beta for settings in painted] == [1]
    assert contents() == before


TAKEN = r"cannot write sheet.\w+: it exists already; choose another name, or add --force"


def test_a_sheet_is_replaced_by_one_that_shows_no_less(painted: list[Any]) -> None:
    pair: dict[str, Any] = {"html": "sheet.html"}
    small(**pair)
    whole = Path("sheet.png").read_bytes()
    small(beta=[1, 5, 100], **pair)
    before = Path("sheet.png").read_bytes(), Path("sheet.html").read_bytes()
    painted.clear()
    for fewer in ({"beta": [1, 5]}, {"beta": 1, "alpha": [1, 2]}, {"beta": 7}):
        with pytest.raises(UsageError, match=TAKEN):
            small(**fewer)
    assert painted == []
    assert (Path("sheet.png").read_bytes(), Path("sheet.html").read_bytes()) == before
    small(force=True)
    assert Path("sheet.png").read_bytes() == whole


@pytest.mark.parametrize("file", ["sheet.png", "sheet.html", "sheet-pictures/sheets.json"])
def test_a_sheet_that_somebody_has_changed_is_kept(file: str) -> None:
    small(html="sheet.html")
    with Path(file).open("ab") as changed:
        changed.write(b" drawn on")
    before = Path(file).read_bytes()
    with pytest.raises(UsageError, match=TAKEN):
        small(html="sheet.html")
    assert Path(file).read_bytes() == before


def test_what_is_called_like_a_sheet_is_kept(folder: Path) -> None:
    Path("sheet.png").write_bytes(Path("wave.png").read_bytes())
    with pytest.raises(UsageError, match=TAKEN):
        small()
    assert not Path("sheet-pictures").exists()


def test_no_input_is_replaced_even_by_force() -> None:
    small()
    before = contents()
    with pytest.raises(UsageError, match=r"same file as the input sheet-pictures/beta-1.png"):
        small(styles="sheet-pictures/beta-1.png", force=True)
    for outputs in ({"output": "starry.png"}, {"html": "starry.png"}):
        with pytest.raises(UsageError, match="same file as the input"):
            small(**outputs, force=True)
    with pytest.raises(UsageError, match="same file as the input"):
        small(output="new.png", html="new.png")
    assert contents() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"output": "-"}, "a sweep writes a folder beside its sheet; name a file instead of -"),
        ({"output": "sheet.bmp"}, "cannot write sheet.bmp: the ending '.bmp' is not known"),
        ({"styles": []}, "no style picture: give at least one"),
        ({"styles": "starry.png=3"}, "beta has several values, so no style can have its own"),
        ({"alpha": [1, 2], "steps": [1, 2]}, "a sheet has two axes"),
    ],
)
def test_what_makes_no_sense_is_refused_before_any_work(
    changes: dict[str, Any], message: str
) -> None:
    before = set(Path().iterdir())
    with pytest.raises(UsageError, match=message):
        small(**changes)
    assert set(Path().iterdir()) == before


def test_a_size_that_does_not_fit_is_refused_before_any_work(painted: list[Any]) -> None:
    with pytest.raises(NotEnoughMemory):
        small(beta=1, size=["64", "16K"], memory="2GB")
    assert painted == []
    assert not Path("sheet-pictures").exists()


# Stops

LONG_SWEEP = ("sweep", "photo.jpg", "--style", "starry.png", "--beta", "1,10,100,1000",
              "--size", "64", "--steps", "12")  # fmt: skip


@posix
def test_a_killed_sweep_goes_on_where_it_was(impasto: Impasto, start: Start) -> None:
    assert impasto(*LONG_SWEEP, "-o", "whole.png", "--html", "whole.html")[0] == 0
    killed = start(*LONG_SWEEP, "-o", "sheet.png", "--html", "sheet.html")
    while not Path("sheet-pictures/beta-10.png").exists():
        assert killed.poll() is None
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    assert killed.returncode == -signal.SIGKILL
    there = {file: file.stat().st_mtime_ns for file in Path("sheet-pictures").glob("beta*.png")}
    assert 2 <= len(there) < 4
    assert not Path("sheet.png").exists()
    status, _, err = impasto(*LONG_SWEEP, "-o", "sheet.png", "--html", "sheet.html")
    assert status == 0
    assert f"{len(there)} of 4 pictures are there already" in err
    assert {file: file.stat().st_mtime_ns for file in there} == there
    pictures = {name: data for name, data in contents().items() if name.startswith("beta")}
    assert pictures == contents("whole-pictures")
    assert Path("sheet.png").read_bytes() == Path("whole.png").read_bytes()
    assert Path("sheet.html").read_bytes() == Path("whole.html").read_bytes()


def test_a_picture_to_start_from_is_read_once(
    impasto: Impasto, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--size", "32", "--steps", "1", "--beta", "1,2", "-q")
    arguments = ("sweep", "photo.jpg", "--style", "starry.png", *options)
    with Path("wave.png").open() as wave:
        monkeypatch.setattr(sys, "stdin", wave)
        piped = (*arguments, "--init", "-", "-o", "piped.png")
        assert impasto(*piped) == (0, "", "")
    assert impasto(*arguments, "--init", "wave.png", "-o", "named.png")[0] == 0
    for name in ("beta-1.png", "beta-2.png"):
        one, other = (read(f"{sheet}-pictures/{name}").rgb for sheet in ("piped", "named"))
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("stopped", ["save", "digest_of", "page"])
def test_a_sweep_that_is_stopped_at_its_sheet_goes_on(
    stopped: str, monkeypatch: pytest.MonkeyPatch, painted: list[Any]
) -> None:
    """While the sheet is written, before its digest is noted, and before the page is there."""
    whole = small(output="whole.png", html="whole.html")

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="same command again"):
        patch.setattr(sweep_files, stopped, stop)
        small(html="sheet.html")
    assert Path("sheet.png").exists() == (stopped != "save")
    painted.clear()
    made = small(html="sheet.html")
    assert painted == []
    assert [v.recipe.losses for v in made.pictures] == [v.recipe.losses for v in whole.pictures]
    for ending in ("png", "html"):
        assert Path(f"sheet.{ending}").read_bytes() == Path(f"whole.{ending}").read_bytes()


def test_pictures_that_ended_early_are_kept_and_told_apart(
    impasto: Impasto, painted: list[Any]
) -> None:
    options = ("--style", "starry.png", "--size", "32", "--steps", "2", "-o", "sheet.png")
    command = ("sweep", "photo.jpg", *options, "--beta", "1,1e300", "--json", "-q")
    for begun in (2, 2):
        status, out, err = impasto(*command)
        assert (status, err.count("\n")) == (5, 1)
        assert "the values stopped being finite at beta 1e+300: there" in err
        assert [cell["complete"] for cell in json.loads(out)["pictures"]] == [True, False]
        assert len(painted) == begun
    made = small(beta=[1, 1e300], precision="auto")
    assert len(painted) == 2
    assert [variant.note.endswith(" · ended early") for variant in made.pictures] == [False, True]


def test_ctrl_c_keeps_the_state_of_the_picture_at_hand() -> None:
    notices: list[str] = []
    steps = 0

    def watch(event: Event) -> None:
        nonlocal steps
        steps += isinstance(event, Stage)
        if isinstance(event, Notice):
            notices.append(event.message)
        if steps == 12 + 5:  # within the second picture
            raise KeyboardInterrupt

    changes: dict[str, Any] = {"size": 48, "levels": 1, "steps": 12}
    whole = small(output="whole.png", **changes)
    with pytest.raises(Interrupted) as caught:
        small(show=watch, **changes)
    assert str(caught.value) == (
        "stopped; 1 of 2 pictures are painted; to go on, give the same command again"
    )
    assert set(contents()) == {"beta-1.png", "beta-100.png.unfinished"}
    # The state is that of another painting now.
    with pytest.raises(UsageError, match=r"the state of another painting is kept"):
        small(alpha=3, beta=[100, 7], **changes)
    steps = -100
    made = small(show=watch, **changes)
    assert notices[-3:-1] == [
        "1 of 2 pictures are there already",
        "going on after step 4 of level 1",
    ]
    assert set(contents()) == {"beta-1.png", "beta-100.png"}
    assert contents() == contents("whole-pictures")
    assert [v.note for v in made.pictures] == [v.note for v in whole.pictures]


# What is told


def test_progress_is_that_of_all_pictures_by_their_pixels() -> None:
    events: list[Event] = []
    small(beta=1, size=[32, 64], levels=1, steps=[2, 4], show=events.append)
    shares = [event.done for event in events if isinstance(event, Stage)]
    # Photos are 4:3; steps of 64 px cost four times those of 32 px.
    costs = [1.0] * 2 + [4.0] * 2 + [1.0] * 4 + [4.0] * 4
    assert shares == pytest.approx([*np.cumsum(costs) / sum(costs), 1.0])
    assert not any(isinstance(event, Step) for event in events)
    names = [event.name for event in events if isinstance(event, Stage)]
    assert names[0] == "1 of 4, size 32, steps 2"
    assert names[-1] == "drawing the sheet"
    assert sum(isinstance(event, Notice) for event in events) == 4


def test_json_tells_of_every_picture(impasto: Impasto) -> None:
    options = ("--size", "32", "--steps", "2", "--style-scale", "0.5,1", "--style", "wave.png")
    arguments = ("sweep", "photo.jpg", "--style", "starry.png", *options, "-o", "sheet.png")
    status, out, err = impasto(*arguments, "--json", "--html", "sheet.html", "-q")
    assert (status, err) == (0, "")
    facts = json.loads(out)
    assert (facts["output"], facts["html"]) == ("sheet.png", "sheet.html")
    assert [cell["values"] for cell in facts["pictures"]] == [
        {"style_scale": 0.5, "style": "starry"},
        {"style_scale": 1.0, "style": "starry"},
        {"style_scale": 0.5, "style": "wave"},
        {"style_scale": 1.0, "style": "wave"},
    ]
    for cell in facts["pictures"]:
        recipe = json.loads(impasto("recipe", cell["file"])[1])
        assert cell["losses"] == recipe["losses"]
        assert cell["complete"]
        assert cell["content"] == pytest.approx(cell["losses"]["content"])


def test_errors_are_sentences_with_their_status(impasto: Impasto) -> None:
    options = ("--style", "starry.png", "-o", "sheet.png")
    axes = ("--beta", "1,2", "--alpha", "1,2", "--steps", "1,2")
    status, _, err = impasto("sweep", "photo.jpg", *options, *axes)
    assert (status, err.count("\n")) == (2, 1)
    assert "a sheet has two axes" in err
    assert impasto("sweep", "none.jpg", *options)[0] == 3
    assert impasto("sweep", "photo.jpg", *options, "--pooling", "max,min")[2] == (
        "impasto: pooling must be 'max' or 'average', not min\n"
    )


# The sheet


def laid_out(styles: tuple[str, ...] = ("starry",), **settings: Any) -> Sheet:
    """The sheet of a sweep whose pictures are the photo itself."""
    field = field_of(styles, ["default"], settings)
    recipe = small(output="one.png", beta=1, force=True).pictures[0].recipe
    photo, pictures = read("photo.jpg"), [read("starry.png") for _ in styles]
    variants = {point.stem: Variant(point, Path("photo.jpg"), recipe) for point in field}
    return sheet_of(photo, pictures, field, variants)


def test_two_axes_have_heads_and_what_they_came_from_beside() -> None:
    sheet = laid_out(beta=[1, 10, 100], alpha=[1, 2], size=[64])
    assert (sheet.title, sheet.subtitle) == ("photo after starry", "size 64")
    assert sheet.column_heads == ["beta 1", "beta 10", "beta 100"]
    assert sheet.row_heads == ["alpha 1", "alpha 2"]
    assert [cell.note for cell in sheet.beside] == ["photo", "style"]
    assert all(cell is not None and cell.note.startswith("content ") for cell in sheet.rows[0])


def test_a_long_axis_is_laid_out_in_rows() -> None:
    sheet = laid_out(seed=list(range(8)))
    assert [len(row) for row in sheet.rows] == [4, 4]
    assert not sheet.column_heads
    titles = [cell.title for row in sheet.rows for cell in row if cell is not None]
    assert titles == [f"seed {number}" for number in range(8)]
    assert [len(row) for row in laid_out(seed=[1, 2, 3, 4, 5]).rows] == [5]
    assert [len(row) for row in laid_out().rows] == [1]


def test_styles_are_shown_where_they_act() -> None:
    across = laid_out(("a", "b", "c"), beta=[1, 2])
    assert across.title == "photo after 3 styles"
    assert across.column_heads == ["a", "b", "c"]
    assert across.row_heads == ["style", "beta 1", "beta 2"]
    down = laid_out(("a", "b"), beta=[1, 2, 3])
    assert down.column_heads == ["style", "beta 1", "beta 2", "beta 3"]
    assert down.row_heads == ["a", "b"]
    alone = laid_out(("a", "b"))
    assert (alone.column_heads, alone.row_heads) == (["a", "b"], ["style", "painting"])
    style = resize(read("starry.png").rgb, LEAST * 3 // 4, LEAST * 3 // 4)
    for cell in (*across.rows[0], down.rows[1][0], alone.rows[0][1]):
        assert cell is not None
        assert np.array_equal(cell.picture, style)  # as high as the paintings of 4:3
    assert all(len(sheet.beside) == 1 for sheet in (across, down, alone))


@pytest.mark.parametrize("paper", Paper)
def test_sheets_have_a_size_that_viewers_open(paper: Paper) -> None:
    page = drawn(laid_out(seed=list(range(30)), beta=[1, 2]), paper)
    assert page.shape[1] < 2 * LONG
    assert page.shape[1] > 30 * LEAST


def test_hidden_parts_are_grey(impasto: Impasto) -> None:
    hidden = Image.open("photo.jpg").convert("RGBA")
    hidden.putalpha(0)
    hidden.save("hidden.png")
    made = sweep("hidden.png", "starry.png", output="sheet.png", **QUICK)
    with Image.open(made.pictures[0].file) as image:
        assert not np.asarray(image)[:, :, 3].any()
    with Image.open("sheet.png") as image:
        pixels = np.asarray(image.convert("RGB"))
    grey = (np.abs(pixels.astype(int) - 128) <= 1).all(axis=2).sum()
    assert grey == 2 * LEAST * LEAST * 3 // 4  # the photo and the painting

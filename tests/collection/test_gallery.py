"""The gallery in a real browser: what it shows, how it is used, and that it asks nobody."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from impasto.artwork import recipe_for
from impasto.collection.entry import Entry, State
from impasto.collection.gallery import DATA, PAGE, Gallery
from impasto.collection.gallery_data import gallery_data
from impasto.collection.task import Material, Task
from impasto.collection.thumbnail import input_thumbnail, thumbnail, thumbnail_of
from impasto.errors import UsageError
from impasto.recipe import USUAL_WEIGHTS, Input, StyleInput
from impasto.settings import OutputSettings, PaintSettings

Open = Callable[..., Page]

PHOTOS, STYLES = 63, 40
SIZE = 96, 64
EVIL = "</script><script>throw 1</script>\"'><img src=x onerror=throw&amp; 神奈川 \u202eשלום"
SETTINGS, OUTPUT = PaintSettings(size=96), OutputSettings()


def material(kind: str, number: int) -> Material:
    return Material(f"{kind}/{kind}_{number}.jpg", f"{kind[0]}{number:063x}")


def entry(photo: int, style: int) -> Entry:
    """An artwork whose style loss grows with its style, and its time with its photo."""
    own, after = material("photo", photo), material("style", style)
    task = Task(f"photo_{photo}--style_{style}.png", own, ((after, 100.0),), None, SETTINGS, OUTPUT)
    recipe = recipe_for(
        Input(path=own.path, sha256=own.sha256),
        (StyleInput(path=after.path, sha256=after.sha256, beta=100),),
        None,
        Input(path=USUAL_WEIGHTS, sha256="0"),
        SETTINGS,
        OUTPUT,
    )
    losses = {"content": 1.0, "style/relu1_1": float(style), "total": 1.0 + style}
    return Entry(
        task,
        State.DONE,
        size=SIZE,
        seconds=1.0 + photo,
        file_size=9000,
        recipe=recipe.model_copy(update={"losses": losses}),
        version=f"{photo:04x}{style:04x}",
    )


def provide(folder: Path, entries: list[Entry]) -> None:
    """Pictures and thumbnails of those that are done, all alike but for their brightness."""
    made = [thumbnail(np.full((SIZE[1], SIZE[0], 3), level / 8, np.float32)) for level in range(8)]
    for path in ("thumbnails", "thumbnails/inputs"):
        (folder / path).mkdir(exist_ok=True)
    for number, each in enumerate(entries):
        for material in each.task.materials():
            (folder / input_thumbnail(material)).write_bytes(made[4])
        if each.state is State.DONE:
            (folder / thumbnail_of(each.task.name)).write_bytes(made[number % 8])
            (folder / each.task.name).write_bytes(made[number % 8])


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 photos × 4 styles: one failed, one is to come."""
    folder = tmp_path_factory.mktemp("small")
    entries = [entry(photo, style) for photo in range(3) for style in range(4)]
    entries[5] = replace(
        entries[5], state=State.FAILED, reason="cannot read photo_1.jpg", recipe=None
    )
    entries[7] = Entry(entries[7].task)
    provide(folder, entries)
    Gallery(folder).write(entries)
    return folder


@pytest.fixture
def faults() -> list[str]:
    return []


@pytest.fixture
def opened(browser: Browser, faults: list[str]) -> Iterator[Open]:
    """A folder's gallery, from the disk."""
    contexts = []

    def show(folder: Path, width: int = 1200, height: int = 800, hash_: str = "") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: faults.append(message.text))
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.on("request", lambda asked: faults.append(asked.url) if _is_far(asked.url) else None)
        shown.goto((folder / PAGE).as_uri() + hash_)
        return shown

    yield show
    for context in contexts:
        context.close()
    assert not faults


def _is_far(url: str) -> bool:
    return not url.startswith(("file:", "data:"))


def at(shown: Page) -> str:
    """The address of the cell that has the focus."""
    found = shown.evaluate("document.activeElement.getAttribute('href')")
    return str(found).removeprefix("#").removesuffix(".png")


def test_2520_artworks_are_there_and_nothing_is_fetched(opened: Open, tmp_path: Path) -> None:
    entries = [entry(photo, style) for photo in range(PHOTOS) for style in range(STYLES)]
    provide(tmp_path, entries)
    Gallery(tmp_path).write(entries)
    assert (tmp_path / DATA).stat().st_size < 2_000_000
    shown = opened(tmp_path)
    assert shown.locator(".cell").count() == PHOTOS * STYLES
    assert "63 photos × 40 styles · 2,520 painted" in shown.inner_text("#summary")
    loaded = "[...document.querySelectorAll('.cell img')].filter((i) => i.complete).length"
    assert shown.evaluate(loaded) < PHOTOS * STYLES  # those far away are loaded when they come near


def test_words_choose_and_losses_sort(opened: Open, small: Path) -> None:
    shown = opened(small)
    assert shown.locator("[role=columnheader]").all_inner_texts()[1:] == [
        f"style_{number}" for number in range(4)
    ]
    shown.keyboard.press("/")
    shown.keyboard.type("photo_2 style_1")
    assert shown.locator(".cell").count() == 1
    assert "1 shown" in shown.inner_text("#summary")
    shown.keyboard.press("Escape")
    assert shown.locator(".cell").count() == 12
    shown.locator("#filter").fill("failed")
    assert shown.locator(".cell").count() == 1
    shown.locator("#filter").fill("painted")
    assert shown.locator(".cell").count() == 10
    shown.locator("#filter").fill("nowhere")
    assert "Nothing here" in shown.inner_text("#wall")
    shown.locator("#filter").fill("")
    shown.select_option("#sort", "style")
    shown.click("#reverse")
    heads = shown.locator("[role=columnheader]").all_inner_texts()[1:]
    assert heads == [f"style_{number}" for number in (3, 2, 1, 0)]


def test_keys_move_in_four_directions_there_and_at_full_size(opened: Open, small: Path) -> None:
    shown = opened(small)
    shown.locator(".cell").first.focus()
    for key, place in [
        ("ArrowRight", "photo_0--style_1"),
        ("ArrowDown", "photo_1--style_1"),
        ("End", "photo_1--style_3"),
        ("ArrowUp", "photo_0--style_3"),
        ("ArrowRight", "photo_0--style_3"),
        ("Home", "photo_0--style_0"),
    ]:
        shown.keyboard.press(key)
        assert at(shown) == place
    shown.keyboard.press("Enter")
    expect(shown.locator("#viewer")).to_have_attribute("open", "")
    shown.keyboard.press("ArrowDown")
    assert shown.inner_text("#name") == "photo_1 × style_0"
    expect(shown.locator("#full")).to_be_visible()
    assert shown.evaluate("document.querySelector('#full').naturalWidth") == SIZE[0]
    shown.keyboard.press("ArrowRight")
    assert "cannot read photo_1.jpg" in shown.inner_text("#fault")
    shown.keyboard.press("End")
    assert "Not painted yet" in shown.inner_text("#fault")
    shown.keyboard.press("Escape")
    expect(shown.locator("#viewer")).not_to_be_visible()
    expect(shown.locator(".cell:focus")).to_have_attribute("href", "#photo_1--style_3.png")


def test_a_link_opens_its_artwork_with_recipe_and_command(opened: Open, small: Path) -> None:
    shown = opened(small, hash_="#photo_2--style_1.png")
    assert shown.inner_text("#name") == "photo_2 × style_1"
    assert shown.locator("#command").text_content() == (
        "impasto paint photo/photo_2.jpg --style style/style_1.jpg=100 --size 96 "
        "-o photo_2--style_1.png"
    )
    told = shown.evaluate("JSON.parse(document.querySelector('#recipe').textContent)")
    wanted = entry(2, 1).recipe
    assert wanted is not None
    assert told == wanted.model_dump(mode="json")
    shown.keyboard.press("b")
    assert shown.locator("#beside").is_visible()
    shown.click("[data-copy=command]")
    expect(shown.locator("#copied")).to_have_text(re.compile(r"^(Copied|Selected: copy it)"))


def test_each_artwork_has_the_weights_that_it_was_painted_with(tmp_path: Path) -> None:
    usual, other, waiting = entry(0, 0), entry(0, 1), Entry(entry(0, 2).task, weights="other.pth")
    assert other.recipe is not None
    weights = Input(path="other.pth", sha256="1")
    recipe = other.recipe.model_copy(update={"weights": weights})
    data = gallery_data(
        [usual, replace(other, recipe=recipe, weights="other.pth"), waiting], "", tmp_path
    )
    commands = [data["options"][each["options"]] for each in data["entries"]]
    named = ("--weights", "other.pth", "--size", "96")
    assert commands == [("--size", "96"), named, named]
    assert [each["note"] for each in data["entries"]] == [
        f"weights {USUAL_WEIGHTS}",
        "weights other.pth",
        "weights other.pth",
    ]


def test_actual_pixels_and_the_whole(opened: Open, small: Path) -> None:
    shown = opened(small, hash_="#photo_0--style_0.png")
    wide = "document.querySelector('#canvas').offsetWidth"
    shown.keyboard.press("1")
    assert shown.evaluate(wide) == 96
    shown.keyboard.press("+")
    assert shown.evaluate(wide) == 192
    shown.keyboard.press("0")
    assert shown.evaluate(wide) == 192  # small pictures are enlarged to twice their size
    for _ in range(3):
        shown.keyboard.press("+")
    assert shown.evaluate(wide) == 768
    shown.set_viewport_size({"width": 900, "height": 400})
    place = "[stage.scrollLeft, stage.scrollTop]"
    before = shown.evaluate(place)
    shown.keyboard.press("Shift+ArrowRight")
    shown.keyboard.press("Shift+ArrowDown")
    after = shown.evaluate(place)
    assert after[0] > before[0]
    assert after[1] > before[1]
    shown.locator("[data-copy=command]").focus()
    shown.keyboard.press("ArrowDown")
    assert shown.inner_text("#name") == "photo_0 × style_0"


def test_names_are_text_whatever_they_hold(opened: Open, tmp_path: Path) -> None:
    found = entry(0, 0)
    own = Material(f"{EVIL}.jpg", "0" * 64)
    entries = [replace(found, task=replace(found.task, photo=own))]
    provide(tmp_path, entries)
    Gallery(tmp_path).write(entries, title=EVIL)
    shown = opened(tmp_path)
    assert shown.locator("h1").inner_text().startswith("</script><script>throw 1</script>")
    assert shown.locator(".cell").count() == 1


def test_what_is_painted_meanwhile_appears(opened: Open, tmp_path: Path) -> None:
    done = [entry(0, style) for style in range(3)]
    waiting = [done[0], *(Entry(each.task) for each in done[1:])]
    provide(tmp_path, waiting)
    Gallery(tmp_path).write(waiting)
    shown = opened(tmp_path)
    assert shown.locator(".cell.done").count() == 1
    provide(tmp_path, done)
    Gallery(tmp_path).write(done)
    expect(shown.locator(".cell.done")).to_have_count(3, timeout=30_000)


def test_a_run_that_begins_later_appears_in_an_open_page(opened: Open, tmp_path: Path) -> None:
    done = [entry(0, style) for style in range(2)]
    provide(tmp_path, done)
    Gallery(tmp_path).write(done)
    shown = opened(tmp_path)
    assert shown.locator(".cell").count() == 2
    Gallery(tmp_path).write([*done, Entry(entry(0, 2).task)])
    shown.evaluate("looked -= 30_000; refreshInTime()")
    expect(shown.locator(".cell")).to_have_count(3)
    Gallery(tmp_path).write(done)
    shown.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(shown.locator(".cell")).to_have_count(2)


def test_an_open_picture_goes_on_when_it_is_painted_or_left_out(
    opened: Open, tmp_path: Path
) -> None:
    done = [entry(0, style) for style in range(3)]
    waiting = [done[0], *(Entry(each.task) for each in done[1:])]
    provide(tmp_path, waiting)
    Gallery(tmp_path).write(waiting)
    shown = opened(tmp_path, hash_="#photo_0--style_1.png")
    assert "Not painted yet" in shown.inner_text("#fault")
    provide(tmp_path, [*done[:2], waiting[2]])
    Gallery(tmp_path).write([*done[:2], waiting[2]])
    shown.evaluate("refresh()")
    expect(shown.locator("#full")).to_be_visible()
    assert not shown.locator("#fault").is_visible()
    for key, style in [("ArrowLeft", 0), ("End", 2), ("ArrowLeft", 1)]:
        shown.keyboard.press(key)
        assert shown.inner_text("#name") == f"photo_0 × style_{style}"
    shown.keyboard.press("Escape")
    expect(shown.locator(".cell:focus")).to_have_attribute("href", "#photo_0--style_1.png")
    shown.fill("#filter", "style_0")
    for key in ("Home", "ArrowRight"):  # from a picture that the filter hides, to one that it shows
        shown.evaluate("location.hash = '#photo_0--style_1.png'")
        expect(shown.locator("#name")).to_have_text("photo_0 × style_1")
        shown.keyboard.press(key)
        assert shown.inner_text("#name") == "photo_0 × style_0"


def test_an_open_picture_says_why_it_is_not_there_as_it_is_now(
    opened: Open, tmp_path: Path
) -> None:
    failed = replace(entry(0, 0), state=State.FAILED, reason="no memory", recipe=None)
    waiting = Entry(entry(0, 1).task)
    provide(tmp_path, [failed, waiting])
    Gallery(tmp_path).write([failed, waiting])
    shown = opened(tmp_path, hash_="#photo_0--style_0.png")
    assert shown.inner_text("#fault") == "no memory"
    Gallery(tmp_path).write([replace(failed, reason="no such file"), waiting])
    shown.evaluate("refresh()")
    expect(shown.locator("#fault")).to_have_text("no such file")
    shown.keyboard.press("ArrowRight")
    Gallery(tmp_path).write([failed, replace(waiting, weights="other.pth")])
    shown.evaluate("refresh()")
    expect(shown.locator("#facts")).to_contain_text("weights other.pth")


def test_a_thumbnail_that_is_gone_leaves_an_empty_cell(
    opened: Open, faults: list[str], tmp_path: Path
) -> None:
    entries = [entry(0, 0), Entry(entry(0, 1).task)]
    provide(tmp_path, entries)
    Gallery(tmp_path).write(entries)
    (tmp_path / thumbnail_of(entries[0].task.name)).unlink()
    shown = opened(tmp_path)
    expect(shown.locator(".cell img")).to_have_count(0)
    assert len(faults) == 1  # the browser says that it found no file
    faults.clear()
    colours = "[...document.querySelectorAll('.cell')].map((c) => getComputedStyle(c).background)"
    done, to_come = shown.evaluate(colours)
    assert done == to_come


def test_what_is_painted_anew_is_shown_anew(opened: Open, tmp_path: Path) -> None:
    entries = [entry(0, 0), Entry(entry(0, 1).task)]
    shades = {"black": 0.0, "white": 1.0}

    def painted(shade: str) -> None:
        data = thumbnail(np.full((SIZE[1], SIZE[0], 3), shades[shade], np.float32))
        for path in (entries[0].task.name, thumbnail_of(entries[0].task.name)):
            (tmp_path / path).write_bytes(data)
        Gallery(tmp_path).write([replace(entries[0], version=shade), entries[1]])

    def brightness(selector: str) -> float:
        data = shown.locator(selector).first.screenshot()
        return float(np.asarray(Image.open(io.BytesIO(data)).convert("L"))[20:-20, 20:-20].mean())

    provide(tmp_path, entries)
    painted("black")
    shown = opened(tmp_path)
    assert brightness(".cell") == 0
    painted("white")
    shown.evaluate("refresh()")
    expect(shown.locator(".cell img")).to_have_attribute("src", re.compile(r"\?white$"))
    expect(shown.locator(".cell img")).to_have_js_property("complete", value=True)
    assert brightness(".cell") == 255
    shown.locator(".cell").first.click()
    painted("black")
    shown.evaluate("refresh()")
    expect(shown.locator("#full")).to_have_attribute("src", re.compile(r"\?black$"))
    expect(shown.locator("#full")).to_be_visible()
    assert brightness("#canvas") == 0


def test_what_differs_by_settings_can_be_told_apart(opened: Open, tmp_path: Path) -> None:
    entries = []
    for alpha in (1, 5):
        found = entry(0, 0)
        settings = SETTINGS.updated({"alpha": alpha})
        task = replace(found.task, name=f"alpha-{alpha}.png", settings=settings)
        entries.append(replace(found, task=task))
    provide(tmp_path, entries)
    Gallery(tmp_path).write(entries)
    shown = opened(tmp_path, width=400)
    notes = shown.locator("[role=columnheader] .note")
    assert notes.all_inner_texts() == ["alpha 1", "alpha 5"]
    for note in notes.all():
        assert note.evaluate("(note) => note.scrollWidth <= note.clientWidth")
    shown.get_by_text("List").click()
    texts = shown.locator("#list li").all_inner_texts()
    assert [text.split("\n") for text in texts] == [
        ["photo_0 × style_0", f"alpha {alpha} · loss 1 · 1 s"] for alpha in (1, 5)
    ]


def test_it_fits_a_telephone(opened: Open, small: Path) -> None:
    shown = opened(small, width=400, height=800)
    assert shown.evaluate("document.documentElement.scrollWidth") <= 400
    shown.locator(".cell").first.click()
    shown.click("#more")
    for selector in ("#close", "#canvas", "#command"):
        shown.locator(selector).scroll_into_view_if_needed()
        box = shown.locator(selector).bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= 400
        assert 0 <= box["y"] < box["y"] + box["height"] <= 800
    shown.click("#close")
    expect(shown.locator("#viewer")).not_to_be_visible()


def test_somebody_else_s_page_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / PAGE).write_text("<html>mine</html>")
    with pytest.raises(UsageError, match="is no gallery of Impasto's and would be lost"):
        Gallery(tmp_path).check()

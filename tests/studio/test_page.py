"""The page in a real browser: what it shows, how it is used, that it asks nobody for anything."""

import io
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from impasto.image.samples import photo
from impasto.studio.page import page
from impasto.studio.sheet import RGB, Cell, Sheet, grid
from impasto.studio.theme import THEMES, Paper

Open = Callable[..., Page]

RED, GREEN, BLUE, GREY = (230, 20, 30), (20, 160, 60), (30, 40, 220), (128, 128, 128)
EVIL = "</script><script>throw 1</script>\"'><img src=x onerror=throw&amp; 神奈川 \u202eשלום.jpg"


def flat(colour: tuple[int, int, int], width: int = 240, height: int = 160) -> RGB:
    return np.tile(np.array(colour, np.float32) / np.float32(255), (height, width, 1))


SHEET = Sheet(
    rows=[[Cell(flat(RED), note="content 1 · style 2"), Cell(flat(GREEN))]],
    title="A sheet",
    subtitle="size 240",
    column_heads=["beta 1", "beta 10"],
    row_heads=["alpha 1"],
    beside=[Cell(flat(BLUE), "coffee", "photo"), Cell(flat(GREY, 160, 160), "wave", "style")],
)
RED_CELL, GREEN_CELL = 2, 3
"""Behind the two that stand beside them."""


@pytest.fixture
def faults() -> list[str]:
    """What pages complained about, and whom they asked for something."""
    return []


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, faults: list[str]) -> Iterator[Open]:
    """A sheet's page, from the disk."""
    contexts = []

    def show(sheet: Sheet = SHEET, width: int = 1200, height: int = 800, **options: object) -> Page:
        file = tmp_path / "sheet.html"
        file.write_text(page(sheet), "utf-8")
        viewport = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, **options)  # type: ignore[arg-type]
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: faults.append(message.text))
        shown.on("pageerror", lambda error: faults.append(str(error)))
        shown.on("dialog", lambda dialog: faults.append(dialog.message))
        shown.on("request", lambda request: faults.append(request.url))
        shown.goto(file.as_uri())
        assert faults.pop(0) == file.as_uri()
        faults[:] = [fault for fault in faults if not fault.startswith("data:")]
        return shown

    yield show
    for context in contexts:
        context.close()


def pixels(shown: Page, selector: str = "#stage") -> NDArray[np.uint8]:
    """What is there on the screen, (H, W, 3)."""
    shot = shown.locator(selector).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB"))


def is_colour(found: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where it is that colour, as far as WebP keeps it."""
    return np.asarray((np.abs(found.astype(int) - colour) <= 8).all(axis=-1))


def compare(shown: Page, cell: int) -> None:
    shown.locator("button.cell").nth(cell).click()


# What it is


def test_nothing_is_loaded_and_nothing_complains(opened: Open, faults: list[str]) -> None:
    shown = opened()
    compare(shown, RED_CELL)
    for key in ("ArrowRight", "End", "Home", "PageUp", "Escape"):
        shown.keyboard.press(key)
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def test_its_policy_forbids_to_load_anything(opened: Open) -> None:
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            shown = opened(SHEET)
            blocked = shown.evaluate(
                """async (address) => {
                    const image = new Image();
                    const failed = new Promise((done) => (image.onerror = () => done(true)));
                    image.src = address + "/image";
                    const fetched = await fetch(address + "/fetch").then(() => false, () => true);
                    const script = document.createElement("script");
                    script.textContent = "window.ran = true";
                    document.body.append(script);
                    return [await failed, fetched, window.ran === undefined];
                }""",
                address,
            )
        finally:
            server.shutdown()
            thread.join()
    assert blocked == [True, True, True]
    assert asked == []


def test_names_are_text_whatever_they_hold(opened: Open, faults: list[str]) -> None:
    cells = [[Cell(flat(RED), EVIL, EVIL)]]
    shown = opened(Sheet(cells, EVIL, EVIL, [EVIL], [EVIL], [Cell(flat(BLUE), EVIL, EVIL)]))
    compare(shown, 1)
    assert faults == []
    assert shown.title() == EVIL
    assert shown.locator("h1").inner_text() == EVIL
    assert shown.locator("th").all_inner_texts() == [EVIL, EVIL]
    assert shown.locator("#left option").first.inner_text() == f"{EVIL}, {EVIL}"
    assert shown.locator("script").count() == 1
    assert shown.locator("img[src=x]").count() == 0


def test_the_table_has_the_heads_of_the_sheet(opened: Open) -> None:
    shown = opened()
    assert shown.locator("th[scope=col]").all_inner_texts() == ["beta 1", "beta 10"]
    assert shown.locator("th[scope=row]").all_inner_texts() == ["alpha 1"]
    names = ["coffee, photo", "wave, style", "beta 1, alpha 1", "beta 10, alpha 1"]
    assert [cell.get_attribute("alt") for cell in shown.locator(".cell img").all()] == names
    button = shown.get_by_role("button", name="beta 1, alpha 1 content 1 · style 2")
    assert button.count() == 1


def test_gaps_stay_gaps_and_titles_name_cells_without_heads(opened: Open) -> None:
    cells = [Cell(flat(RED), f"seed {number}") for number in range(3)]
    shown = opened(Sheet(grid(cells, 2)))
    assert shown.locator("td").count() == 4
    names = [image.get_attribute("alt") for image in shown.locator(".cell img").all()]
    assert names == ["seed 0", "seed 1", "seed 2"]


def test_pictures_are_those_of_the_sheet(opened: Open) -> None:
    rgb = photo("coffee")[:160, :240].astype(np.float32) / np.float32(255)
    shown = opened(Sheet([[Cell(rgb)]], beside=[Cell(flat(BLUE), "coffee", "photo")]))
    compare(shown, 1)
    found = pixels(shown)
    assert found.shape == rgb.shape  # pixel for pixel
    assert np.abs(found[:, 4:] / 255 - rgb[:, 4:]).mean() < 0.02


@pytest.mark.parametrize(("scheme", "paper"), [("light", Paper.LIGHT), ("dark", Paper.DARK)])
def test_it_is_light_or_dark_as_the_reader_likes(opened: Open, scheme: str, paper: Paper) -> None:
    shown = opened(color_scheme=scheme)
    colours = "getComputedStyle(document.body)"
    theme = THEMES[paper]
    for place, colour in (("backgroundColor", theme.paper), ("color", theme.ink)):
        assert shown.evaluate(f"{colours}.{place}") == f"rgb{colour}"
    compare(shown, RED_CELL)
    background = shown.evaluate("getComputedStyle(viewer).backgroundColor")
    assert background == f"rgb{theme.paper}"


def test_pictures_have_their_sizes_beside_each_other(opened: Open) -> None:
    """A portrait as high as the others takes less width, here as on the sheet."""
    cells = [[Cell(flat(RED, 1200, 800)), Cell(flat(GREEN, 600, 800))]]
    shown = opened(Sheet(cells, column_heads=["a name that goes on", "b"]))
    first, second = (image.bounding_box() for image in shown.locator(".cell img").all())
    assert first is not None
    assert second is not None
    assert first["width"] / first["height"] == pytest.approx(1.5, rel=0.01)
    assert second["width"] / second["height"] == pytest.approx(0.75, rel=0.01)
    assert second["height"] == pytest.approx(first["height"], abs=1)


# How it is used


def test_the_slider_wipes_between_two_pictures(opened: Open) -> None:
    shown = opened()
    compare(shown, RED_CELL)
    assert is_colour(pixels(shown)[:, 4:], RED).all()
    shown.locator("#wipe").fill("25")
    found = pixels(shown)
    edge = round(0.25 * found.shape[1])
    assert is_colour(found[:, : edge - 3], BLUE).all()
    assert is_colour(found[:, edge + 3 :], RED).all()
    assert shown.locator("#wipe").get_attribute("aria-valuetext") == "25 % coffee, photo"
    assert shown.locator("#shown").inner_text() == "coffee, photo | beta 1, alpha 1"
    shown.locator("#wipe").fill("100")
    assert is_colour(pixels(shown)[:, :-4], BLUE).all()


def test_any_two_pictures_can_be_compared(opened: Open) -> None:
    shown = opened()
    compare(shown, GREEN_CELL)
    shown.locator("#left").select_option(label="beta 1, alpha 1")
    shown.locator("#wipe").fill("50")
    found = pixels(shown)
    middle = found.shape[1] // 2
    assert is_colour(found[:, : middle - 3], RED).all()
    assert is_colour(found[:, middle + 3 :], GREEN).all()
    shown.get_by_role("button", name="Swap left and right").click()
    found = pixels(shown)
    assert is_colour(found[:, : middle - 3], GREEN).all()
    assert is_colour(found[:, middle + 3 :], RED).all()
    shown.locator("#right").select_option(label="wave, style")
    found = pixels(shown)
    assert found.shape[:2] == (160, 160)
    assert is_colour(found[:, 83:], GREY).all()


def test_the_keyboard_is_enough(opened: Open) -> None:
    shown = opened()
    for _ in range(RED_CELL + 1):
        shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    wipe = shown.locator("#wipe")
    assert wipe.evaluate("slider => document.activeElement === slider")
    places = []
    for key in ("ArrowRight", "ArrowUp", "PageUp", "ArrowLeft", "End", "PageDown", "Home"):
        shown.keyboard.press(key)
        places.append(float(wipe.input_value()))
    assert places == [1, 2, 12, 11, 100, 90, 0]
    shown.keyboard.press("Tab")  # around to the first control
    shown.keyboard.press("Tab") if shown.evaluate("document.activeElement.id") != "left" else None
    assert shown.evaluate("document.activeElement.id") == "left"
    shown.keyboard.press("ArrowDown")
    assert shown.locator("#left").evaluate("list => list.selectedOptions[0].text") == "wave, style"
    shown.keyboard.press("Escape")
    assert not shown.locator("#viewer").is_visible()
    focused = shown.evaluate("document.activeElement.querySelector('img').alt")
    assert focused == "beta 1, alpha 1"


def test_focus_is_seen(opened: Open) -> None:
    shown = opened()
    shown.keyboard.press("Tab")
    assert shown.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"


def test_the_mouse_drags_the_edge(opened: Open) -> None:
    shown = opened()
    compare(shown, RED_CELL)
    box = shown.locator("#stage").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    shown.mouse.move(box["x"] + 0.1 * box["width"], middle)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 0.75 * box["width"], middle)
    shown.mouse.up()
    shown.mouse.move(box["x"] + 0.2 * box["width"], middle)  # no longer
    assert float(shown.locator("#wipe").input_value()) == pytest.approx(75, abs=0.5)
    assert is_colour(pixels(shown)[:, : int(0.73 * box["width"])], BLUE).all()


def test_a_finger_is_enough(opened: Open) -> None:
    shown = opened(width=390, height=800, has_touch=True, is_mobile=True)
    shown.locator("button.cell").nth(RED_CELL).tap()
    box = shown.locator("#stage").bounding_box()
    assert box is not None
    shown.touchscreen.tap(box["x"] + 0.3 * box["width"], box["y"] + 5)
    assert float(shown.locator("#wipe").input_value()) == pytest.approx(30, abs=0.5)
    # Fingers need 44 px.
    for control in shown.locator("dialog button, dialog select, #wipe, label.tick").all():
        size = control.bounding_box()
        assert size is not None
        assert size["height"] >= 44
    shown.get_by_role("button", name="Close").tap()
    assert not shown.locator("#viewer").is_visible()


@pytest.mark.parametrize("columns", [1, 4, 16])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_any_screen(opened: Open, columns: int, width: int) -> None:
    cells = [[Cell(flat(RED, 120, 80), note="content 0.1234 · style 0.5678")] * columns] * 2
    heads = ["style-scale 0.25"] * columns, ["a name that is long and goes on and on.jpg", "b"]
    shown = opened(Sheet(cells, "t" * 80, "", *heads, [Cell(flat(BLUE), "n" * 70, "photo")]), width)
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    if width < 600 or columns < 8:  # else the page itself is scrolled
        assert shown.evaluate(overflow) <= 0
    compare(shown, 1)
    assert shown.evaluate("viewer.scrollWidth <= viewer.clientWidth")
    assert shown.evaluate("viewer.scrollHeight <= viewer.clientHeight")


def test_large_pictures_fill_the_window_until_actual_pixels_are_wanted(opened: Open) -> None:
    sheet = Sheet([[Cell(flat(RED, 2400, 1600))]], beside=[Cell(flat(BLUE, 2400, 1600), "photo")])
    shown = opened(sheet)
    compare(shown, 1)
    box = shown.locator("#stage").bounding_box()
    view = shown.locator("#view").bounding_box()
    assert box is not None
    assert view is not None
    assert box["width"] / box["height"] == pytest.approx(1.5, rel=0.01)
    assert box["height"] == pytest.approx(view["height"], abs=1)
    shown.get_by_label("Actual pixels").check()
    assert shown.evaluate("[stage.clientWidth, stage.clientHeight]") == [2400, 1600]
    assert shown.evaluate("[view.scrollLeft, view.scrollTop]") == [0, 0]
    shown.evaluate("view.scrollTo(9999, 9999)")
    assert shown.evaluate("view.scrollLeft + view.clientWidth") == 2400
    # A small one is enlarged.
    shown = opened()
    compare(shown, RED_CELL)
    assert shown.evaluate("[stage.clientWidth, stage.clientHeight]") == [240, 160]
    shown.get_by_label("Actual pixels").uncheck()
    assert shown.evaluate("stage.clientWidth") > 800

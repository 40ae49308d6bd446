"""How long a gallery of 2,520 artworks takes to load in Chromium: `python -m benchmarks.gallery`.

From the disk, with the thumbnails of `tests/collection/test_gallery.py`: until the page has run its
script, until the pictures in sight are decoded, and what a filter and a sort take after that.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright
from tests.collection.test_gallery import PHOTOS, STYLES, entry, provide
from tests.conftest import CHROMIUM

from benchmarks import machine
from impasto.collection.gallery import DATA, PAGE, Gallery

IN_SIGHT = """async () => {
    const near = [...document.querySelectorAll(".cell img")].filter((image) => {
        const box = image.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
    });
    await Promise.all(near.map((image) => image.decode()));
    return near.length;
}"""

TIMED = """async ([id, value, event]) => {
    const began = performance.now();
    document.getElementById(id).value = value;
    document.getElementById(id).dispatchEvent(new Event(event, { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return performance.now() - began;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gallery", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    args = parser.parse_args()
    print(f"{machine.described()}; {machine.warning() or 'nothing else runs'}")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        entries = [entry(photo, style) for photo in range(PHOTOS) for style in range(STYLES)]
        provide(folder, entries)
        began = time.perf_counter()
        Gallery(folder).write(entries)
        print(
            f"{len(entries)} artworks: written in {time.perf_counter() - began:.2f} s, "
            f"{(folder / DATA).stat().st_size / 1e6:.2f} MB"
        )
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=[*CHROMIUM])
        runs = [measured(browser, folder) for _ in range(args.rounds)]
        browser.close()
    names = ("the page", "pictures in sight", "a filter", "a sort")
    for what, values in zip(names, zip(*runs, strict=True), strict=True):
        print(f"{what}: {median(values):.2f} s (median of {args.rounds})")


def measured(browser: Browser, folder: Path) -> tuple[float, float, float, float]:
    """Seconds from the beginning to the page and to its pictures, and of a filter and a sort."""
    context = browser.new_context(viewport={"width": 1600, "height": 1000})
    shown = context.new_page()
    began = time.perf_counter()
    shown.goto((folder / PAGE).as_uri())
    loaded = time.perf_counter() - began
    shown.evaluate(IN_SIGHT)
    seen = time.perf_counter() - began
    filtered = shown.evaluate(TIMED, ["filter", "photo_7", "input"]) / 1000
    shown.evaluate(TIMED, ["filter", "", "input"])
    ordered = shown.evaluate(TIMED, ["sort", "style", "change"]) / 1000
    context.close()
    return loaded, seen, filtered, ordered


if __name__ == "__main__":
    main()

"""The gallery of a collection: a page that opens from the disk and loads nothing from elsewhere.

`index.html` is the same for every collection. What it shows is in `gallery-data.js` beside it, a
script because pages from the disk may load scripts and pictures, but read no files.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from string import Template

from impasto.collection.entry import Entry, State
from impasto.collection.gallery_data import gallery_data
from impasto.errors import UsageError
from impasto.image.atomic import replacing, unwritable
from impasto.studio.theme import THEMES, Paper, hexadecimal

__all__ = ["Entry", "Gallery", "State"]

HERE = Path(__file__).parent

PAGE, DATA = "index.html", "gallery-data.js"

MARKS = {PAGE: '<meta name="generator" content="Impasto">', DATA: "globalThis.collection = {"}
"""What our own files hold."""

SCRIPTS = "gallery.js", "gallery_viewer.js"

COLOURS = {
    Paper.LIGHT: {"focus": "#2a6fdb", "wrong": "#a3321f", "tone": "#f0eeea"},
    Paper.DARK: {"focus": "#7db0ff", "wrong": "#f0937f", "tone": "#232325"},
}
"""Beside those of the paper."""


class Gallery:
    """The page in a collection's folder."""

    def __init__(self, folder: Path):
        self._folder = folder

    def check(self) -> None:
        """Raise UsageError where somebody else's file lies in the place of ours."""
        for name, mark in MARKS.items():
            path = self._folder / name
            if path.exists() and mark not in _beginning(path):
                raise UsageError(
                    f"{path} is no gallery of Impasto's and would be lost; move it, or choose "
                    "another folder"
                )

    def write(self, entries: Sequence[Entry], title: str = "") -> None:
        """Show these; both files are replaced whole. `title` is the folder's name by default.

        Raises UnwritableOutput.
        """
        data = gallery_data(entries, title or self._folder.resolve().name, self._folder)
        text = json.dumps(data, separators=(",", ":"), allow_nan=False)
        _write(self._folder / PAGE, page())
        _write(self._folder / DATA, f"globalThis.collection = {text};\n")


def page() -> str:
    """The page, HTML."""
    css = _css()
    script = "".join((HERE / name).read_text("utf-8") for name in SCRIPTS)
    return Template((HERE / "gallery.html").read_text("utf-8")).substitute(
        policy=_policy(css, script), generator=MARKS[PAGE], data=DATA, css=css, script=script
    )


def _css() -> str:
    """The style, with the colours of light and dark paper."""
    light, dark = (_colours(paper) for paper in (Paper.LIGHT, Paper.DARK))
    return (
        f":root {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        f"{(HERE / 'gallery.css').read_text('utf-8')}"
    )


def _colours(paper: Paper) -> str:
    theme = {name: getattr(THEMES[paper], name) for name in ("paper", "ink", "faint", "rule")}
    colours = {name: hexadecimal(colour) for name, colour in theme.items()} | COLOURS[paper]
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _policy(css: str, script: str) -> str:
    """What styles and runs is written in the page; only its folder's pictures and data are loaded.

    From the disk, `file:` is what browsers take for the page's own place; from a server, `'self'`.
    """
    style, code = (b64encode(sha256(text.encode()).digest()).decode() for text in (css, script))
    return (
        f"default-src 'none'; img-src 'self' file: data:; style-src 'sha256-{style}'; "
        f"script-src 'self' file: 'sha256-{code}'; base-uri 'none'; form-action 'none'"
    )


def _beginning(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(2000)
    except OSError as error:
        raise unwritable(path, error) from error


def _write(path: Path, text: str) -> None:
    """Write a file unless it holds that already."""
    content = text.encode()
    if path.is_file() and path.read_bytes() == content:
        return
    with replacing(path) as temporary:
        temporary.write_bytes(content)

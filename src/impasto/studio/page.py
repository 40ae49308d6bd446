"""A sheet as a page for the browser, in one file, on which any two pictures can be compared.

The page loads nothing, from the network or the disk, and its policy forbids it to; so it can be
opened from the disk, sent on, and read in years. Names are text on it, whatever they hold.
"""

import io
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from PIL import Image

from impasto.image.srgb import to_bits
from impasto.settings import OutputSettings
from impasto.studio.sheet import RGB, Cell, Sheet
from impasto.studio.theme import THEMES, Paper, hexadecimal
from impasto.studio.typeset import clean

FOLDER = Path(__file__).parent


def page(sheet: Sheet) -> str:
    """The page, HTML; pictures are WebP in it, at the sizes that they have on the sheet's cells.

    It begins with what stands beside the cells, which any picture opens compared with.
    """
    css, script = _css(sheet), (FOLDER / "page.js").read_text("utf-8")
    return Template((FOLDER / "page.html").read_text("utf-8")).substitute(
        policy=_policy(css, script),
        title=_text(sheet.title),
        subtitle=_text(sheet.subtitle),
        css=css,
        script=script,
        beside=_beside(sheet.beside),
        rows="\n".join(_rows(sheet)),
    )


def _css(sheet: Sheet) -> str:
    """The style, with the colours of light and dark paper, and room for as many columns."""
    light, dark = (_colours(paper) for paper in (Paper.LIGHT, Paper.DARK))
    columns = max(len(row) for row in sheet.rows) + bool(sheet.beside)
    high, wide = (max(cell.picture.shape[side] for cell in sheet.cells()) for side in (0, 1))
    sizes = f"--columns: {columns}; --widest: {wide}px; --shape: {high / wide:.4f};"
    return (
        f":root {{ {sizes} --focus: #2a6fdb; {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ --focus: #7db0ff; {dark} }} }}\n"
        f"{(FOLDER / 'page.css').read_text('utf-8')}"
    )


def _colours(paper: Paper) -> str:
    names = ("paper", "ink", "faint", "rule")
    return " ".join(f"--{name}: {hexadecimal(getattr(THEMES[paper], name))};" for name in names)


def _policy(css: str, script: str) -> str:
    """Nothing is loaded; nothing runs and nothing styles but what is written here."""
    style, code = (b64encode(sha256(text.encode()).digest()).decode() for text in (css, script))
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{style}'; "
        f"script-src 'sha256-{code}'; base-uri 'none'; form-action 'none'"
    )


def _beside(cells: Sequence[Cell]) -> str:
    figures = (_cell(cell, ", ".join(filter(None, (cell.title, cell.note)))) for cell in cells)
    return f'<div class="beside">{"".join(figures)}</div>' if cells else ""


def _rows(sheet: Sheet) -> Iterator[str]:
    """The rows of the table, heads first."""
    corner = "<td></td>" if sheet.row_heads else ""
    if sheet.column_heads:
        heads = (f'<th scope="col">{_text(head)}</th>' for head in sheet.column_heads)
        yield f"<thead><tr>{corner}{''.join(heads)}</tr></thead>"
    for y, row in enumerate(sheet.rows):
        head = sheet.row_heads[y] if sheet.row_heads else ""
        cells = []
        for x, cell in enumerate(row):
            column = sheet.column_heads[x] if sheet.column_heads else ""
            name = ", ".join(filter(None, (column, head, cell.title if cell else "")))
            cells.append(f"<td>{_cell(cell, name) if cell else ''}</td>")
        first = f'<th scope="row">{_text(head)}</th>' if sheet.row_heads else ""
        yield f"<tr>{first}{''.join(cells)}</tr>"


def _cell(cell: Cell, name: str) -> str:
    """A picture that opens, with what is said below it; `name` tells it from all others."""
    height, width = cell.picture.shape[:2]
    title = f"<span>{_text(cell.title)}</span>" if cell.title else ""
    parts = " · ".join(f"<span>{_text(part)}</span>" for part in cell.note.split(" · "))
    note = f'<span class="note">{parts}</span>' if cell.note else ""
    return (
        f'<button type="button" class="cell"><img alt="{_text(name)}" width="{width}" '
        f'height="{height}" src="{_data(cell.picture)}">{title}{note}</button>'
    )


def _data(picture: RGB) -> str:
    """A picture as an address that holds all of it."""
    buffer = io.BytesIO()
    Image.fromarray(to_bits(picture, 8)).save(buffer, "WebP", quality=OutputSettings().quality)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"


def _text(text: str) -> str:
    return escape(clean(text))

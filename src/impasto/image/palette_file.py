"""Palettes in files: GIMP's, one hexadecimal colour a line, Adobe's colour tables, and swatches."""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from impasto.errors import UnreadableImage, UsageError
from impasto.filter_settings import FEW_COLOURS
from impasto.image.atomic import replacing
from impasto.image.picture import Metadata, Picture
from impasto.image.source import file_bytes
from impasto.image.srgb import to_unit
from impasto.image.write import check_file, write
from impasto.settings import as_text

Colours = NDArray[np.uint8]
"""(K, 3), sRGB."""

MOST = 256
"""Colours that a palette has at most."""

COLUMNS = 16
"""Of a page of swatches at most."""

SWATCH = 64
"""Height of a swatch, and its width in a full row, px."""

ACT_COLOURS, ACT_LENGTH = 256, 768
"""Of an Adobe colour table, which may go on with two numbers: colours used, and the clear one."""

TEXTS = ".gpl", ".hex"
WRITTEN = (*TEXTS, ".png")


def holds_palette(path: str | Path) -> bool:
    """Whether a file's ending says that it is a palette rather than a picture."""
    return Path(path).suffix.lower() in READERS


def read_palette(path: str | Path) -> tuple[Colours, str]:
    """The distinct colours of a .gpl, .hex or .act file in its order, and its SHA-256.

    Raises UnreadableImage where it holds none, or more than 256.
    """
    data = file_bytes(path)
    colours = READERS[Path(path).suffix.lower()](data)
    if colours is None:
        raise UnreadableImage(
            f"cannot read {path}: it does not hold a palette as {Path(path).suffix} files do; "
            "give a .gpl, .hex or .act file, or a picture"
        )
    distinct = list(dict.fromkeys(map(tuple, colours.tolist())))
    if not 1 <= len(distinct) <= MOST:
        raise UnreadableImage(
            f"cannot use {path}: it has {len(distinct)} colours; give a palette of 1 to {MOST}"
        )
    return np.array(distinct, np.uint8), hashlib.sha256(data).hexdigest()


def _gimp(data: bytes) -> Colours | None:
    """`GIMP Palette`, then a line a colour: red, green, blue, perhaps a name."""
    first, *lines = data.decode("utf-8-sig", "replace").splitlines() or [""]
    if not first.startswith("GIMP Palette"):
        return None
    rows = [line.split()[:3] for line in lines if re.match(r"\s*\d", line)]
    return _bytes([[int(word) if word.isdecimal() else -1 for word in row] for row in rows])


def _hexadecimal(data: bytes) -> Colours | None:
    """A colour a line, as `ffaa00` or `#ffaa00`; `;` begins a comment."""
    lines = data.decode("utf-8-sig", "replace").splitlines()
    words = [line.partition(";")[0].strip().removeprefix("#") for line in lines]
    if not all(re.fullmatch("([0-9a-fA-F]{6})?", word) for word in words):
        return None
    return _bytes([list(bytes.fromhex(word)) for word in words if word])


def _adobe(data: bytes) -> Colours | None:
    """256 colours of three bytes; a longer file says how many of them are meant."""
    if len(data) not in {ACT_LENGTH, ACT_LENGTH + 4}:
        return None
    used = int.from_bytes(data[ACT_LENGTH : ACT_LENGTH + 2], "big") or ACT_COLOURS
    return np.frombuffer(data[:ACT_LENGTH], np.uint8).reshape(-1, 3)[:used]


READERS: dict[str, Callable[[bytes], Colours | None]] = {
    ".gpl": _gimp,
    ".hex": _hexadecimal,
    ".act": _adobe,
}


def _bytes(rows: Sequence[Sequence[int]]) -> Colours | None:
    """Rows of three numbers from 0 to 255 as colours."""
    if not all(len(row) == 3 and min(row) >= 0 and max(row) <= 255 for row in rows):
        return None
    return np.array(rows, np.uint8).reshape(-1, 3)


def check_palette_output(path: str | Path, inputs: Iterable[str | Path], *, force: bool) -> None:
    """Refuse a palette file that cannot or must not be written, before any work."""
    if Path(path).suffix.lower() not in WRITTEN:
        raise UsageError(
            f"cannot write {path}: palettes are written as {', '.join(WRITTEN)} (swatches)"
        )
    check_file(Path(path), inputs, force=force)


def write_palette(colours: Colours, path: str | Path, name: str) -> None:
    """Write a palette by its file's ending, replacing a file; `name` is what GIMP shows."""
    ending = Path(path).suffix.lower()
    if ending not in TEXTS:
        swatches = Picture(to_unit(page(colours)), None, Metadata(), name, "")
        write(swatches, path, FEW_COLOURS, None)
        return
    codes = ["{:02x}{:02x}{:02x}".format(*colour) for colour in colours]
    lines = codes
    if ending == ".gpl":
        rows = [
            "{:3} {:3} {:3}\t#{}".format(*colour, code)
            for colour, code in zip(colours.tolist(), codes, strict=True)
        ]
        title = " ".join(as_text(name).split())
        lines = ["GIMP Palette", f"Name: {title}", f"Columns: {COLUMNS}", "#", *rows]
    with replacing(Path(path)) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def page(colours: Colours) -> Colours:
    """A page of swatches, row by row, (H, W, 3): no colour but the palette's.

    Rows hold as many as each other, but for one, and are as wide.
    """
    width = SWATCH * min(COLUMNS, len(colours))
    rows = []
    for part in np.array_split(colours, -(-len(colours) // COLUMNS)):
        ends = np.linspace(0, width, len(part) + 1).round().astype(int)
        rows.append(part[np.repeat(np.arange(len(part)), np.diff(ends))])
    return np.repeat(np.stack(rows), SWATCH, axis=0)

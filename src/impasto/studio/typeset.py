"""Lines of text as coverage, in the font that comes with Impasto.

Pango shapes them, in any script and direction; what the font lacks comes from the system's fonts.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from html import escape
from pathlib import Path
from unicodedata import category

import numpy as np
import pyvips
from numpy.typing import NDArray

from impasto.settings import as_text

FONTS = Path(__file__).resolve().parents[1] / "fonts"

ELLIPSIS = "…"


class Weight(StrEnum):
    """Of the strokes: the file's name and Pango's."""

    REGULAR = "Regular"
    BOLD = "SemiBold"

    @property
    def file(self) -> Path:
        """The font."""
        return FONTS / f"Inter-{self}.otf"

    @property
    def pango(self) -> str:
        """What Pango calls it, without a size."""
        return "Inter" if self is Weight.REGULAR else "Inter Semi-Bold"


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of text, ready to be laid on a picture."""

    ink: NDArray[np.float32]
    """(H, W), how much of each pixel is covered, 0 to 1."""
    left: int
    """From where the line begins to its ink, px."""
    top: int
    """From the top of the line to its ink, px; lines of one size share a baseline."""

    @property
    def width(self) -> int:
        """From where the line begins to the end of its ink, px."""
        return self.left + int(self.ink.shape[1])


def clean(text: str) -> str:
    """One line that can be drawn: bytes that are no text are spelled out, controls are gaps."""
    visible = (" " if category(letter) == "Cc" else letter for letter in as_text(text))
    return " ".join("".join(visible).split())


@lru_cache(maxsize=1024)
def line(text: str, size: int, weight: Weight = Weight.REGULAR) -> Line:
    """Set a line; `size` is that of the font, px. One that shows nothing has no ink."""
    marked, font = escape(clean(text), quote=False), f"{weight.pango} {size}"
    try:
        image = pyvips.Image.text(marked, font=font, fontfile=str(weight.file), dpi=72)
    except pyvips.Error as error:  # also of letters that show nothing, as a soft hyphen
        if "no text to render" not in str(error):
            raise
        return Line(np.zeros((0, 0), np.float32), 0, 0)
    left, top = image.get("xoffset"), image.get("yoffset")
    return Line(image.numpy().astype(np.float32) / 255, max(0, left), max(0, top))


def shortened(text: str, size: int, width: int, weight: Weight = Weight.REGULAR) -> Line:
    """A line of at most that width: its middle gives way, for names differ at their ends."""
    text = clean(text)
    whole = line(text, size, weight)
    if whole.width <= width:
        return whole
    low, high = 0, len(text) - 1  # letters that stay
    while low < high:
        kept = (low + high + 1) // 2
        if line(cut(text, kept), size, weight).width <= width:
            low = kept
        else:
            high = kept - 1
    return line(cut(text, low), size, weight)


def cut(text: str, kept: int) -> str:
    """So many of its letters, more of them from the front, with an ellipsis between.

    >>> cut("a long name.jpg", 8)
    'a lo….jpg'
    """
    end = kept // 2
    return f"{text[: kept - end].rstrip()}{ELLIPSIS}{text[len(text) - end :].lstrip()}"

"""The colours of sheets and plots, on light and on dark paper."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Never

from impasto.errors import UsageError

Colour = tuple[int, int, int]
"""sRGB, 0 to 255."""


class Paper(StrEnum):
    """What a sheet is drawn on."""

    LIGHT = "light"
    DARK = "dark"

    @classmethod
    def _missing_(cls, value: object) -> Never:
        """Whoever names another one has asked for what there is not."""
        raise UsageError(f"paper must be 'light' or 'dark', not {value}")


@dataclass(frozen=True, slots=True)
class Theme:
    """Contrast of ink on paper is above 12, of faint ink above 5 (WCAG 2 asks for 4.5)."""

    paper: Colour
    ink: Colour
    faint: Colour
    rule: Colour


THEMES = {
    Paper.LIGHT: Theme((252, 251, 249), (28, 27, 25), (102, 98, 92), (218, 214, 207)),
    Paper.DARK: Theme((24, 24, 26), (236, 234, 230), (160, 157, 151), (62, 61, 60)),
}


def hexadecimal(colour: Colour) -> str:
    """As web pages and matplotlib write it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)

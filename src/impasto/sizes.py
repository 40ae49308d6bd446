"""Sizes of pictures as a person writes them: pixels, names of screens, paper with a resolution."""

import re
from dataclasses import dataclass

from impasto.errors import UsageError

MIN_SIDE = 16
"""Smaller pictures vanish in VGG-19's four poolings, px."""

MAX_PIXELS = 256_000_000
"""Larger pictures are refused, from their header alone: a small file may claim to be huge."""

MAX_SIDE = MAX_PIXELS // MIN_SIDE
"""No picture is longer, px."""

FULL = "full"
"""The photo's own size."""

SCREENS = {"2K": 2048, "4K": 3840, "8K": 7680, "16K": 15_360}
"""{name: long side, px}."""

PER_INCH = {"cm": 2.54, "mm": 25.4, "in": 1.0}
"""{unit of paper: how many are an inch}."""

MAX_DPI = 10_000

NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
WRITTEN = re.compile(
    rf"(?:(?P<screen>{'|'.join(SCREENS).lower()})|(?P<first>{NUMBER})(?:x(?P<second>{NUMBER}))?)"
    rf"(?P<unit>px|cm|mm|in)?(?:@(?P<dpi>{NUMBER})dpi)?"
)
"""A size in small letters without spaces."""

Size = int | str
"""As `normal` gives it: the long side in px, or text."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What the text of a size means."""

    sides: tuple[float, ...]
    """The long side alone, or both sides of a box, in `unit`."""
    unit: str
    """px, cm, mm or in."""
    dpi: float | None
    """Pixels an inch, `None` where the text names none."""

    @property
    def pixels(self) -> tuple[int, ...]:
        """The sides in px."""
        if self.unit not in PER_INCH or self.dpi is None:
            return tuple(round(side) for side in self.sides)
        return tuple(round(side / PER_INCH[self.unit] * self.dpi) for side in self.sides)


def normal(value: object) -> Size:
    """A size in the one form in which it is kept; ValueError, for people, where it is none.

    A long side of whole pixels becomes an int: `"800"` is 800, `"60 × 40 CM @ 300 dpi"` is
    `"60x40cm@300dpi"`.
    """
    text = re.sub(r"\s", "", str(value)).replace("×", "x").lower()
    if text == FULL:
        return FULL
    found = WRITTEN.fullmatch(text)
    if found is None or (found["screen"] and found["unit"]):
        raise ValueError(
            f"must be pixels as 800 or 1200x800, {', '.join(SCREENS)}, 'full', or paper as "
            f"60x40cm@300dpi, not {value}"
        )
    measure = _measure(found)
    _check(measure, value)
    if found["screen"]:
        plain = found["screen"].upper()
    elif measure.unit == "px" and measure.dpi is None and len(measure.sides) == 1:
        return int(measure.sides[0])
    else:
        plain = "x".join(map(_shortest, measure.sides))
        plain += measure.unit if measure.unit in PER_INCH else ""
    return plain if measure.dpi is None else f"{plain}@{_shortest(measure.dpi)}dpi"


def fitted(width: int, height: int, size: Size) -> tuple[int, int]:
    """(width, height), px, of a photo at a size in its normal form, without change of its shape.

    It fits into a box, turned as the photo is, and touches two of its opposite edges. UsageError
    where that is more than a picture may have.
    """
    if size == FULL:
        return scaled(width, height, 1)
    sides = measure_of(size).pixels
    if len(sides) == 1:
        scale = sides[0] / max(width, height)
    else:
        scale = min(max(sides) / max(width, height), min(sides) / min(width, height))
    across, down = scaled(width, height, scale)
    if across * down > MAX_PIXELS:
        raise UsageError(
            f"size {size} makes a picture of {across}×{down} px, more than the "
            f"{MAX_PIXELS // 10**6} million pixels that one may have; choose a smaller --size"
        )
    return across, down


def scaled(width: int, height: int, scale: float) -> tuple[int, int]:
    """(width, height), px, rounded to even at halves; no side below `MIN_SIDE`."""
    return max(MIN_SIDE, round(width * scale)), max(MIN_SIDE, round(height * scale))


def dpi_of(size: Size) -> float | None:
    """The resolution that a size in its normal form names, pixels an inch."""
    return None if size == FULL else measure_of(size).dpi


def measure_of(size: Size) -> Measure:
    """What a size in its normal form, other than "full", means."""
    found = WRITTEN.fullmatch(str(size).lower())
    if found is None:
        raise ValueError(f"{size!r} is no size in its normal form")
    return _measure(found)


def _measure(found: re.Match[str]) -> Measure:
    dpi = float(found["dpi"]) if found["dpi"] else None
    if found["screen"]:
        return Measure((float(SCREENS[found["screen"].upper()]),), "px", dpi)
    sides = tuple(float(side) for side in (found["first"], found["second"]) if side)
    return Measure(sides, found["unit"] or "px", dpi)


def _check(measure: Measure, value: object) -> None:
    """Refuse what cannot be a picture, whatever the photo; `value` is what was written."""
    if measure.dpi is None and measure.unit in PER_INCH:
        raise ValueError(f"needs a resolution with {measure.unit}: write {value}@300dpi")
    if measure.dpi is not None and not 1 <= measure.dpi <= MAX_DPI:
        raise ValueError(f"must have a resolution of 1 to {MAX_DPI} dpi, not {value}")
    if measure.unit == "px" and not all(side.is_integer() for side in measure.sides):
        raise ValueError(f"must be whole pixels, not {value}")
    if min(measure.pixels) < MIN_SIDE:
        raise ValueError(f"must be at least {MIN_SIDE} px a side, not {value}")
    if max(measure.pixels) > MAX_SIDE:
        raise ValueError(f"must be at most {MAX_SIDE} px a side, not {value}")


def _shortest(number: float) -> str:
    """A number as short as it can be written: 60, 10.5."""
    return str(int(number)) if number.is_integer() else str(number)

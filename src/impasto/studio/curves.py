"""The lines of a plot of losses: what they are called, and their colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from impasto.studio.course import Course, Series
from impasto.studio.theme import THEMES, Colour, Paper, Theme, hexadecimal
from impasto.studio.typeset import clean, cut

LONGEST = 28
"""Letters of a label."""

CONTENT: Colour = (213, 94, 0)

HUES: Sequence[Colour] = ((0, 114, 178), (0, 148, 108), (184, 92, 146), (168, 110, 0))
"""Of the styles: blue, green, purple and orange. With the content's vermilion, and differing in
lightness as well, they can be told apart whatever colours an eye sees (Okabe and Ito 2008); the
last three are darker than there, to stand out from light paper."""

SHADES = {Paper.LIGHT: (-0.55, 0.0), Paper.DARK: (-0.7, -0.15)}
"""From a style's first layer to its last: its hue has so much paper in it, or ink if below 0."""

BOLDEST, PLAIN = 2.2, 1.2
"""Widths of lines, points."""


@dataclass(frozen=True, eq=False)
class Curve:
    """A line of a plot."""

    label: str
    course: Course
    values: Series
    colour: str
    width: float


def curves(courses: Sequence[Course], paper: Paper) -> list[Curve]:
    """The lines of a plot: all losses of one course, or the totals of several."""
    if len(courses) > 1:
        colours = [CONTENT, *HUES]
        return [
            Curve(
                _short(course.name, LONGEST),
                course,
                course.losses["total"],
                hexadecimal(colour),
                BOLDEST,
            )
            for course, colour in zip(courses, _again(colours, len(courses)), strict=True)
        ]
    (course,) = courses
    styles = [name for name in course.losses if name.startswith("style/")]
    by_style = [list(names) for _, names in groupby(styles, key=_style)]
    ink = hexadecimal(THEMES[paper].ink)
    found = [Curve("total", course, course.losses["total"], ink, BOLDEST)]
    if "content" in course.losses:
        content = course.losses["content"]
        found.append(Curve("content", course, content, hexadecimal(CONTENT), BOLDEST))
    for names, hue in zip(by_style, _again(HUES, len(by_style)), strict=True):
        shades = np.linspace(*SHADES[paper], len(names)) if len(names) > 1 else [0.0]
        for name, shade in zip(names, shades, strict=True):
            colour = hexadecimal(_mixed(hue, float(shade), THEMES[paper]))
            found.append(Curve(_label(name), course, course.losses[name], colour, PLAIN))
    return found


def _style(name: str) -> str:
    """`style/starry/relu1_1` is of `style/starry`."""
    return name.rpartition("/")[0]


def _label(name: str) -> str:
    """`style/starry/relu1_1` is `starry relu1_1`."""
    style, _, layer = name.removeprefix("style/").rpartition("/")
    return f"{_short(style, LONGEST - len(layer))} {layer}"


def _short(text: str, letters: int) -> str:
    """A name of at most so many letters."""
    text = clean(text)
    return text if len(text) <= letters else cut(text, letters)


def _again(colours: Sequence[Colour], count: int) -> list[Colour]:
    """So many colours, from the first again where there are too few."""
    return [colours[i % len(colours)] for i in range(count)]


def _mixed(hue: Colour, share: float, theme: Theme) -> Colour:
    """A hue with so much paper, or ink where it is negative, in it."""
    other = theme.paper if share > 0 else theme.ink
    red, green, blue = (round(a + abs(share) * (b - a)) for a, b in zip(hue, other, strict=True))
    return red, green, blue

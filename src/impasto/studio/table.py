"""Tables of numbers, for the terminal and for the foot of a sheet; the best of each row is marked.

A row has as many decimals as its smallest number needs, so that its numbers compare at a glance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table as Terminal

from impasto.studio.sheet import LEADING, MARGIN, RGB, lay, samples
from impasto.studio.theme import THEMES, Paper, Theme
from impasto.studio.typeset import Line, Weight, line, shortened

DIGITS, MOST_DECIMALS = 3, 6
"""Digits of a row's smallest number, if that takes no more decimals than these."""

NAME, GAP = 24, 2.0
"""Most that names of rows are wide, and what lies between columns, in sizes of a letter."""

ACROSS = 5
"""Columns beside each other on a terminal."""

BEST = "*"
"""Behind the best of a row where there are no bold letters."""


@dataclass(frozen=True)
class Row:
    """A quantity of which less is better."""

    name: str
    values: Sequence[float]

    def figures(self) -> list[str]:
        """The values as they are written."""
        least = min((abs(value) for value in self.values if value), default=1.0)
        decimals = min(MOST_DECIMALS, max(0, DIGITS - 1 - math.floor(math.log10(least))))
        return [f"{value:.{decimals}f}" for value in self.values]

    def best(self) -> list[bool]:
        """Which are the least; none where all are alike."""
        least = min(self.values)
        return [value == least < max(self.values) for value in self.values]


@dataclass(frozen=True)
class Section:
    """Rows with what they have in common."""

    title: str
    note: str
    """What the numbers mean."""
    rows: Sequence[Row]


@dataclass(frozen=True)
class Table:
    """Sections of rows; `heads` are those of the columns."""

    heads: Sequence[str]
    sections: Sequence[Section]

    def terminal(self, caption: str) -> Terminal:
        """For people at a terminal, a few columns at a time; the best are bold and have a mark."""
        notes = [f"{section.title}: {section.note}" for section in self.sections]
        caption = "\n".join([*notes, f"{BEST} the best of a row", caption])
        table = Terminal(
            box=box.SIMPLE, show_header=False, caption=escape(caption), caption_justify="left"
        )
        table.add_column(overflow="fold")
        for _ in self.heads[:ACROSS]:
            table.add_column(justify="right", no_wrap=True)
        for first in range(0, len(self.heads), ACROSS):
            part = slice(first, first + ACROSS)
            table.add_row("", *(f"[bold]{head}[/bold] " for head in self.heads[part]))
            table.add_section()
            for section in self.sections:
                table.add_row(f"[bold]{escape(section.title)}[/bold]")
                for row in section.rows:
                    cells = map(marked, row.figures()[part], row.best()[part])
                    table.add_row(escape(row.name), *cells)
                table.add_section()
        return table


def marked(figure: str, best: bool) -> str:
    """A number in rich's markup."""
    return f"[bold]{figure}{BEST}[/bold]" if best else f"{figure} "


def put_below(page: RGB, table: Table, paper: Paper, size: int) -> RGB:
    """A page with a table at its foot, in letters of that size; it widens where it has to."""
    drawn = _Drawing(table, THEMES[paper], size).drawn()
    margin = round(MARGIN * size)
    height, width = page.shape[:2]
    whole = _blank(
        height + drawn.shape[0] + margin, max(width, drawn.shape[1] + 2 * margin), THEMES[paper]
    )
    whole[:height, :width] = page
    whole[height : height + drawn.shape[0], margin : margin + drawn.shape[1]] = drawn
    return whole


class _Drawing:
    """A table in letters of one size."""

    def __init__(self, table: Table, theme: Theme, size: int) -> None:
        self._table, self._theme, self._size = table, theme, size
        rows = [row for section in table.sections for row in section.rows]
        self._name = min(round(NAME * size), max(line(row.name, size).width for row in rows))
        figures = [line(text, size, Weight.BOLD).width for row in rows for text in row.figures()]
        heads = [line(head, size, Weight.BOLD).width for head in table.heads]
        self._pitch = round(GAP * size) + max(*figures, *heads)
        titles = [
            line(section.title, size, Weight.BOLD).width + size + line(section.note, size).width
            for section in table.sections
        ]
        room = max(titles) - len(table.heads) * self._pitch
        self._name = max(self._name, min(round(NAME * size), room))
        self._step = round(LEADING * size)

    def drawn(self) -> RGB:
        """The table, without a margin."""
        sections, step = self._table.sections, self._step
        lines = 1 + sum(1 + len(section.rows) for section in sections)
        height = lines * step + len(sections) * step // 2
        page = _blank(height, self._name + len(self._table.heads) * self._pitch, self._theme)
        y = 0
        self._across(page, y, self._table.heads, [True] * len(self._table.heads))
        for section in sections:
            y += step + step // 4
            page[y, :] = samples(self._theme.rule)
            y += step // 4
            title = line(section.title, self._size, Weight.BOLD)
            lay(page, title, 0, y, self._theme.ink)
            after = title.width + self._size
            note = shortened(section.note, self._size, page.shape[1] - after)
            lay(page, note, after, y, self._theme.faint)
            for row in section.rows:
                y += step
                lay(page, shortened(row.name, self._size, self._name), 0, y, self._theme.faint)
                self._across(page, y, row.figures(), row.best())
        return page

    def _across(self, page: RGB, y: int, texts: Sequence[str], bold: Sequence[bool]) -> None:
        """Set a text at the right of each column."""
        for number, (text, strong) in enumerate(zip(texts, bold, strict=True)):
            set_: Line = line(text, self._size, Weight.BOLD if strong else Weight.REGULAR)
            right = self._name + (number + 1) * self._pitch
            lay(page, set_, right - set_.width, y, self._theme.ink)


def _blank(height: int, width: int, theme: Theme) -> RGB:
    return np.broadcast_to(samples(theme.paper), (height, width, 3)).copy()

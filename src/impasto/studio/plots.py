"""Plots of how the losses of paintings went, against steps and against seconds."""

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from impasto.studio.course import Course, read_log
from impasto.studio.curves import Curve, curves
from impasto.studio.figure import BOLD, check_figure, save_figure, styled
from impasto.studio.theme import THEMES, Paper, Theme, hexadecimal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, LEFT, FOOT, HEAD, APART = (3.9, 3.5), 0.8, 0.6, 1.0, 0.35
"""Inches: (width, height) of a panel, what is left of it, below and above, and between both."""

SIZE, LETTER = 8.5, 0.6
"""Of labels, points; the width of a letter, at most, in sizes."""

LEADING = 1.35
"""From one label to the next at least, in sizes."""

FEWEST, MOST = 3, 12
"""Numbers on the axis of losses."""

ROUND = ((1,), (1, 2, 5), (1, 1.2, 1.5, 1.8, 2, 2.5, 3, 4, 5, 6, 7, 8, 9))
"""Times powers of ten: as many as it takes. The last ones are enough for twice a number."""

LEADER = 0.25
"""Inches from a panel to its labels."""


def plot(
    logs: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    paper: Paper | str = Paper.LIGHT,
    force: bool = False,
) -> int:
    """Plot what one log tells, loss by loss, or compare the totals of several.

    The output is an SVG or PNG by its ending, its paper "light" or "dark". Returns the number of
    bytes. Raises BadLog, UsageError, UnwritableOutput, and MissingExtra without matplotlib.
    """
    paper, files = Paper(paper), [logs] if isinstance(logs, str | Path) else list(logs)
    check_figure(output, files, force=force)
    names = [Path(file).stem for file in files]
    if len(set(names)) < len(names):
        names = [str(file) for file in files]
    courses = [read_log(file, name) for file, name in zip(files, names, strict=True)]
    return draw(courses, output, paper)


def draw(courses: Sequence[Course], output: str | Path, paper: Paper) -> int:
    """Draw courses; the output has been checked before. Returns the number of bytes."""
    with styled(paper):
        return save_figure(figure_of(courses, paper), output)


def figure_of(courses: Sequence[Course], paper: Paper) -> "Figure":
    """Both panels with the labels at the right."""
    from matplotlib.figure import Figure

    theme, lines = THEMES[paper], curves(courses, paper)
    pitch = SIZE * LEADING / 72
    wide, high = PANEL[0], max(PANEL[1], pitch * len(lines))
    labels = max(len(line.label) for line in lines) * LETTER * SIZE / 72 + LEADER
    width, height = LEFT + 2 * wide + APART + labels + LEFT / 3, FOOT + high + HEAD
    figure = Figure(figsize=(width, height))
    panels = [
        figure.add_axes((left / width, FOOT / height, wide / width, high / height))
        for left in (LEFT, LEFT + wide + APART)
    ]
    low, top = _range(lines)
    for panel, axis in zip(panels, ("steps", "seconds"), strict=True):
        for line in reversed(lines):  # the total lies above
            _trace(panel, line, axis)
        last = max(getattr(line.course, axis)[-1] for line in lines)
        _frame(panel, axis, (0, last), (low, top), theme)
    panels[0].set_ylabel("loss", color=hexadecimal(theme.faint), size=SIZE)
    panels[1].tick_params(labelleft=False)
    if len({id(line.course) for line in lines}) == 1:
        _mark_levels(panels, lines[0].course, theme)
    _name_lines(panels[1], lines, pitch / high)
    _title(figure, lines, theme)
    return figure


def _trace(panel: "Axes", line: Curve, axis: str) -> None:
    """Draw a line, level by level: losses at two sizes are not those of one picture."""
    ends = _ends(line.course) + 1
    along = np.split(getattr(line.course, axis), ends)
    for at, values in zip(along, np.split(line.values, ends), strict=True):
        panel.plot(at, values, color=line.colour, lw=line.width, solid_joinstyle="round")


def _range(lines: Sequence[Curve]) -> tuple[float, float]:
    """What the axis of losses shows: from the least at the end of a level to the most of all.

    A canvas that starts from the photo has hardly a content loss then, so that its line comes in
    from below.
    """
    values = np.concatenate([line.values for line in lines])
    ends = np.concatenate([line.values[[*_ends(line.course), -1]] for line in lines])
    values, ends = (x[np.isfinite(x) & (x > 0)] for x in (values, ends))
    if not len(values):
        return 0.1, 1.0
    return float(min(ends, default=min(values))) / 1.6, float(max(values)) * 1.3


def _ends(course: Course) -> NDArray[np.intp]:
    """The last step of each level but the last one."""
    return np.flatnonzero(np.diff(course.level))


def _frame(
    panel: "Axes", axis: str, along: tuple[float, float], up: tuple[float, float], theme: Theme
) -> None:
    """Axes, ticks and rules, as few as do."""
    faint = hexadecimal(theme.faint)
    panel.set_xlim(*along)
    panel.set_yscale("log")
    panel.set_ylim(*up)
    panel.set_yticks(ticks(*up))
    panel.minorticks_off()
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.grid(axis="y", color=hexadecimal(theme.rule), lw=0.6)
    panel.set_axisbelow(True)
    panel.set_xlabel(axis, color=faint, size=SIZE)
    panel.tick_params(colors=faint, labelsize=SIZE, length=3, color=hexadecimal(theme.rule))
    panel.spines[["top", "right", "left"]].set_visible(False)


def ticks(low: float, top: float) -> list[float]:
    """Round numbers on a logarithmic axis: powers of ten, and more where these are too few."""
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.log10(top))
    found: list[float] = []
    for times in ROUND:
        found = [place for place in np.outer(powers, times).ravel().tolist() if low <= place <= top]
        if len(found) >= FEWEST:
            break
    return found[:: math.ceil(len(found) / MOST)]


def _mark_levels(panels: Sequence["Axes"], course: Course, theme: Theme) -> None:
    """A rule where a level ends, and its size above where there is room."""
    faint = hexadecimal(theme.faint)
    ends = _ends(course)
    for panel, at in zip(panels, (course.steps, course.seconds), strict=True):
        bounds = [0.0, *((at[ends] + at[ends + 1]) / 2), float(at[-1])]
        for bound in bounds[1:-1]:
            panel.axvline(bound, color=faint, lw=0.7, dashes=(2, 3))
        levels = (*course.level[ends], course.level[-1])
        for level, (left, right) in zip(levels, pairwise(bounds), strict=True):
            text = "×".join(map(str, course.levels[level - 1]))
            room = (right - left) / at[-1] * PANEL[0] * 72
            if len(text) * LETTER * SIZE < room:
                place = (left + right) / 2, 1.03
                where = panel.get_xaxis_transform()
                panel.text(*place, text, transform=where, ha="center", size=SIZE, color=faint)


def _name_lines(panel: "Axes", lines: Sequence[Curve], pitch: float) -> None:
    """Labels at the ends of lines, apart from each other, with leaders to them."""
    low, top = np.log(panel.get_ylim())
    heights = []
    for line in lines:
        known = line.values[np.isfinite(line.values) & (line.values > 0)]
        heights.append((np.log(known[-1]) - low) / (top - low) if len(known) else 0.0)
    last = panel.get_xlim()[1]
    for line, at, place in zip(lines, heights, apart(heights, pitch), strict=True):
        end = line.course.seconds[-1] / last
        gap = LEADER / PANEL[0]
        panel.plot(
            [end, 1 + 0.2 * gap, 1 + 0.75 * gap],
            [at, at, place],
            transform=panel.transAxes,
            clip_on=False,
            color=line.colour,
            lw=0.6,
        )
        panel.text(
            1 + gap,
            place,
            line.label,
            transform=panel.transAxes,
            va="center",
            parse_math=False,
            size=SIZE,
            color=line.colour,
        )


def apart(places: Sequence[float], pitch: float) -> list[float]:
    """Places moved as little as it takes for each to be `pitch` from the next, within 0 and 1.

    The least squares of the moves: isotonic regression by pooling adjacent violators (Ayer et al.
    1955) of the places less what must lie between them.
    """
    order = np.argsort(places, kind="stable")
    wanted = np.array(places)[order] - pitch * np.arange(len(places))
    pools: list[list[float]] = []
    for place in wanted:
        pools.append([float(place)])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    settled = np.concatenate([[np.mean(pool)] * len(pool) for pool in pools])
    settled = settled.clip(0, max(0.0, 1 - pitch * (len(places) - 1)))
    found = np.empty(len(places))
    found[order] = settled + pitch * np.arange(len(places))
    return found.tolist()


def _title(figure: "Figure", lines: Sequence[Curve], theme: Theme) -> None:
    """What is shown, and of what."""
    height = figure.get_figheight()
    course = lines[0].course
    if len({id(line.course) for line in lines}) > 1:
        title, about = "Total losses", f"{len(lines)} paintings"
    else:
        title = "Losses while painting"
        size = "×".join(map(str, course.levels[-1]))
        about = f"{size} px, {course.steps[-1]} steps, {course.seconds[-1]:.0f} s"
    left = LEFT / figure.get_figwidth()
    figure.text(left, 1 - 0.42 / height, title, size=1.5 * SIZE, family=BOLD)
    figure.text(left, 1 - 0.64 / height, about, size=SIZE, color=hexadecimal(theme.faint))

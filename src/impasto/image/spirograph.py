"""A sheet of spirograph figures in transparent inks, drawn by code.

Positions are complex, x + iy, in units of the side of the sheet, y downwards.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from impasto.image.drawing import SIDE, Floats, grain, picture

Line = NDArray[np.complex128]

PAPER = (0.98, 0.92, 0.78)
"""Warm white, red, green and blue in [0, 1]."""

INKS = {
    "ultramarine": (0.13, 0.20, 0.66),
    "vermilion": (0.93, 0.25, 0.12),
    "gold": (0.98, 0.70, 0.12),
    "teal": (0.05, 0.58, 0.58),
    "plum": (0.50, 0.12, 0.42),
    "night": (0.06, 0.08, 0.22),
}
"""What one coat of each ink lets through of red, green and blue light, in (0, 1)."""

PEN = 0.0019
"""Width that a line of one coat would have, in sides."""


@dataclass(frozen=True)
class Figure:
    """Nested trochoids of one pair of wheels, each smaller than the last and turned against it.

    A wheel rolls inside a ring and closes `petals` petals in `laps` laps; with negative laps it
    rolls on the outside. `hole` is the pen's distance from the wheel's centre in wheel radii:
    below 1 the petals are round, above it they loop. Angles are in radians.
    """

    centre: complex
    radius: float
    petals: int
    laps: int
    hole: float
    ink: str
    lines: int
    shrink: float = 0.4
    twist: float = 0.4
    wash: float = 0.0
    turn: float = 0.0

    def line(self, share: float) -> Line:
        """The line at `share` in [0, 1] of the way from the outermost to the innermost."""
        wheel = self.laps / self.petals
        t = np.linspace(0, 2 * math.pi * abs(self.laps), 64 * self.petals + 1)
        pen = self.hole * np.exp(-1j * t * (1 - wheel) / wheel)
        path = (1 - wheel) * np.exp(1j * t) + wheel * pen
        reach = abs(1 - wheel) + abs(wheel) * self.hole
        size = self.radius * (1 + share * (self.shrink - 1)) / reach
        turned: Line = self.centre + size * np.exp(1j * (self.turn + self.twist * share)) * path
        return turned

    def nested(self) -> Iterator[Line]:
        """All its lines, from the outermost."""
        return map(self.line, np.linspace(0, 1, self.lines).tolist())


FIGURES = (
    Figure(0.35 + 0.37j, 0.46, 11, 4, 0.62, "ultramarine", 18, 0.52, 0.30, 0.50, 0.2),
    Figure(0.35 + 0.37j, 0.27, 9, 2, 0.95, "vermilion", 14, 0.45, -0.5, 0.60),
    Figure(0.35 + 0.37j, 0.125, 12, 5, 0.7, "gold", 9, 0.3, 0.5, 0.90),
    Figure(0.82 + 0.73j, 0.42, 9, -2, 1.5, "teal", 14, 0.5, 0.35, 0.55, 0.1),
    Figure(0.82 + 0.73j, 0.25, 13, 5, 0.8, "plum", 14, wash=0.45),
    Figure(0.82 + 0.73j, 0.11, 7, 3, 0.7, "gold", 9, 0.3, 0.5, 0.90),
    Figure(0.85 + 0.17j, 0.34, 10, 3, 0.75, "gold", 16, 0.45, -0.4, 0.80),
    Figure(0.85 + 0.17j, 0.21, 8, 3, 0.6, "vermilion", 12, 0.4, -0.5, 0.40),
    Figure(0.85 + 0.17j, 0.09, 9, 4, 0.8, "night", 8),
    Figure(0.15 + 0.87j, 0.36, 7, -2, 1.4, "vermilion", 14, 0.45, wash=0.60),
    Figure(0.15 + 0.87j, 0.22, 11, 4, 0.8, "ultramarine", 11, 0.6, wash=0.30),
    Figure(0.15 + 0.87j, 0.10, 8, 3, 0.7, "gold", 8, wash=0.90),
    Figure(0.50 + 0.93j, 0.21, 12, 5, 0.6, "gold", 12, 0.4, 0.3, 0.70),
    Figure(0.50 + 0.93j, 0.10, 7, 2, 0.8, "plum", 9, 0.3, wash=0.30),
    Figure(0.03 + 0.06j, 0.30, 9, -4, 1.2, "plum", 14, 0.4, 0.3, 0.40),
    Figure(0.03 + 0.06j, 0.15, 8, 3, 0.8, "teal", 10, 0.3, 0.3, 0.50),
    Figure(0.60 + 0.02j, 0.24, 8, 3, 0.65, "teal", 14, wash=0.45),
    Figure(0.60 + 0.02j, 0.12, 9, 2, 0.9, "night", 9),
    Figure(1.01 + 0.43j, 0.20, 7, 3, 0.6, "vermilion", 12, wash=0.60),
    Figure(0.02 + 0.53j, 0.20, 10, 3, 0.7, "teal", 12, wash=0.50),
    Figure(1.02 + 1.02j, 0.20, 9, 4, 0.7, "ultramarine", 12, wash=0.60),
    Figure(0.60 + 0.50j, 0.17, 9, 4, 0.7, "night", 9, 0.5),
)
"""Great figures in each other's gaps and smaller ones in their hearts; no part of it is bare."""


def spirograph(size: int) -> NDArray[np.uint8]:
    """Draw the sheet, (size, size, 3).

    Inks absorb by Beer and Lambert's law: coats add up as density, so that crossings darken.
    """
    density = np.zeros((SIDE, SIDE, 3), np.float32)
    for ink, passed in INKS.items():
        coat = coats([figure for figure in FIGURES if figure.ink == ink])
        density -= coat[..., None] * np.log(np.array(passed, np.float32))
    paper = np.array(PAPER, np.float32) * (1 + 0.02 * grain(500, seed=1)[..., None])
    return picture(paper * np.exp(-density), size)


def coats(figures: Sequence[Figure]) -> NDArray[np.float32]:
    """Coats of ink that figures of one colour leave, by lines and washes, (SIDE, SIDE)."""
    step = 0.7 / SIDE
    steps = [evenly(line, step) for figure in figures for line in figure.nested()]
    ink = counted(np.concatenate(steps)) * (step * PEN * SIDE * SIDE)
    for figure in figures:
        ink += figure.wash * inside(figure.line(0))
    return ink.astype(np.float32)


def evenly(line: Line, step: float) -> Line:
    """Points `step` apart along a polyline, so that a line has the same ink everywhere."""
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(line)))])
    return np.interp(np.arange(0, along[-1], step), along, line)


def counted(points: Line) -> Floats:
    """How many of the points lie on each pixel, shared bilinearly among four, (SIDE, SIDE)."""
    x, y = points.real * SIDE - 0.5, points.imag * SIDE - 0.5
    within = (x >= 0) & (y >= 0) & (x < SIDE - 1) & (y < SIDE - 1)
    x, y = x[within], y[within]
    column, row = x.astype(np.intp), y.astype(np.intp)
    right, below = x - column, y - row
    total = np.zeros(SIDE * SIDE)
    for down, tall in ((0, 1 - below), (1, below)):
        for over, wide in ((0, 1 - right), (1, right)):
            pixels = (row + down) * SIDE + column + over
            total += np.bincount(pixels, tall * wide, total.size)
    return total.reshape(SIDE, SIDE)


def inside(line: Line) -> NDArray[np.bool_]:
    """Where a line that crosses itself encloses an odd number of times, (SIDE, SIDE)."""
    image = Image.new("1", (SIDE, SIDE))
    corners = np.column_stack([line.real, line.imag]) * SIDE
    ImageDraw.Draw(image).polygon(corners.ravel().tolist(), fill=1)
    return np.asarray(image)

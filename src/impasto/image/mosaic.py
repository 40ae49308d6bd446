"""A glass mosaic of swirling medallions, drawn by code.

Positions are (x, y) in units of the side of the picture, y downwards; angles are in radians.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.spatial import Voronoi

from impasto.image.drawing import SIDE, Floats, grain, picture

ROW = 0.0195
"""Width of a row of tesserae, in sides."""

JOINT, RIM = 0.0013, 0.0017
"""Half the width of the grout between tesserae, and the width of their slanting rim, in sides."""

MARGIN = 0.12
"""Tesserae are also laid this far outside the picture, so that those at its edge are closed."""

GROUT = (0.085, 0.075, 0.085)
"""Red, green and blue in [0, 1]."""

GLASS = {
    "night": (0.05, 0.08, 0.30),
    "cobalt": (0.07, 0.22, 0.66),
    "azure": (0.16, 0.50, 0.82),
    "turquoise": (0.12, 0.68, 0.68),
    "emerald": (0.05, 0.45, 0.30),
    "gold": (0.92, 0.68, 0.16),
    "amber": (0.86, 0.45, 0.07),
    "vermilion": (0.84, 0.17, 0.09),
    "crimson": (0.55, 0.04, 0.12),
    "ivory": (0.97, 0.91, 0.76),
    "sand": (0.88, 0.72, 0.50),
    "rose": (0.90, 0.52, 0.46),
}
"""Red, green and blue in [0, 1] of each kind of tessera."""

FIELD = (
    *("night", "cobalt", "azure", "turquoise", "ivory", "sand", "rose"),
    *("turquoise", "emerald", "night", "cobalt", "azure", "ivory", "azure"),
)
"""Colours of the waves between the medallions."""


@dataclass(frozen=True)
class Medallion:
    """A disc of `rows` rows of tesserae around (x, y): a heart, spiral arms, a dark ring, a rim."""

    x: float
    y: float
    rows: int
    arms: int
    twist: float
    heart: str
    rim: str
    arm: tuple[str, ...]

    def colour(self, row: int, angle: float) -> str:
        """Of a tessera inside the disc."""
        if row <= self.rows // 6:
            return self.heart
        if row == self.rows - 1:
            return "night"
        # Along a logarithmic spiral, angle + twist·log(radius) stays the same.
        turns = (angle + self.twist * math.log((row + 0.5) / self.rows)) / (2 * math.pi)
        return self.arm[int(self.arms * turns % 1 * len(self.arm))]


SUNRISE = ("vermilion", "amber", "gold", "ivory", "azure", "cobalt")
MEDALLIONS = (
    Medallion(0.35, 0.37, 13, 3, 1.3, "gold", "ivory", SUNRISE),
    Medallion(0.80, 0.73, 10, 4, -1.1, "ivory", "ivory", ("crimson", "vermilion", "rose", "ivory")),
    Medallion(0.83, 0.20, 8, 3, 1.2, "night", "vermilion", ("gold", "amber", "crimson", "sand")),
    Medallion(
        0.17, 0.85, 8, 3, -1.2, "vermilion", "gold", ("turquoise", "ivory", "cobalt", "emerald")
    ),
    Medallion(0.49, 0.87, 5, 3, 1.0, "ivory", "gold", ("vermilion", "gold")),
    Medallion(0.60, 0.03, 5, 3, -1.0, "gold", "ivory", ("rose", "crimson")),
    Medallion(0.02, 0.08, 6, 3, 1.0, "night", "ivory", ("amber", "gold", "vermilion")),
    Medallion(1.00, 0.46, 4, 2, 1.0, "gold", "gold", ("turquoise", "ivory")),
    Medallion(1.02, 1.01, 6, 3, -1.0, "gold", "ivory", ("azure", "ivory", "cobalt")),
    Medallion(0.01, 0.56, 3, 2, 1.0, "ivory", "gold", ("vermilion", "amber")),
)


@dataclass(frozen=True)
class Tesserae:
    """Where N pieces of glass lie, (N, 2), their colours, (N, 3), and how they lean, (N, 2).

    A lean is the change of brightness over the width of a row, to the right and downwards.
    """

    sites: NDArray[np.float32]
    glass: NDArray[np.float32]
    lean: NDArray[np.float32]


def mosaic(size: int) -> NDArray[np.uint8]:
    """Draw the mosaic, (size, size, 3)."""
    tesserae = laid(np.random.default_rng(1900))
    return picture(lit(tesserae, cut(tesserae.sites)), size)


def laid(rng: np.random.Generator) -> Tesserae:
    """Choose and lay the glass: no two pieces have quite the same colour, or lie quite flat."""
    sites: list[Floats] = []
    names: list[str] = []
    for medallion in MEDALLIONS:
        for row in range(math.ceil(1.5 / ROW)):
            places, angles = ring(medallion, row, rng)
            sites.append(places)
            names += [
                colour(medallion, row, angle, x, y, rng)
                for (x, y), angle in zip(places.tolist(), angles.tolist(), strict=True)
            ]
    glass = np.array([GLASS[name] for name in names])
    shade = 0.13 * rng.standard_normal((len(glass), 1)) + 0.05 * rng.standard_normal(glass.shape)
    lean = 0.12 * rng.standard_normal((len(glass), 2))
    return Tesserae(
        np.concatenate(sites).astype(np.float32),
        (glass * np.exp(shade)).astype(np.float32),
        lean.astype(np.float32),
    )


def ring(medallion: Medallion, row: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Places (N, 2) and angles (N,) of the tesserae of one row around a medallion.

    Rows go on outside it until they meet another medallion's, as around the figures of Roman
    mosaics (opus vermiculatum).
    """
    radius = row + 0.5 if row else 0.0
    count = max(1, round(6 * radius))
    uneven = rng.random() + 0.18 * rng.standard_normal(count)
    angles = 2 * math.pi * (np.arange(count) + uneven) / count
    radii = ROW * (radius + 0.06 * rng.standard_normal(count))
    x, y = medallion.x + radii * np.cos(angles), medallion.y + radii * np.sin(angles)
    away = [np.hypot(x - other.x, y - other.y) - ROW * other.rows for other in MEDALLIONS]
    mine = np.argmin(away, axis=0) == MEDALLIONS.index(medallion)
    near = np.maximum(np.abs(x - 0.5), np.abs(y - 0.5)) < 0.5 + MARGIN
    return np.column_stack([x, y])[mine & near], angles[mine & near]


def colour(
    medallion: Medallion, row: int, angle: float, x: float, y: float, rng: np.random.Generator
) -> str:
    """Of any tessera: waves of the field lap around the medallions, with a few sparks of gold."""
    outside = row - medallion.rows
    if outside < 0:
        return medallion.colour(row, angle)
    if outside == 0:
        return medallion.rim
    if rng.random() < 0.035:
        return "gold"
    wave = outside + 2.5 * math.sin(6 * x + 4 * y) + 2.5 * math.sin(7 * y - 5 * x)
    return FIELD[int(wave / 1.5) % len(FIELD)]


def cut(sites: Floats) -> NDArray[np.int32]:
    """Label the pixels, (SIDE, SIDE): 0 is grout, 2k + 1 the rim and 2k + 2 the face of piece k.

    Each piece is the Voronoi cell of its site, less the joint.
    """
    image = Image.new("I", (SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    cells = Voronoi(sites)
    for piece, region in enumerate(cells.point_region.tolist()):
        corners = cells.regions[region]
        polygon = cells.vertices[corners]
        if -1 in corners or np.abs(polygon - 0.5).max() > 0.5 + MARGIN:
            continue  # an open cell of the margin
        for label, inset in ((2 * piece + 1, JOINT), (2 * piece + 2, JOINT + RIM)):
            draw.polygon((shrunk(polygon, inset) * SIDE).ravel().tolist(), fill=label)
    return np.asarray(image)


def shrunk(polygon: Floats, inset: float) -> Floats:
    """A convex polygon (N, 2) drawn together until the edge nearest its middle moved by `inset`."""
    middle = polygon.mean(axis=0)
    spokes, edges = polygon - middle, np.roll(polygon, -1, axis=0) - polygon
    areas = np.abs(spokes[:, 0] * edges[:, 1] - spokes[:, 1] * edges[:, 0])
    nearest = np.min(areas / np.hypot(edges[:, 0], edges[:, 1]).clip(1e-9))
    shape: Floats = middle + spokes * max(0.0, 1 - inset / nearest)
    return shape


def lit(tesserae: Tesserae, labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The labelled pieces in light from the upper left, (SIDE, SIDE, 3) in [0, 1]."""
    piece = (labels - 1) // 2
    centre = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE
    x = (centre - tesserae.sites[piece, 0]) / ROW
    y = (centre[:, None] - tesserae.sites[piece, 1]) / ROW
    bevel = -(x + y) / np.hypot(x, y).clip(1e-3) / math.sqrt(2)  # the rim's cosine to the light
    bevel[labels % 2 == 0] = 0
    light = 1 + 0.45 * bevel + tesserae.lean[piece, 0] * x + tesserae.lean[piece, 1] * y
    light *= 1 + 0.05 * grain(400, seed=2)
    glint = 0.12 * bevel.clip(0)
    glass = tesserae.glass[piece] * light[..., None] + glint[..., None]
    grout = np.array(GROUT, np.float32) * (1 + 0.3 * grain(500, seed=3)[..., None])
    return np.where(labels[..., None] > 0, glass, grout).clip(0, 1)

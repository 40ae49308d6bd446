"""Which way the strokes of a picture run: an orientation at each pixel, then a direction.

The orientation is that of least change (Bigün & Granlund, Optimal orientation detection of linear
symmetry, ICCV 1987). It has no sign: a stroke may be walked either way. Signs are chosen for the
whole picture together, so that neighbours run the same way and swirls circulate.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.motion.signs import signs_of

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

Plane = NDArray[np.float32]
"""(H, W)."""

Field = NDArray[np.float32]
"""(H, W, 2): x to the right, y downwards."""

DERIVATIVE = 1.0
"""Standard deviation of the Gaussian whose derivative is the gradient, px."""

NOISE = 2e-5
"""Energy of the gradient below which there is nothing but noise, (1/px)^2."""

COHERENT = 0.08, 0.4
"""Coherence up to which paint rests, and from which on it moves at full speed."""

CELLS = 96
"""Of the grid on which signs are chosen, along the longer side, at most."""

SMOOTH = 0.8
"""Standard deviation of the Gaussian that joins the cells, in cells."""

SEAM = 0.03
"""Agreement of the cells and the lines, squared coherence, below which paint slows down."""


@dataclass(frozen=True)
class Orientation:
    """Lines through each pixel, as the projection on them times how clear they are.

    c d d^T, where d is the unit vector along the line and -d means the same.
    """

    xx: Plane
    xy: Plane
    yy: Plane

    @property
    def coherence(self) -> Plane:
        """(l1 - l2) / (l1 + l2) of the tensor's eigenvalues: 0 is no line, 1 is a perfect one."""
        return self.xx + self.yy

    @property
    def angle(self) -> Plane:
        """Of the line to the x axis, radians in (-pi/2, pi/2]; positive turns x towards y."""
        return np.asarray(0.5 * np.arctan2(2 * self.xy, self.xx - self.yy), np.float32)

    def along(self, field: Field) -> Field:
        """The part of a vector field that runs along the lines, times how clear they are."""
        x, y = field[..., 0], field[..., 1]
        return np.stack([self.xx * x + self.xy * y, self.xy * x + self.yy * y], axis=-1)


def orientation_of(rgb: RGB, scale: float) -> Orientation:
    """Of a picture's strokes, from its structure tensor smoothed by a Gaussian of `scale` px.

    With J = l1 n n^T + l2 d d^T, l1 >= l2, it is (l1 I - J) / (l1 + l2) = c d d^T, which needs no
    eigenvectors and fades where there is no orientation. The tensors of the three channels add up
    (Di Zenzo, A note on the gradient of a multi-image, 1986).
    """
    soft = cv2.GaussianBlur(rgb, (0, 0), DERIVATIVE, borderType=cv2.BORDER_REFLECT)
    # Scharr's kernels turn with the picture as nearly as 3x3 can; they sum up to 32 a px.
    across, down = (
        cv2.Scharr(soft, cv2.CV_32F, *order, scale=1 / 32, borderType=cv2.BORDER_REFLECT)
        for order in ((1, 0), (0, 1))
    )
    xx, xy, yy = (
        cv2.GaussianBlur(product.sum(axis=-1), (0, 0), scale, borderType=cv2.BORDER_REFLECT)
        for product in (across * across, across * down, down * down)
    )
    energy = xx + yy
    contrast = np.hypot(xx - yy, 2 * xy)
    over = np.float32(0.5) / (energy + np.float32(NOISE))
    return Orientation(
        xx=(contrast - xx + yy) * over, xy=-2 * xy * over, yy=(contrast + xx - yy) * over
    )


def flow_of(rgb: RGB, scale: float) -> Field:
    """Where paint goes: along the strokes, at a speed of 0 where there are none, to 1.

    Signs are chosen on a coarse grid; what comes of it is projected onto the fine orientation, so
    that the field follows each stroke, and smoothed, so that it passes through 0, without a jump,
    where two parts of the picture that run against each other meet. Of the two answers, which are
    each other's opposites, it is the one that flows to the right on the whole. `scale` as in
    `orientation_of`.
    """
    fine = orientation_of(rgb, scale)
    height, width = rgb.shape[:2]
    directed = cv2.GaussianBlur(_directed(fine, scale), (0, 0), SMOOTH)
    flow = fine.along(np.asarray(cv2.resize(directed, (width, height)), np.float32))
    speed = np.hypot(flow[..., 0], flow[..., 1])
    flow *= (_smooth_step(fine.coherence, *COHERENT) / (speed + SEAM))[..., None]
    flow = np.asarray(cv2.GaussianBlur(flow, (0, 0), scale), np.float32)
    return flow if flow[..., 0].sum() >= 0 else -flow


def _directed(fine: Orientation, scale: float) -> Field:
    """Vectors along the lines on a coarse grid, with signs; as long as their lines are clear."""
    height, width = fine.xx.shape
    cell = max(scale, max(height, width) / CELLS)
    grid = max(1, round(width / cell)), max(1, round(height / cell))
    planes = (
        np.asarray(cv2.resize(plane, grid, interpolation=cv2.INTER_AREA), np.float32)
        for plane in (fine.xx, fine.xy, fine.yy)
    )
    coarse = Orientation(*planes)
    # Lines that differ within a cell cancel each other out, as in the tensor.
    clear = np.hypot(coarse.xx - coarse.yy, 2 * coarse.xy)
    lines = np.stack([np.cos(coarse.angle), np.sin(coarse.angle)], axis=-1) * clear[..., None]
    return np.asarray(lines * signs_of(lines)[..., None], np.float32)


def _smooth_step(values: Plane, low: float, high: float) -> Plane:
    """0 up to `low`, 1 from `high` on, and a cubic between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)

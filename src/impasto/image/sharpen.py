"""Sharpening: unsharp masking of lightness that leaves noise alone and does not draw halos."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

RADIUS = 1.0
"""Deviation of the Gaussian, px."""

HALO = 4
"""Rows beside a strip that the Gaussian sees."""

FAINT = 1e-6
"""Least weight of a pixel, for where nothing is visible."""

QUIET = 0.003
"""Detail that is raised by half, where the picture has no noise; lightness."""

LOUD = 0.08
"""Detail whose gain is halved: edges that are sharp already."""


def sharpened(lightness: Plane, amount: float, noise: float, weight: Plane | None = None) -> Plane:
    """Raise fine detail of OKLab's lightness (H, W) by `amount` times itself.

    Detail below the noise is left alone. What is added bends off before 0 and 1. Pixels count for
    their neighbours by their weight (H, W), alpha.
    """
    if not amount:
        return lightness
    soft = _blurred(lightness)
    if weight is not None:
        seen = np.maximum(weight, np.float32(FAINT))
        soft = _blurred(lightness * seen) / _blurred(seen)
    detail = lightness - soft
    square = detail * detail
    floor = np.float32((QUIET + 2 * noise) ** 2)
    added = np.float32(amount) * detail * square / (square + floor)
    added /= 1 + np.abs(added) / np.float32(LOUD)
    room = np.where(added > 0, 1 - lightness, lightness)
    room = np.maximum(room, np.float32(1e-9))
    return np.asarray(lightness + added * room / (room + np.abs(added)))


def _blurred(plane: Plane) -> Plane:
    size = (2 * HALO + 1, 2 * HALO + 1)
    return np.asarray(cv2.GaussianBlur(plane, size, RADIUS), np.float32)

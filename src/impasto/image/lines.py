"""Lines along the borders between regions."""

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.filter_settings import rgb_of
from impasto.image.color import Colours
from impasto.image.segmentation import Labels
from impasto.image.srgb import to_unit


def line(text: str) -> tuple[NDArray[np.float32], int]:
    """COLOR or COLOR:WIDTH -> sRGB-coded colour (3,) in [0, 1], and width in px; 1 if not given."""
    color, _, width = text.partition(":")
    colour = to_unit(np.array(rgb_of(color), np.uint8))
    return colour, int(width or 1)


def drawn(rgb: Colours, labels: Labels, borders: str) -> Colours:
    """Draw the borders of regions over a picture, (H, W, 3) in place; `borders` as in `line`."""
    colour, width = line(borders)
    rgb[outlines(labels, width)] = colour
    return rgb


def outlines(labels: Labels, width: int) -> NDArray[np.bool_]:
    """Which pixels lie on lines of `width` px along the borders, (H, W).

    A border runs between pixels. Lines of even width are centred on it. Those of odd width are
    centred on the pixels to its left and above it, half a pixel away.
    """
    thin = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    thin[:, :-1] |= across
    thin[:-1] |= down
    if width % 2 == 0:
        thin[:, 1:] |= across
        thin[1:] |= down
    radius = (width - 1) // 2
    if radius == 0 or not thin.any():
        return thin
    distance = cv2.distanceTransform((~thin).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance < radius + 0.5)

"""Y′CbCr, as films store colours: ITU-R BT.601, BT.709 and BT.2020, by their own equations."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.float32]
"""(H, W, 3), in [0, 1]."""

BT709 = 1
"""ITU-T H.273's number of the matrix of high definition."""

BT601 = 6

LUMA = {
    BT709: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    BT601: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
"""{matrix, as ITU-T H.273 numbers them: weights of red and blue in luma}.

High definition, the FCC's of 1953, BT.601 with 625 and with 525 lines, SMPTE 240M, BT.2020.
"""


def codes(matrix: int, bits: int, *, full: bool) -> NDArray[np.float64]:
    """What R′G′B′ in [0, 1] is multiplied by, with a last 1, for codes of so many bits: (3, 4).

    BT.709-6, sections 3.2 to 3.4: Y′ from 16 to 235 and colours from 16 to 240, of 8 bits; in full
    range, from 0 to the highest code.
    """
    red, blue = LUMA[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    blueness = (np.array([0, 0, 1]) - luma) / (2 - 2 * blue)
    redness = (np.array([1, 0, 0]) - luma) / (2 - 2 * red)
    unit, most = 2 ** (bits - 8), 2**bits - 1
    floor, height, swing = (0, most, most) if full else (16 * unit, 219 * unit, 224 * unit)
    rows = [height * luma, swing * blueness, swing * redness]
    return np.column_stack([np.stack(rows), [floor, 128 * unit, 128 * unit]])


def to_rgb(samples: NDArray[np.uint16], matrix: int, bits: int, *, full: bool) -> RGB:
    """Codes, (H, W, 3), that lie in the upper `bits` of 16 -> R′G′B′; what is out of gamut is cut.

    Nothing is rounded.
    """
    forward = codes(matrix, bits, full=full) * 2 ** (16 - bits)
    inverse = np.linalg.inv(forward[:, :3])
    back = np.column_stack([inverse, -inverse @ forward[:, 3]])
    return np.asarray(np.clip(cv2.transform(samples.astype(np.float32), back), 0, 1), np.float32)


def planes(rgb: NDArray[Any], bits: int, *, every_line: bool) -> list[NDArray[np.uint16]]:
    """sRGB -> luma, blueness and redness of BT.709, limited range, at so many bits.

    rgb: (H, W, 3) with even sides, uint8, uint16, or float in [0, 1]. Colours come at half the
    width, and at half the height unless `every_line` has its own. They are sited as H.264 and
    H.265 take for granted: with the left of two pixels and between two lines.
    """
    most = np.iinfo(rgb.dtype).max if rgb.dtype.kind == "u" else 1
    forward = codes(BT709, bits, full=False)
    forward[:, :3] /= most
    luma, *colours = cv2.split(cv2.transform(rgb.astype(np.float32), forward))
    if not every_line:
        colours = [(colour[::2] + colour[1::2]) / 2 for colour in colours]
    return [np.rint(plane).astype(np.uint16) for plane in (luma, *map(_halved, colours))]


def _halved(colour: NDArray[Any]) -> NDArray[Any]:
    """Every second column, each with half of its neighbours, (H, W) -> (H, W/2)."""
    left = np.pad(colour[:, 1:-1:2], [(0, 0), (1, 0)])
    left[:, 0] = colour[:, 0]  # the first has no neighbour on its left
    return left / 4 + colour[:, ::2] / 2 + colour[:, 1::2] / 4

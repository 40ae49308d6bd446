"""The superpixel methods of OpenCV's contrib module behind one door."""

import math
from collections.abc import Callable
from threading import Lock
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.image.color import Colours

Labels = NDArray[np.int32]
"""(H, W): the region of each pixel, from 0."""

Bytes = NDArray[np.uint8]
"""(H, W, 3) of CIE L*a*b* as OpenCV codes it: L* times 2.55, a* and b* plus 128."""

Method = Literal["slic", "slico", "lsc", "seeds"]

ITERATIONS = 5
"""Half of what is usual: what comes after moves the borders again."""

SMALLEST_SIDE = 2
"""Of a region that is asked for, px."""

THIN = 10
"""OpenCV's methods crash on pictures with a shorter side than this, px."""

FRAGMENT = 25
"""Parts below this share of the mean region are given to a neighbour, %."""

SEEDS_LEVELS = 4
"""Of blocks that SEEDS exchanges: from half a region down to single pixels, where there is room."""


def lab_bytes(rgb: Colours) -> Bytes:
    """sRGB-coded colours (H, W, 3) in [0, 1] -> 8-bit CIE L*a*b*."""
    return np.asarray(
        cv2.cvtColor(cv2.convertScaleAbs(rgb, alpha=255), cv2.COLOR_RGB2LAB), np.uint8
    )


def _slic(pixels: Bytes, count: int, compactness: float) -> Labels:
    """Achanta et al. 2012: k-means of colours and places, each within its neighbourhood."""
    return _clustered(pixels, cv2.ximgproc.SLIC, count, compactness)


def _slico(pixels: Bytes, count: int, compactness: float) -> Labels:
    """SLIC whose compactness adapts to each region, so that it is the same on all textures."""
    return _clustered(pixels, cv2.ximgproc.SLICO, count, compactness)


def _clustered(pixels: Bytes, variant: int, count: int, compactness: float) -> Labels:
    found = cv2.ximgproc.createSuperpixelSLIC(pixels, variant, _side(pixels, count), compactness)
    found.iterate(ITERATIONS)
    found.enforceLabelConnectivity(FRAGMENT)
    return np.asarray(found.getLabels(), np.int32)


def _lsc(pixels: Bytes, count: int, compactness: float) -> Labels:
    """Li and Chen 2015: k-means in a space of ten dimensions that stands for normalized cuts.

    OpenCV's ratio of 0.075 is to it what a compactness of 10 is to SLIC.
    """
    ratio = 0.0075 * compactness
    found = cv2.ximgproc.createSuperpixelLSC(pixels, _side(pixels, count), ratio)
    found.iterate(ITERATIONS)
    found.enforceLabelConnectivity(FRAGMENT)
    return np.asarray(found.getLabels(), np.int32)


def _seeds(pixels: Bytes, count: int, compactness: float) -> Labels:
    """Van den Bergh et al. 2012: blocks change hands while each region's histogram gets purer.

    OpenCV's prior, a whole number up to 5, smooths the shapes: 2, as usual, at a compactness of 10.
    It starts from a grid of regions, and crashes if that has a single row or column, or regions of
    less than 3 px a side; so it sees the picture lying on its longer side, and counts are bounded.
    """
    height, width = pixels.shape[:2]
    if height > width:
        turned = np.ascontiguousarray(pixels.transpose(1, 0, 2))
        return np.ascontiguousarray(_seeds(turned, count, compactness).T)
    least, most = max(10, 4 * width // height + 2), height * width // 9
    count = min(max(count, least), most)
    levels = min(SEEDS_LEVELS, int(math.log2(math.sqrt(height * width / count))))
    prior = min(5, round(compactness / 5))
    found = cv2.ximgproc.createSuperpixelSEEDS(
        width, height, 3, count, levels, prior, double_step=True
    )
    found.iterate(pixels, ITERATIONS)
    return np.asarray(found.getLabels(), np.int32)


def _side(pixels: Bytes, count: int) -> int:
    """Of a square region if there are `count`, px.

    OpenCV cannot place the centres of smaller regions, and crashes on larger ones.
    """
    height, width = pixels.shape[:2]
    side = math.ceil(math.sqrt(height * width / count))
    return int(min(max(side, SMALLEST_SIDE), min(height, width) // 2))


class Grouping(NamedTuple):
    """How a method is used."""

    of: Callable[[Bytes, int, float], Labels]
    """Pixels, number of regions, compactness -> labels. Regions may be in parts, numbers unused."""
    finer: float
    """How many times more regions than wanted it is asked for; they are merged afterwards."""
    side: float
    """Of a region in a reduced picture, px at least: enough for the method to give it a shape."""
    roundness: float
    """Factor of the compactness in the merging and in the movement of borders.

    At 2 it is that of SLIC, for 8-bit codes lie about twice as far apart as L*a*b* itself.
    """


METHODS: dict[Method, Grouping] = {
    "slic": Grouping(_slic, finer=2.5, side=2.5, roundness=2),
    "slico": Grouping(_slico, finer=1.25, side=3, roundness=4),
    "lsc": Grouping(_lsc, finer=2, side=5, roundness=2),
    "seeds": Grouping(_seeds, finer=2, side=3, roundness=2),
}


ALONE = Lock()


def grouped(pixels: Bytes, count: int, method: Method, compactness: float) -> Labels:
    """Group the pixels into about `count` regions; a picture too thin for that is one.

    On one thread, for LSC rounds its sums in the order in which its threads finish; OpenCV's
    number of threads is the whole process's, so one picture is grouped at a time.
    """
    if min(pixels.shape[:2]) < THIN:
        return np.zeros(pixels.shape[:2], np.int32)
    with ALONE:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            return METHODS[method].of(pixels, count, compactness)
        finally:
            cv2.setNumThreads(threads)

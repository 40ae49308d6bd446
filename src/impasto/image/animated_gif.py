"""Animated GIF with one palette for all its frames, so that what stands still does not flicker.

CompuServe: Graphics Interchange Format, version 89a (1990). The LZW compression is Pillow's; the
rest is written here, for Pillow's own writer gives frames palettes of their own.
"""

import struct
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import getdata

from impasto.filter_settings import QuantizeSettings
from impasto.image.histogram import COLOURS, Histogram, codes_of, colours_of, histogram
from impasto.image.kmeans import Bins
from impasto.image.metric import points
from impasto.image.nearest import nearest
from impasto.image.palette import few_colours

Frame = NDArray[np.uint8]
"""(H, W, 3), sRGB."""

CLEAR = 255
"""Entry of the palette whose pixels keep what the frame before shows there."""

FEW = QuantizeSettings(k=CLEAR)

ENDLESS = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
"""Application extension: begin again at the end, for ever."""

TRAILER = b"\x3b"


def encode(frames: Sequence[Frame], delays: Sequence[int]) -> bytes:
    """The file's bytes; `delays` are hundredths of a second.

    The 255 colours are those of k-means on the histogram of all frames together, each frame
    weighing as long as it is shown. Which of them a pixel takes depends on its colour alone: there
    is no dithering, whose dots would swim from frame to frame.
    """
    colours, table = _palette(frames, delays)
    height, width = frames[0].shape[:2]
    entries = np.zeros((256, 3), np.uint8)
    entries[: len(colours)] = colours
    # 0xf7: a palette follows, of 8 bits a channel and 2^8 entries.
    screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0xF7, 0, 0)
    parts = [screen, entries.tobytes(), ENDLESS, *_pictures(frames, delays, table), TRAILER]
    return b"".join(parts)


def _palette(
    frames: Sequence[Frame], delays: Sequence[int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours (K, 3), and the index of every code into them, (COLOURS,)."""
    sums = np.zeros(COLOURS, np.float32)
    for frame, delay in zip(frames, delays, strict=True):
        found = histogram(codes_of(frame))
        sums[found.codes] += (found.weights * delay).astype(np.float32)
    codes = np.flatnonzero(sums).astype(np.uint32)
    seen = Histogram(codes, sums[codes].astype(np.float64))
    places = points(colours_of(codes), FEW.space)
    colours = few_colours(Bins(seen.codes, places, seen.weights), FEW)
    table = np.zeros(COLOURS, np.uint8)
    table[codes] = nearest(places, points(colours, FEW.space))
    return colours, table


def _pictures(
    frames: Sequence[Frame], delays: Sequence[int], table: NDArray[np.uint8]
) -> Iterator[bytes]:
    """Each frame as the change of the one before."""
    before: NDArray[np.uint8] | None = None
    for frame, delay in zip(frames, delays, strict=True):
        indices = table.take(codes_of(frame))
        yield (
            _picture(indices, None, (0, 0), delay)
            if before is None
            else _change(before, indices, delay)
        )
        before = indices


def _change(before: NDArray[np.uint8], indices: NDArray[np.uint8], delay: int) -> bytes:
    """The part of a frame, (H, W), that differs from the one before.

    Within it, what is the same may be left clear, which is shorter the larger such areas are.
    """
    differs = before != indices
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        rows = columns = np.zeros(1, np.intp)
    area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    offset = int(columns[0]), int(rows[0])
    clear = np.where(differs[area], indices[area], np.uint8(CLEAR))
    whole = _picture(indices[area], None, offset, delay)
    return min(whole, _picture(clear, CLEAR, offset, delay), key=len)


def _picture(
    indices: NDArray[np.uint8], clear: int | None, offset: tuple[int, int], delay: int
) -> bytes:
    """A picture at a place, (x, y), that stays when the next comes."""
    how = {"duration": 10 * delay, "disposal": 1, "include_color_table": False}
    if clear is not None:
        how["transparency"] = clear
    return b"".join(getdata(Image.fromarray(indices), offset, **how))

"""Animated GIF with one palette for all its frames, so that what stands still does not flicker.

CompuServe: Graphics Interchange Format, version 89a (1990). The LZW compression is Pillow's; the
rest is written here, for Pillow's own writer gives frames palettes of their own.
"""

import struct
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import getdata

from impasto.image.color import Space
from impasto.image.gif import extension
from impasto.image.histogram import Codes, codes_of, colours_of
from impasto.image.kmeans import Bins, joined
from impasto.image.lloyd import centroids
from impasto.image.metric import colours_at, points
from impasto.image.nearest import nearest

Frame = NDArray[np.uint8]
"""(H, W, 3), sRGB."""

Indices = NDArray[np.uint8]
"""Into the palette."""

CLEAR = 255
"""Entry of the palette whose pixels keep what the frame before shows there; there are so many
colours."""

SPACE: Space = "oklab"
"""Where distances between colours are taken."""

SAMPLE = 1 << 18
"""Pixels, about, that the colours are chosen from: drawn evenly from all frames."""

GROUPED, DEPTH = 5, 6
"""Bits a channel by which colours are grouped before the clustering, and which decide what colour
of the palette a pixel takes."""

ENDLESS = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"
"""Application extension: begin again at the end, for ever."""

TRAILER = b"\x3b"


def encoded(
    frames: Sequence[Frame], delays: Sequence[int], packet: bytes | None = None
) -> Iterator[bytes]:
    """The file's bytes, part by part; `delays` are hundredths of a second, `packet` is XMP.

    At most 255 colours are kept; of more, those of k-means on all frames together, each weighing as
    long as it is shown. Which of them a pixel takes depends on its own colour alone: there is no
    dithering, whose dots would swim from frame to frame.
    """
    colours, index = _palette(frames, delays)
    height, width = frames[0].shape[:2]
    entries = np.zeros((256, 3), np.uint8)
    entries[: len(colours)] = colours
    # 0xf7: a palette follows, of 8 bits a channel and 2^8 entries.
    screen = struct.pack("<6sHHBBB", b"GIF89a", width, height, 0xF7, 0, 0)
    yield from (screen, entries.tobytes(), ENDLESS)
    if packet is not None:
        yield extension(packet)
    yield from _pictures(map(index, frames), delays)
    yield TRAILER


def _palette(
    frames: Sequence[Frame], delays: Sequence[int]
) -> tuple[NDArray[np.uint8], Callable[[Frame], Indices]]:
    """Colours (K, 3), and what finds the one of each pixel."""
    few = _few_codes(frames)
    if few is not None:
        return colours_of(few), lambda frame: _among(codes_of(frame), few)
    bins = _bins(frames, delays)
    means = centroids(bins.means, bins.weights, CLEAR, seed=0)
    colours = np.unique(colours_at(means, SPACE), axis=0)
    middles = np.arange(1 << 8, step=1 << 8 - DEPTH, dtype=np.uint8) + np.uint8(1 << 7 - DEPTH)
    cells = np.stack(np.meshgrid(middles, middles, middles, indexing="ij"), axis=-1)
    table = nearest(points(cells.reshape(-1, 3), SPACE), points(colours, SPACE))
    return colours, lambda frame: table.take(_key(frame))


def _few_codes(frames: Sequence[Frame]) -> Codes | None:
    """All colours there are, ascending, if they fit into a palette."""
    found = np.zeros(0, np.uint32)
    for frame in frames:
        found = np.union1d(found, codes_of(frame))
        if len(found) > CLEAR:
            return None
    return found


def _among(codes: Codes, few: Codes) -> Indices:
    """Where codes stand in an ascending list that has them all."""
    return np.searchsorted(few, codes).astype(np.uint8)


def _bins(frames: Sequence[Frame], delays: Sequence[int]) -> Bins:
    """Colours that are alike, together."""
    random, each = np.random.default_rng(0), max(1, SAMPLE // len(frames))
    flat = (frame.reshape(-1, 3) for frame in frames)
    drawn = [codes_of(pixels[random.integers(len(pixels), size=each)]) for pixels in flat]
    weights = np.repeat(np.array(delays, np.float64), each)
    codes, places = np.unique(np.concatenate(drawn), return_inverse=True)
    sums = np.bincount(places, weights).astype(np.float64)
    return joined(Bins(codes, points(colours_of(codes), SPACE), sums), GROUPED)


def _key(frame: Frame) -> NDArray[np.uint32]:
    """The first bits of each channel, together."""
    red, green, blue = (frame[..., channel].astype(np.uint32) >> 8 - DEPTH for channel in range(3))
    return np.asarray(red << 2 * DEPTH | green << DEPTH | blue, np.uint32)


def _pictures(frames: Iterator[Indices], delays: Sequence[int]) -> Iterator[bytes]:
    """Each frame as what differs from the one before."""
    before: Indices | None = None
    for indices, delay in zip(frames, delays, strict=True):
        yield _picture(indices, delay) if before is None else _change(before, indices, delay)
        before = indices


def _change(before: Indices, indices: Indices, delay: int) -> bytes:
    """The part of a frame, (H, W), that differs from the one before; 1 pixel where nothing does.

    What is the same within it is left clear: a film of a painting is less than half as long so.
    """
    differs = before != indices
    rows, columns = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
    if not len(rows):
        rows = columns = np.zeros(1, np.intp)
    area = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part = np.where(differs[area], indices[area], np.uint8(CLEAR))
    return _picture(part, delay, (int(columns[0]), int(rows[0])), transparency=CLEAR)


def _picture(indices: Indices, delay: int, offset: tuple[int, int] = (0, 0), **how: int) -> bytes:
    """A picture at a place, (x, y), that stays when the next one comes."""
    image = Image.fromarray(indices)
    parts = getdata(
        image, offset, duration=10 * delay, disposal=1, include_color_table=False, **how
    )
    return b"".join(parts)

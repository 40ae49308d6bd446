"""Files that hold a palette and pixels that point into it: PNG of 1, 2, 4 or 8 bits, and GIF."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import UnwritableOutput
from impasto.image.picture import Indexed, Metadata
from impasto.image.srgb import srgb_profile, to_bits

KINDS = {"PNG", "GIF"}

ENTRIES = 256
"""Of a file's palette at most."""

LEVELS = 256
"""Of alpha in 8 bits."""


def encode(
    indexed: Indexed, alpha: NDArray[np.float32] | None, kind: str, metadata: Metadata, output: str
) -> bytes:
    """The file's bytes, without XMP; `output` names it in errors.

    An entry of the palette is a colour with an alpha. Alpha keeps its 256 levels where there is
    room for every pair that occurs, and as many evenly spaced ones as there is room for otherwise;
    GIF has two.
    """
    entries = Entries.opaque(indexed)
    if alpha is not None:
        entries = Entries.with_alpha(indexed, to_bits(alpha, 8), 2 if kind == "GIF" else LEVELS)
    if len(entries.colours) > ENTRIES:
        raise UnwritableOutput(
            f"cannot write {output}: {len(indexed.colours)} colours and transparency do not fit "
            f"into a palette of {ENTRIES}; use fewer colours, or choose .webp or .tif"
        )
    image = Image.fromarray(entries.indices)
    image.putpalette(entries.colours.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, kind, **_options(entries, kind, metadata))
    return buffer.getvalue()


class Entries:
    """A palette as a file has it."""

    def __init__(
        self,
        indices: NDArray[np.uint8],
        colours: NDArray[np.uint8],
        alphas: NDArray[np.uint8] | None,
    ) -> None:
        """(H, W) into (N, 3) and (N,)."""
        self.indices, self.colours, self.alphas = indices, colours, alphas

    @classmethod
    def opaque(cls, indexed: Indexed) -> "Entries":
        """The colours alone."""
        return cls(indexed.indices, indexed.colours, None)

    @classmethod
    def with_alpha(cls, indexed: Indexed, alpha: NDArray[Any], most: int) -> "Entries":
        """The pairs of colour and alpha that occur, most frequent first, with `most` alphas."""
        pairs = indexed.indices.astype(np.uint16) * np.uint16(LEVELS) + alpha
        counts = np.bincount(pairs.ravel(), minlength=LEVELS * LEVELS)
        # More levels make more pairs, so halving finds the most that fit.
        fitting, too_many = 2, most + 1
        while too_many - fitting > 1:
            levels = most if too_many > most else (fitting + too_many) // 2
            if len(_used(counts, levels)[0]) <= ENTRIES:
                fitting = levels
            else:
                too_many = levels
        used, entry = _used(counts, fitting)
        colours = indexed.colours[used // LEVELS]
        return cls(entry[pairs], colours, (used % LEVELS).astype(np.uint8))


def _used(counts: NDArray[np.int64], levels: int) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """(pairs that occur once alpha has so many levels, {pair before: its place among them}).

    What is invisible has one colour.
    """
    colour, alpha = np.divmod(np.arange(LEVELS * LEVELS), LEVELS)
    steps = levels - 1
    nearest = np.rint(np.rint(alpha / 255 * steps) / steps * 255).astype(np.int64)
    snapped = np.where(nearest > 0, colour, 0) * LEVELS + nearest
    sums = np.bincount(snapped, weights=counts, minlength=LEVELS * LEVELS)
    used = np.argsort(-sums, kind="stable")[: np.count_nonzero(sums)]
    place = np.zeros(LEVELS * LEVELS, np.int64)
    place[used] = np.arange(len(used))
    return used, place[snapped].astype(np.uint8)


def _options(entries: Entries, kind: str, metadata: Metadata) -> dict[str, Any]:
    """What Pillow's encoder of this format is told."""
    alphas = entries.alphas
    if alphas is not None and (alphas == LEVELS - 1).all():
        alphas = None
    if kind == "GIF":
        clear = {} if alphas is None else {"transparency": int(np.argmin(alphas))}
        return {"optimize": False, **clear}
    found = {
        "transparency": None if alphas is None else alphas.tobytes(),
        "dpi": metadata.dpi,
        "exif": metadata.exif,
        "icc_profile": srgb_profile(),
    }
    return {name: value for name, value in found.items() if value is not None}

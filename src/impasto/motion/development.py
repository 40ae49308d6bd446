"""A decoded frame as a picture: upright, in sRGB."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import UnreadableVideo
from impasto.image.dynamic_range import HLG, PQ, WIDE, to_screen
from impasto.image.srgb import to_unit
from impasto.image.ycbcr import BT601, BT709, LUMA, to_rgb

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.reformatter import VideoReformatter

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

HIGH_DEFINITION = 720
"""Lines from which on colours are BT.709's, where the file doesn't say; browsers agree."""

UNSPECIFIED = (2, 3)
"""ITU-T H.273: not said, and reserved; besides, 0 is RGB, which Y′CbCr can't be."""

FULL = 2
"""FFmpeg's number of the full range."""

Matrix = tuple[int, int, int, int]


@dataclass(frozen=True)
class Development:
    """How the frames of a clip are made pictures."""

    stored: tuple[int, int]
    """(width, height) of decoded frames, px; those of another size are made this one."""
    depth: int
    """Bits a channel."""
    is_rgb: bool
    matrix: int
    """As ITU-T H.273 numbers it."""
    full: bool
    """Codes from 0 to the highest, instead of 16 to 235 of 255."""
    transfer: int
    primaries: int
    """As ITU-T H.273 numbers them."""
    turn: Matrix
    """Where the picture's axes lie when it is shown: (a, b, c, d), each -1, 0 or 1.

    The file's display matrix, rounded to quarter turns: x′ = a·x + c·y, y′ = b·x + d·y.
    """

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) upright, px."""
        return (self.stored[1], self.stored[0]) if self.lies else self.stored

    @property
    def lies(self) -> bool:
        """Whether width and height change places."""
        return self.turn[0] == 0

    @property
    def dynamic_range(self) -> str | None:
        """The name of a high dynamic range."""
        return {PQ: "PQ", HLG: "HLG"}.get(self.transfer)

    @property
    def wide(self) -> bool:
        """Whether there may be colours that sRGB has not."""
        return self.primaries in WIDE

    def __call__(self, frame: "VideoFrame", long_side: int | None = None) -> RGB:
        """The picture; `long_side` makes it smaller, by averaging."""
        width, height = self.stored
        if long_side is not None and max(self.stored) > long_side:
            width, height = (
                max(1, round(side * long_side / max(self.stored))) for side in self.stored
            )
        rgb = self._rgb(frame, width, height)
        if self.dynamic_range or self.wide:
            rgb = to_screen(rgb, self.transfer, self.primaries)
        return np.ascontiguousarray(turned(rgb, self.turn))

    def _rgb(self, frame: "VideoFrame", width: int, height: int) -> RGB:
        """In two steps, for the matrix that FFmpeg multiplies by isn't exact above 8 bits."""
        from av.video.reformatter import ColorRange, Interpolation

        kept = ColorRange.JPEG if self.full else ColorRange.MPEG
        smaller = Interpolation.AREA if width < frame.width else Interpolation.BICUBIC
        precise = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INP | Interpolation.BITEXACT
        layout = "yuv444p16le" if not self.is_rgb else "rgb48le" if self.depth > 8 else "rgb24"
        samples: NDArray[Any] = self._reformatter.reformat(
            frame,
            width,
            height,
            layout,
            interpolation=smaller | precise,
            src_color_range=kept,
            dst_color_range=kept,
            threads=1,
        ).to_ndarray(channel_last=True)
        if self.is_rgb:
            return to_unit(samples)
        return to_rgb(samples, self.matrix, self.depth, full=self.full)

    @cached_property
    def _reformatter(self) -> "VideoReformatter":
        from av.video.reformatter import VideoReformatter

        return VideoReformatter()


def turned(picture: NDArray[Any], turn: Matrix) -> NDArray[Any]:
    """Rows and columns, (H, W, ...), as they are shown; no pixel changes."""
    a, b, c, d = turn
    if a == 0:
        picture = picture.swapaxes(0, 1)
        a, d = c, b
    return picture[::d, ::a]


def development_of(frame: "VideoFrame", where: str) -> Development:
    """How to develop frames like a clip's first; UnreadableVideo where that isn't possible."""
    layout = frame.format
    is_rgb = layout.is_rgb or layout.has_palette
    grey = len(layout.components) < 3
    matrix = frame.colorspace
    if matrix in UNSPECIFIED or matrix == 0 or grey:
        matrix = BT709 if frame.height >= HIGH_DEFINITION else BT601
    if not is_rgb and matrix not in LUMA:
        raise UnreadableVideo(
            f"cannot read {where}: its colours follow a matrix (number {matrix} of ITU-T H.273) "
            "that Impasto does not know; convert it to BT.709 first"
        )
    # FFmpeg's old names of full range begin so; grey without a word is full, as everywhere there.
    known = frame.color_range in (1, FULL)
    full = frame.color_range == FULL if known else layout.name.startswith("yuvj") or grey
    return Development(
        stored=(frame.width, frame.height),
        depth=max(component.bits for component in layout.components),
        is_rgb=is_rgb,
        matrix=matrix,
        full=full,
        transfer=frame.color_trc,
        primaries=frame.color_primaries,
        turn=turn_of(frame),
    )


def turn_of(frame: "VideoFrame") -> Matrix:
    """The display matrix that came with a frame, rounded to quarter turns and mirrors."""
    beside: Any = frame.side_data
    if "DISPLAYMATRIX" not in {data.type.name for data in beside}:
        return 1, 0, 0, 1
    nine = np.frombuffer(bytes(beside["DISPLAYMATRIX"]), np.int32)
    a, b, c, d = (int(value) for value in nine[[0, 1, 3, 4]])
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return _sign(a), 0, 0, _sign(d)
    return 0, _sign(b), _sign(c), 0


def _sign(value: int) -> int:
    return -1 if value < 0 else 1

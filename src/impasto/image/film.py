"""H.264 films in MP4, as browsers and phones play them."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from impasto.extras import extra

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.video.stream import VideoStream

Frame = NDArray[np.uint8]
"""(H, W, 3), sRGB."""

TICKS = 1000
"""Of a second: when frames begin and end."""

BT709 = 1
"""ITU-T H.273: the primaries of sRGB; the transfer and the matrix of high definition."""

LIMITED = 1
"""ITU-T H.273's range 16 to 235, the only one that all players know."""

PIXELS = "yuv420p"

CODING = {"crf": "18", "preset": "veryfast", "bf": "0", "threads": "4"}
"""A quality that the eye can hardly tell from the original; slower presets take three times as long
for half a decibel. No frame is coded after one that is shown later, for the file tells how long
frames last in the order in which they are coded. The bytes depend on the number of threads, so it
is fixed."""

BIT_EXACT = "+bitexact"
"""No names of versions in the file, and arithmetic that is the same on every processor."""


def require() -> None:
    """Raise MissingExtra where films can't be written."""
    with extra("video", "writing a film"):
        import av  # noqa: F401


def encode(frames: Sequence[Frame], ticks: Sequence[int], path: Path) -> None:
    """Write a file; each frame is shown for so many ticks, exactly.

    In 4:2:0, two by two pixels share their colour; so an odd side gets one pixel more, which
    repeats the last. What a player needs to begin with stands at the front of the file.
    """
    import av

    height, width = (side + side % 2 for side in frames[0].shape[:2])
    how = {"movflags": "+faststart", "fflags": BIT_EXACT}
    with av.open(path, "w", format="mp4", options=how) as container:
        rate = Fraction(TICKS * len(frames), sum(ticks)).limit_denominator(TICKS)
        stream = container.add_stream("libx264", rate, {**CODING, "flags": BIT_EXACT})
        stream.width, stream.height, stream.pix_fmt = width, height, PIXELS
        coder = stream.codec_context
        coder.time_base = Fraction(1, TICKS)
        coder.colorspace = coder.color_primaries = coder.color_trc = BT709
        coder.color_range = LIMITED
        for packet in _packets(stream, frames, ticks):
            container.mux(packet)


def _packets(
    stream: "VideoStream", frames: Sequence[Frame], ticks: Sequence[int]
) -> Iterator["Packet[VideoStream]"]:
    """The coded frames."""
    lasting = dict(zip(accumulate(ticks, initial=0), ticks, strict=False))
    pictures = map(_picture, frames, lasting)
    for picture in chain(pictures, [None]):  # None: what the coder still holds
        for packet in stream.encode(picture):
            packet.duration = lasting[packet.pts or 0]
            yield packet


def _picture(frame: Frame, start: int) -> "VideoFrame":
    """A frame as H.264 takes it, shown from a tick on."""
    from av import VideoFrame
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    odd = [(0, side % 2) for side in frame.shape[:2]]
    picture = VideoFrame.from_ndarray(np.pad(frame, [*odd, (0, 0)], mode="edge")).reformat(
        format=PIXELS,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT,
    )
    picture.pts, picture.time_base = start, Fraction(1, TICKS)
    return picture

"""Films: frames coded, each shown for as long as it is said, in colours that players know."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from impasto.extras import extra
from impasto.image.film_codec import CODECS, MP4, Codec, Container
from impasto.image.ycbcr import planes

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import OutputContainer
    from av.video.stream import VideoStream

Frame = NDArray[np.uint8]
"""(H, W, 3), sRGB."""

RECIPE = "comment"
"""Where films carry their recipe: a field that every container has."""

TICKS = 1000
"""Of a second: when frames begin and end, in a film that follows no other."""

QUALITY = 65
"""CRF 18 of H.264, which the eye can hardly tell from the original."""

BT709 = 1
"""ITU-T H.273: the primaries of sRGB; the transfer and the matrix of high definition."""

LIMITED = 1
"""ITU-T H.273's range 16 to 235, the only one that all players know."""

SILENCE = "SVT_LOG", "1"
"""SVT-AV1 writes to standard error by itself, unless its environment says: errors only."""

BIT_EXACT = "+bitexact"
"""No names of versions in the file, and arithmetic that is the same on every processor."""


@dataclass(frozen=True)
class Look:
    """How the frames of a film are stored."""

    size: tuple[int, int]
    """(width, height), px; an odd side gets one pixel more."""
    rate: Fraction
    """Frames a second, on average."""
    time_base: Fraction
    """Seconds a tick."""
    depth: int = 8
    """Bits a channel."""
    quality: int = QUALITY
    pixel_aspect: Fraction = Fraction(1)
    """Width of a pixel over its height."""


def require() -> None:
    """Raise MissingExtra where films can't be written."""
    with extra("video", "writing a film"):
        import av  # noqa: F401


def depths(codec: Codec) -> list[int]:
    """Bits a channel that the FFmpeg of this PyAV codes; none where it has no such encoder."""
    from av.codec.codec import Codec as Coder
    from av.codec.codec import UnknownCodecError

    try:
        formats = Coder(codec.encoder, "w").video_formats or ()
    except UnknownCodecError:
        return []
    names = {layout.name for layout in formats}
    return [bits for bits, pixels in codec.pixels.items() if pixels in names]


def encode(
    frames: Sequence[Frame], ticks: Sequence[int], path: Path, recipe: str | None = None
) -> None:
    """Write an H.264 film in MP4; each frame is shown for so many thousandths of a second, exactly.

    What a player needs to begin with stands at the front of the file.
    """
    height, width = frames[0].shape[:2]
    rate = Fraction(TICKS * len(frames), sum(ticks)).limit_denominator(TICKS)
    look = Look((width, height), rate, Fraction(1, TICKS))
    with created(path, MP4) as container:
        stream = add_stream(container, CODECS["h264"], look)
        container.metadata.update({RECIPE: recipe} if recipe is not None else {})
        for packet in packets(stream, frames, list(accumulate(ticks, initial=0))):
            container.mux(packet)


def created(path: Path, kind: Container) -> "OutputContainer":
    """A file for streams, whose bytes depend on nothing but what is written to it."""
    import av

    how = {"fflags": BIT_EXACT}
    if kind.muxer in ("mp4", "mov"):
        # QuickTime's own fields hold 64 KB, which a long text outgrows.
        extras = "+use_metadata_tags" if kind.muxer == "mov" else ""
        how["movflags"] = f"+faststart{extras}"
    return av.open(f"file:{path}", "w", format=kind.muxer, options=how)


def add_stream(container: "OutputContainer", codec: Codec, look: Look) -> "VideoStream":
    """A stream for frames, tagged as BT.709 in limited range."""
    from av.video.stream import VideoStream

    os.environ.setdefault(*SILENCE)
    options = {**codec.options_for(look.quality), "flags": BIT_EXACT}
    stream = container.add_stream(codec.encoder, look.rate, options)
    assert isinstance(stream, VideoStream)  # noqa: S101 (no codec of another kind is in the table)
    stream.width, stream.height = (side + side % 2 for side in look.size)
    stream.pix_fmt = codec.pixels[look.depth]
    coder = stream.codec_context
    coder.time_base = look.time_base
    coder.colorspace = coder.color_primaries = coder.color_trc = BT709
    coder.color_range = LIMITED
    coder.sample_aspect_ratio = look.pixel_aspect
    if tag := codec.tags.get(container.format.name):
        coder.codec_tag = tag
    return stream


def packets(
    stream: "VideoStream", frames: Iterable[NDArray[Any]], ends: Sequence[int]
) -> "Iterator[Packet[VideoStream]]":
    """Frames coded, one at a time; each is shown from one of the ticks in `ends` to the next.

    frames: (H, W, 3), sRGB, uint8 or uint16; as many as `ends` has ticks, less one.
    """
    lasting = {start: end - start for start, end in pairwise(ends)}
    shown = zip(frames, lasting, strict=True)
    pictures = (_picture(stream, frame, start) for frame, start in shown)
    for picture in chain(pictures, [None]):  # None: what the coder still holds
        for packet in stream.encode(picture):
            packet.duration = lasting[packet.pts or 0]
            yield packet


def _picture(stream: "VideoStream", frame: NDArray[Any], start: int) -> "VideoFrame":
    """A frame as the coder takes it, shown from a tick on.

    Two by two pixels share their colour, so an odd side repeats its last pixels.
    """
    from av import VideoFrame

    layout = stream.codec_context.format
    assert layout is not None  # noqa: S101 (the stream was given one)
    odd = [(0, side % 2) for side in frame.shape[:2]]
    even = np.pad(frame, [*odd, (0, 0)], mode="edge") if any(map(any, odd)) else frame
    bits = layout.components[0].bits
    picture = VideoFrame(stream.width, stream.height, layout.name)
    for plane, samples in zip(
        picture.planes, planes(even, bits, every_line="422" in layout.name), strict=True
    ):
        _fill(plane, samples.astype(np.uint8 if bits == 8 else "<u2"))
    picture.pts, picture.time_base = start, stream.codec_context.time_base
    picture.colorspace = picture.color_primaries = picture.color_trc = BT709
    picture.color_range = LIMITED
    return picture


def _fill(plane: Any, samples: NDArray[Any]) -> None:
    """Copy samples, (H, W), into a plane.

    Its lines may be longer, and encoders look at what is there: the last sample again, not what
    lay in that memory before.
    """
    height, width = samples.shape
    lines = np.frombuffer(plane, samples.dtype).reshape(height, -1)
    lines[:, :width] = samples
    lines[:, width:] = samples[:, -1:]

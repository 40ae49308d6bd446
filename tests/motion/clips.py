"""Clips made from the sample photos: motion that is known exactly, and files of every kind.

`pan`, `zoom`, `cover`, `still` and `cut` give frames as arrays; `film` writes them to a real file.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.image.samples import photo

if TYPE_CHECKING:
    from av import Packet
    from av.container import OutputContainer

Frames = NDArray[np.uint8]
"""(N, H, W, 3), sRGB."""

MATRICES = {601: (0.299, 0.114), 709: (0.2126, 0.0722), 2020: (0.2627, 0.0593)}
"""Weights of red and blue in luma: ITU-R BT.601, BT.709, BT.2020."""

TAGS = {601: (6, 6, 6), 709: (1, 1, 1), 2020: (9, 9, 14)}
"""ITU-T H.273: matrix, primaries and transfer."""

SAMPLE_RATE = 48_000


@dataclass(frozen=True)
class Known:
    """Frames whose motion is known; N frames have N - 1 steps from each to the next."""

    frames: Frames
    flow: NDArray[np.float32]
    """(N - 1, H, W, 2), px: where in the next frame a pixel lies, minus where it is: (x, y)."""
    back: NDArray[np.float32]
    """(N - 1, H, W, 2), px: the same for pixels of the next frame, in the frame before it."""
    covered: NDArray[np.bool_]
    """(N - 1, H, W): pixels of a frame that the next doesn't show, for what moves over them."""
    uncovered: NDArray[np.bool_]
    """(N - 1, H, W): pixels of the next frame that the frame before it doesn't show."""


def scene(name: str, least: tuple[int, int]) -> Frames:
    """A sample photo, enlarged where it is smaller than (width, height)."""
    whole = photo(name)
    scale = max(1.0, least[0] / whole.shape[1], least[1] / whole.shape[0])
    size = tuple(math.ceil(scale * side) for side in (whole.shape[1], whole.shape[0]))
    return whole if scale == 1 else np.asarray(cv2.resize(whole, size, None, 0, 0, cv2.INTER_CUBIC))


def pan(
    count: int = 12, size: tuple[int, int] = (128, 96), step: tuple[int, int] = (3, 1)
) -> Known:
    """A camera that moves over a photo by whole pixels a frame, (x, y); so nothing is resampled."""
    (width, height), (right, down) = size, step
    starts = [(20 + down * i, 60 + right * i) for i in range(count)]
    lowest, rightmost = np.max(starts, axis=0)
    whole = scene("coffee", (rightmost + width, lowest + height))
    frames = np.stack([whole[y : y + height, x : x + width] for y, x in starts])
    return _seen(frames, np.full((count - 1, height, width, 2), (-right, -down), np.float32))


def zoom(count: int = 12, size: tuple[int, int] = (128, 96), factor: float = 1.02) -> Known:
    """A camera that comes nearer to the middle of a photo, `factor` times as near each frame."""
    width, height = size
    whole = scene("coffee", (2 * width, 2 * height))
    middle = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    aim = np.array([whole.shape[1] / 2, whole.shape[0] / 2], np.float32)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    frames = []
    for i in range(count):
        # The photo is shown at half its size at first, so that there is detail to come nearer to.
        at = ((grid - middle) * (2 / factor**i) + aim).astype(np.float32)
        smooth = cv2.GaussianBlur(whole, (0, 0), 0.8 / factor**i)
        frames.append(cv2.remap(smooth, at, np.empty(0), cv2.INTER_CUBIC))
    flow = np.broadcast_to((grid - middle) * (factor - 1), (count - 1, height, width, 2))
    back = np.broadcast_to((grid - middle) * (1 / factor - 1), flow.shape)
    return _seen(np.stack(frames).astype(np.uint8), flow.astype(np.float32), back=back)


def cover(
    count: int = 12, size: tuple[int, int] = (128, 96), step: tuple[int, int] = (4, 0)
) -> Known:
    """A disk cut from another photo moves over a background that stands still."""
    width, height = size
    ground = scene("coffee", (60 + width, 20 + height))[20 : 20 + height, 60 : 60 + width]
    radius = height // 4
    side = 2 * radius + 1
    other = scene("chelsea", (140 + side, 60 + side))[60 : 60 + side, 140 : 140 + side]
    y, x = np.mgrid[:height, :width]
    frames = np.repeat(ground[None], count, 0)
    disks = np.zeros((count, height, width), bool)
    for i in range(count):
        left, top = width // 4 + step[0] * i, height // 2 + step[1] * i
        disks[i] = (x - left) ** 2 + (y - top) ** 2 <= radius**2
        rows, columns = np.nonzero(disks[i])
        frames[i][rows, columns] = other[rows - top + radius, columns - left + radius]
    moves = np.array(step, np.float32)
    known = _seen(frames, disks[:-1, ..., None] * moves, back=disks[1:, ..., None] * -moves)
    return replace(
        known,
        covered=known.covered | (disks[1:] & ~disks[:-1]),
        uncovered=known.uncovered | (disks[:-1] & ~disks[1:]),
    )


def still(count: int = 12, size: tuple[int, int] = (128, 96)) -> Known:
    """The same frame again and again."""
    return pan(count, size, (0, 0))


def cut(count: int = 12, size: tuple[int, int] = (128, 96), at: int = 6) -> Frames:
    """A pan over one photo, and from frame `at` on a shot of another."""
    width, height = size
    other = photo("astronaut")[20 : 20 + height, 160 : 160 + width]
    return np.concatenate([pan(at, size).frames, np.repeat(other[None], count - at, 0)])


def _seen(frames: Frames, flow: NDArray[np.float32], back: NDArray[Any] | None = None) -> Known:
    """What leaves the picture is covered, what enters it uncovered."""
    back = (-flow if back is None else back).astype(np.float32)
    return Known(frames, flow.astype(np.float32), back, _outside(flow), _outside(back))


def _outside(flow: NDArray[Any]) -> NDArray[np.bool_]:
    """(N, H, W, 2) -> (N, H, W): whether a pixel is moved out of the picture."""
    height, width = flow.shape[1:3]
    x, y = np.arange(width) + flow[..., 0], np.arange(height)[:, None] + flow[..., 1]
    return np.asarray((x < 0) | (x > width - 1) | (y < 0) | (y > height - 1))


@dataclass(frozen=True)
class How:
    """How a clip is encoded."""

    codec: str = "libx264"
    options: tuple[tuple[str, str], ...] = (("crf", "10"), ("preset", "veryfast"))
    depth: int = 8
    every_colour: bool = False
    """4:4:4 instead of 4:2:0, which odd sizes need; 8 bits only."""
    time_base: Fraction = Fraction(1, 25)
    ticks: Sequence[int] | None = None
    """When each frame begins and the last one ends; one a frame if not given."""
    matrix: int = 709
    full: bool = False
    tagged: bool = True
    transfer: int = 0
    primaries: int = 0  # ITU-T H.273, instead of the matrix's own
    rotation: int = 0
    """Degrees, as PyAV takes them."""
    interlaced: bool = False
    """Frames are pairs of moments: the even lines are of the later, so half as many are written."""
    pixel_aspect: Fraction | None = None
    sounds: tuple[str, ...] = ()
    """Encoders: aac, libopus, libmp3lame, pcm_s16le."""
    sound_seconds: float | None = None


def film(path: Path, frames: Frames, how: How = How()) -> Path:
    """Write a clip with PyAV; returns its path.

    RGB becomes Y′CbCr by the formulas of the ITU, not by FFmpeg.
    """
    import av

    frames = _woven(frames) if how.interlaced else frames
    ticks = list(how.ticks or range(len(frames) + 1))
    assert len(ticks) == len(frames) + 1
    with av.open(str(path), "w") as container:
        packets = [_pictures(container, frames, ticks, how)]
        seconds = how.sound_seconds or float((ticks[-1] - ticks[0]) * how.time_base)
        packets += [
            _sound(container, codec, seconds, 440 + 110 * i) for i, codec in enumerate(how.sounds)
        ]
        container.start_encoding()
        for packet in chain(*packets):
            container.mux(packet)
    return path


def _woven(frames: Frames) -> Frames:
    """Pairs of frames as the fields of one: odd lines of the first, even lines of the second."""
    woven = frames[::2].copy()
    woven[:, ::2] = frames[1::2, ::2]
    return woven


def _pictures(
    container: "OutputContainer", frames: Frames, ticks: Sequence[int], how: How
) -> "Iterator[Packet[Any]]":
    from av import VideoFrame
    from av.video.stream import VideoStream

    pixels = {8: "yuv444p" if how.every_colour else "yuv420p", 10: "yuv420p10le"}[how.depth]
    rate = 1 / (how.time_base * Fraction(ticks[-1] - ticks[0], len(frames)))
    stream = container.add_stream(how.codec, rate.limit_denominator(100_000), dict(how.options))
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = frames.shape[1:3]
    stream.pix_fmt = pixels
    coder = stream.codec_context
    coder.time_base = how.time_base
    if how.tagged:
        coder.colorspace, coder.color_primaries, coder.color_trc = TAGS[how.matrix]
        coder.color_range = 2 if how.full else 1
    coder.color_trc = how.transfer or coder.color_trc
    coder.color_primaries = how.primaries or coder.color_primaries
    if how.interlaced:
        coder.flags |= 1 << 18 | 1 << 29  # AV_CODEC_FLAG_INTERLACED_DCT, _ME
    if how.pixel_aspect is not None:
        coder.sample_aspect_ratio = how.pixel_aspect
    if how.rotation:
        stream.set_display_rotation(how.rotation)

    def packets() -> "Iterator[Packet[Any]]":
        lasting = {start: end - start for start, end in pairwise(ticks)}
        for rgb, start in chain(zip(frames, ticks, strict=False), [(None, 0)]):
            picture = None
            if rgb is not None:
                picture = VideoFrame.from_ndarray(_planes(rgb, how), format=pixels)
                picture.pts, picture.time_base = start, how.time_base
            for packet in stream.encode(picture):
                packet.duration = lasting[packet.pts or 0]
                yield packet

    return packets()


def _planes(rgb: Frames, how: How) -> NDArray[Any]:
    if how.every_colour:
        return _whole(components(rgb, how.matrix, full=how.full), 8)
    return planar(rgb, how.matrix, full=how.full, depth=how.depth, interlaced=how.interlaced)


def planar(
    rgb: Frames, matrix: int, *, full: bool, depth: int = 8, interlaced: bool = False
) -> NDArray[Any]:
    """Y′CbCr 4:2:0 of a frame, (H, W, 3) -> (3H/2, W), by the equations of BT.601, 709 and 2020.

    Colours are sited as in MPEG-2: with the left one of two pixels, between two lines.
    """
    luma, *colours = components(rgb, matrix, full=full, depth=depth)
    planes = [luma]
    for colour in colours:
        shared = (-1, 2, 2) if interlaced else (-1, 2, 1)  # by lines of the same moment
        rows = colour.reshape(*shared, rgb.shape[1]).mean(1).reshape(-1, rgb.shape[1])
        left = np.pad(rows, [(0, 0), (1, 1)], mode="edge")
        planes.append((left[:, :-2] + 2 * left[:, 1:-1] + left[:, 2:])[:, ::2] / 4)
    flat = np.concatenate([plane.ravel() for plane in planes]).reshape(-1, rgb.shape[1])
    return _whole(flat, depth)


def components(rgb: Frames, matrix: int, *, full: bool, depth: int = 8) -> NDArray[np.float64]:
    """Y′CbCr of a frame, (H, W, 3) -> (3, H, W), not rounded."""
    red, blue = MATRICES[matrix]
    values = rgb / 255
    luma = values @ np.array([red, 1 - red - blue, blue])
    blueness = (values[..., 2] - luma) / (2 - 2 * blue)
    redness = (values[..., 0] - luma) / (2 - 2 * red)
    most, unit = 2**depth - 1, 2 ** (depth - 8)
    scale, floor, swing = (most, 0, most) if full else (219 * unit, 16 * unit, 224 * unit)
    middle = 128 * unit
    return np.stack([floor + scale * luma, middle + swing * blueness, middle + swing * redness])


def _whole(values: NDArray[np.float64], depth: int) -> NDArray[Any]:
    """Whole numbers of so many bits."""
    return np.rint(values).clip(0, 2**depth - 1).astype(np.uint8 if depth == 8 else np.uint16)


def _sound(
    container: "OutputContainer", codec: str, seconds: float, hertz: float
) -> "Iterator[Packet[Any]]":
    """A tone in stereo."""
    from av import AudioFrame
    from av.audio.stream import AudioStream

    stream = container.add_stream(codec, SAMPLE_RATE)
    assert isinstance(stream, AudioStream)
    stream.layout = "stereo"
    samples = round(seconds * SAMPLE_RATE)

    def packets() -> "Iterator[Packet[Any]]":
        for start in accumulate([1024] * (samples // 1024), initial=0):
            moments = np.arange(start, min(start + 1024, samples)) / SAMPLE_RATE
            tone = 0.3 * np.sin(2 * np.pi * hertz * moments)
            if not len(tone):
                break
            frame = AudioFrame.from_ndarray(
                np.stack([tone, tone]).astype(np.float32), format="fltp", layout="stereo"
            )
            frame.sample_rate, frame.pts = SAMPLE_RATE, start
            frame.time_base = Fraction(1, SAMPLE_RATE)
            yield from stream.encode(frame)
        yield from stream.encode(None)

    return packets()


def psnr(one: NDArray[Any], other: NDArray[Any], most: float = 255) -> float:
    """Peak signal to noise, dB."""
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(most**2 / error)) if error else float("inf")

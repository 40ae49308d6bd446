"""A video file read: what it is, and its frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from impasto.errors import UnreadableVideo, UsageError
from impasto.motion.damage import Decoded, decoded
from impasto.motion.deinterlaced import deinterlaced
from impasto.motion.development import Development, development_of
from impasto.motion.video_file import opened

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

INDEXED = ("mov", "matroska")
"""Containers, by how FFmpeg's names of them begin, where a seek lands on the key frame aimed at."""

LEAD = 3
"""Frames that are decoded before the first that is wanted, at least: two make an interlaced one
whole, and one bridges it if it is damaged."""

LEAP = 16
"""Frames by which a seek aims earlier: indexes go by when frames are decoded, not shown."""

USUAL_RATE = Fraction(25)
"""Frames a second of a file with one frame that does not say."""


@dataclass(frozen=True)
class Frame:
    """A frame of a clip, as it is to be worked on."""

    index: int
    """From 0, counted over the frames asked for."""
    time: Fraction
    """When it is shown, seconds from the first frame asked for."""
    rgb: RGB
    """Upright; of a damaged frame, that of the last good one before it, if there is any."""
    damaged: bool


@dataclass(frozen=True)
class Shown:
    """A frame between the times asked for that is not developed yet."""

    index: int
    """Of the frame asked for that is shown now, itself or one before it."""
    taken: bool
    """Whether it is that frame itself."""
    ticks: int
    """When it is shown, in the stream's time base, from the file's first frame on."""
    frame: "VideoFrame"
    """The last good one."""
    damaged: bool
    lasts: int
    """Ticks that it is shown; 0 where the file doesn't say."""


class Known(Protocol):
    """What a survey knows of the frames asked for."""

    @property
    def begins(self) -> int:
        """When the first is shown, ticks from the file's first frame."""

    @property
    def times(self) -> Sequence[int]:
        """When each is shown, ticks from the first one."""

    @property
    def damaged(self) -> Sequence[int]:
        """Those that are bridged."""


@dataclass(frozen=True)
class Facts:
    """What a video file says of itself."""

    container: str
    """FFmpeg's name."""
    codec: str
    size: tuple[int, int]
    """(width, height) upright, px."""
    pixel_aspect: Fraction
    """Width of a pixel over its height, upright."""
    depth: int
    """Bits a channel."""
    dynamic_range: str | None
    """PQ or HLG, if it is a high one; frames have that of the screen."""
    wide: bool
    """Whether it may have colours that sRGB has not; frames have the nearest."""
    rate: Fraction
    """Frames a second, on average."""
    time_base: Fraction
    """Seconds a tick."""
    begins: int
    """When the first frame is shown, ticks of the file's clock."""
    lasts: int | None
    """Ticks from the first frame to the end of the last, as the file says; None where it doesn't.

    A file that was cut short still says what it was to be.
    """
    sounds: tuple[str, ...]
    """The codec of each sound stream, as FFmpeg names its decoder; `unknown` where it has none."""
    others: tuple[str, ...]
    """What else there is, which no film has: subtitles, chapters, data, alpha."""


class Clip:
    """The frames of a video file from one time to another, or every so many of them.

    Frames are decoded one after the other from the same place on, so they are the same on every
    run. Every container and codec of FFmpeg's is read; frames are upright (the display matrix is
    applied, to quarter turns) and deinterlaced; Y′CbCr follows the matrix and the range that the
    file names (else BT.709 from 720 lines on, BT.601 below, both in limited range), at the file's
    depth; high dynamic range and wide gamuts are brought to sRGB's; an alpha channel is left out.
    Pixels that aren't square stay so.

    The file is open only while frames are drawn from it; memory does not grow with its length.
    """

    def __init__(
        self,
        path: Path,
        *,
        start: Fraction | None = None,
        end: Fraction | None = None,
        every: int = 1,
    ) -> None:
        """Open and check a file; raises UnreadableVideo, or UsageError for impossible times.

        start, end: seconds from the file's first frame; the frames asked for are shown at `start`
        or later, and before `end`. every: only each so-manyth of them, the first included.
        """
        self.path, self.every = path, every
        self.start, self.end = start or Fraction(0), end
        if self.start < 0:
            raise UsageError(f"from must be at least 0 seconds, not {float(self.start):g}")
        if end is not None and end <= self.start:
            raise UsageError(
                f"to must be later than from, {float(self.start):g} s, not {float(end):g} s"
            )
        if every < 1:
            raise UsageError(f"every must be at least 1, not {every}")
        self.facts, self._develop = _look(path)
        self._check_start()

    def frames(
        self, first: int = 0, known: Known | None = None, *, long_side: int | None = None
    ) -> Iterator[Frame]:
        """The frames asked for, from the index `first` on.

        known: what a survey found, by which decoding begins not far before the first of them; they
        are the same. long_side: makes them smaller, if they are larger, px.
        """
        origin = None if known is None else known.begins
        for shown in self.shown(first, known):
            origin = shown.ticks if origin is None else origin
            if shown.taken and shown.index >= first:
                time = (shown.ticks - origin) * self.facts.time_base
                yield Frame(shown.index, time, self.developed(shown, long_side), shown.damaged)

    def developed(self, shown: Shown, long_side: int | None = None) -> RGB:
        """The picture of a frame; `long_side` makes it smaller, if it is larger, px."""
        return self._develop(shown.frame, long_side)

    def shown(self, first: int = 0, known: Known | None = None) -> Iterator[Shown]:
        """Every frame between the times asked for, those left out by `every` too.

        With what is known of them they may begin later, but before the index `first`.
        """
        place, damaged = first - LEAD, frozenset(known.damaged if known is not None else ())
        while known is not None and place > 0 and place in damaged:
            place -= 1
        if known is not None and place > 0:
            ticks = self.facts.begins + known.begins + known.times[place]
            items = dropwhile(lambda item: item.ticks < ticks, self._decoded(ticks))
            head = next(items, None)
            if head is not None and head.ticks == ticks and not head.damaged:
                yield from self._counted(chain([head], items), place * self.every)
                return
        start = self.facts.begins + round(self.start / self.facts.time_base)
        yield from self._counted(self._decoded(start), 0)

    def _counted(self, items: Iterator[Decoded], count: int) -> Iterator[Shown]:
        """Frames between the times asked for; the first of them is the so-manyth."""
        good: VideoFrame | None = None
        for item in items:
            ticks = item.ticks - self.facts.begins
            seconds = ticks * self.facts.time_base
            if self.end is not None and seconds >= self.end:
                return
            if item.frame is not None and (not item.damaged or good is None):
                good = item.frame
            if good is None or seconds < self.start:
                continue
            index, left_out = divmod(count, self.every)
            yield Shown(index, not left_out, ticks, good, item.damaged, item.lasts)
            count += 1

    def _decoded(self, first: int) -> Iterator[Decoded]:
        """Every frame from a key frame on that comes before `first`, ticks of the file's clock."""
        facts = self.facts
        target = first - round(LEAP / (facts.rate * facts.time_base))
        with opened(self.path) as (container, stream):
            if target > facts.begins and facts.container.startswith(INDEXED):
                container.seek(target, stream=stream)
                items = _whole(container, stream)
                earliest = next(items, None)
                if earliest is not None and earliest.ticks <= first:
                    yield earliest
                    yield from items
                    return
        with opened(self.path) as (container, stream):  # also where the index led too far
            yield from _whole(container, stream)

    def _check_start(self) -> None:
        """Refuse a start after the end of the file, if the file says when that is."""
        lasts = self.facts.lasts
        if lasts is not None and self.start and self.start >= lasts * self.facts.time_base:
            raise UsageError(
                f"from {float(self.start):g} s is after the end of {self.path}, which lasts "
                f"{float(lasts * self.facts.time_base):g} s"
            )


def _whole(container: "InputContainer", stream: "VideoStream") -> Iterator[Decoded]:
    return deinterlaced(decoded(container, stream), _time_base(stream))


def _time_base(stream: "VideoStream") -> Fraction:
    return stream.time_base or Fraction(1, 1000)


def _look(path: Path) -> tuple[Facts, Development]:
    """The facts of a file, which also its first frame tells."""
    with opened(path) as (container, stream):
        items = decoded(container, stream)
        first = next((item for item in items if item.frame is not None), None)
        if first is None or first.frame is None:
            raise UnreadableVideo(
                f"cannot read {path}: it has no frame that can be decoded "
                "(truncated file?); copy it again"
            )
        develop = development_of(first.frame, str(path))
        aspect = Fraction(stream.sample_aspect_ratio or 1)
        coders = [sound.codec_context for sound in container.streams.audio]
        facts = Facts(
            container=container.format.name,
            codec=stream.codec_context.codec.canonical_name,
            size=develop.size,
            pixel_aspect=1 / aspect if develop.lies else aspect,
            depth=develop.depth,
            dynamic_range=develop.dynamic_range,
            wide=develop.wide,
            rate=Fraction(stream.average_rate or stream.guessed_rate or USUAL_RATE),
            time_base=_time_base(stream),
            begins=first.ticks,
            lasts=_declared(stream, first.ticks),
            sounds=tuple(coder.name if coder else "unknown" for coder in coders),
            others=_others(container, first.frame),
        )
    return facts, develop


def _others(container: "InputContainer", frame: "VideoFrame") -> tuple[str, ...]:
    """What a file has beside its pictures and its sound."""
    kinds = {stream.type for stream in container.streams}
    found = {
        "subtitles": "subtitle" in kinds,
        "chapters": bool(container.chapters()),
        "data": "data" in kinds,
        "an alpha channel": any(component.is_alpha for component in frame.format.components),
    }
    return tuple(name for name, there in found.items() if there)


def _declared(stream: "VideoStream", begins: int) -> int | None:
    """When the file says that its last frame ends, ticks from its first.

    Matroska has no field for that, but most writers note it.
    """
    if stream.duration:
        return int(stream.duration) - begins + (stream.start_time or 0)
    noted = {name.upper(): text for name, text in stream.metadata.items()}.get("DURATION", "")
    parts = noted.split(":")
    try:
        hours, minutes, seconds = int(parts[0]), int(parts[1]), Fraction(parts[2])
    except (ValueError, IndexError):
        return None
    return round((3600 * hours + 60 * minutes + seconds) / _time_base(stream)) - begins

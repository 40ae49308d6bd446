"""Frames of a video in order, with those that are damaged or missing told apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from shlex import quote
from typing import TYPE_CHECKING, Any

from impasto.errors import UnreadableVideo

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

BETWEEN = 4096
"""Bytes that a Matroska file may have between two frames, for its own."""


LATE = 1
"""Seconds by which times go back where the clock begins anew, at least."""

IN_A_ROW = 25
"""Frames that do not come up to a time from before until that is believed: it may be damaged."""


@dataclass(frozen=True)
class Decoded:
    """A frame of the video stream, or the place of one that could not be decoded."""

    ticks: int
    """When it is shown, in the stream's time base; more than that of the frame before it."""
    frame: "VideoFrame | None"
    damaged: bool
    lasts: int = 0
    """How long it is shown, as far as the file says; 0 where it doesn't."""


def decoded(container: "InputContainer", stream: "VideoStream") -> Iterator[Decoded]:
    """Decode on from where the file is.

    Damaged is what the decoder conceals, what comes from packets that the file marks as damaged,
    and what does not come at all: from the first error to the next whole key frame, every packet
    stands for a frame; and where Matroska skips bytes to find its way again and time passes
    meanwhile, a frame is missing in each usual interval. Frames that come without a time, or with
    that of one before, follow it a frame (a tick) later. Raises UnreadableVideo where the clock
    begins anew, as in files that were joined byte by byte: when frames are shown is lost then.
    """
    from av import FFmpegError

    watch = _Watch(stream)
    for packet, torn in _packets(container, stream):
        try:
            frames = packet.decode()
        except MemoryError:  # which no other frame would mend
            raise
        except FFmpegError:
            frames = []
            watch.failed()
        watch.sent(packet, torn)
        for frame in frames:
            yield from watch.received(frame)
        if watch.began_anew:
            name = container.name.removeprefix("file:")
            raise UnreadableVideo(
                f"cannot read {name}: its clock begins anew in the middle, as where files were "
                f"joined; have it written again first: ffmpeg -i {quote(name)} -c copy joined.mkv"
            )
    yield from watch.rest()


def _packets(
    container: "InputContainer", stream: "VideoStream"
) -> "Iterator[tuple[Packet[Any], bool]]":
    """The stream's packets, each with whether bytes were skipped since the one before it.

    To the end of the file, or to where it cannot be read any more; a last one flushes.
    """
    from av import FFmpegError, Packet

    in_a_row = container.format.name.startswith("matroska")
    end, torn = None, False
    try:
        for packet in container.demux():
            if in_a_row and packet.pos is not None:
                torn = torn or (end is not None and packet.pos - end > BETWEEN)
                end = packet.pos + packet.size
            if packet.stream.index == stream.index:  # that of flushing packets is always 0
                yield packet, torn
                torn = False
    except FFmpegError:
        flush: Packet[Any] = Packet()
        flush.stream = stream
        yield flush, torn


class _Watch:
    """Knows which packets have not become frames yet."""

    def __init__(self, stream: "VideoStream") -> None:
        rate, base = stream.average_rate or stream.guessed_rate, stream.time_base
        self._usual = max(1, round(1 / (rate * base))) if rate and base else 1
        self._late = round(LATE / base) if base else LATE * 1000
        self._top: int | None = None
        self._behind, self._furthest = 0, 0
        self._hurt = False
        self._awaited: list[int] = []
        self._suspect: set[int] = set()
        self._last: int | None = None
        self._newest: int | None = None

    @property
    def began_anew(self) -> bool:
        """Whether times went back, and stay so."""
        return self._behind >= IN_A_ROW and self._furthest > self._late

    def failed(self) -> None:
        """A packet did not decode."""
        self._hurt = True

    def sent(self, packet: "Packet[Any]", torn: bool) -> None:
        """A packet went to the decoder; its frame is awaited from the first fault on."""
        if packet.pts is not None:
            if torn and self._newest is not None:
                for ticks in range(self._newest + self._usual, packet.pts, self._usual):
                    if ticks + self._usual // 2 < packet.pts:
                        heappush(self._awaited, ticks)
            self._newest = packet.pts if self._newest is None else max(packet.pts, self._newest)
        if packet.is_corrupt:
            self._hurt = True
        if self._hurt and packet.pts is not None and packet.size and not packet.is_discard:
            heappush(self._awaited, packet.pts)
            if packet.is_corrupt:
                self._suspect.add(packet.pts)

    def received(self, frame: "VideoFrame") -> Iterator[Decoded]:
        """A frame came; those that were to come before it are lost."""
        ticks = frame.pts if frame.pts is not None else frame.dts
        if ticks is None:
            ticks = 0 if self._last is None else self._last + self._usual
        yield from self._lost(before=ticks)
        while self._awaited and self._awaited[0] == ticks:
            heappop(self._awaited)
        self._compare(ticks)
        damaged = frame.is_corrupt or ticks in self._suspect
        self._suspect.discard(ticks)
        if frame.key_frame and not damaged:
            self._hurt = False
        yield self._next(ticks, frame, damaged, frame.duration)

    def _compare(self, ticks: int) -> None:
        """Look whether a time goes on from those before it."""
        if self._top is None or ticks > self._top:
            self._top, self._behind, self._furthest = ticks, 0, 0
        else:
            self._behind += 1
            self._furthest = max(self._furthest, self._top - ticks)

    def rest(self) -> Iterator[Decoded]:
        """What was awaited to the end."""
        if self._awaited:
            yield from self._lost(before=max(self._awaited) + 1)

    def _lost(self, before: int) -> Iterator[Decoded]:
        while self._awaited and self._awaited[0] < before:
            ticks = heappop(self._awaited)
            # A packet whose frame is there already holds a part of it, as fields do.
            if self._last is None or ticks > self._last:
                yield self._next(ticks, None, damaged=True)

    def _next(
        self, ticks: int, frame: "VideoFrame | None", damaged: bool, lasts: int = 0
    ) -> Decoded:
        self._last = ticks if self._last is None else max(ticks, self._last + 1)
        return Decoded(self._last, frame, damaged, lasts)

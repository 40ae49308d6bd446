"""Frames of a video in order, with those that are damaged or missing told apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream


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
    stands for a frame. Frames that come without a time, or with that of one before, follow it a
    frame (a tick) later.
    """
    from av import InvalidDataError

    watch = _Watch(stream)
    for packet in _packets(container, stream):
        try:
            frames = packet.decode()
        except InvalidDataError:
            frames = []
            watch.failed()
        watch.sent(packet)
        for frame in frames:
            yield from watch.received(frame)
    yield from watch.rest()


def _packets(container: "InputContainer", stream: "VideoStream") -> "Iterator[Packet[Any]]":
    """To the end of the file, or to where it cannot be read any more; a last one flushes."""
    from av import FFmpegError, Packet

    try:
        yield from container.demux(stream)
    except FFmpegError:
        flush: Packet[Any] = Packet()
        flush.stream = stream
        yield flush


class _Watch:
    """Knows which packets have not become frames yet."""

    def __init__(self, stream: "VideoStream") -> None:
        rate, base = stream.average_rate or stream.guessed_rate, stream.time_base
        self._usual = max(1, round(1 / (rate * base))) if rate and base else 1
        self._hurt = False
        self._awaited: list[int] = []
        self._suspect: set[int] = set()
        self._last: int | None = None

    def failed(self) -> None:
        """A packet did not decode."""
        self._hurt = True

    def sent(self, packet: "Packet[Any]") -> None:
        """A packet went to the decoder; its frame is awaited from the first fault on."""
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
        damaged = frame.is_corrupt or ticks in self._suspect
        self._suspect.discard(ticks)
        if frame.key_frame and not damaged:
            self._hurt = False
        yield self._next(ticks, frame, damaged, frame.duration)

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

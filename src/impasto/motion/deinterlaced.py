"""Interlaced frames, whose even and odd lines show two moments, made whole."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from impasto.motion.damage import Decoded

if TYPE_CHECKING:
    from av import VideoFrame

METHOD = "bwdif"
"""FFmpeg's filter after Weston's three fields and YADIF; it looks at the frames beside each."""


def deinterlaced(items: Iterator[Decoded], time_base: Fraction) -> Iterator[Decoded]:
    """Each interlaced frame at its first moment, whole; as many frames as before, at their times.

    What isn't interlaced passes unchanged: without any filter up to the first frame that is.
    """
    weaver: _Weaver | None = None
    for item in items:
        frame = item.frame
        if weaver is None and frame is not None and frame.interlaced_frame:
            weaver = _Weaver(frame, time_base)
        if weaver is None:
            yield item
            continue
        if frame is not None and not weaver.takes(frame):
            yield from weaver.end()
            weaver = _Weaver(frame, time_base)
        yield from weaver.add(item)
    if weaver is not None:
        yield from weaver.end()


class _Weaver:
    """A filter, and what waits for it: it gives each frame when it has seen the next."""

    def __init__(self, frame: "VideoFrame", time_base: Fraction) -> None:
        from av.filter import Graph

        self._format = _format(frame)
        self._waiting: deque[Decoded] = deque()
        self._graph = Graph()
        self._graph.link_nodes(
            self._graph.add_buffer(
                width=frame.width, height=frame.height, format=frame.format, time_base=time_base
            ),
            self._graph.add(METHOD, "mode=send_frame:parity=auto:deint=interlaced"),
            self._graph.add("buffersink"),
        ).configure()

    def takes(self, frame: "VideoFrame") -> bool:
        """Whether a frame is like those before it."""
        return _format(frame) == self._format

    def add(self, item: Decoded) -> Iterator[Decoded]:
        """What is ready when a frame, or the place of one that is missing, has come."""
        self._waiting.append(item)
        if item.frame is not None:
            self._graph.vpush(item.frame)
            yield from self._ready()

    def end(self) -> Iterator[Decoded]:
        """The rest."""
        self._graph.vpush(None)
        yield from self._ready()
        yield from self._waiting
        self._waiting.clear()

    def _ready(self) -> Iterator[Decoded]:
        while True:
            try:
                frame = self._graph.vpull()
            except (BlockingIOError, EOFError):
                return
            while self._waiting[0].frame is None:
                yield self._waiting.popleft()
            yield replace(self._waiting.popleft(), frame=frame)


def _format(frame: "VideoFrame") -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name

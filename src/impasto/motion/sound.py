"""The sound of a clip, copied packet by packet."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from impasto.motion.clip import Clip

if TYPE_CHECKING:
    from av import Packet
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

TOLD = ("language", "title", "handler_name")
"""What is said of a sound stream that stays true."""


@dataclass(frozen=True)
class Span:
    """The part of a clip's clock that a film shows, seconds."""

    origin: Fraction
    """What becomes the film's 0."""
    starts: bool
    """Whether the film begins within the clip, so that earlier sound is left out."""
    end: Fraction | None
    """From where on sound is left out; None where all of the clip is shown to its end."""


WHOLE = Span(Fraction(0), starts=False, end=None)
"""All of a clip, by its own clock."""


def span_of(clip: Clip, source: "InputContainer", first: Fraction) -> Span:
    """What is shown of a clip whose first frame asked for comes `first` seconds after its first.

    Sound that begins before the pictures of a whole clip moves the film's 0 to its own beginning.
    """
    begins = clip.facts.begins * clip.facts.time_base
    origin = begins + first if clip.start else min([begins, *_beginnings(source)])
    return Span(origin, bool(clip.start), None if clip.end is None else begins + clip.end)


def _beginnings(source: "InputContainer") -> Iterator[Fraction]:
    """When each sound stream begins, seconds of the file's clock."""
    for stream in source.streams.audio:
        if stream.start_time is not None and stream.time_base is not None:
            # What lies before 0 is there for decoders to begin with, and not heard.
            yield max(Fraction(0), stream.start_time * stream.time_base)


def add_sounds(source: "InputContainer", film: "OutputContainer") -> "dict[int, AudioStream]":
    """A stream in the film for each sound stream, {index of the source's: the film's}."""
    made: dict[int, AudioStream] = {}
    for stream in source.streams.audio:
        copy = film.add_stream_from_template(stream)
        copy.metadata.update({key: stream.metadata[key] for key in TOLD if key in stream.metadata})
        copy.disposition = stream.disposition
        layout = copy.codec_context.layout
        if layout.name == f"{layout.nb_channels} channels":
            # Matroska's PCM doesn't say which they are; MP4 must know, so they are the usual ones.
            with suppress(ValueError):  # there are none of so many
                copy.codec_context.layout = f"{layout.nb_channels}c"
        made[stream.index] = copy
    return made


def sounds(
    source: "InputContainer", made: "dict[int, AudioStream]", span: Span, *, fine: bool
) -> "Iterator[Packet[Any]]":
    """The packets of all sound streams, unchanged, on the film's clock.

    What is heard before its 0 or from its end on is left out, where it does not show all of the
    source. fine: whether the film tells times to a sample.
    """
    from av import FFmpegError

    streams = {stream.index: stream for stream in source.streams.audio}
    clocks = {index: _Clock(stream, span.origin, fine) for index, stream in streams.items()}
    try:
        for packet in source.demux(tuple(streams.values())) if streams else ():
            index = packet.stream.index
            if not packet.size or packet.pts is None or index not in streams:
                continue
            begins = packet.pts * packet.time_base
            if span.end is not None and begins >= span.end:
                del streams[index]
                if not streams:
                    return
            elif not span.starts or begins + _seconds(packet) > span.origin:
                clocks[index].set(packet)
                packet.stream = made[index]
                yield packet
    except FFmpegError:  # the file breaks off here
        return


def _seconds(packet: "Packet[Any]") -> Fraction:
    """How long a packet is heard."""
    return (packet.duration or 0) * packet.time_base


class _Clock:
    """When the packets of a sound stream are heard in the film.

    Matroska rounds times to thousandths of a second. Where every packet holds as many samples, a
    finer clock has the times from before; players take rounded ones for gaps. Times that do not
    grow, which files must not have, are moved on by a tick. A packet that does not say how long it
    is heard is taken to last as long as the one before it.
    """

    def __init__(self, stream: "AudioStream", origin: Fraction, fine: bool) -> None:
        coder, base = stream.codec_context, stream.time_base or Fraction(1, 1000)
        self._origin, self._base, self._step = origin, base, Fraction(0)
        if fine and coder.frame_size > 1 and base * coder.sample_rate > 1:
            self._base = Fraction(1, coder.sample_rate)
            self._step = coder.frame_size * self._base
        self._next: Fraction | None = None
        self._before = Fraction(0)
        self._last: int | None = None

    def set(self, packet: "Packet[Any]") -> None:
        """Put a packet on the film's clock."""
        heard = (packet.pts or 0) * packet.time_base - self._origin
        lasts = self._step or _seconds(packet) or max(Fraction(0), heard - self._before)
        self._before = heard
        if self._step:
            if self._next is not None and abs(self._next - heard) <= packet.time_base:
                heard = self._next
            self._next = heard + self._step
        ticks = round(heard / self._base)
        self._last = ticks if self._last is None else max(ticks, self._last + 1)
        # Sound is decoded in the order in which it is heard.
        packet.time_base, packet.pts, packet.dts = self._base, self._last, self._last
        packet.duration = round(lasts / self._base)

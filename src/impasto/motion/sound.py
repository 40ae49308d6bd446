"""The sound of a clip, copied packet by packet."""

from collections.abc import Iterator
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
        made[stream.index] = copy
    return made


def sounds(
    source: "InputContainer", made: "dict[int, AudioStream]", span: Span
) -> "Iterator[Packet[Any]]":
    """The packets of all sound streams, unchanged, on the film's clock.

    What is heard before its 0 or from its end on is left out, where it does not show all of the
    source. Times that do not grow, which files must not have, are moved on by a tick.
    """
    from av import FFmpegError

    last: dict[int, int] = {}
    ended: set[int] = set()
    streams = tuple(source.streams.audio)
    try:
        for packet in source.demux(streams) if streams else ():
            base, index = packet.time_base, packet.stream_index
            if not packet.size or packet.pts is None:
                continue
            begins = packet.pts * base - span.origin
            if span.end is not None and packet.pts * base >= span.end:
                ended.add(index)
                if len(ended) == len(streams):
                    return
                continue
            if span.starts and begins + (packet.duration or 0) * base <= 0:
                continue
            shift = round(span.origin / base)
            dts = (packet.dts if packet.dts is not None else packet.pts) - shift
            packet.dts = max(dts, last.get(index, dts - 1) + 1)
            packet.pts = max(packet.pts - shift, packet.dts)
            last[index] = packet.dts
            packet.stream = made[index]
            yield packet
    except FFmpegError:  # the file breaks off here
        return

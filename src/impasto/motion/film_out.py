"""A film written: its frames coded, the sound of its source, and the recipe inside."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from heapq import merge
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from impasto.errors import UnwritableOutput, UsageError
from impasto.image.atomic import replacing
from impasto.image.film import RECIPE, Look, add_stream, created, depths, packets, require
from impasto.image.film_codec import CONTAINERS, Codec, codec_of, container_of
from impasto.image.write import check_file
from impasto.motion.clip import Clip
from impasto.motion.film_settings import FilmSettings
from impasto.motion.sound import WHOLE, add_sounds, sounds, span_of
from impasto.motion.survey import Survey
from impasto.motion.video_file import opened

if TYPE_CHECKING:
    from av import Packet
    from av.container import InputContainer, OutputContainer

Pixels = NDArray[np.uint8] | NDArray[np.uint16]
"""(H, W, 3), sRGB, in the whole range of its type."""

TOLD = ("title", "artist", "copyright", "date", "creation_time", "location")
"""What a video says of itself that stays true of the film."""

MOST_RATE = Fraction(240)
"""Frames a second that every encoder takes; it is a hint, for each frame has its own time."""

HEARD = 100
"""Packets of sound that are written for a trial: of several streams, one at least each."""

SMALL = 64
"""A side that every encoder takes, px."""


def check_film(
    output: Path,
    inputs: Iterable[str | Path],
    *,
    force: bool,
    settings: FilmSettings,
    clip: Clip | None = None,
    size: tuple[int, int] | None = None,
) -> None:
    """Refuse a film that cannot or must not be written, before any work is done for it.

    size: (width, height) of its frames, px, where it is known.

    `UsageError` for what was asked, `UnwritableOutput` for what the disk says, `MissingExtra` where
    PyAV is not installed. Not even `force` lets an output take the place of an input.
    """
    require()
    codec = codec_of(output, settings.codec)
    _check_codec(output, codec, settings, clip)
    check_file(output, inputs, force=force)
    if settings.sound == "copy" and clip is not None:
        _check_sound(output, clip, settings.codec)
    depth = _bits(codec, settings, clip)
    _rehearse(output, codec, depth, clip if settings.sound == "copy" else None)
    if size is not None:
        _check_size(output, codec, depth, size)


def film_depth(output: Path, settings: FilmSettings, clip: Clip | None = None) -> Literal[8, 16]:
    """Bits a channel that frames for a film are worth to be kept at."""
    return 8 if _bits(codec_of(output, settings.codec), settings, clip) == 8 else 16


def write_film(
    frames: Iterable[Pixels],
    survey: Survey,
    clip: Clip | None,
    output: Path,
    settings: FilmSettings,
    recipe: str | None = None,
) -> int:
    """Write frames, all of one size, each shown when the survey says, with the sound of the clip.

    frames: as many as the survey has; they are drawn one at a time. clip: whose sound is copied
    packet by packet, whose pixels' aspect and title are kept; None for what was no film. Packets
    too damaged for the output's container are left out. recipe: text that `recipe_text` reads
    back. Matroska and WebM round times to thousandths of a second, MP4 and QuickTime keep them.
    Subtitles, chapters and data are not copied. The same frames, survey, clip and settings give
    the same bytes; returns how many. Raises UnwritableOutput.
    """
    drawn = iter(frames)
    first = next(drawn)
    kind, codec = container_of(output), codec_of(output, settings.codec)
    look = Look(
        size=(first.shape[1], first.shape[0]),
        rate=_rate(survey),
        time_base=survey.time_base,
        depth=_bits(codec, settings, clip),
        quality=settings.quality,
        pixel_aspect=clip.facts.pixel_aspect if clip else Fraction(1),
    )
    with replacing(output) as temporary:
        with _finishing(output), ExitStack() as stack:
            film = stack.enter_context(created(temporary, kind))
            stream = add_stream(film, codec, look)
            lead = 0
            heard: Iterator[Packet[Any]] = iter(())
            if clip is not None:
                source, _ = stack.enter_context(opened(clip.path))
                if settings.sound == "copy":
                    lead, heard = _sound(clip, source, survey, film, fine=kind.exact)
            if not settings.strip:
                film.metadata.update(_told(source) if clip is not None else {})
                film.metadata.update({RECIPE: recipe} if recipe is not None else {})
            coded = packets(stream, chain([first], drawn), [lead + tick for tick in survey.times])
            for packet in merge(coded, heard, key=_seconds):
                _put(film, packet)
        return temporary.stat().st_size


@contextmanager
def _finishing(output: Path) -> Iterator[None]:
    """Say what FFmpeg refuses that no trial told; what the disk does, `replacing` says."""
    from av import FFmpegError

    try:
        yield
    except FFmpegError as error:
        if isinstance(error, OSError | MemoryError):
            raise
        raise UnwritableOutput(
            f"cannot write {output}: FFmpeg refuses such a film ({error.strerror}); leave its "
            "sound out by --sound none"
        ) from error


def _sound(
    clip: Clip, source: "InputContainer", survey: Survey, film: "OutputContainer", *, fine: bool
) -> "tuple[int, Iterator[Packet[Any]]]":
    """Ticks that the sound is heard before the first frame is shown, and the packets of it."""
    span = span_of(clip, source, survey.begins * survey.time_base)
    begins = (clip.facts.begins + survey.begins) * survey.time_base
    lead = round((begins - span.origin) / survey.time_base)
    return lead, sounds(source, add_sounds(source, film), span, fine=fine)


def recipe_text(path: Path) -> str | None:
    """The text that a film carries as its recipe, if any; UnreadableVideo where it is no film."""
    with opened(path) as (container, _):
        said = {name.lower(): text for name, text in container.metadata.items()}
    return said.get(RECIPE)


def _told(source: "InputContainer") -> dict[str, str]:
    """What a source says of itself."""
    said = {name.lower(): text for name, text in source.metadata.items()}
    return {name: said[name] for name in TOLD if name in said}


def _put(film: "OutputContainer", packet: "Packet[Any]") -> None:
    """Write a packet; one of sound that is too damaged for the container is left out."""
    from av import FFmpegError

    try:
        film.mux(packet)
    except FFmpegError as error:
        if packet.stream.type != "audio" or isinstance(error, OSError):
            raise


def _seconds(packet: "Packet[Any]") -> float:
    """When a packet is decoded; packets go into a file in this order."""
    return float((packet.dts or 0) * packet.time_base)


def _rate(survey: Survey) -> Fraction:
    """Frames a second, on average, as far as encoders take it."""
    seconds = survey.times[-1] * survey.time_base
    return min(Fraction(survey.frames) / seconds, MOST_RATE).limit_denominator(100_000)


def _bits(codec: Codec, settings: FilmSettings, clip: Clip | None) -> int:
    """Bits a channel of the film."""
    if settings.depth != "auto":
        return settings.depth
    deep = clip is not None and clip.facts.depth > 8 and codec.deep and 10 in depths(codec)
    return 10 if deep or 8 not in codec.pixels else 8


def _check_codec(output: Path, codec: Codec, settings: FilmSettings, clip: Clip | None) -> None:
    """Refuse what the codec, or this FFmpeg, cannot do."""
    known = depths(codec)
    if not known:
        raise UsageError(
            f"cannot write {output} in {codec.title}: the FFmpeg that PyAV came with has no "
            f"encoder {codec.encoder}; choose another codec"
        )
    if _bits(codec, settings, clip) not in known:
        raise UsageError(
            f"cannot write {output} with {settings.depth} bits: the {codec.title} encoder of this "
            f"FFmpeg has {' or '.join(map(str, known))}; leave the depth at auto"
        )
    if clip is not None and clip.facts.pixel_aspect != 1 and not codec.aspect:
        raise UsageError(
            f"cannot write {output} in {codec.title}: the pixels of {clip.path} are not square, "
            "which it cannot say; choose H.264 or HEVC, and an output that ends in .mp4 or .mkv"
        )


def _check_sound(output: Path, clip: Clip, codec: str) -> None:
    """Refuse sound that the output's container does not hold."""
    kind, needed = container_of(output), set(clip.facts.sounds)
    strange = needed - _held(kind.muxer)
    if not strange:
        return
    others = [
        ending
        for ending, other in CONTAINERS.items()
        if codec in ("auto", *other.codecs) and needed <= _held(other.muxer)
    ]
    choice = f"an output that ends in {' or '.join(others)}, or " if others else ""
    raise UsageError(
        f"cannot write {output} with the sound of {clip.path}: {kind.title} does not hold "
        f"{' or '.join(sorted(strange))}; choose {choice}--sound none"
    )


def _held(muxer: str) -> set[str]:
    """The codecs that a container holds, by the names of FFmpeg's encoders and decoders."""
    import av

    with av.open(BytesIO(), "w", format=muxer) as container:
        return container.supported_codecs


def _rehearse(output: Path, codec: Codec, depth: int, clip: Clip | None) -> None:
    """Write such a film into memory, with a little sound, for what no table tells."""
    import av

    try:
        _begin(output, codec, Look((SMALL, SMALL), Fraction(25), Fraction(1, 25), depth), clip)
    except (av.FFmpegError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot write {output}: FFmpeg refuses such a film ({reason}); choose another codec "
            "or ending, or --sound none"
        ) from None


def _check_size(output: Path, codec: Codec, depth: int, size: tuple[int, int]) -> None:
    """Refuse frames whose sides the encoder does not take.

    Each side is tried beside a small one: for whole frames, SVT-AV1 takes gigabytes.
    """
    import av

    width, height = size
    try:
        for thin in {(width, min(height, SMALL)), (min(width, SMALL), height)}:
            _begin(output, codec, Look(thin, Fraction(25), Fraction(1, 25), depth))
    except (av.FFmpegError, ValueError, OverflowError):
        raise UsageError(
            f"cannot write {output} in {codec.title}: its encoder does not take frames of "
            f"{width}×{height} px; choose another --size or another codec"
        ) from None


def _begin(output: Path, codec: Codec, look: Look, clip: Clip | None = None) -> None:
    """Write into memory what stands around the frames of a film, and the first of the sound.

    Some of what is said of sound stands behind it, and only where there is any.
    """
    import av

    kind = container_of(output)
    with ExitStack() as stack:
        film = stack.enter_context(av.open(BytesIO(), "w", format=kind.muxer))
        add_stream(film, codec, look)
        heard: Iterator[Packet[Any]] = iter(())
        if clip is not None:
            source, _ = stack.enter_context(opened(clip.path))
            heard = sounds(source, add_sounds(source, film), WHOLE, fine=kind.exact)
        film.start_encoding()
        for packet in islice(heard, HEARD):
            _put(film, packet)

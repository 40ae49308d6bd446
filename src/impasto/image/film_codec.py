"""The codecs that films are written with, and which file holds which."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal

from impasto.errors import UsageError

CodecName = Literal["h264", "hevc", "vp9", "av1", "prores"]

THREADS = "4"
"""The bytes depend on the number of threads, so it is fixed."""

AVX_512 = 13
"""OpenCV's number of the processor's instructions for 512 bits."""


def _x264(crf: str) -> dict[str, str]:
    """Slower presets take three times as long for half a decibel."""
    options = {"crf": crf, "preset": "veryfast", "bf": "0", "threads": THREADS}
    return options | ({"x264-params": "asm=AVX2"} if _has_avx512() else {})


def _has_avx512() -> bool:
    """Whether x264 would take its code for AVX-512.

    On a busy machine that gave other bytes in one film of a hundred, with one thread too; that for
    AVX2, which every such processor has, in none of a thousand, and it is faster.
    """
    import cv2

    return bool(cv2.checkHardwareSupport(AVX_512))


def _x265(crf: str) -> dict[str, str]:
    """x265 has threads of its own, tells of the processor in the stream, and talks by itself."""
    own = f"bframes=0:pools={THREADS}:frame-threads=1:info=0:log-level=none"
    return {"crf": crf, "preset": "fast", "x265-params": own}


def _vpx(crf: str) -> dict[str, str]:
    return {"crf": crf, "deadline": "good", "cpu-used": "4", "threads": THREADS}


def _svt(crf: str) -> dict[str, str]:
    return {"crf": crf, "preset": "8", "svtav1-params": f"lp={THREADS}"}


def _prores(profile: str) -> dict[str, str]:
    return {"profile": profile, "vendor": "apl0", "threads": THREADS}


@dataclass(frozen=True)
class Codec:
    """A codec and how Impasto has its frames coded.

    No frame is coded after one that is shown later: files tell how long frames last in the order in
    which they are coded.
    """

    title: str
    encoder: str
    """FFmpeg's name."""
    pixels: Mapping[int, str]
    """{bits: FFmpeg's pixel format}."""
    worst: int
    """CRF (ProRes: its profile, counted backwards) at a quality of 0."""
    options: Callable[[str], dict[str, str]]
    """The encoder's, from that."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """{container: how it is called there}, where FFmpeg's own choice is not for all players."""
    profiles: bool = False
    deep: bool = True
    """Whether usual players show its 10 bits."""
    aspect: bool = False
    """Whether the coded frames say how wide a pixel is; PyAV cannot have the container say it."""

    def options_for(self, quality: int) -> dict[str, str]:
        """The encoder's options for a quality of 1 to 100.

        >>> CODECS["h264"].options_for(65)["crf"]
        '18'
        """
        if self.profiles:
            return self.options(str((quality - 1) * (self.worst + 1) // 100))
        return self.options(str(round(Fraction(100 - quality, 100) * self.worst)))


BOTH = {8: "yuv420p", 10: "yuv420p10le"}

CODECS: Mapping[str, Codec] = {
    "h264": Codec("H.264", "libx264", BOTH, 51, _x264, deep=False, aspect=True),
    # Apple's players take HEVC by this name alone.
    "hevc": Codec("HEVC", "libx265", BOTH, 51, _x265, {"mp4": "hvc1", "mov": "hvc1"}, aspect=True),
    "vp9": Codec("VP9", "libvpx-vp9", BOTH, 63, _vpx),
    "av1": Codec("AV1", "libsvtav1", BOTH, 63, _svt),
    "prores": Codec("ProRes", "prores_ks", {10: "yuv422p10le"}, 3, _prores, profiles=True),
}


@dataclass(frozen=True)
class Container:
    """A kind of file."""

    title: str
    muxer: str
    """FFmpeg's name."""
    codecs: tuple[CodecName, ...]
    """What players of such files take; the first is the usual one."""
    exact: bool = True
    """Whether it keeps the clock of each stream; Matroska's has thousandths of a second."""


MP4 = Container("MP4", "mp4", ("h264", "hevc", "av1", "vp9"))

CONTAINERS: Mapping[str, Container] = {
    ".mp4": MP4,
    ".m4v": MP4,
    ".mov": Container("QuickTime", "mov", ("h264", "hevc", "prores")),
    ".mkv": Container(
        "Matroska", "matroska", ("h264", "hevc", "vp9", "av1", "prores"), exact=False
    ),
    ".webm": Container("WebM", "webm", ("vp9", "av1"), exact=False),
}
"""{ending: what such a file is}."""


def container_of(output: str | Path) -> Container:
    """The kind of file that an output's ending asks for; UsageError where it is no film's."""
    suffix = Path(output).suffix
    try:
        return CONTAINERS[suffix.lower()]
    except KeyError:
        fault = f"the ending {suffix!r} is no film's" if suffix else "it has no ending"
        choices = ", ".join(CONTAINERS)
        raise UsageError(f"cannot write {output}: {fault}; use one of {choices}") from None


def codec_of(output: str | Path, name: str) -> Codec:
    """The codec of that name, or with `auto` the usual one of the output's kind of file.

    UsageError where such a file doesn't hold it.
    """
    container = container_of(output)
    if name == "auto":
        return CODECS[container.codecs[0]]
    if name not in container.codecs:
        others = [end for end, kind in CONTAINERS.items() if name in kind.codecs]
        held = ", ".join(CODECS[codec].title for codec in container.codecs)
        raise UsageError(
            f"cannot write {output} in {CODECS[name].title}: {container.title} holds {held}; "
            f"choose another codec, or an output that ends in {' or '.join(others)}"
        )
    return CODECS[name]

"""A video file opened, or the reason why it cannot be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import UnreadableVideo
from impasto.extras import extra

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

PICTURES = ("image2", "_pipe")
"""In FFmpeg's names of what reads single pictures."""

MATROSKA = b"\x1a\x45\xdf\xa3"
"""How such files begin, WebM too."""

OUTPUT_CORRUPT = 1 << 3
"""FFmpeg's AV_CODEC_FLAG_OUTPUT_CORRUPT."""


@contextmanager
def opened(path: Path) -> "Iterator[tuple[InputContainer, VideoStream]]":
    """The file and its stream of moving pictures; UnreadableVideo where there is none.

    Of several, the one that the file itself prefers, else the first. The cover of a record is no
    moving picture.
    """
    with extra("video", "reading a video"):
        import av
    try:
        # "file:", so that no name is taken for an address; other bytes than text may be in it.
        container = av.open(f"file:{path}", metadata_errors="replace")
    except (OSError, ValueError, av.FFmpegError) as error:
        raise UnreadableVideo(f"cannot read {path}: {_reason(path, error)}") from None
    with container:
        if any(part in container.format.name for part in PICTURES):
            raise UnreadableVideo(
                f"cannot read {path}: it is a picture, not a video; impasto paint paints it"
            )
        yield container, _stream(container, path)


def _stream(container: "InputContainer", path: Path) -> "VideoStream":
    """The stream to read, ready to decode."""
    from av.stream import Disposition

    videos = container.streams.video
    moving = [video for video in videos if not video.disposition & Disposition.attached_pic]
    if not container.streams:
        raise UnreadableVideo(
            f"cannot read {path}: it is a {container.format.long_name} file with nothing in it; "
            "record or export it again"
        )
    if not moving:
        kinds = sorted({stream.type for stream in container.streams if stream not in videos})
        cover = ["a cover picture"] if videos else []
        held = " and ".join([*cover, *kinds])
        raise UnreadableVideo(
            f"cannot read {path}: it has no video stream, only {held}; name a file with pictures"
        )
    preferred = [video for video in moving if video.disposition & Disposition.default]
    stream = (preferred or moving)[0]
    if stream.codec_context is None:
        raise UnreadableVideo(
            f"cannot read {path}: FFmpeg has no decoder for its video stream; "
            "convert it to H.264 first"
        )
    # With more threads H.264's decoder looks for no damage, and what it makes of it is chance.
    stream.codec_context.thread_count = 1
    # What a decoder thinks too damaged to show still says that a frame was there.
    stream.codec_context.flags |= OUTPUT_CORRUPT
    return stream


def _reason(path: Path, error: Exception) -> str:
    """Why a file doesn't open, and what to do."""
    import av

    if isinstance(error, FileNotFoundError):
        return "there is no such file; check its name and folder"
    if path.is_dir():
        return "it is a folder; name a video in it"
    if isinstance(error, PermissionError):
        return "permission denied; ask its owner, or copy it to where you may read it"
    if not isinstance(error, av.InvalidDataError | EOFError):
        return f"{getattr(error, 'strerror', None) or error}; check its name and its disk"
    with path.open("rb") as file:
        head = file.read(12)
    if not head:
        return "it is empty (0 bytes); copy it again"
    if head[4:8] == b"ftyp":
        return (
            f"its index is missing or damaged within its {path.stat().st_size} bytes "
            "(truncated file?); copy it again"
        )
    if head[:4] == MATROSKA:
        return "it has no frame that can be found (truncated file?); copy it again"
    return "it is not a video that FFmpeg knows; check that it plays elsewhere, or convert it"

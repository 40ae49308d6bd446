"""Photos in the order in which they were taken, each once."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from impasto.image import exif
from impasto.image.samples import is_sample

TAKEN, FRACTION = 0x9003, 0x9291
"""EXIF's DateTimeOriginal and SubSecTimeOriginal."""


def distinct(photos: Sequence[str]) -> list[str]:
    """Each file once, though it was named twice, or by a folder and by itself."""
    places = {photo if is_sample(photo) else str(Path(photo).resolve()): photo for photo in photos}
    return list(places.values())


def taken(block: bytes | None) -> datetime | None:
    """When the photo was taken whose EXIF block this is, to the fraction of a second it names."""
    if block is None:
        return None
    capture = exif.parse(block)[1].get(exif.EXIF)
    if not isinstance(capture, dict):
        return None
    try:
        moment = datetime.strptime(_text(capture, TAKEN), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    fraction = _text(capture, FRACTION)
    if not fraction.isdecimal():
        return moment
    return moment.replace(microsecond=int(fraction[:6].ljust(6, "0")))


def _text(capture: exif.Directory, tag: int) -> str:
    field = capture.get(tag)
    if not isinstance(field, exif.Field):
        return ""
    return field.data.split(b"\0")[0].decode("ascii", "replace").strip()

"""Capture metadata as TIFF directories: what EXIF is in every format, and a TIFF file itself.

libvips keeps EXIF in JPEG, PNG and WebP, but neither reads nor writes it in TIFF. This is as much
of TIFF 6.0 as moving descriptive fields between files needs; values are kept byte for byte.
"""

import contextlib
import mmap
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO, Literal

Order = Literal["<", ">"]
"""Little or big endian, in `struct`'s notation."""

HEADERS: dict[bytes, Order] = {b"II*\0": "<", b"MM\0*": ">"}
PREFIX = b"Exif\0\0"

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""{TIFF type: bytes of one value}."""
WORDS = SIZES | {5: 4, 10: 4}
"""{TIFF type: bytes that turn around together}; a rational is two integers."""

SHORT, LONG, UNDEFINED, IFD = 3, 4, 7, 13
ORIENTATION, IPTC = 0x0112, 0x83BB
EXIF, GPS, INTEROPERABILITY = 0x8769, 0x8825, 0xA005
POINTERS = {EXIF, GPS, INTEROPERABILITY}
COLOR_SPACE, PIXEL_WIDTH, PIXEL_HEIGHT = 0xA001, 0xA002, 0xA003

DESCRIPTIVE = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software",
    0x0132: "DateTime", 0x013B: "Artist", 0x013C: "HostComputer", 0x4746: "Rating",
    0x8298: "Copyright", EXIF: "capture", GPS: "place", 0x9C9B: "XPTitle", 0x9C9C: "XPComment",
    0x9C9D: "XPAuthor", 0x9C9E: "XPKeywords", 0x9C9F: "XPSubject",
}  # fmt: skip
"""What the first directory says about the photo; all else there describes the old file's layout."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field's values, little endian."""

    kind: int
    """TIFF type, 1 to 13."""
    data: bytes


Directory = dict[int, "Field | Directory"]
"""Fields by tag; the pointers to EXIF's own directories hold those."""


def parse(blob: bytes | mmap.mmap, depth: int = 2) -> tuple[Order, Directory]:
    """Read the first directory of an EXIF block or TIFF file, and `depth` levels below it.

    Damaged fields are passed over; `ValueError` if there is no directory at all.
    """
    body = blob.removeprefix(PREFIX) if isinstance(blob, bytes) else blob
    order = HEADERS.get(body[:4])
    if order is None:
        raise ValueError("not a TIFF structure")
    try:
        (start,) = struct.unpack_from(order + "I", body, 4)
        return order, _directory(body, order, start, depth)
    except struct.error:
        raise ValueError("the directory lies outside the data") from None


def _directory(body: bytes | mmap.mmap, order: Order, start: int, depth: int) -> Directory:
    """Read the directory at byte `start`."""
    directory: Directory = {}
    (count,) = struct.unpack_from(order + "H", body, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", body, entry)
        size = SIZES.get(kind, 0) * number
        at = entry + 8
        if size > 4:
            (at,) = struct.unpack_from(order + "I", body, at)
        data = body[at : at + size]
        if not size or len(data) < size:
            continue
        if tag in POINTERS:
            if depth and kind in {LONG, IFD}:
                with contextlib.suppress(struct.error):
                    below = struct.unpack_from(order + "I", data)[0]
                    directory[tag] = _directory(body, order, below, depth - 1)
        elif tag == IPTC:  # bytes, though many writers declare them as longs
            directory[tag] = Field(UNDEFINED, data)
        else:
            directory[tag] = Field(kind, _reordered(data, kind, order))
    return directory


def _reordered(data: bytes, kind: int, order: Order) -> bytes:
    """Values of one field between little endian and `order`, either way."""
    word = WORDS[kind]
    if order == "<" or word == 1:
        return data
    return b"".join(data[at : at + word][::-1] for at in range(0, len(data), word))


def _serialised(directory: Directory, order: Order, start: int) -> bytes:
    """Lay a directory out for byte `start` (even) of its file, its values behind it."""
    table, values = struct.pack(order + "H", len(directory)), b""
    first = start + 2 + 12 * len(directory) + 4
    for tag, value in sorted(directory.items()):
        where = first + len(values)
        if isinstance(value, Field):
            data = _reordered(value.data, value.kind, order)
            table += struct.pack(order + "HHI", tag, value.kind, len(data) // SIZES[value.kind])
            if len(data) <= 4:
                table += data.ljust(4, b"\0")
                continue
        else:
            data = _serialised(value, order, where)
            table += struct.pack(order + "HHI", tag, LONG, 1)
        table += struct.pack(order + "I", where)
        values += data + b"\0" * (len(data) % 2)
    return table + bytes(4) + values  # no directory follows: that would be the thumbnail's


def portable(blob: bytes) -> bytes | None:
    """The part of an EXIF block, or of a whole TIFF file, that is still true of an artwork.

    Orientation 1, sRGB, no thumbnail, no sizes; `None` if it says nothing or cannot be read.
    """
    try:
        order, directory = parse(blob)
    except ValueError:
        return None
    kept = {tag: value for tag, value in directory.items() if tag in DESCRIPTIVE}
    if not kept:
        return None
    found = kept.get(EXIF)
    capture = found if isinstance(found, dict) else {}
    lasting = {tag: capture[tag] for tag in capture.keys() - {PIXEL_WIDTH, PIXEL_HEIGHT}}
    return _block(kept, lasting, order)


def _block(description: Directory, capture: Directory, order: Order) -> bytes:
    """An EXIF block of two directories that also say that the picture is upright and sRGB."""
    header = next(header for header, its_order in HEADERS.items() if its_order == order)
    one = Field(SHORT, b"\1\0")
    whole = description | {ORIENTATION: one, EXIF: capture | {COLOR_SPACE: one}}
    return PREFIX + header + struct.pack(order + "I", 8) + _serialised(whole, order, 8)


BARE = _block({}, {}, "<")
"""A block that says nothing else."""


def iptc_of_tiff(tiff: bytes) -> bytes | None:
    """The IIM records in a TIFF file."""
    try:
        field = parse(tiff, depth=0)[1].get(IPTC)
    except ValueError:
        return None
    return field.data if isinstance(field, Field) else None


def graft(file: BinaryIO, exif: bytes | None, iptc: bytes | None) -> None:
    """Put EXIF and IPTC into a TIFF file, in a new first directory at its end.

    The pixels stay where they are, for a directory points to them from anywhere.
    """
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as tiff:
        order, directory = parse(tiff, depth=0)
    if exif is not None:
        directory |= parse(exif)[1]
    if iptc is not None:
        directory[IPTC] = Field(UNDEFINED, iptc)
    end = file.seek(0, os.SEEK_END)
    start = end + end % 2
    file.write(b"\0" * (end % 2) + _serialised(directory, order, start))
    file.seek(4)
    file.write(struct.pack(order + "I", start))

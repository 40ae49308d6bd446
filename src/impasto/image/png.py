"""XMP in PNG: an `iTXt` chunk behind the header.

libvips would write `zTXt`, which is Latin-1 by definition, and which XMP readers overlook.
"""

import struct
import zlib
from typing import BinaryIO

HEADER = 8 + 4 + 4 + 13 + 4
"""Bytes of signature and first chunk, which is always the same one."""


def chunk_of(packet: bytes) -> bytes:
    """The chunk that holds an XMP packet."""
    body = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + packet
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def with_packet(data: bytes, packet: bytes) -> bytes:
    """The PNG with an XMP packet."""
    return data[:HEADER] + chunk_of(packet) + data[HEADER:]


def move_header(file: BinaryIO, chunk: bytes) -> None:
    """Put a chunk behind the header of a PNG that begins at byte `len(chunk)` of its file.

    The rest of it lies already where it has to be.
    """
    file.seek(len(chunk))
    header = file.read(HEADER)
    file.seek(0)
    file.write(header + chunk)

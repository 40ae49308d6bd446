"""IPTC records in JPEG: they travel inside a block of Photoshop's image resources."""

import struct

SIGNATURE = b"Photoshop 3.0\0"
RESOURCE = b"8BIM"
IPTC = 0x0404


def unwrapped(block: bytes) -> bytes | None:
    """The IIM records in a Photoshop block, if it has any."""
    at = len(SIGNATURE)
    while block.startswith(SIGNATURE) and block[at : at + 4] == RESOURCE and at + 7 <= len(block):
        number, name = struct.unpack_from(">HB", block, at + 4)
        at += 6 + (name + 2) // 2 * 2  # the name's length byte counts towards its even padding
        if at + 4 > len(block):
            return None
        (size,) = struct.unpack_from(">I", block, at)
        if number == IPTC:
            return block[at + 4 : at + 4 + size] or None
        at += 4 + size + size % 2
    return None


def wrapped(records: bytes) -> bytes:
    """A Photoshop block that holds nothing but these IIM records."""
    header = RESOURCE + struct.pack(">HHI", IPTC, 0, len(records))
    return SIGNATURE + header + records + b"\0" * (len(records) % 2)

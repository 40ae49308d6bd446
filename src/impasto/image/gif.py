"""XMP in GIF: an application extension, which libvips and Pillow's writer pass over.

XMP Specification, part 3, section 1.1.2: the packet stands as it is where GIF wants sub-blocks
with a length each, and a trailer leads readers that do not know it back to the chain.
"""

INTRODUCTION = b"\x21\xff\x0bXMP DataXMP"
TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"

HEADER = 13
"""Bytes of signature and screen descriptor."""

FLAGS = 10
"""Where the screen descriptor says whether a palette follows, and how long it is."""


def with_packet(data: bytes, packet: bytes) -> bytes:
    """The GIF with an XMP packet before its first picture."""
    at = HEADER + _palette_bytes(data[FLAGS])
    return b"GIF89a" + data[6:at] + extension(packet) + data[at:]


def extension(packet: bytes) -> bytes:
    """An XMP packet as a block of a GIF."""
    return INTRODUCTION + packet + TRAILER


def packet_of(data: bytes) -> bytes | None:
    """The XMP packet in a GIF."""
    _, found, rest = data.partition(INTRODUCTION)
    packet, ended, _ = rest.partition(TRAILER)
    return packet if found and ended else None


def _palette_bytes(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0

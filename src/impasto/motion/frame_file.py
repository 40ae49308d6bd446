"""The file of a finished frame: a PNG that any viewer shows, with what later frames need inside."""

import io
import json
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.events import Losses

Bits = NDArray[np.uint8 | np.uint16]
"""(H, W, 3), sRGB over the whole range of its type."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER, END = b"IHDR", b"IEND"
FACTS, KEPT = b"imFA", b"imKE"
"""Types of chunks of our own. By the case of its letters a program that edits the picture, and does
not know them, has to leave them out."""

HEADER_END = len(SIGNATURE) + 12 + 13
"""Where the facts begin: behind the one chunk that must be first."""

EFFORT = 1
"""Of zlib; more takes many times as long for a few hundredths."""


class DamagedFrame(ValueError):
    """The bytes are not those that were written."""


@dataclass(frozen=True)
class Facts:
    """How a frame came about."""

    job: str
    """The job that it was made for."""
    losses: Losses
    steps: int
    seconds: float
    bridged: bool
    """Whether the input's frame was damaged, and this repeats the one before."""


@dataclass(frozen=True)
class FrameFile:
    """A finished frame."""

    picture: Bits
    kept: Mapping[str, NDArray[Any]]
    facts: Facts

    def encoded(self) -> bytes:
        """The bytes of its file."""
        done, png = cv2.imencode(".png", self.picture[:, :, ::-1])
        if not done:
            raise ValueError(f"no PNG holds a picture of shape {self.picture.shape}")
        plain = png.tobytes()
        facts = _chunk(FACTS, json.dumps(vars(self.facts)).encode())
        kept = b"".join(_chunk(KEPT, _packed(*item)) for item in self.kept.items())
        return plain[:HEADER_END] + facts + kept + plain[HEADER_END:]

    @classmethod
    def decoded(cls, data: bytes) -> "FrameFile":
        """The same from its bytes; raises DamagedFrame."""
        kept = {}
        for kind, body in chunks(data):
            if kind == FACTS:
                facts = _facts(body)
            elif kind == KEPT:
                name, array = _unpacked(body)
                kept[name] = array
        picture: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise DamagedFrame("its picture cannot be decoded")
        return cls(np.ascontiguousarray(picture[:, :, ::-1]), kept, facts)


def verified(data: bytes) -> Facts:
    """The facts of a file after all its bytes were compared with their sums; or DamagedFrame."""
    return _facts(next(body for kind, body in list(chunks(data)) if kind == FACTS))


def facts_at(start: bytes) -> Facts:
    """The facts from the first few kilobytes of a file; raises DamagedFrame."""
    if not start.startswith(SIGNATURE):
        raise DamagedFrame("it does not begin as a PNG")
    kind, body, _ = _chunk_at(start, HEADER_END)
    if kind != FACTS:
        raise DamagedFrame("it does not say how it was made")
    return _facts(body)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of each chunk; DamagedFrame where a sum is wrong or the end is missing."""
    if not data.startswith(SIGNATURE):
        raise DamagedFrame("it does not begin as a PNG")
    at, found = len(SIGNATURE), []
    while at < len(data):
        kind, body, at = _chunk_at(data, at)
        found.append(kind)
        yield kind, body
    if found[-1:] != [END] or FACTS not in found:
        raise DamagedFrame("a part of it is missing")


def _chunk(kind: bytes, body: bytes) -> bytes:
    sum_ = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", sum_)


def _chunk_at(data: bytes, at: int) -> tuple[bytes, bytes, int]:
    """Type, content, and where the next one begins."""
    if len(data) < at + 12:
        raise DamagedFrame("it ends too early")
    length, kind = struct.unpack_from(">I4s", data, at)
    end = at + 8 + length
    if len(data) < end + 4:
        raise DamagedFrame("it ends too early")
    body = data[at + 8 : end]
    if zlib.crc32(body, zlib.crc32(kind)) != struct.unpack_from(">I", data, end)[0]:
        raise DamagedFrame("its bytes have changed")
    return kind, body, end + 4


def _facts(body: bytes) -> Facts:
    try:
        return Facts(**json.loads(body))
    except (TypeError, ValueError) as error:
        raise DamagedFrame("what it says of itself cannot be read") from error


def _packed(name: str, array: NDArray[Any]) -> bytes:
    """An array with its name."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), allow_pickle=False)
    return name.encode() + b"\0" + zlib.compress(stream.getvalue(), EFFORT)


def _unpacked(body: bytes) -> tuple[str, NDArray[Any]]:
    name, _, packed = body.partition(b"\0")
    stream = io.BytesIO(zlib.decompress(packed))
    return name.decode(), np.lib.format.read_array(stream, allow_pickle=False)

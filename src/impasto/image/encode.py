"""From a picture to the bytes of its file."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from impasto.errors import UnwritableOutput
from impasto.image import exif, gif, indexed, iptc, png, xmp
from impasto.image.picture import MM_PER_INCH, Metadata, Picture
from impasto.image.srgb import STRIP, srgb_profile
from impasto.settings import OutputSettings

SIXTEEN_BIT = {"PNG", "TIFF"}

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp", "TIFF": ".tif"}
"""What libvips chooses its encoder by."""

LONGEST = {"JPEG": 65_500, "WebP": 16_383, "GIF": 65_535}
"""Largest sides of formats that have one, px."""

SEGMENT = 65_000
"""What fits into one segment of a JPEG file, bytes; libvips silently drops what does not."""

THREADS = 2
"""At most, of libvips: encoding takes longer than samples do, and each takes memory of its own."""

KEEP = {"exif-data": 1, "xmp-data": 2, "iptc-data": 4, "icc-profile-data": 8}
"""libvips' flags for writing its fields."""

USUAL_DPI = 72.0
"""Written where the photo names no resolution, for most formats must name one."""


def check_sides(width: int, height: int, kind: str, output: str) -> None:
    """Refuse a picture that is longer, px, than its format can be."""
    longest = LONGEST.get(kind)
    if longest is not None and max(width, height) > longest:
        raise UnwritableOutput(
            f"cannot write {output}: {kind} holds at most {longest} px a side, "
            f"not {width}×{height}; choose .png or .tif"
        )


def encode(
    picture: Picture,
    kind: str,
    settings: OutputSettings,
    recipe: str | None,
    output: str,
    descriptor: int,
) -> None:
    """Write the picture in the format `kind` to an empty file, open for reading and writing.

    Needs little memory beside the picture, but for formats whose encoder wants all of it: WebP,
    JPEG, and what has a palette. Raises UnwritableOutput where the format has no room, with
    `output` for the file's name, and OSError where the disk refuses.
    """
    check_sides(*picture.size, kind, output)
    metadata = Metadata() if settings.strip else picture.metadata
    packet = _packet(metadata.xmp, None if settings.strip else recipe, kind, output)
    if picture.indexed is not None and kind in indexed.KINDS:
        small = indexed.encode(picture.indexed, picture.alpha, kind, metadata, output)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(small if packet is None else PACKETS[kind](small, packet))
        return
    chunk = png.chunk_of(packet) if kind == "PNG" and packet is not None else b""
    os.lseek(descriptor, len(chunk), os.SEEK_SET)  # libvips goes on from there
    blocks = _blocks(metadata, packet, kind)
    image = _tagged(_samples(picture, kind, settings.depth), metadata.dpi, blocks)
    # Without this libvips invents EXIF where there is none.
    keep = sum(KEEP[field] for field in blocks)
    try:
        target = pyvips.Target.new_to_descriptor(descriptor)
        with _few_threads():
            image.write_to_target(target, SUFFIXES[kind], keep=keep, **_options(kind, settings))
    except pyvips.Error as error:
        raise _refusal(str(error.detail), output) from None
    with os.fdopen(descriptor, "r+b", closefd=False) as file:
        if chunk:
            png.move_header(file, chunk)
        if kind == "TIFF" and (metadata.exif or metadata.iptc):
            exif.graft(file, metadata.exif, metadata.iptc)


@contextmanager
def _few_threads() -> Iterator[None]:
    """Libvips knows their number for the process alone."""
    before = pyvips.concurrency_get()
    pyvips.concurrency_set(min(before, THREADS))
    try:
        yield
    finally:
        pyvips.concurrency_set(before)


def _refusal(detail: str, output: str) -> OSError | UnwritableOutput:
    """What libvips reports, as the error of the system that it names, if it names one."""
    numbers = {os.strerror(number): number for number in errno.errorcode}
    for line in detail.splitlines():
        number = numbers.get(line.rpartition(": ")[2])
        if number is not None:
            return OSError(number, os.strerror(number))
    return UnwritableOutput(f"cannot write {output}: {detail.strip()}; choose another format")


def _samples(picture: Picture, kind: str, depth: int) -> pyvips.Image:
    """Integers of 3 or 4 bands, computed strip by strip while they are written, as by `to_bits`.

    For JPEG, which knows no transparency, over white paper.
    """
    image = _image(picture.rgb)
    if picture.alpha is not None:
        alpha = _image(picture.alpha)
        over_white = kind == "JPEG"
        image = image * alpha + alpha.linear(-1, 1) if over_white else image.bandjoin(alpha)
    highest, band = (255, "uchar") if depth == 8 else (65_535, "ushort")
    integers = image.clamp().linear(highest, 0).rint().cast(band)
    return integers.copy(interpretation="srgb" if depth == 8 else "rgb16")


def _image(values: NDArray[np.float32]) -> pyvips.Image:
    """An image over the memory of an array (H, W) or (H, W, 3), which must be finite."""
    for top in range(0, len(values), STRIP):
        if not np.isfinite(values[top : top + STRIP]).all():
            raise ValueError("a picture with values that are not finite must never reach a file")
    height, width, *bands = values.shape
    memory = np.ascontiguousarray(values, np.float32)
    return pyvips.Image.new_from_memory(memory, width, height, *bands or [1], "float")


def _tagged(
    image: pyvips.Image, dpi: tuple[float, float] | None, blocks: dict[str, bytes]
) -> pyvips.Image:
    """The image with resolution and blocks of metadata."""
    across, down = dpi or (USUAL_DPI, USUAL_DPI)
    tagged = image.copy(xres=across / MM_PER_INCH, yres=down / MM_PER_INCH)
    for field, block in blocks.items():
        tagged.set_type(pyvips.GValue.blob_type, field, block)
    return tagged


def _blocks(metadata: Metadata, packet: bytes | None, kind: str) -> dict[str, bytes]:
    """What libvips writes beside the pixels; it writes XMP in PNG and EXIF in TIFF wrongly or not.

    WebP and PNG have no place for IPTC, and what is longer than a segment does not fit into JPEG.
    """
    capture = metadata.exif
    if capture is None and metadata.dpi is not None and kind in {"JPEG", "WebP"}:
        capture = exif.BARE  # where libvips keeps their resolution
    blocks = {
        "icc-profile-data": srgb_profile(),
        "xmp-data": packet if kind != "PNG" else None,
        "exif-data": capture if kind != "TIFF" else None,
        "iptc-data": iptc.wrapped(metadata.iptc) if metadata.iptc and kind == "JPEG" else None,
    }
    longest = SEGMENT if kind == "JPEG" else sys.maxsize
    return {
        field: block
        for field, block in blocks.items()
        if block is not None and len(block) <= longest
    }


PACKETS = {"PNG": png.with_packet, "GIF": gif.with_packet}
"""What puts XMP into the bytes of a file with a palette."""


def _packet(photo: bytes | None, recipe: str | None, kind: str, output: str) -> bytes | None:
    """XMP of photo and recipe; where JPEG has not room for both, the recipe goes first."""
    if recipe is None:
        return photo
    packet = xmp.with_recipe(photo, recipe)
    if kind == "JPEG" and len(packet) > SEGMENT:
        packet = xmp.with_recipe(None, recipe)
        if len(packet) > SEGMENT:
            raise UnwritableOutput(
                f"cannot write {output}: its recipe of {len(packet)} bytes is too long for JPEG; "
                "choose another format or --strip"
            )
    return packet


def _options(kind: str, settings: OutputSettings) -> dict[str, Any]:
    """What libvips' encoder of this format is told."""
    match kind:
        case "PNG":
            return {"filter": "all"}
        case "JPEG":
            chroma = "off" if settings.quality >= 90 else "on"
            return {"Q": settings.quality, "subsample_mode": chroma, "optimize_coding": True}
        case "WebP" if settings.lossless:
            return {"lossless": True, "exact": True}
        case "WebP":
            return {"Q": settings.quality, "smart_subsample": True}
        case _:  # deflate is what every reader of TIFF opens, and shrinks 16 bits as LZW does not
            # MAX_PIXELS of 16 bits with alpha are 2 GB, half of what a TIFF's offsets reach.
            return {"compression": "deflate", "predictor": "horizontal"}

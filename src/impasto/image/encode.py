"""From a picture to the bytes of its file."""

import struct
import sys
import zlib
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from impasto.errors import UnwritableOutput
from impasto.image import exif, gif, indexed, iptc, xmp
from impasto.image.picture import MM_PER_INCH, Metadata, Picture
from impasto.image.srgb import srgb_profile, to_bits
from impasto.settings import OutputSettings

SIXTEEN_BIT = {"PNG", "TIFF"}

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WebP": ".webp", "TIFF": ".tif"}
"""What libvips chooses its encoder by."""

LONGEST = {"JPEG": 65_500, "WebP": 16_383, "GIF": 65_535}
"""Largest sides of formats that have one, px."""

SEGMENT = 65_000
"""What fits into one segment of a JPEG file, bytes; libvips silently drops what does not."""

PNG_HEADER = 8 + 4 + 4 + 13 + 4
"""Bytes of a PNG's signature and first chunk."""

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
    picture: Picture, kind: str, settings: OutputSettings, recipe: str | None, output: str
) -> bytes:
    """The file's bytes in the format `kind`; `output` names it in errors."""
    check_sides(*picture.size, kind, output)
    metadata = Metadata() if settings.strip else picture.metadata
    packet = _packet(metadata.xmp, None if settings.strip else recipe, kind, output)
    if picture.indexed is not None and kind in indexed.KINDS:
        small = indexed.encode(picture.indexed, picture.alpha, kind, metadata, output)
        return small if packet is None else PACKETS[kind](small, packet)
    blocks = _blocks(metadata, packet, kind)
    image = _tagged(_samples(picture, kind, settings.depth), metadata.dpi, blocks)
    # Without this libvips invents EXIF where there is none.
    keep = sum(KEEP[field] for field in blocks)
    try:
        data: bytes = image.write_to_buffer(SUFFIXES[kind], keep=keep, **_options(kind, settings))
    except pyvips.Error as error:
        raise UnwritableOutput(
            f"cannot write {output}: {str(error.detail).strip()}; choose another format"
        ) from None
    if kind == "PNG" and packet is not None:
        return PACKETS[kind](data, packet)
    if kind == "TIFF" and (metadata.exif or metadata.iptc):
        return exif.graft(data, metadata.exif, metadata.iptc)
    return data


def _samples(picture: Picture, kind: str, depth: int) -> NDArray[np.uint8 | np.uint16]:
    """(H, W, 3 or 4) integers; for JPEG, which knows no transparency, over white paper."""
    rgb, alpha = picture.rgb, picture.alpha
    if not np.isfinite(rgb).all():
        raise ValueError("a picture with values that are not finite must never reach a file")
    if alpha is None:
        return to_bits(rgb, depth)
    if kind == "JPEG":
        cover = alpha[:, :, None]
        return to_bits(rgb * cover + (1 - cover), depth)
    return to_bits(np.dstack([rgb, alpha]), depth)


def _tagged(
    samples: NDArray[np.uint8 | np.uint16],
    dpi: tuple[float, float] | None,
    blocks: dict[str, bytes],
) -> pyvips.Image:
    """Samples as an image of libvips with resolution and blocks of metadata."""
    across, down = dpi or (USUAL_DPI, USUAL_DPI)
    image = pyvips.Image.new_from_array(samples).copy(
        interpretation="rgb16" if samples.dtype == np.uint16 else "srgb",
        xres=across / MM_PER_INCH,
        yres=down / MM_PER_INCH,
    )
    for field, block in blocks.items():
        image.set_type(pyvips.GValue.blob_type, field, block)
    return image


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


def _with_packet(png: bytes, packet: bytes) -> bytes:
    """The PNG with XMP in an `iTXt` chunk behind its header.

    libvips would write `zTXt`, which is Latin-1 by definition, and which XMP readers overlook.
    """
    body = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + packet
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:PNG_HEADER] + chunk + png[PNG_HEADER:]


PACKETS = {"PNG": _with_packet, "GIF": gif.with_packet}
"""{format: what puts XMP into a finished file of it}."""


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
            return {"compression": "deflate", "predictor": "horizontal"}

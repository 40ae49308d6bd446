"""From the bytes of a picture file to upright samples in memory."""

import numpy as np
import pyvips

from impasto.errors import ImpastoError, NotEnoughMemory, UnreadableImage, ran_out
from impasto.image.srgb import CMYK, GREY, RGB, Samples
from impasto.sizes import MAX_PIXELS, MIN_SIDE

LOADERS = {
    "JPEG": "jpegload_buffer",
    "PNG": "pngload_buffer",
    "WebP": "webpload_buffer",
    "TIFF": "tiffload_buffer",
    "GIF": "gifload_buffer",
}
"""Only these: libvips would also take tables of numbers, and drawings that load other files."""

SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"GIF8": "GIF",
}

COLOURS = {"b-w": GREY, "grey16": GREY, "srgb": RGB, "rgb16": RGB, "scrgb": RGB, "cmyk": CMYK}
"""{libvips interpretation: bands of colour}; a further band is alpha."""

BROKEN_JPEG = ("premature end", "bad Huffman code", "instead of RST")
"""Those of libjpeg's warnings after which pixels are made up; cameras cause the others."""


def format_of(head: bytes) -> str | None:
    """The format that a file's first 16 bytes announce."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    return next((name for start, name in SIGNATURES.items() if head.startswith(start)), None)


def opened(data: bytes, where: str) -> pyvips.Image:
    """Read a picture's header alone; refuse what is damaged there, too small or too large."""
    image = _load(data, where, "error")
    check_size(image.width, image.height, where)
    return image


def check_size(width: int, height: int, where: str) -> None:
    """Refuse pictures too small to paint and too large to be meant, sizes in px."""
    if min(width, height) < MIN_SIDE:
        raise UnreadableImage(
            f"cannot use {where}: it is {width}×{height} px, too small to paint; "
            f"choose a picture of at least {MIN_SIDE} px on each side"
        )
    if width * height > MAX_PIXELS:
        raise UnreadableImage(
            f"cannot use {where}: it claims {width}×{height} px, more than the "
            f"{MAX_PIXELS // 1_000_000} million pixels that are read; make it smaller first"
        )


def samples_of(data: bytes, image: pyvips.Image, where: str) -> tuple[Samples, Samples | None]:
    """Decode an opened picture: colours (H, W, 1|3|4) and alpha (H, W), turned upright.

    The first frame, page or layer of several.
    """
    colours = COLOURS.get(image.interpretation)
    if colours is None or image.bands - colours not in {0, 1}:
        raise UnreadableImage(
            f"cannot read {where}: it has {image.bands} channels ({image.interpretation}); "
            "save it as grey, RGB or CMYK with at most one alpha channel"
        )
    upright = _decoded(data, image, where).autorot()
    samples = upright.numpy().reshape(upright.height, upright.width, upright.bands)
    samples = _whole_range(samples, where)
    alpha = samples[:, :, colours] if image.bands > colours else None
    return samples[:, :, :colours], alpha


def _load(data: bytes, where: str, fail_on: str) -> pyvips.Image:
    """Open with the loader of the announced format."""
    if not data:
        raise empty_file(where)
    kind = format_of(data[:16])
    if kind is None:
        raise not_a_picture(where)
    try:
        # Revalidate: libvips remembers what it loaded by address, and addresses are used again.
        return pyvips.Operation.call(
            LOADERS[kind], data, access="sequential", fail_on=fail_on, revalidate=True
        )
    except pyvips.Error as error:
        raise _damaged(data, where, error) from None


def _decoded(data: bytes, image: pyvips.Image, where: str) -> pyvips.Image:
    """All pixels of an opened picture; damage is an error, never grey filling."""
    if format_of(data) == "JPEG":
        try:
            return _load(data, where, "warning").copy_memory()
        except pyvips.Error as error:
            if any(sign in str(error) for sign in BROKEN_JPEG):
                raise _damaged(data, where, error) from None
    try:
        return image.copy_memory()
    except pyvips.Error as error:
        raise _damaged(data, where, error) from None


def empty_file(where: str) -> UnreadableImage:
    """The error for a file without a byte."""
    return UnreadableImage(f"cannot read {where}: it is empty (0 bytes); copy it again")


def not_a_picture(where: str) -> UnreadableImage:
    """The error for a file of another kind."""
    return UnreadableImage(
        f"cannot read {where}: it is not a JPEG, PNG, WebP, TIFF or GIF picture; "
        "convert it to one of these"
    )


def _damaged(data: bytes, where: str, error: pyvips.Error) -> ImpastoError:
    """The error for a picture that breaks off or does not decode, if memory is not to blame."""
    if ran_out(error):
        return NotEnoughMemory(
            f"memory ran out while reading {where}; make it smaller first, or end other programs"
        )
    if format_of(data) == "WebP":
        whole = 8 + int.from_bytes(data[4:8], "little")
        if len(data) < whole:
            return UnreadableImage(
                f"cannot read {where}: it ends after {len(data)} of {whole} bytes "
                "(truncated file?); copy it again"
            )
    reason = str(error.detail).strip().splitlines()
    return UnreadableImage(
        f"cannot read {where}: the {format_of(data)} picture breaks off or is damaged within its "
        f"{len(data)} bytes (truncated file?{' ' + reason[0] if reason else ''}); copy it again"
    )


def _whole_range(samples: Samples, where: str) -> Samples:
    """Samples of the three types that the rest of the house knows."""
    if samples.dtype in (np.uint8, np.uint16):
        return samples
    if samples.dtype == np.uint32:
        return (samples / np.iinfo(np.uint32).max).astype(np.float32)
    if samples.dtype.kind == "f":
        return checked_floats(samples, where)
    raise UnreadableImage(
        f"cannot read {where}: its samples are {samples.dtype}; save it with 8 or 16 bits, unsigned"
    )


def checked_floats(samples: Samples, where: str) -> Samples:
    """Floating-point samples, which must be sRGB-encoded and in [0, 1], as float32."""
    low, high = samples.min(), samples.max()
    # Not-a-number fails every comparison. The allowance is for sums that round above 1.
    if not (low >= -1e-5 and high <= 1 + 1e-5):
        raise UnreadableImage(
            f"cannot read {where}: its floating-point samples run from {low:.6g} to {high:.6g}; "
            "scale or clip them to 0 to 1 (none of them NaN)"
        )
    return np.clip(samples, 0, 1).astype(np.float32)

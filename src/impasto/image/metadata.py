"""What a picture file says of itself: its capture metadata, and the recipe that made it."""

from pathlib import Path

import pyvips

from impasto.errors import BadRecipe
from impasto.image import exif, gif, iptc, xmp
from impasto.image.decode import format_of, opened
from impasto.image.picture import MM_PER_INCH, Metadata
from impasto.image.source import name_of, picture_bytes
from impasto.recipe import AnyRecipe, recipe_of

DEFAULT_DPI = (25.4, 72.0)
"""What libvips says of files that name no resolution."""


def blob(image: pyvips.Image, field: str) -> bytes | None:
    """One of the blocks of bytes that came with a picture."""
    if not image.get_typeof(field):
        return None
    value = image.get(field)
    return bytes(value) or None


def metadata_of(data: bytes, image: pyvips.Image) -> Metadata:
    """What an opened file, `data` its bytes, says of itself that stays true of the artwork."""
    is_tiff = format_of(data) == "TIFF"
    capture = data if is_tiff else blob(image, "exif-data")
    packet = _packet_of(data, image)
    block = blob(image, "iptc-data")
    records = exif.iptc_of_tiff(data) if is_tiff else block and iptc.unwrapped(block)
    dpi = image.xres * MM_PER_INCH, image.yres * MM_PER_INCH
    unknown = any(abs(value - default) < 0.1 for value in dpi for default in DEFAULT_DPI)
    return Metadata(
        exif=exif.portable(capture) if capture else None,
        xmp=xmp.portable(packet) if packet else None,
        iptc=records or None,
        dpi=None if unknown else dpi,
    )


def _packet_of(data: bytes, image: pyvips.Image) -> bytes | None:
    """The XMP packet of an opened file."""
    return gif.packet_of(data) if format_of(data) == "GIF" else blob(image, "xmp-data")


def recipe_in(source: str | Path) -> AnyRecipe:
    """The recipe that a picture carries; BadRecipe where there is none or it cannot be used."""
    return recipe_of(read_recipe(source), str(source))


def read_recipe(source: str | Path) -> str:
    """The recipe in a picture file (`-` for standard input), as it was given to `write`.

    `UnreadableImage` if it is no picture, `BadRecipe` if it carries none.
    """
    where = name_of(source)
    data = picture_bytes(source)
    packet = _packet_of(data, opened(data, where))
    recipe = None if packet is None else xmp.recipe_of(packet)
    if recipe is None:
        raise BadRecipe(
            f"{where} carries no recipe; was it written with --strip or edited by another program? "
            "Use the picture as Impasto wrote it"
        )
    return recipe

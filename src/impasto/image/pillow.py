"""From Pillow's many modes to upright samples."""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from impasto.errors import UnreadableImage
from impasto.image import exif, xmp
from impasto.image.decode import checked_floats
from impasto.image.iptc import IPTC
from impasto.image.picture import Metadata
from impasto.image.srgb import Samples

DIRECT = {"L", "LA", "RGB", "RGBA", "CMYK", "I;16", "I;16L", "I;16B", "I;16N"}
"""Modes whose arrays are samples already."""

CONVERTED = {
    "1": "L",
    "P": "RGB",
    "PA": "RGBA",
    "La": "LA",
    "RGBa": "RGBA",
    "RGBX": "RGB",
    "YCbCr": "RGB",
    "HSV": "RGB",
}
"""{mode: the direct mode that holds the same colours}."""


class Sampled(NamedTuple):
    """A Pillow image as arrays."""

    colours: Samples
    """(H, W, 1|3|4)."""
    alpha: Samples | None
    """(H, W)."""
    profile: bytes | None
    """ICC."""
    metadata: Metadata


def sampled(image: Image.Image, where: str) -> Sampled:
    """Load, turn upright and take apart any Pillow image; its current frame, if it has several."""
    try:
        image.load()
        metadata = _metadata_of(image)
        upright = ImageOps.exif_transpose(image)
        samples = _samples_of(upright, where)
    except (OSError, SyntaxError) as error:  # what Pillow's decoders raise
        raise UnreadableImage(
            f"cannot read {where}: {error}; is its file cut short or damaged?"
        ) from None
    colours, alpha = samples, None
    if samples.shape[2] in {2, 4} and image.mode != "CMYK":
        colours, alpha = samples[:, :, :-1], samples[:, :, -1]
    return Sampled(colours, alpha, image.info.get("icc_profile") or None, metadata)


def _samples_of(image: Image.Image, where: str) -> Samples:
    """The image's samples, (H, W, 1 to 4); uint8, uint16 or float32."""
    if "transparency" in image.info and image.mode in {"1", "L", "P", "RGB"}:
        image = image.convert("RGBA")
    if image.mode == "F":
        samples = checked_floats(np.asarray(image), where)
    elif image.mode == "I":
        samples = _from_integers(np.asarray(image), where)
    elif image.mode in CONVERTED:
        samples = np.asarray(image.convert(CONVERTED[image.mode]))
    elif image.mode in DIRECT:
        samples = np.asarray(image)
    else:
        raise UnreadableImage(
            f"cannot read {where}: Pillow's mode {image.mode} is unknown here; "
            'call its convert("RGB") first'
        )
    if samples.dtype.itemsize == 2:
        samples = samples.astype(np.uint16)  # I;16B is in the other byte order
    return samples.reshape(*samples.shape[:2], -1)


def _from_integers(samples: Samples, where: str) -> Samples:
    """Mode I: 32 bits, in which Pillow keeps 16-bit greys."""
    if samples.min() < 0 or samples.max() > np.iinfo(np.uint16).max:
        raise UnreadableImage(
            f"cannot read {where}: its 32-bit integers run from {samples.min()} to "
            f"{samples.max()}; scale them to 0 to 65535"
        )
    return samples.astype(np.uint16)


def _metadata_of(image: Image.Image) -> Metadata:
    """What Pillow knows that stays true of the artwork."""
    fields = image.getexif()
    capture = image.info.get("exif") or (fields.tobytes() if fields else None)
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    resources = image.info.get("photoshop")
    dpi = image.info.get("dpi")
    return Metadata(
        exif=exif.portable(capture) if capture else None,
        xmp=xmp.portable(packet) if packet else None,
        iptc=resources.get(IPTC) or None if isinstance(resources, dict) else None,
        dpi=(float(dpi[0]), float(dpi[1])) if dpi and min(dpi) > 0 else None,
    )

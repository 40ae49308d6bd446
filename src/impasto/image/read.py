"""Reading: a file, standard input, a Pillow image or an array becomes a `Picture`."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import UnreadableImage
from impasto.image.decode import check_size, checked_floats, opened, samples_of
from impasto.image.metadata import blob, metadata_of
from impasto.image.picture import STANDARD_STREAM, Metadata, Picture, Source
from impasto.image.pillow import sampled
from impasto.image.samples import PREFIX, is_sample, sample
from impasto.image.source import name_of, picture_bytes
from impasto.image.srgb import Samples, to_srgb, to_unit


def read(source: Source) -> Picture:
    """Read a picture upright and in sRGB; `UnreadableImage` says what is wrong with it.

    Files: JPEG, PNG, WebP, TIFF, GIF (the first frame or page); grey, RGB, CMYK, palette; 1 to 16
    bits, or floats in [0, 1]. Arrays: uint8, uint16 or floats in [0, 1], sRGB-encoded, of
    (H, W) or (H, W, C) with 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. `sample:NAME` is one
    of the pictures that come with Impasto.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source)
    if isinstance(source, str) and is_sample(source):
        return replace(_from_array(sample(source)), name=source.removeprefix(PREFIX))
    if isinstance(source, Image.Image):
        return _from_pillow(source)
    return _from_file(source)


def _from_file(source: str | Path) -> Picture:
    """Read a file, or standard input for `-`."""
    return picture_of(picture_bytes(source), source)


def size_of(source: str | Path) -> tuple[int, int]:
    """(width, height), px, of the upright picture, by its header alone; raises UnreadableImage."""
    if is_sample(source):
        return read(source).size
    image = opened(picture_bytes(source), name_of(source))
    turned = image.get_typeof("orientation") and int(image.get("orientation")) > 4
    return (image.height, image.width) if turned else (image.width, image.height)


def picture_of(data: bytes, source: str | Path) -> Picture:
    """The picture whose file has these bytes; `source` is where they come from, as of `read`."""
    where = name_of(source)
    image = opened(data, where)
    colours, alpha = samples_of(data, image, where)
    return Picture(
        rgb=to_srgb(colours, blob(image, "icc-profile-data")),
        alpha=None if alpha is None else to_unit(alpha),
        metadata=metadata_of(data, image),
        name="stdin" if str(source) == STANDARD_STREAM else Path(source).stem,
        sha256=hashlib.sha256(data).hexdigest(),
        file_size=len(data),
    )


def _from_pillow(image: Image.Image) -> Picture:
    """Read a Pillow image; one that has not been loaded yet is loaded."""
    file = getattr(image, "filename", "")
    where = str(file) if file else "the Pillow image"
    check_size(image.width, image.height, where)
    colours, alpha, profile, metadata = sampled(image, where)
    together = colours if alpha is None else np.dstack([colours, alpha])
    return Picture(
        rgb=to_srgb(colours, profile),
        alpha=None if alpha is None else to_unit(alpha),
        metadata=metadata,
        name=Path(file).stem if file else "image",
        sha256=_digest(together),
    )


def _from_array(array: NDArray[Any]) -> Picture:
    """Read an array of samples."""
    samples = _checked(array)
    bands = samples.shape[2]
    with_alpha = bands in {2, 4}
    colours = samples[:, :, :-1] if with_alpha else samples
    return Picture(
        rgb=to_srgb(colours, None),
        alpha=to_unit(samples[:, :, -1]) if with_alpha else None,
        metadata=Metadata(),
        name="array",
        sha256=_digest(array),
    )


def _checked(array: NDArray[Any]) -> Samples:
    """The array as (H, W, 1 to 4) of uint8, uint16 or float32, or the reason why it is none."""
    samples = array[:, :, None] if array.ndim == 2 else array
    if samples.ndim != 3 or not 1 <= samples.shape[2] <= 4:
        raise UnreadableImage(
            f"cannot read the array: its shape is {array.shape}; "
            "give (height, width) or (height, width, 1 to 4 channels)"
        )
    check_size(samples.shape[1], samples.shape[0], "the array")
    if samples.dtype.kind == "f":
        return checked_floats(samples, "the array")
    if samples.dtype.kind == "u" and samples.dtype.itemsize <= 2:
        return samples.astype(samples.dtype.newbyteorder("="))
    raise UnreadableImage(
        f"cannot read the array: its type is {array.dtype}; give uint8, uint16, or floats in 0 to 1"
    )


def _digest(array: NDArray[Any]) -> str:
    """SHA-256 of type, shape and samples."""
    portable = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    digest = hashlib.sha256(f"{portable.dtype.str} {portable.shape} ".encode())
    digest.update(portable.tobytes())
    return digest.hexdigest()

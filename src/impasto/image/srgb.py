"""From the samples of a file, in whatever colours they are, to sRGB floats in [0, 1]."""

from functools import cache, lru_cache
from typing import Any

import numpy as np
import pyvips
from numpy.typing import NDArray

from impasto.image.color import encoded
from impasto.image.profile import Shaper, shaper

Samples = NDArray[Any]
"""(H, W, bands): uint8 or uint16 over their whole range, or float32 in [0, 1]."""

GREY, RGB, CMYK = 1, 3, 4
"""The number of bands names the colours."""

SPACES = {GREY: b"GRAY", RGB: b"RGB ", CMYK: b"CMYK"}
"""What the header of an ICC profile calls them."""

STRIP = 32
"""Rows that are converted together; their intermediates stay in the processor's cache."""

INTERPRETATIONS = {
    (GREY, "uint8"): "b-w",
    (GREY, "uint16"): "grey16",
    (RGB, "uint8"): "srgb",
    (RGB, "uint16"): "rgb16",
    (CMYK, "uint8"): "cmyk",
    (CMYK, "uint16"): "cmyk",
}


def to_unit(samples: Samples) -> NDArray[np.float32]:
    """Any samples as floats in [0, 1], same shape."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    highest = np.float32(np.iinfo(samples.dtype).max)
    return np.divide(samples, highest, dtype=np.float32)


def to_bits(unit: NDArray[np.float32], depth: int) -> NDArray[np.uint8 | np.uint16]:
    """Floats as integers of 8 or 16 bits, same shape: clamped to [0, 1], rounded, not truncated."""
    kind = np.uint8 if depth == 8 else np.uint16
    highest = np.float32(np.iinfo(kind).max)
    bits = np.empty(unit.shape, kind)
    for top in range(0, len(unit), STRIP):
        strip = slice(top, top + STRIP)
        bits[strip] = np.rint(np.clip(unit[strip], 0, 1) * highest)
    return bits


def to_srgb(samples: Samples, profile: bytes | None) -> NDArray[np.float32]:
    """Colours as sRGB, (H, W, 1 grey | 3 RGB | 4 CMYK) -> (H, W, 3) in [0, 1].

    Without a profile that fits, grey and RGB are taken for sRGB, CMYK for a common press. Colours
    outside sRGB are clipped to it.
    """
    bands = samples.shape[2]
    if profile is not None and profile[16:20] != SPACES[bands]:
        profile = None
    if bands == CMYK or (profile is not None and not _is_srgb(profile, bands)):
        integers = to_bits(samples, 16) if samples.dtype.kind == "f" else samples
        return _converted(integers, profile)
    rgb = to_unit(samples)
    return np.repeat(rgb, 3, axis=2) if bands == GREY else rgb


@lru_cache(maxsize=16)
def _is_srgb(profile: bytes, bands: int) -> bool:
    """Whether a profile is sRGB under one of its many names, to within a step of 8 bits.

    Then the samples are left as they are: conversion would only blur them by its own rounding.
    """
    axis = np.linspace(0, 255, 9 if bands == RGB else 256).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(*[axis] * bands), axis=-1).reshape(1, -1, bands)
    return bool(np.abs(_converted(grid, profile) - to_unit(grid)).max() <= 1 / 255)


def _converted(samples: Samples, profile: bytes | None) -> NDArray[np.float32]:
    """Integer samples to sRGB, (H, W, bands) -> (H, W, 3) in [0, 1]."""
    curves = None if profile is None else shaper(profile)
    return _by_table(samples, profile) if curves is None else _by_curves(samples, curves)


def _by_curves(samples: Samples, profile: Shaper) -> NDArray[np.float32]:
    """Convert through linear light, a strip at a time to need little more than the result."""
    height, width, bands = samples.shape
    tables = profile.tables(np.iinfo(samples.dtype).max + 1)
    matrix = np.ones((GREY, RGB)) if profile.matrix is None else _to_srgb_light(profile.matrix)
    rgb = np.empty((height, width, RGB), np.float32)
    for top in range(0, height, STRIP):
        strip = samples[top : top + STRIP]
        light = np.stack([tables[band][strip[..., band]] for band in range(bands)], axis=-1)
        rgb[top : top + STRIP] = encoded((light @ matrix.astype(np.float32)).clip(0, 1))
    return rgb


def _to_srgb_light(matrix: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """From a profile's matrix, linear RGB to XYZ: (3, 3) that takes rows of it to linear sRGB."""
    srgb = shaper(srgb_profile())
    if srgb is None or srgb.matrix is None:
        raise RuntimeError("libvips' own sRGB profile has no matrix")
    return np.linalg.solve(srgb.matrix, matrix).T


def _by_table(samples: Samples, profile: bytes | None) -> NDArray[np.float32]:
    """Convert by libvips, which knows every profile; one that is broken counts as none.

    Relative colorimetric with black-point compensation: what sRGB can show stays as it is, and the
    press's black becomes black.
    """
    bands = samples.shape[2]
    image = pyvips.Image.new_from_array(np.ascontiguousarray(samples))
    image = image.copy(interpretation=INTERPRETATIONS[bands, samples.dtype.name])
    if profile is not None:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    converted = image.icc_transform(
        "srgb",
        embedded=profile is not None,
        input_profile="cmyk" if bands == CMYK else "srgb",
        intent="relative",
        black_point_compensation=True,
        depth=16,
    ).numpy()
    return to_unit(converted)


@cache
def srgb_profile() -> bytes:
    """The ICC profile of sRGB, 480 bytes."""
    profile: bytes = pyvips.Operation.call("profile_load", "srgb")
    return profile

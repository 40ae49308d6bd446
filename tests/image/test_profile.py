"""Curves of ICC profiles against their formulas in the standard."""

import struct

import numpy as np
import pytest

from impasto.image.profile import shaper


def grey_profile(curve: bytes, space: bytes = b"GRAY", tag: bytes = b"kTRC") -> bytes:
    """The least that a reader of curves needs: colour space, tag table, one curve."""
    header = bytes(16) + space + bytes(128 - 20)
    return header + struct.pack(">I4sII", 1, tag, 144, len(curve)) + curve


def para(form: int, *numbers: float) -> bytes:
    fixed = [round(number * 65536) for number in numbers]
    return b"para\0\0\0\0" + struct.pack(f">HH{len(fixed)}i", form, 0, *fixed)


def curv(*values: int) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


X = np.arange(65536) / 65535
SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)

CURVES = {
    "identity": (curv(), X),
    "gamma": (curv(round(2.2 * 256)), X ** (round(2.2 * 256) / 256)),
    "table": (curv(0, 6554, 65535), np.interp(X, [0, 0.5, 1], [0, 6554 / 65535, 1])),
    "type 0": (para(0, 1.8), X**1.8),
    "type 1": (para(1, 2, 1.25, -0.25), np.where(X >= 0.2, (1.25 * X - 0.25) ** 2, 0)),
    "type 2": (para(2, 2, 0.75, -0.25, 0.5), np.where(X >= 1 / 3, (0.75 * X - 0.25) ** 2, 0) + 0.5),
    "type 3": (
        para(3, *SRGB),
        np.where(X >= 0.04045, ((X + 0.055) / 1.055) ** 2.4, X / 12.92),
    ),
    "type 4": (
        para(4, 2, 0.5, 0.25, 0.5, 0.5, 0.125, 0.0625),
        np.where(X >= 0.5, (0.5 * X + 0.25) ** 2 + 0.125, 0.5 * X + 0.0625),
    ),
}


@pytest.mark.parametrize("name", CURVES)
def test_curve(name: str) -> None:
    curve, expected = CURVES[name]
    read = shaper(grey_profile(curve))
    assert read is not None
    (table,) = read.tables(65536)
    np.testing.assert_allclose(table, expected, atol=3e-5)


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"not a profile",
        grey_profile(curv(1, 2, 3)[:-2]),
        grey_profile(para(5, 1)),
        grey_profile(b"text\0\0\0\0"),
        grey_profile(para(1, 2, 0, 0)),
        grey_profile(curv(), tag=b"wtpt"),
        grey_profile(curv(), space=b"CMYK"),
        grey_profile(curv(), space=b"RGB "),
        bytes(16) + b"GRAY" + b"\xff" * 200,
    ],
)
def test_other_profiles_are_left_to_others(damaged: bytes) -> None:
    assert shaper(damaged) is None


def test_tables_take_precedence() -> None:
    curve = curv()
    at = 132 + 2 * 12
    header = bytes(16) + b"GRAY" + bytes(128 - 20) + struct.pack(">I", 2)
    for other, expected in ((b"A2B0", True), (b"wtpt", False)):
        table = struct.pack(">4sII4sII", b"kTRC", at, len(curve), other, at, len(curve))
        assert (shaper(header + table + curve) is None) == expected

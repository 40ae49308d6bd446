"""Sizes as people write them, and what they make of a photo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import UsageError
from impasto.image.resize import fit
from impasto.settings import PaintSettings
from impasto.sizes import MAX_PIXELS, Size, dpi_of, fitted, measure_of, normal

LANDSCAPE, PORTRAIT, SQUARE = (6000, 4000), (4000, 6000), (5000, 5000)


@pytest.mark.parametrize(
    ("written", "kept", "dpi"),
    [
        (800, 800, None),
        ("800", 800, None),
        (" 800 px ", 800, None),
        (800.0, 800, None),
        ("FULL", "full", None),
        ("4k", "4K", None),
        ("16K @ 72.5 dpi", "16K@72.5dpi", 72.5),
        ("1200 x 800", "1200x800", None),
        ("1200×800px@300DPI", "1200x800@300dpi", 300),
        ("800@96dpi", "800@96dpi", 96),
        ("60 × 40 CM @ 300 dpi", "60x40cm@300dpi", 300),
        ("24x16in@150dpi", "24x16in@150dpi", 150),
        ("600.50x400.0MM@300.0dpi", "600.5x400mm@300dpi", 300),
        ("21x29.7cm@300dpi", "21x29.7cm@300dpi", 300),
        ("60cm@300dpi", "60cm@300dpi", 300),
    ],
)
def test_normal_forms(written: object, kept: Size, dpi: float | None) -> None:
    settings = PaintSettings.checked({"size": written})
    assert (settings.size, type(settings.size)) == (kept, type(kept))
    assert dpi_of(settings.size) == dpi
    assert PaintSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize(
    ("written", "sides"),
    [
        (800, (800,)),
        ("2K", (2048,)),
        ("4K", (3840,)),
        ("8K", (7680,)),
        ("16K", (15_360,)),
        ("1200x800", (1200, 800)),
        ("1200x800@300dpi", (1200, 800)),
        ("60x40cm@300dpi", (7087, 4724)),
        ("600x400mm@300dpi", (7087, 4724)),
        ("24x16in@300dpi", (7200, 4800)),
        ("60cm@300dpi", (7087,)),
        ("10.5in@100dpi", (1050,)),
    ],
)
def test_pixels(written: object, sides: tuple[int, ...]) -> None:
    assert measure_of(normal(written)).pixels == sides


FORMS = "pixels as 800 or 1200x800, 2K, 4K, 8K, 16K, 'full', or paper as 60x40cm@300dpi"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        *((text, f"must be {FORMS}, not {text}") for text in (
            "big", "", "-5", "1e3", "12x", "x800", "1200x800x3", "2Kx3", "4Kcm@300dpi", "3K",
            "full@300dpi", "60x40@300", "60ft@300dpi", "٨٠٠", "²", "9" * 5000, "NaN",
        )),
        (None, f"must be {FORMS}, not None"),
        (True, f"must be {FORMS}, not True"),
        ("60x40cm", "needs a resolution with cm: write 60x40cm@300dpi"),
        ("24 in", "needs a resolution with in: write 24 in@300dpi"),
        ("60cm@0dpi", "must have a resolution of 1 to 10000 dpi, not 60cm@0dpi"),
        ("800@20000dpi", "must have a resolution of 1 to 10000 dpi, not 800@20000dpi"),
        (64.5, "must be whole pixels, not 64.5"),
        ("1200x80.5", "must be whole pixels, not 1200x80.5"),
        (0, "must be at least 16 px a side, not 0"),
        ("15", "must be at least 16 px a side, not 15"),
        ("1200x15", "must be at least 16 px a side, not 1200x15"),
        ("1mm@300dpi", "must be at least 16 px a side, not 1mm@300dpi"),
        ("16000001", "must be at most 16000000 px a side, not 16000001"),
    ],
)  # fmt: skip
def test_refused(written: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        PaintSettings.checked({"size": written})
    assert str(caught.value) == f"size {message}"


@pytest.mark.parametrize(
    ("size", "photo", "expected"),
    [
        ("full", LANDSCAPE, LANDSCAPE),
        (3000, LANDSCAPE, (3000, 2000)),
        (3000, PORTRAIT, (2000, 3000)),
        ("4K", PORTRAIT, (2560, 3840)),
        ("60x40cm@254dpi", LANDSCAPE, (6000, 4000)),
        ("60x40cm@254dpi", PORTRAIT, (4000, 6000)),
        ("40x60cm@254dpi", LANDSCAPE, (6000, 4000)),
        ("60x40cm@254dpi", SQUARE, (4000, 4000)),
        ("60cm@254dpi", PORTRAIT, (4000, 6000)),
        ("1000x1000", PORTRAIT, (667, 1000)),
        ("1000x100", LANDSCAPE, (150, 100)),
        ("20x20", (1000, 10), (20, 16)),
    ],
)
def test_fitted(size: Size, photo: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fitted(*photo, size) == expected


sides = st.integers(1, 20_000)


@given(sides, sides, st.integers(16, 10_000), st.integers(16, 10_000))
def test_boxes(width: int, height: int, first: int, second: int) -> None:
    """The picture lies in the turned box, touches two of its edges, and keeps its shape."""
    across, down = fitted(width, height, f"{first}x{second}")
    box = sorted((first, second), reverse=width >= height)
    assert across <= box[0]
    assert down <= box[1]
    assert across == box[0] or down == box[1]
    scale = min(box[0] / width, box[1] / height)
    for side, original in ((across, width), (down, height)):
        assert side == 16 or abs(side - original * scale) <= 0.5 + 1e-6


@given(sides, sides, st.integers(16, 10_000))
def test_a_long_side_is_rounded_as_ever(width: int, height: int, side: int) -> None:
    expected = fit(width, height, side)
    assert fitted(width, height, side) == expected
    assert fitted(width, height, f"{side}@300dpi") == expected
    turned = fitted(height, width, side)
    assert turned == expected[::-1]


@given(sides, sides)
def test_full_is_what_there_is(width: int, height: int) -> None:
    assert fitted(width, height, "full") == (max(16, width), max(16, height))


numbers = st.decimals(2, 999, places=2).map(str)


@given(numbers, numbers, st.sampled_from(["cm", "in", " MM"]), st.integers(300, 9999))
def test_the_normal_form_is_its_own(first: str, second: str, unit: str, dpi: int) -> None:
    kept = normal(f"{first}×{second}{unit}@{dpi}dpi")
    assert normal(kept) == kept
    factor = dpi / {"cm": 2.54, "in": 1, " MM": 25.4}[unit]
    for side, text in zip(measure_of(kept).pixels, (first, second), strict=True):
        assert abs(side - float(text) * factor) <= 0.5 + 1e-6


@pytest.mark.parametrize("size", [20_000, "20000x20000", "1000x1000in@20dpi", "200cm@300dpi"])
def test_more_pixels_than_a_picture_may_have(size: Size) -> None:
    with pytest.raises(UsageError) as caught:
        fitted(4000, 4000, size)
    assert str(caught.value).startswith(f"size {size} makes a picture of ")
    assert "more than the 256 million pixels that one may have; choose a smaller --size" in str(
        caught.value
    )
    assert fitted(4000, 4000, 16_000) == (16_000, 16_000)
    assert MAX_PIXELS == 16_000 * 16_000

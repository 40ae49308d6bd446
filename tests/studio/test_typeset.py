import numpy as np
import pytest

from impasto.studio.typeset import ELLIPSIS, FONTS, Weight, clean, cut, line, shortened

LONG = "IMG_20190714_holiday at the lake with everybody, second attempt.jpg"


def test_the_fonts_and_their_licence_are_there() -> None:
    assert all(weight.file.is_file() for weight in Weight)
    assert "SIL OPEN FONT LICENSE" in (FONTS / "OFL.txt").read_text()


@pytest.mark.parametrize("size", [12, 20, 36])
def test_lines_share_a_baseline(size: int) -> None:
    bottoms = {text: line(text, size).top + len(line(text, size).ink) for text in "HxEn1"}
    assert len(set(bottoms.values())) == 1
    assert line("p", size).top + len(line("p", size).ink) > bottoms["x"]
    assert line("x", size).top > line("H", size).top


def test_size_and_weight_are_as_asked() -> None:
    small, large = line("H", 20), line("H", 40)
    assert len(small.ink) == pytest.approx(0.727 * 20, abs=1.5)  # Inter's cap height
    assert len(large.ink) == pytest.approx(0.727 * 40, abs=1.5)
    assert line("Weight", 20, Weight.BOLD).ink.sum() > 1.15 * line("Weight", 20).ink.sum()


@pytest.mark.parametrize("text", ["&amp;", "<b>bold</b>", 'a "quoted" & <name>.jpg', "100 % _x_"])
def test_what_looks_like_markup_is_text(text: str) -> None:
    letters = sum(line(letter, 20).width for letter in text if letter.strip())
    assert line(text, 20).width > 0.9 * letters


@pytest.mark.parametrize(
    "text", ["Ελλάδα", "Москва", "日本語", "العربية", "हिन्दी", "🎨", "e\u0301"]
)
def test_every_script_leaves_ink(text: str) -> None:
    assert line(text, 20).ink.max() > 0.5


def test_lines_are_cleaned() -> None:
    assert clean(" two\nlines\tand  a tab ") == "two lines and a tab"
    assert clean(b"caf\xe9.jpg".decode("utf-8", "surrogateescape")) == "caf\\udce9.jpg"
    assert line(b"caf\xe9.jpg".decode("utf-8", "surrogateescape"), 20).width > 0


@pytest.mark.parametrize("text", ["", " \n", "\xad", "\u200b\u200d"])
def test_what_shows_nothing_has_no_ink(text: str) -> None:
    assert line(text, 20).ink.size == 0


@pytest.mark.parametrize("width", [60, 150, 300, 700])
def test_long_lines_lose_their_middle(width: int) -> None:
    found = shortened(LONG, 20, width)
    assert found.width <= width
    if line(LONG, 20).width > width:
        assert found.width > width - 40  # no more than two letters less than fits
    else:
        np.testing.assert_array_equal(found.ink, line(LONG, 20).ink)


def test_both_ends_stay() -> None:
    assert cut("abcdefghij.jpg", 9) == f"abcde{ELLIPSIS}.jpg"
    assert cut("ab", 0) == ELLIPSIS

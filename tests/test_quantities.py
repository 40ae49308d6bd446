import pytest

from impasto.quantities import parse_memory, quantity


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("4GB", 4_000_000_000),
        ("512MB", 512_000_000),
        ("2.5 GiB", 2_684_354_560),
        ("3000000000", 3_000_000_000),
        ("1.5g", 1_500_000_000),
        (" .5 tib ", 2**39),
        ("2048 KiB", 2**21),
        ("1000kB", 1_000_000),
        ("5000000 B", 5_000_000),
        ("2.3GB", 2_300_000_000),  # not the float nearest to it, rounded down
        ("9007199254740993", 2**53 + 1),
    ],
)
def test_amounts(text: str, amount: int) -> None:
    assert parse_memory(text) == amount


@pytest.mark.parametrize(
    "text", ["", "GB", "4 apples", "-1GB", "1e9", "1,5GB", "4GB 2", "4 G B", "nan", "inf", "4bib"]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^must be an amount of memory such as 4GB or 512MB, not "
    ):
        parse_memory(text)


@pytest.mark.parametrize("text", ["4", "0GB", "999999", "0.9MB"])
def test_a_forgotten_unit(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^must be at least 1MB, not {text}$"):
        parse_memory(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (35_389_440_000, "35.4 G"),
        (999_400_000, "999 M"),
        (999_600_000, "1.00 G"),
        (9_994_000, "9.99 M"),
        (9_996_000, "10.0 M"),
        (99_960_000, "100 M"),
        (12_000, "12.0 k"),
        (3.2e15, "3200 T"),
        (512, "512 "),
        (0, "0 "),
    ],
)
def test_quantities_have_three_digits(number: float, text: str) -> None:
    assert quantity(number) == text

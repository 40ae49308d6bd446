"""Amounts that people write with a unit."""

import re
from decimal import Decimal

UNITS = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}b": 1000**power for power, letter in enumerate(("", *"kmgt"))},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}
"""{unit in small letters: its bytes}: GB and G are 10^9, GiB is 2^30."""

AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+) *([a-z]*)")

LEAST = 1_000_000
"""Bytes; less is a unit forgotten: `4` for `4GB`."""


def parse_memory(text: str) -> int:
    """Bytes that `4GB`, `512MB`, `2.5 GiB`, `1.5g` or `3000000000` stand for.

    A ValueError ends a sentence that begins with the name of the option.
    """
    found = AMOUNT.fullmatch(text.strip().lower())
    if found is None or found[2] not in UNITS:
        raise ValueError(f"must be an amount of memory such as 4GB or 512MB, not {text}")
    amount = int(Decimal(found[1]) * UNITS[found[2]])
    if amount < LEAST:
        raise ValueError(f"must be at least 1MB, not {text}")
    return amount


def quantity(number: float) -> str:
    """Three digits and the prefix of their size, for a unit to follow.

    >>> quantity(35_389_440_000)
    '35.4 G'
    """
    for power, prefix in ((12, "T"), (9, "G"), (6, "M"), (3, "k")):
        digits = number / 10**power
        if digits >= 0.9995:  # which three digits show as 1
            decimals = 2 if digits < 9.995 else 1 if digits < 99.95 else 0
            return f"{digits:.{decimals}f} {prefix}"
    return f"{number:g} "


def span(seconds: float) -> str:
    """A length of time, roughly."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 48 * 3600 else f"{seconds / 86400:.1f} days"

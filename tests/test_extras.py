import pytest

from impasto.errors import MissingExtra
from impasto.extras import extra


def test_a_missing_package_says_how_to_install_it() -> None:
    with (
        pytest.raises(
            MissingExtra, match=r"drawing needs the package nowhere_to_be_found; .*\[x\]"
        ),
        extra("x", "drawing"),
    ):
        import nowhere_to_be_found  # type: ignore[import-not-found]  # noqa: F401


def test_what_is_there_is_imported() -> None:
    with extra("x", "reading"):
        import json
    assert json.loads("1") == 1

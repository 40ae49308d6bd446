"""Packages that only some commands need, and that Impasto is installed without."""

from collections.abc import Iterator
from contextlib import contextmanager

from impasto.errors import MissingExtra


@contextmanager
def extra(name: str, purpose: str) -> Iterator[None]:
    """Around an import of a package that the extra of that name brings.

    Raises MissingExtra where it is not installed; `purpose` begins the sentence.

    >>> with extra("plots", "drawing a plot"):
    ...     import matplotlib
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{purpose} needs the package {error.name}; pip install 'impasto[{name}]'"
        ) from error

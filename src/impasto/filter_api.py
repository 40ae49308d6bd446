"""The Python functions of the filters: what their commands do, for programs and notebooks."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from impasto.events import Event
from impasto.filter_settings import (
    FEW_COLOURS,
    EnhanceSettings,
    QuantizeSettings,
    SuperpixelSettings,
)
from impasto.image.picture import Source
from impasto.image.write import check_output
from impasto.settings import OutputSettings

if TYPE_CHECKING:
    from impasto.filters.enhance import EnhancedPicture
    from impasto.filters.job import Filtered, FilterJob
    from impasto.filters.quantize import QuantizedPicture
    from impasto.filters.superpixels import SuperpixelPicture

    M = TypeVar("M", bound=Filtered)


def quantize(
    photo: Source,
    k: int = 16,
    *,
    output: str | Path | None = None,
    save: OutputSettings = FEW_COLOURS,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> "QuantizedPicture":
    """Reduce a photo to at most `k` colours.

    photo: as in `paint`; the other `settings` are the fields of `QuantizeSettings`.
    output, save, force: a file to write as well, how, and whether to replace it.
    show: takes every event, for progress.

    >>> few = impasto.quantize("photo.jpg", 16)
    >>> few.palette.colours, few.palette.shares

    Raises the errors of `impasto.errors`.
    """
    chosen = QuantizeSettings.checked({"k": k, **settings})
    _check(output, (photo, chosen.palette), save, force, indexed=True)
    from impasto.filters.quantize import QuantizeJob

    return _done(QuantizeJob(photo, chosen, save), output, show)


def superpixels(
    photo: Source,
    n: int = 2000,
    *,
    output: str | Path | None = None,
    save: OutputSettings | None = None,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> "SuperpixelPicture":
    """Group a photo's pixels into about `n` superpixels, each in its mean colour.

    Arguments as in `quantize`; the other `settings` are the fields of `SuperpixelSettings`.

    >>> groups = impasto.superpixels("photo.jpg", 2000)
    >>> groups.labels, groups.means, groups.adjacency, groups.areas

    Raises the errors of `impasto.errors`.
    """
    chosen = SuperpixelSettings.checked({"n": n, **settings})
    save = save or OutputSettings()
    _check(output, (photo,), save, force)
    from impasto.filters.superpixels import SuperpixelsJob

    return _done(SuperpixelsJob(photo, chosen, save), output, show)


def enhance(
    photo: Source,
    *,
    output: str | Path | None = None,
    save: OutputSettings | None = None,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> "EnhancedPicture":
    """Correct colours, contrast and sharpness; without `settings` nothing is changed.

    Arguments as in `quantize`; `settings` are the fields of `EnhanceSettings`.

    >>> impasto.enhance("photo.jpg", auto=True).image.show()

    Raises the errors of `impasto.errors`.
    """
    chosen = EnhanceSettings.checked(settings)
    save = save or OutputSettings()
    _check(output, (photo, chosen.match, chosen.like_photo), save, force)
    from impasto.filters.enhance import EnhanceJob

    return _done(EnhanceJob(photo, chosen, save), output, show)


def _check(
    output: str | Path | None,
    inputs: tuple[Source | None, ...],
    save: OutputSettings,
    force: bool,
    *,
    indexed: bool = False,
) -> None:
    """Refuse an output before any work."""
    if output is not None:
        files = [source for source in inputs if isinstance(source, str | Path)]
        check_output(output, files, force=force, settings=save, indexed=indexed)


def _done(
    job: "FilterJob[Any, M]", output: str | Path | None, show: Callable[[Event], None] | None
) -> "M":
    """Do a job and write its picture if a file is wanted."""
    from impasto.filters.job import run

    made = run(job, show or (lambda _: None))
    if output is not None:
        made.save(output, force=True)
    return made

"""A sweep: one photo under several settings, each picture in its own file, all on one sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.api import Style, listed, with_beta
from impasto.artwork import Opened, distinct
from impasto.errors import Interrupted, UsageError
from impasto.events import Event, Stage
from impasto.image.picture import Source
from impasto.settings import Preset
from impasto.studio.axes import Field, field_of
from impasto.studio.sweep_files import SweepFiles
from impasto.studio.sweep_sheet import sheet_of
from impasto.studio.theme import Paper
from impasto.studio.variants import AGAIN, Variant, Variants


@dataclass(frozen=True)
class Sweep:
    """What a sweep has made: a sheet, a page if it was asked for, and the pictures on them."""

    output: Path
    html: Path | None
    pictures: tuple[Variant, ...]
    """Row by row."""

    @property
    def complete(self) -> bool:
        """False where the values of a picture stopped being finite."""
        return not self.ended_early

    @property
    def ended_early(self) -> list[str]:
        """The pictures whose values stopped being finite, in words."""
        return [v.point.title or v.file.stem for v in self.pictures if not v.recipe.complete]

    def facts(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "output": str(self.output),
            "html": str(self.html) if self.html is not None else None,
            "pictures": [variant.facts() for variant in self.pictures],
        }


def sweep(
    photo: Source,
    styles: Style | Sequence[Style],
    *,
    output: str | Path,
    html: str | Path | None = None,
    paper: Paper | str = Paper.LIGHT,
    preset: Preset | str | Sequence[Preset | str] = Preset.DEFAULT,
    weights: str | Path | None = None,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Sweep:
    """Paint a photo under several settings, and lay the pictures out on a sheet.

    photo, styles, weights: as of `paint`; but each style is painted by itself.
    preset, settings: as of `paint`; but two of them and the styles may be lists of values.
    output, html: files for the sheet, and for a page on which any two pictures can be compared.
    paper: of the sheet. force: replace files that exist.
    show: takes every event, for progress.

    The pictures lie with their recipes in a folder beside the sheet. Those that are there with the
    same recipe are not painted again, and one that was begun goes on where it was. A sheet of some
    of these pictures and no others is replaced by that of all.

    >>> impasto.sweep("photo.jpg", "starry.jpg", beta=[1, 10, 100], output="sheet.png")

    Raises the errors of `impasto.errors`.
    """
    paper, values = Paper(paper), {name: _listed(value) for name, value in settings.items()}
    chosen = _each(styles, values.get("beta", ()))
    inputs = _files(photo, *(style for style, _ in chosen), *values.get("init", ()), weights)
    files = SweepFiles(Path(output), Path(html) if html is not None else None)
    files.check(inputs)
    opened, after = Opened.of(photo), [(Opened.of(style), beta) for style, beta in chosen]
    names = distinct([style.picture.name for style, _ in after])
    field = field_of(names, _listed(preset), values)
    if not force:
        files.check_there([point.stem for point in field])
    own = Path(weights) if weights is not None else None
    variants = Variants(opened, after, own, files.folder)
    variants.find(field, inputs, force=force)
    return _painted(field, variants, files, paper, show or (lambda _: None))


def _painted(
    field: Field,
    variants: Variants,
    files: SweepFiles,
    paper: Paper,
    show: Callable[[Event], None],
) -> Sweep:
    """Paint what is not there, and write the sheet of all; raises Interrupted on Ctrl-C."""
    points, photo = list(field), variants.photo.picture
    styles = [style.picture for style, _ in variants.styles]
    try:
        variants.paint(points, show)
        show(Stage("drawing the sheet", 1.0))
        files.write(sheet_of(photo, styles, field, variants.done), paper, list(variants.done))
    except (Interrupted, KeyboardInterrupt):
        raise Interrupted(
            f"stopped; {len(variants.done)} of {len(points)} pictures are painted; "
            f"to go on, {AGAIN}"
        ) from None
    return Sweep(files.output, files.html, tuple(variants.done[point.stem] for point in points))


def _listed(value: Any) -> list[Any]:
    """Several values, or a single one, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _each(
    styles: Style | Sequence[Style], betas: Sequence[Any]
) -> list[tuple[Source, float | None]]:
    """The styles with betas of their own; UsageError for none, or where theirs would be ignored."""
    chosen = [with_beta(style) for style in listed(styles)]
    if not chosen:
        raise UsageError("no style picture: give at least one with --style")
    if len(betas) > 1 and any(beta is not None for _, beta in chosen):
        raise UsageError("beta has several values, so no style can have its own; leave that out")
    return chosen


def _files(*sources: Source | None) -> list[str | Path]:
    """Those that are files."""
    return [source for source in sources if isinstance(source, str | Path)]

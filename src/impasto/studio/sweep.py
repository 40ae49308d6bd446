"""A sweep: one photo under several settings, each picture in its own file, all on one sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.api import Style, listed, with_beta
from impasto.artwork import Opened, distinct
from impasto.errors import Interrupted, UsageError
from impasto.events import Event, Stage
from impasto.image.atomic import replacing
from impasto.image.picture import STANDARD_STREAM, Source
from impasto.image.write import check_file, check_output
from impasto.settings import OutputSettings, Preset
from impasto.studio.axes import field_of
from impasto.studio.page import page
from impasto.studio.sheet import Sheet, save
from impasto.studio.sweep_sheet import drawn, sheet_of
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
        return all(variant.recipe.complete for variant in self.pictures)

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
    same recipe are not painted again, and one that was begun goes on where it was.

    >>> impasto.sweep("photo.jpg", "starry.jpg", beta=[1, 10, 100], output="sheet.png")

    Raises the errors of `impasto.errors`.
    """
    paper, values = Paper(paper), {name: _listed(value) for name, value in settings.items()}
    chosen = _each(styles, values.get("beta", ()))
    files = _files(photo, *(style for style, _ in chosen), *values.get("init", ()), weights)
    output, html = Path(output), Path(html) if html is not None else None
    _check(output, html, files, force=force)
    opened, after = Opened.of(photo), [(Opened.of(style), beta) for style, beta in chosen]
    pictures = [style.picture for style, _ in after]
    names = distinct([picture.name for picture in pictures])
    field = field_of(names, _listed(preset), values)
    own = Path(weights) if weights is not None else None
    variants = Variants(opened, after, own, folder_of(output))
    variants.find(field, files, force=force)
    watch = show or (lambda _: None)
    try:
        variants.paint(list(field), watch)
        watch(Stage("drawing the sheet", 1.0))
        _write(sheet_of(opened.picture, pictures, field, variants.done), output, paper, html)
    except (Interrupted, KeyboardInterrupt):
        raise Interrupted(
            f"stopped; {len(variants.done)} of {len(list(field))} pictures are painted; "
            f"to go on, {AGAIN}"
        ) from None
    return Sweep(output, html, tuple(variants.done[point.stem] for point in field))


def folder_of(output: Path) -> Path:
    """Where the pictures of a sheet lie: `sheet-pictures` of `sheet.png`."""
    return output.with_name(f"{output.stem}-pictures")


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


def _check(output: Path, html: Path | None, files: Sequence[str | Path], *, force: bool) -> None:
    """Refuse outputs that cannot or must not be written, before any work."""
    if str(output) == STANDARD_STREAM:
        raise UsageError("a sweep writes a folder beside its sheet; name a file instead of -")
    check_output(output, files, force=force, settings=OutputSettings())
    if html is not None:
        check_file(html, [*files, output], force=force)


def _write(sheet: Sheet, output: Path, paper: Paper, html: Path | None) -> None:
    """Write the sheet as a picture, and as a page if it is asked for."""
    save(drawn(sheet, paper), output)
    if html is not None:
        with replacing(html) as file:
            file.write_text(page(sheet), "utf-8")

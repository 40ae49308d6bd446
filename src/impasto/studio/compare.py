"""The Python function that judges pictures of one photo by one measure."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from impasto.api import Style, listed, with_beta
from impasto.artwork import distinct
from impasto.errors import BadRecipe, UsageError
from impasto.events import Event, Stage
from impasto.image.metadata import recipe_in
from impasto.image.picture import STANDARD_STREAM, Picture, Source
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.image.samples import is_sample
from impasto.image.write import check_output
from impasto.neural.judge import Judge
from impasto.neural.pyramid import Size
from impasto.neural.sources import Inputs, StyleImage
from impasto.neural.weights import load_weights
from impasto.recipe import USUAL_WEIGHTS, Input, PaintRecipe
from impasto.replay import place_of
from impasto.settings import OutputSettings, PaintSettings, as_text
from impasto.sizes import fitted, scaled
from impasto.studio.comparison import Comparison, Judged
from impasto.studio.sheet import Cell
from impasto.studio.theme import Paper

SHAPE = 0.02
"""How much a picture's shape may differ from the photo's: other programs round sides to multiples
of 8 or 16."""

NONE_FOUND = (
    "none of the pictures carries the recipe of a painting; name what they were made of with "
    "--photo and --style"
)


def compare(
    pictures: Source | Sequence[Source],
    *,
    photo: Source | None = None,
    styles: Style | Sequence[Style] | None = None,
    size: int | str | None = None,
    output: str | Path | None = None,
    paper: Paper | str = Paper.LIGHT,
    weights: str | Path | None = None,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
) -> Comparison:
    """Judge pictures of one photo by the same losses, however each was made.

    pictures: as the photo in `paint`. photo, styles: what they are judged by; by default what the
    recipe in the first painting among them names, from which alpha, layers and betas come too.
    size: that all are judged at, as of `paint`; by default that of the smallest picture.
    output, paper, force: a sheet to write as well, on light or dark paper, and whether to replace
    it. weights: a file with VGG-19's weights. show: takes every event, for progress.

    >>> found = impasto.compare(["art.png", "other.png"])
    >>> found.pictures[0].losses["total"], found.save("sheet.png")

    Raises the errors of `impasto.errors`.
    """
    paper, sources = Paper(paper), cast("Sequence[Source]", listed(pictures))
    if not sources:
        raise UsageError("no picture to compare; name at least one")
    named = [with_beta(style) for style in listed(styles)] if styles is not None else []
    asked = _asked(sources, photo, named, weights)
    if output is not None:
        files = [*sources, asked.photo, *(source for source, _ in asked.styles), asked.weights]
        names = [file for file in files if isinstance(file, str | Path)]
        check_output(output, names, force=force, settings=OutputSettings())
    tell = show or (lambda _: None)
    tell(Stage("reading", 0.0))
    found = _judged(asked, sources, size, tell)
    if output is not None:
        found.save(output, paper=paper, force=True)
    return found


@dataclass(frozen=True)
class _Asked:
    """What pictures are judged by."""

    photo: Source
    styles: Sequence[tuple[Source, float]]
    settings: PaintSettings
    weights: Path | None


def _asked(
    sources: Sequence[Source],
    photo: Source | None,
    styles: Sequence[tuple[Source, float | None]],
    weights: str | Path | None,
) -> _Asked:
    """What was named, and what the recipe of the first painting says of the rest."""
    found = _recipe_in(sources)
    if found is None:
        if photo is None or not styles:
            raise UsageError(NONE_FOUND)
        settings = PaintSettings()
    else:
        recipe, where = found
        settings = recipe.settings.updated({"device": "auto", "memory": "auto"})
        if photo is None:
            photo = _place(recipe.photo, where, "--photo")
        if not styles:
            styles = [(_place(style, where, "--style"), style.beta) for style in recipe.styles]
        if weights is None and recipe.weights.path != USUAL_WEIGHTS:
            weights = _place(recipe.weights, where, "--weights")
    betas = [(source, settings.beta if beta is None else beta) for source, beta in styles]
    return _Asked(photo, betas, settings, None if weights is None else Path(weights))


def _recipe_in(sources: Sequence[Source]) -> tuple[PaintRecipe, Path] | None:
    """The recipe in the first of the pictures that carries one of a painting."""
    for source in sources:
        file = isinstance(source, str | Path) and str(source) != STANDARD_STREAM
        if file and not is_sample(source):
            with suppress(BadRecipe):
                recipe = recipe_in(str(source))
                if isinstance(recipe, PaintRecipe):
                    return recipe, Path(str(source))
    return None


def _place(item: Input, where: Path, option: str) -> str:
    """Where a file that a recipe names is now."""
    try:
        return place_of(item, where, "compare")
    except BadRecipe as error:
        raise BadRecipe(f"{error}; or name it with {option}") from None


def _judged(
    asked: _Asked, sources: Sequence[Source], size: int | str | None, tell: Callable[[Event], None]
) -> Comparison:
    """Read all pictures, and judge one after the other."""
    pictures, photo = [read(source) for source in sources], read(asked.photo)
    styles = [(read(source), beta) for source, beta in asked.styles]
    for source, picture in zip(sources, pictures, strict=True):
        _require_shape(_path(source, picture), picture.size, photo.size)
    canvas = _canvas(pictures, photo, size)
    names = distinct([style.name for style, _ in styles])
    images = [
        StyleImage(name, beta, style.rgb) for name, (style, beta) in zip(names, styles, strict=True)
    ]
    tell(Stage("looking at what was asked for", 0.1))
    judge = Judge(Inputs(photo.rgb, images), asked.settings, load_weights(asked.weights), canvas)
    betas, judged = {image.name: image.beta for image in images}, []
    for number, (source, picture) in enumerate(zip(sources, pictures, strict=True)):
        tell(Stage(f"judging {number + 1} of {len(sources)}", 0.2 + 0.8 * number / len(sources)))
        rgb = resize(picture.rgb, *canvas)
        far = judge.distances(rgb)
        losses = far.losses(asked.settings, betas)
        judged.append(Judged(_path(source, picture), picture.name, picture.size, rgb, far, losses))
    beside = Cell(resize(photo.rgb, *canvas), photo.name, "photo")
    cells = {
        image.name: Cell(image.rgb, image.name, f"style, beta {image.beta:g}") for image in images
    }
    return Comparison(judged, beside, cells, betas, asked.settings)


def _path(source: Source, picture: Picture) -> str:
    """What a picture is called where it is a file, as it was given."""
    return as_text(source) if isinstance(source, str | Path) else picture.name


def _canvas(pictures: Sequence[Picture], photo: Picture, size: int | str | None) -> Size:
    """The size that all are judged at.

    By default that of the smallest: what is enlarged has no detail of its own, and would be judged
    for that.
    """
    if size is not None:
        return fitted(*photo.size, PaintSettings().updated({"size": size}).size)
    return min((picture.size for picture in pictures), key=max)


def _require_shape(path: str, size: Size, photo: Size) -> None:
    """Refuse a picture of another shape than the photo's: it shows something else.

    A painting as long as it has the shape, also where the short side is the least there may be.
    """
    ought = scaled(*photo, max(size) / max(photo))
    if any(abs(a - b) > max(1, SHAPE * b) for a, b in zip(size, ought, strict=True)):
        raise UsageError(
            f"{path} is {size[0]}×{size[1]} px, another shape than the photo, which is "
            f"{photo[0]}×{photo[1]} px; crop it as the photo is, or name the right --photo"
        )

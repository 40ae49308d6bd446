"""The Python functions: what the command line does, for programs and notebooks."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.artwork import Artwork, Job
from impasto.checkpoint import check_place
from impasto.events import Event, Painted
from impasto.image.picture import Source
from impasto.settings import OutputSettings, Preset, StyleChoice, preset_settings
from impasto.work import carry_out

Style = Source | tuple[Source, float]
"""A picture, alone or with its beta; text may carry it too: "starry.jpg=45"."""


def painting(
    photo: Source,
    styles: Style | Sequence[Style],
    *,
    preset: Preset | str = Preset.DEFAULT,
    weights: str | Path | None = None,
    **settings: Any,
) -> Iterator[Event]:
    """Paint step by step: yields `Started`, `Step`s and `LevelDone`s, and `Painted` at the end.

    Arguments are those of `paint`.
    """
    return _job(photo, styles, preset, weights, OutputSettings(), settings).events()


def paint(
    photo: Source,
    styles: Style | Sequence[Style],
    *,
    preset: Preset | str = Preset.DEFAULT,
    weights: str | Path | None = None,
    output: str | Path | None = None,
    save: OutputSettings | None = None,
    force: bool = False,
    resume: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Artwork:
    """Paint a photo in the style of one or more pictures.

    photo: a path, a Pillow image, or an array (H, W, 1 to 4), uint8, uint16 or floats in [0, 1].
    styles: one such picture or several, each alone, as (picture, beta), or as "path=beta".
    preset: settings to start from; `settings` are the fields of `PaintSettings` that differ.
    output, save, force: a file to write as well, how, and whether to replace it. With it the state
    of the work is kept beside it every 30 s, and `resume` goes on from there.
    show: takes every event, for progress.

    >>> artwork = impasto.paint("photo.jpg", ["starry.jpg"], size=800)
    >>> artwork.image.show()

    Raises the errors of `impasto.errors`.
    """
    save = save or OutputSettings()
    if output is not None:
        pictures = [picture for picture, _ in map(with_beta, listed(styles))]
        sources = [photo, *pictures, settings.get("init"), weights]
        files = [source for source in sources if isinstance(source, str | Path)]
        check_place(output, files, settings=save, force=force, resume=resume)
    job = _job(photo, styles, preset, weights, save, settings)
    watch = show or (lambda _: None)
    if output is not None:
        return carry_out(job, output, watch, resume=resume)
    for event in job.events():
        watch(event)
        if isinstance(event, Painted):
            artwork = job.finished(event)
    return artwork


def _job(
    photo: Source,
    styles: Style | Sequence[Style],
    preset: Preset | str,
    weights: str | Path | None,
    save: OutputSettings,
    settings: dict[str, Any],
) -> Job:
    return Job(
        photo,
        [with_beta(style) for style in listed(styles)],
        preset_settings(preset).updated(settings),
        save,
        Path(weights) if weights is not None else None,
    )


def listed(styles: Style | Sequence[Style]) -> Sequence[Style]:
    """A style alone is a list of one; a pair of a picture and a number is one style."""
    if isinstance(styles, str | Path | Image.Image | np.ndarray):
        return [styles]
    if (
        isinstance(styles, tuple)
        and len(styles) == 2
        and isinstance(styles[1], int | float | np.number)
    ):
        return [(styles[0], styles[1])]
    return styles


def with_beta(style: Style) -> tuple[Source, float | None]:
    """A style's picture and its own beta, if it has one."""
    if isinstance(style, tuple):
        picture, beta = style
        return picture, StyleChoice.checked({"path": "", "beta": beta}).beta
    if isinstance(style, str):
        choice = StyleChoice.parse(style)
        return choice.path, choice.beta
    return style, None

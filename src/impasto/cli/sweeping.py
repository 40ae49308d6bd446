"""The command that paints a photo under several settings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.program import (
    Force,
    Json,
    OnPaper,
    Photo,
    Quiet,
    WeightFile,
    app,
    console,
    say,
)
from impasto.errors import ExitStatus
from impasto.options import FILE, given, options_of
from impasto.settings import PaintSettings, Preset
from impasto.studio.theme import Paper

if TYPE_CHECKING:
    from impasto.studio.sweep import Sweep

    SweptOptions = Any
else:
    SweptOptions = options_of(PaintSettings, "Painting", several=True)

NOTHING_SWEPT = SweptOptions()

Styles = Annotated[
    list[str],
    FILE,
    Parameter("--style", help="Style picture; repeatable, and each is painted by itself."),
]
SheetFile = Annotated[str, FILE, Parameter(("--output", "-o"), help="Sheet to write.")]
PageFile = Annotated[
    Path | None, FILE, Parameter(help="Page to write as well, to compare any two pictures on.")
]
Presets = Annotated[
    str,
    Parameter(
        help=f"Settings to start from. [default: default] [choices: {', '.join(Preset)}]",
        metavar="VALUES",
    ),
]


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto sweep photo.jpg --style starry.jpg --beta 1,10,100,1000 -o sheet.png\n"
        "    impasto sweep photo.jpg --style starry.jpg --beta 10,100 --style-scale 0.5,1,2 "
        "-o sheet.png\n"
        "    impasto sweep photo.jpg --style starry.jpg --style wave.jpg --size 256 "
        "-o sheet.png --html sheet.html\n"
        "    impasto sweep photo.jpg --style starry.jpg --preset default,article --json "
        "-o sheet.png"
    )
)
def sweep(
    photo: Photo,
    /,
    *,
    style: Styles,
    output: SheetFile,
    html: PageFile = None,
    paper: OnPaper = Paper.LIGHT,
    preset: Presets = Preset.DEFAULT,
    weights: WeightFile = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    swept: Annotated[SweptOptions, Parameter("*")] = NOTHING_SWEPT,
) -> None:
    """Paint a photo under several settings, and lay the pictures out on a sheet.

    Up to two options may have several values, between commas.
    """
    from impasto.neural.device import keep_freed_memory
    from impasto.progress import shown
    from impasto.studio.axes import split
    from impasto.studio.sweep import sweep

    keep_freed_memory()
    with shown(console, quiet=quiet) as show:
        made = sweep(
            photo,
            style,
            output=output,
            html=html,
            paper=paper,
            preset=split("preset", preset),
            weights=weights,
            force=force,
            show=show,
            **{name: split(name, text) for name, text in given(swept).items()},
        )
    finish(made, quiet=quiet, json_=json_)


def finish(made: "Sweep", *, quiet: bool, json_: bool) -> None:
    """Say what came of the work."""
    if json_:
        say(json.dumps(made.facts()))
    elif not quiet:
        console.print(f"{made.output}: {len(made.pictures)} pictures")
    if not made.complete:
        console.print(
            f"impasto: the values stopped being finite at {'; '.join(made.ended_early)}: there the "
            "pictures are the best up to that, try a smaller beta or a lower learning rate"
        )
        raise SystemExit(ExitStatus.PARTIAL)

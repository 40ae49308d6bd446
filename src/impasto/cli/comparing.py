"""The commands that take paintings apart: what layers keep, how pictures compare."""

import json
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.program import (
    Force,
    Json,
    OnPaper,
    Output,
    Photo,
    Quiet,
    WeightFile,
    app,
    console,
    one_stream,
    present,
    say,
)
from impasto.errors import ExitStatus, UsageError
from impasto.options import FILE, given, options_of
from impasto.studio.reconstruct_settings import ReconstructSettings
from impasto.studio.theme import Paper

if TYPE_CHECKING:
    ReconstructOptions = Any
else:
    ReconstructOptions = options_of(ReconstructSettings, "Reconstruction")

NONE_OF_RECONSTRUCTION = ReconstructOptions()


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto reconstruct photo.jpg -o kept.png\n"
        "    impasto reconstruct photo.jpg --content-layer relu1_2,relu4_2 -o content.png\n"
        "    impasto reconstruct starry.jpg --style-layer relu1_1+relu2_1 --size 400 -o style.png"
    )
)
def reconstruct(
    photo: Photo,
    /,
    *,
    output: Output,
    paper: OnPaper = Paper.LIGHT,
    weights: WeightFile = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[ReconstructOptions, Parameter("*")] = NONE_OF_RECONSTRUCTION,
) -> None:
    """Show what single layers keep of a photo: its content, and its style."""
    one_stream(output, json_=json_)
    settings = ReconstructSettings.checked(given(options))
    from impasto.neural.device import keep_freed_memory
    from impasto.progress import shown
    from impasto.studio.reconstruct import reconstruct as make

    keep_freed_memory()
    with shown(console, quiet=quiet) as show:
        made = make(
            photo,
            output=output,
            paper=paper,
            weights=weights,
            force=force,
            show=show,
            **dict(settings),
        )
    if json_:
        say(json.dumps({"output": output, **made.facts()}))
    elif not quiet:
        console.print(f"{output}: {len(made.pictures)} reconstructions, {made.seconds:.1f} s")
    if not made.complete:
        console.print(
            "impasto: the values of some reconstructions stopped being finite; those are the best "
            "up to there, try --precision float32"
        )
        raise SystemExit(ExitStatus.PARTIAL)


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto compare calm.png wild.png -o sheet.png\n"
        "    impasto compare a.png b.png c.png --photo photo.jpg --style starry.jpg -o sheet.png\n"
        "    impasto compare calm.png --json"
    )
)
def compare(
    *pictures: Annotated[str, FILE, Parameter(help="Pictures of one photo.")],
    output: Annotated[
        str | None,
        FILE,
        Parameter(("--output", "-o"), help="Sheet to write; without it, the table alone."),
    ] = None,
    photo: Annotated[
        str | None, FILE, Parameter(help="Photo that they show, instead of the recipe's.")
    ] = None,
    style: Annotated[
        list[str] | None,
        FILE,
        Parameter(help="Style picture, or PICTURE=BETA, instead of the recipe's; repeatable."),
    ] = None,
    size: Annotated[
        str | None, Parameter(help="Size to judge at, as of paint, instead of the smallest's.")
    ] = None,
    paper: OnPaper = Paper.LIGHT,
    weights: WeightFile = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Judge pictures of one photo by the same losses, however each was made."""
    if output == "-":
        raise UsageError("the sheet and the table cannot both go to standard output; name a file")
    from impasto.neural.device import keep_freed_memory
    from impasto.progress import shown
    from impasto.studio.compare import compare as judge

    keep_freed_memory()
    with shown(console, quiet=quiet) as show:
        found = judge(
            pictures,
            photo=photo,
            styles=style or None,
            size=size,
            output=output,
            paper=paper,
            weights=weights,
            force=force,
            show=show,
        )
    present(found.facts(), found.table().terminal(found.legend()), json_=json_)

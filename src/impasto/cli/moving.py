"""The command that sets a still picture in motion."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.program import Force, Json, Photo, Quiet, app, console, say
from impasto.motion.moving_settings import MovingSettings
from impasto.options import FILE, given, options_of

if TYPE_CHECKING:
    MovingOptions = Any
else:
    MovingOptions = options_of(MovingSettings, "Motion")

NO_MOTION = MovingOptions()


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto moving starry.jpg -o loop.webp\n"
        "    impasto moving starry.jpg --mask sky.png --seconds 8 -o loop.mp4\n"
        "    impasto moving sample:spirograph --distance 0.1 --size 480 -o loop.gif"
    )
)
def moving(
    picture: Photo,
    /,
    *,
    output: Annotated[
        Path, FILE, Parameter(("--output", "-o"), help="Loop to write: .webp, .gif or .mp4.")
    ],
    mask: Annotated[
        str | None,
        FILE,
        Parameter(help="Picture that is white where it may move, black where it keeps still."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[MovingOptions, Parameter("*")] = NO_MOTION,
) -> None:
    """Set a still painting in gentle motion along its own strokes, as an endless loop."""
    settings = MovingSettings.checked(given(options))
    from impasto.motion.moving import moving as set_in_motion
    from impasto.progress import shown

    with shown(console, quiet=quiet) as show:
        made = set_in_motion(
            picture, mask=mask, output=output, force=force, show=show, **dict(settings)
        )
    facts = {"output": str(output), **made.facts(), "bytes": output.stat().st_size}
    if json_:
        say(json.dumps(facts))
    elif not quiet:
        console.print(
            f"{output}: {facts['width']}×{facts['height']} px, {facts['frames']} frames, "
            f"{facts['seconds']:g} s; {facts['moving']:.0%} of it moves; {facts['bytes']:,} bytes"
        )

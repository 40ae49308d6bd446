"""The command that turns photos into animations."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.filming import (
    NO_COHERENCE,
    NO_PAINTING,
    NO_QUANTIZING,
    NO_SUPERPIXELS,
    CoherenceOptions,
    PaintOptions,
    QuantizeOptions,
    SuperpixelOptions,
    tell_status,
)
from impasto.cli.program import (
    Force,
    Json,
    Quiet,
    Status,
    StyleTurns,
    WeightFile,
    app,
    console,
    say,
)
from impasto.errors import ExitStatus, UsageError
from impasto.motion.animate_settings import AnimateSettings
from impasto.motion.video_settings import StyleTurn, WorkSettings
from impasto.options import FILE, given, options_of

if TYPE_CHECKING:
    from impasto.motion.animate import Animation

    AnimateOptions = Any
    WorkOptions = Any
else:
    AnimateOptions = options_of(AnimateSettings, "Animation")
    WorkOptions = options_of(WorkSettings, "Work", without={"workers"})

NO_ANIMATION, NO_WORK = AnimateOptions(), WorkOptions()


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto animate burst/ --style starry.jpg -o burst.gif\n"
        "    impasto animate img_*.jpg --align --style starry.jpg -o burst.webp\n"
        "    impasto animate day1/ day2/ --order time --fps 4 --style starry.jpg -o days.mp4\n"
        "    impasto animate a.jpg b.jpg c.jpg --order given --fit crop --effect quantize -k 8 "
        "-o abc.gif\n"
        "    impasto animate burst/ --loop bounce --effect superpixels -n 800 -o swing.gif\n"
        "    impasto animate --status -o burst.gif"
    )
)
def animate(
    *photos: Annotated[str, FILE, Parameter(help="Photos, folders of photos, or patterns.")],
    output: Annotated[
        Path, FILE, Parameter(("--output", "-o"), help="Animation to write: .gif, .webp or .mp4.")
    ],
    style: StyleTurns = None,
    weights: WeightFile = None,
    status: Status = False,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[AnimateOptions, Parameter("*")] = NO_ANIMATION,
    work: Annotated[WorkOptions, Parameter("*")] = NO_WORK,
    painting: Annotated[PaintOptions, Parameter("*")] = NO_PAINTING,
    coherence: Annotated[CoherenceOptions, Parameter("*")] = NO_COHERENCE,
    quantizing: Annotated[QuantizeOptions, Parameter("*")] = NO_QUANTIZING,
    grouping: Annotated[SuperpixelOptions, Parameter("*")] = NO_SUPERPIXELS,
) -> None:
    """Turn a burst or a folder of photos into an animated artwork."""
    if status:
        tell_status(output, json_=json_)
        return
    if not photos:
        raise UsageError("no photos: name them or their folder, or ask for the --status alone")
    settings = given(options, work, painting, coherence, quantizing, grouping)
    turns = [StyleTurn.parse(text) for text in style or ()]
    from impasto.motion.animate import AnimateJob
    from impasto.progress import shown

    if settings.get("effect", "paint") == "paint":
        from impasto.neural.device import keep_freed_memory

        keep_freed_memory()
    with shown(console, quiet=quiet) as show:
        made = AnimateJob(photos, turns, output, weights, settings, force=force).make(show)
    finish(made, quiet=quiet, json_=json_)


def finish(made: "Animation", *, quiet: bool, json_: bool) -> None:
    """Say what came of the work."""
    if json_:
        say(json.dumps(made.facts()))
    elif not quiet:
        console.print(
            f"{made.output}: {made.frames} photos, {made.duration:.2f} s, {made.bytes:,} bytes; "
            f"{made.made} of them made now, in {made.seconds:.1f} s"
        )
    if not made.complete:
        from impasto.motion.looking import some

        console.print(f"impasto: left out: {some(made.left_out)}")
        raise SystemExit(ExitStatus.PARTIAL)

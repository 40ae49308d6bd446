"""The command line: one command a function; what they do is elsewhere."""

import json
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CycloptsError, Parameter, UnusedCliTokensError
from cyclopts.validators import Number
from rich.console import Console

from impasto.errors import ExitStatus, ImpastoError, UsageError, ran_out
from impasto.options import FILE, checkpoint_seconds, given, options_of
from impasto.settings import (
    CHECKPOINT_SECONDS,
    OutputSettings,
    PaintSettings,
    Preset,
    StyleChoice,
    preset_settings,
)

if TYPE_CHECKING:
    from rich.table import Table

    from impasto.artwork import Job

    PaintOptions = Any
    OutputOptions = Any
else:
    PaintOptions = options_of(PaintSettings, "Painting")
    OutputOptions = options_of(OutputSettings, "Writing")

NONE_OF_PAINTING, NONE_OF_WRITING = PaintOptions(), OutputOptions()

console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)

app = App(
    name="impasto",
    help="Turn photographs into artwork on your own machine.",
    help_format="markdown",
    help_epilogue=(
        "Examples:\n\n"
        "    impasto paint photo.jpg --style painting.jpg -o art.png\n"
        "    impasto paint sample:chelsea --style sample:spirograph -o art.png\n"
        "    impasto paint --help"
    ),
    default_parameter=Parameter(negative=(), show_default=False),
    error_console=console,
    suppress_keyboard_interrupt=False,
)

Output = Annotated[str, FILE, Parameter(("--output", "-o"), help="File to write; - for a pipe.")]
Force = Annotated[bool, Parameter(help="Replace the output if it exists.")]
Quiet = Annotated[bool, Parameter(("--quiet", "-q"), help="Show nothing but errors.")]
Json = Annotated[bool, Parameter("--json", help="Print the result as one JSON object.")]
Seconds = Annotated[
    float,
    Parameter(
        help="How long to measure the speed; 0 leaves it out. [default: 5]",
        validator=Number(gte=0, lte=3600),
    ),
]
Every = Annotated[
    float,
    Parameter(
        help=f"Seconds between states kept. [default: {CHECKPOINT_SECONDS:g}]",
        validator=checkpoint_seconds,
    ),
]
Resume = Annotated[bool, Parameter(help="Go on where a stopped run was.")]


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto paint photo.jpg --style starry.jpg -o art.png\n"
        "    impasto paint photo.jpg --style starry.jpg=100 --style wave.jpg=45 -o art.jpg\n"
        "    impasto paint photo.jpg --style starry.jpg --size full --depth 16 -o art.tif\n"
        "    impasto paint photo.jpg --style starry.jpg --preset article --json -o art.png\n"
        "    cat photo.jpg | impasto paint - --style starry.jpg -o - > art.png"
    )
)
def paint(
    photo: Annotated[str, FILE, Parameter(help="Picture to paint; - for a pipe.")],
    /,
    *,
    style: Annotated[
        list[str], FILE, Parameter(help="Style picture, or PICTURE=BETA; repeatable.")
    ],
    output: Output,
    preset: Annotated[Preset, Parameter(help="Settings to start from. [default: default]")] = (
        Preset.DEFAULT
    ),
    weights: Annotated[Path | None, Parameter(help="File with VGG-19's weights.")] = None,
    force: Force = False,
    resume: Resume = False,
    checkpoint_every: Every = CHECKPOINT_SECONDS,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[PaintOptions, Parameter("*")] = NONE_OF_PAINTING,
    writing: Annotated[OutputOptions, Parameter("*")] = NONE_OF_WRITING,
) -> None:
    """Paint a photo in the style of one or more pictures."""
    settings = preset_settings(preset).updated(given(options))
    saving = OutputSettings.checked(given(writing))
    styles = [StyleChoice.parse(text) for text in style]
    files: list[str | Path | None] = [photo, settings.init, weights]
    files += [choice.path for choice in styles]
    check(output, files, saving, force=force, resume=resume, json_=json_)
    from impasto.artwork import Job

    pairs = [(choice.path, choice.beta) for choice in styles]
    job = Job(photo, pairs, settings, saving, weights)
    finish(job, output, quiet, json_, resume=resume, checkpoint_seconds=checkpoint_every)


@app.command
def demo(
    *,
    output: Output = "demo.png",
    photo: Annotated[str, Parameter(help="Sample photo. [default: chelsea]")] = "chelsea",
    style: Annotated[str, Parameter(help="Sample style. [default: spirograph]")] = "spirograph",
    size: Annotated[str, Parameter(help="Long side, px. [default: 512]")] = "512",
    force: Force = False,
    resume: Resume = False,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Paint one of the pictures that come with Impasto: no file and no network needed."""
    settings = PaintSettings.checked({"size": size})
    check(output, (), OutputSettings(), force=force, resume=resume, json_=json_)
    from impasto.artwork import Job

    job = Job(f"sample:{photo}", [(f"sample:{style}", None)], settings)
    finish(job, output, quiet, json_, resume=resume)


@app.command
def recipe(file: Annotated[str, FILE, Parameter(help="Picture made by Impasto.")], /) -> None:
    """Print how a picture was made, as JSON."""
    from impasto.image.metadata import recipe_in

    say(recipe_in(file).model_dump_json(indent=2))


@app.command
def replay(
    file: Annotated[Path, FILE, Parameter(help="Picture made by Impasto.")],
    /,
    *,
    output: Output,
    force: Force = False,
    resume: Resume = False,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Make a picture again from its recipe, bit for bit on the same machine and version."""
    from impasto.image.metadata import recipe_in
    from impasto.replay import job_of, located

    found = recipe_in(file)
    files: list[str | Path] = [file, *located(found, file).values()]
    check(output, files, found.output, force=force, resume=resume, json_=json_)
    job, notes = job_of(found, file)
    finish(job, output, quiet, json_, notes=notes, resume=resume)


@app.command
def weights(*, json_: Json = False) -> None:
    """List the files that may hold VGG-19's weights, and which one is used."""
    from impasto.neural.weights import find_weights
    from impasto.tables import candidates_facts, candidates_table

    found = find_weights()
    present(candidates_facts(found), candidates_table(found), json_=json_)
    if found[0].error is not None:
        raise SystemExit(ExitStatus.BAD_INPUT)


@app.command
def doctor(*, seconds: Seconds = 5.0, json_: Json = False) -> None:
    """Say what this installation can do, how fast it is, and what is wrong with it."""
    from impasto.doctor import examine
    from impasto.neural.device import keep_freed_memory
    from impasto.tables import report_table

    keep_freed_memory()
    console.print(f"measuring for {seconds:g} s …" if seconds else "looking …")
    found = examine(seconds)
    present(found.facts(), report_table(found), json_=json_)
    if not found.ok:
        raise SystemExit(ExitStatus.BAD_INPUT)


def present(facts: dict[str, Any], table: "Table", *, json_: bool) -> None:
    """Print what was found on standard output, for people or for programs."""
    if json_:
        say(json.dumps(facts))
    else:
        Console(highlight=False).print(table)


def say(text: str) -> None:
    """Print for programs, on standard output."""
    from impasto.image.write import to_standard_output

    to_standard_output(f"{text}\n".encode())


def check(
    output: str,
    inputs: Iterable[str | Path | None],
    settings: OutputSettings,
    *,
    force: bool,
    resume: bool,
    json_: bool,
) -> None:
    """Refuse an output before any work."""
    if output == "-" and json_:
        raise UsageError("--json and the picture cannot both go to standard output; name a file")
    from impasto.checkpoint import check_place

    files = [path for path in inputs if path is not None]
    check_place(output, files, settings=settings, force=force, resume=resume)


def finish(
    job: "Job", output: str, quiet: bool, json_: bool, notes: Iterable[str] = (), **how: Any
) -> None:
    """Carry a job out, with its progress on the terminal, and say what came of it."""
    from impasto.events import Notice
    from impasto.neural.device import keep_freed_memory
    from impasto.progress import shown
    from impasto.work import carry_out

    keep_freed_memory()
    with shown(console, quiet=quiet) as show:
        for note in notes:
            show(Notice(note))
        artwork = carry_out(job, output, show, **how)
    if json_:
        say(json.dumps({"output": output, **artwork.facts()}))
    elif not quiet:
        from impasto.progress import summary

        console.print(f"{output}: {summary(artwork.losses)}, {artwork.seconds:.1f} s")
    if not artwork.complete:
        console.print(
            f"impasto: the values stopped being finite; {output} is the best picture up to there, "
            "try a smaller beta or a lower learning rate"
        )
        raise SystemExit(ExitStatus.PARTIAL)


def main() -> None:
    """Run a command; errors become one sentence on standard error and an exit status."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(sys.argv[1:], exit_on_error=False, print_error=False, result_action="return_value")
    except UnusedCliTokensError as error:
        words = " ".join(error.unused_tokens or ())
        fail(f"too many arguments: {words}; see the command with --help", ExitStatus.USAGE)
    except CycloptsError as error:
        fail(str(error), ExitStatus.USAGE)
    except ImpastoError as error:
        fail(str(error), error.status)
    except KeyboardInterrupt:
        fail("stopped; nothing was written", ExitStatus.INTERRUPTED)
    except Exception as error:
        if not ran_out(error):
            raise
        fail("memory ran out; choose a smaller --size", ExitStatus.OUT_OF_MEMORY)


def fail(message: str, status: ExitStatus) -> None:
    """End with a sentence."""
    console.print(f"impasto: {' '.join(message.split())}", markup=False)
    sys.exit(status)


if __name__ == "__main__":
    main()

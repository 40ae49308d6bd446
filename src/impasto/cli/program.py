"""The program, and what its commands share: where things go that are said, common options."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console

from impasto.errors import ExitStatus, UsageError
from impasto.options import FILE, options_of
from impasto.settings import OutputSettings
from impasto.studio.theme import Paper

if TYPE_CHECKING:
    from rich.table import Table

    OutputOptions = Any
else:
    OutputOptions = options_of(OutputSettings, "Writing")

NONE_OF_WRITING = OutputOptions()

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

Photo = Annotated[str, FILE, Parameter(help="Picture to work on; - for a pipe.")]
Output = Annotated[str, FILE, Parameter(("--output", "-o"), help="File to write; - for a pipe.")]
Force = Annotated[bool, Parameter(help="Replace the output if it exists.")]
Quiet = Annotated[bool, Parameter(("--quiet", "-q"), help="Show nothing but errors.")]
Json = Annotated[bool, Parameter("--json", help="Print the result as one JSON object.")]
OnPaper = Annotated[Paper, Parameter("--paper", help="Paper to draw on. [default: light]")]
WeightFile = Annotated[Path | None, Parameter("--weights", help="File with VGG-19's weights.")]
StyleTurns = Annotated[
    list[str] | None,
    FILE,
    Parameter("--style", help="Style picture, PICTURE=BETA, or PICTURE=BETA:BETA; repeatable."),
]
Status = Annotated[
    bool,
    Parameter("--status", help="Say how far the output is that another run makes; make nothing."),
]
Writing = Annotated[OutputOptions, Parameter("*")]


def one_stream(output: str, *, json_: bool) -> None:
    """Refuse to mix a picture and JSON."""
    if output == "-" and json_:
        raise UsageError("--json and the picture cannot both go to standard output; name a file")


def present(facts: dict[str, Any], table: "Table", *, json_: bool) -> None:
    """Print what was found on standard output, for people or for programs."""
    if json_:
        say(json.dumps(facts))
    else:
        Console(highlight=False).print(table)


def say(text: str) -> None:
    """Print for programs, on standard output; bytes of a name that are no text, as `\\udcff`."""
    from impasto.image.write import to_standard_output

    to_standard_output(f"{text}\n".encode("utf-8", "backslashreplace"))


def fail(message: str, status: ExitStatus) -> None:
    """End with a sentence."""
    console.print(f"impasto: {' '.join(message.split())}", markup=False)
    sys.exit(status)

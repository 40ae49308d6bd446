"""The commands that look at the installation."""

from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from impasto.cli.program import Json, app, console, present
from impasto.errors import ExitStatus

Seconds = Annotated[
    float,
    Parameter(
        help="How long to measure the speed; 0 leaves it out. [default: 5]",
        validator=Number(gte=0, lte=3600),
    ),
]


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

"""The command that plots."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from impasto.cli.program import Force, OnPaper, app
from impasto.errors import UsageError
from impasto.options import FILE
from impasto.studio.theme import Paper


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto plot run.jsonl -o losses.svg\n"
        "    impasto plot run.jsonl --paper dark -o losses.png\n"
        "    impasto plot lbfgs.jsonl adam.jsonl -o compared.svg"
    )
)
def plot(
    *logs: Annotated[Path, FILE, Parameter(help="Log that paint --log wrote; several compare.")],
    output: Annotated[
        Path, FILE, Parameter(("--output", "-o"), help="Plot to write: .svg or .png.")
    ],
    paper: OnPaper = Paper.LIGHT,
    force: Force = False,
) -> None:
    """Plot how the losses of paintings went, against steps and seconds."""
    if not logs:
        raise UsageError("no log: name one that impasto paint --log has written")
    from impasto.studio.plots import plot as plot_logs

    plot_logs(logs, output, paper=paper, force=force)

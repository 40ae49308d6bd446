"""Impasto against the article's recipe and against pastiche: time, loss and memory, in one table.

All pictures are judged by the recipe's own loss in float32; see docs/performance.md.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import machine, traces
from benchmarks.contest import Row, contest
from benchmarks.pair import Judge, Pair
from impasto.settings import Preset

QUICK_SIZE = 128
console = Console(highlight=False)


def main() -> None:
    args = arguments()
    size = args.size or (QUICK_SIZE if args.quick else 512)
    presets = list(Preset) if args.all else [Preset.DEFAULT]
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair.prepared(args.photo, args.style, size, Path(folder))
        if args.record:
            traces.record(pair)
        console.print(machine.described())
        doubt = machine.warning()
        if doubt is not None:
            console.print(doubt, style="yellow")
        with console.status("reading") as status:
            steps = 3 if args.quick else 6
            rows = list(contest(Judge(pair), presets, steps, Path(folder), status.update))
    console.print(table(pair, rows))
    for row in rows:
        if row.note:
            console.print(row.note)
    if traces.recipe_loss(pair) is None or traces.pastiche_loss(pair) is None:
        again = f"python -m benchmarks --record --photo {args.photo} --style {args.style}"
        console.print(f"Losses not recorded need full runs: {again} --size {size}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--photo", default="coffee", help="a file or a sample (default: coffee)")
    parser.add_argument("--style", default="mosaic", help="a file or a sample (default: mosaic)")
    parser.add_argument("--size", type=int, help="long side, px (default: 512)")
    parser.add_argument("--all", action="store_true", help="all presets; the others take an hour")
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_SIZE} px and fewer steps: does it all run?"
    )
    parser.add_argument("--record", action="store_true", help="first make the traces it lacks")
    return parser.parse_args()


def table(pair: Pair, rows: Sequence[Row]) -> Table:
    """The rows beside the first, which is the recipe's."""
    found = Table(title=f"{pair.photo.stem} × {pair.style.stem}, {pair.size} px", box=SIMPLE)
    found.add_column("", no_wrap=True)
    for title in ("seconds", "s a step", "loss", "× faster", "peak MB"):
        found.add_column(title, justify="right", no_wrap=True)
    for row in rows:
        found.add_row(
            row.what,
            f"{row.seconds:.1f}",
            shown(row.step, ".3f"),
            shown(row.loss, ".3f", "not recorded"),
            f"{rows[0].seconds / row.seconds:.1f}",
            shown(None if row.peak is None else row.peak / 1e6, ".0f"),
        )
    return found


def shown(value: float | None, form: str, absent: str = "") -> str:
    """A number, or what stands for none."""
    return absent if value is None else f"{value:{form}}"


if __name__ == "__main__":
    main()

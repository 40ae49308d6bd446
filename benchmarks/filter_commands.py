"""The filters as commands on a large photo, beside what reading, filtering and writing take alone.

`python -m benchmarks.filter_commands PHOTO`: a program of its own reads the photo and does nothing
else, from its start to its end; filtering and writing are timed inside this one, after a first time
that does not count. The rest is what the command adds: loading libraries, and touching memory anew.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.process import run
from impasto.filter_settings import (
    FEW_COLOURS,
    EnhanceSettings,
    QuantizeSettings,
    SuperpixelSettings,
)
from impasto.filters.enhance import EnhanceJob
from impasto.filters.job import FilterJob
from impasto.filters.quantize import QuantizeJob
from impasto.filters.superpixels import SuperpixelsJob
from impasto.image.adjust import enhance
from impasto.image.auto import auto
from impasto.image.palette import quantize
from impasto.image.picture import Picture
from impasto.image.read import read
from impasto.image.superpixels import segment
from impasto.settings import OutputSettings

console = Console(highlight=False)
T = TypeVar("T")

COMMANDS: dict[str, tuple[Sequence[str], str]] = {
    "quantize": (["-k", "16"], ".png"),
    "superpixels": (["-n", "2000"], ".jpg"),
    "enhance": (["--auto"], ".jpg"),
}
"""{command: its options, the ending of its output}."""


READING = [
    sys.executable,
    "-c",
    "import sys; from impasto.image.read import read; read(sys.argv[1])",
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.filter_commands")
    parser.add_argument("photo", type=Path)
    parser.add_argument("--runs", type=int, default=5, help="medians are of so many (default: 5)")
    args = parser.parse_args()
    console.print(machine.described())
    doubt = machine.warning()
    if doubt is not None:
        console.print(doubt, style="yellow")
    table = Table(title=f"{args.photo.stem}", box=SIMPLE)
    for title in ("", "read s", "filter s", "write s", "sum s", "command s", "ratio", "peak MB"):
        table.add_column(title, justify="right" if title else "left", no_wrap=True)
    with tempfile.TemporaryDirectory() as folder:
        for command, (options, ending) in COMMANDS.items():
            output = Path(folder) / f"out{ending}"
            table.add_row(*row(command, options, args.photo, output, args.runs))
    console.print(table)


def row(command: str, options: Sequence[str], photo: Path, output: Path, runs: int) -> list[str]:
    """The command's figures beside those of its parts."""
    reading = statistics.median(run([*READING, str(photo)]).seconds for _ in range(runs))
    picture = read(photo)
    bare(command, picture)
    _, filtering = timed(lambda: bare(command, picture), runs)
    job = job_of(command, photo)
    for _ in job.events():
        pass
    _, writing = timed(lambda: job.made.save(output, force=True), runs)
    line = [sys.executable, "-m", "impasto.cli", command, str(photo), *options]
    whole = [run([*line, "-o", str(output), "--force", "--quiet"]) for _ in range(runs)]
    seconds = statistics.median(one.seconds for one in whole)
    alone = reading + filtering + writing
    peak = max(one.peak for one in whole) / 1e6
    figures = [f"{value:.2f}" for value in (reading, filtering, writing, alone, seconds)]
    return [command, *figures, f"{seconds / alone:.2f}", f"{peak:.0f}"]


def bare(command: str, picture: Picture) -> object:
    """The algorithm alone, on a picture in memory."""
    match command:
        case "quantize":
            return quantize(picture.rgb, QuantizeSettings())
        case "superpixels":
            return segment(picture.rgb, SuperpixelSettings())
        case _:
            return enhance(picture.rgb, auto(picture.rgb))


def job_of(command: str, photo: Path) -> FilterJob[Any, Any]:
    match command:
        case "quantize":
            return QuantizeJob(photo, QuantizeSettings(), FEW_COLOURS)
        case "superpixels":
            return SuperpixelsJob(photo, SuperpixelSettings(), OutputSettings())
        case _:
            return EnhanceJob(photo, EnhanceSettings(auto=True), OutputSettings())


def timed(work: Callable[[], T], runs: int) -> tuple[T, float]:
    """What it gives, and the median of its seconds."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - began)
    return result, statistics.median(seconds)


if __name__ == "__main__":
    main()

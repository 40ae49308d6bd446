"""What a film of its growth adds to the time of a painting: `python -m benchmarks.growth`.

Each round paints once without a film and once with each kind, as commands, one after the other; a
ratio is the median of the rounds'. Beside it stands what taking the frames and writing the film
take inside a process, which other programs disturb less.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

import impasto
from benchmarks import machine
from benchmarks.pair import Pair
from benchmarks.process import run
from impasto.events import Event
from impasto.neural.device import keep_freed_memory

ENDINGS = ("gif", "webp", "mp4")

console = Console(highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--photo", default="coffee", help="a file or a sample (default: coffee)")
    parser.add_argument("--style", default="mosaic", help="a file or a sample (default: mosaic)")
    parser.add_argument("--size", type=int, default=512, help="long side, px (default: 512)")
    parser.add_argument("--rounds", type=int, default=3, help="default: 3")
    args = parser.parse_args()
    console.print(machine.described())
    doubt = machine.warning()
    if doubt is not None:
        console.print(doubt, style="yellow")
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair.prepared(args.photo, args.style, args.size, Path(folder))
        with console.status("painting"):
            rounds = [seconds(pair, Path(folder)) for _ in range(args.rounds)]
            parts = [inside(pair, Path(folder, f"film.{ending}")) for ending in ENDINGS]
    console.print(table(pair, rounds, parts))


def seconds(pair: Pair, folder: Path) -> list[float]:
    """Of the command without a film, and with each kind."""
    paint = [sys.executable, "-m", "impasto.cli", "paint", str(pair.photo), "--size"]
    paint += [str(pair.size), "--style", str(pair.style), "-o", str(folder / "art.png")]
    films = [["--timelapse", str(folder / f"grow.{ending}")] for ending in ENDINGS]
    return [run([*paint, "--force", "--quiet", *film]).seconds for film in ([], *films)]


def inside(pair: Pair, film: Path) -> tuple[float, float, int]:
    """(seconds for taking frames, for writing the film, its bytes)."""
    keep_freed_memory()
    taking = 0.0
    recording = impasto.Recording(timelapse=film, force=True)

    def timed(event: Event) -> None:
        nonlocal taking
        began = time.perf_counter()
        recording(event)
        taking += time.perf_counter() - began

    with recording:
        impasto.paint(pair.photo, pair.style, size=pair.size, show=timed)
        began = time.perf_counter()
    return taking, time.perf_counter() - began, film.stat().st_size


def table(
    pair: Pair, rounds: Sequence[Sequence[float]], parts: Sequence[tuple[float, float, int]]
) -> Table:
    """A row for painting alone, and one for each kind of film."""
    found = Table(title=f"{pair.photo.stem} × {pair.style.stem}, {pair.size} px", box=SIMPLE)
    found.add_column("", no_wrap=True)
    for title in ("command s", "ratio", "frames s", "writing s", "MB"):
        found.add_column(title, justify="right", no_wrap=True)
    medians = [statistics.median(times) for times in zip(*rounds, strict=True)]
    found.add_row("no film", f"{medians[0]:.1f}")
    for number, (ending, part) in enumerate(zip(ENDINGS, parts, strict=True), 1):
        taking, writing, size = part
        ratio = statistics.median(times[number] / times[0] for times in rounds)
        figures = f"{medians[number]:.1f}", f"{ratio:.3f}", f"{taking:.2f}", f"{writing:.2f}"
        found.add_row(ending, *figures, f"{size / 1e6:.2f}")
    return found


if __name__ == "__main__":
    main()

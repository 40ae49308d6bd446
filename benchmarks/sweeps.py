"""A sweep beside separate paintings: the same pictures, the time for all, and how beta moves them.

`python -m benchmarks.sweeps` paints 4 × 4 pictures by one `impasto sweep` and by 16 times `impasto
paint`, in turn, and compares the files. `--beta` sweeps beta over three decades for pairs of photo
and style, and fails unless the distance from the style falls and that from the photo grows all the
way.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from statistics import median

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.process import run

PROGRAM = (sys.executable, "-m", "impasto.cli")
PAIR = ("sample:coffee", "sample:mosaic")
BETAS, SCALES = ("1", "10", "100", "1000"), ("0.5", "0.75", "1", "1.5")
console = Console(highlight=False)


def swept(photo: str, style: str, size: int, folder: Path, *options: str) -> float:
    """Seconds of a sweep into a folder."""
    chosen = ("--style", style, "--size", str(size), "--quiet", "--json", *options)
    return run([*PROGRAM, "sweep", photo, *chosen, "-o", str(folder / "sheet.png")]).seconds


def painted(size: int, folder: Path) -> float:
    """Seconds of all the sweep's pictures as paintings of their own, into a folder."""
    photo, style = PAIR
    seconds = 0.0
    for beta, scale in product(BETAS, SCALES):
        file = folder / f"beta-{beta}_style-scale-{scale}.png"
        settings = ("--size", str(size), "--beta", beta, "--style-scale", scale)
        command = [*PROGRAM, "paint", photo, "--style", style, *settings, "-q", "-o", str(file)]
        seconds += run(command).seconds
    return seconds


def compared(size: int, rounds: int) -> None:
    """Time a sweep and separate paintings by turns; SystemExit where a picture differs."""
    console.print(f"{' × '.join(PAIR)}, {size} px, {len(BETAS)} × {len(SCALES)} pictures")
    axes = ("--beta", ",".join(BETAS), "--style-scale", ",".join(SCALES))
    ratios = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            together = swept(*PAIR, size, folder, *axes)
            pictures = folder / "sheet-pictures"
            alone = folder / "alone"
            alone.mkdir()
            apart = painted(size, alone)
            for file in pictures.glob("*.png"):
                if file.read_bytes() != (alone / file.name).read_bytes():
                    raise SystemExit(f"{file.name} is not the picture that paint makes")
        ratios.append(together / apart)
        console.print(f"sweep {together:.1f} s, paint {apart:.1f} s, ratio {ratios[-1]:.3f}")
    console.print(f"median ratio {median(ratios):.3f}; all pictures alike to the last byte")


def moved(pairs: Sequence[tuple[str, str]], size: int) -> None:
    """Show the distances at each beta; SystemExit where they don't go all one way."""
    table = Table("pair", "distance", *(f"beta {beta}" for beta in BETAS), box=SIMPLE)
    table.columns[0].no_wrap = True
    wrong = []
    for photo, style in pairs:
        with tempfile.TemporaryDirectory() as name:
            options = ("--beta", ",".join(BETAS))
            output = str(Path(name) / "sheet.png")
            chosen = ("--style", style, "--size", str(size), *options, "-q", "--json")
            found = json.loads(run([*PROGRAM, "sweep", photo, *chosen, "-o", output]).output)
        pair = f"{Path(photo).stem} × {Path(style).stem}"
        for kind, sign in (("content", 1), ("style", -1)):
            distances = [picture[kind] for picture in found["pictures"]]
            table.add_row(pair, kind, *(f"{distance:.4f}" for distance in distances))
            if not all(sign * (after - before) > 0 for before, after in pairwise(distances)):
                wrong.append(f"{pair}: {kind}")
    console.print(table)
    if wrong:
        raise SystemExit(f"not all one way: {', '.join(wrong)}")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--beta", nargs="+", metavar="PHOTO=STYLE", help="pairs whose distances are shown instead"
    )
    given = parser.parse_args()
    if given.beta:
        photos, _, styles = zip(*(pair.partition("=") for pair in given.beta), strict=True)
        moved(list(zip(photos, styles, strict=True)), given.size)
        return
    console.print(machine.described())
    warning = machine.warning()
    if warning:
        console.print(warning)
    compared(given.size, given.rounds)


if __name__ == "__main__":
    main()

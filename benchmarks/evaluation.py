"""One evaluation (losses and gradient) beside what the machine's matrix products reach.

Both are measured by turns in one run. Where the processor has AMX, all is measured again without.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from statistics import median

import torch
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks import machine
from impasto.neural.device import keep_freed_memory
from impasto.neural.objective import Objective, Style, Targets
from impasto.neural.speed import operations
from impasto.neural.tiles import Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights, load_weights
from impasto.settings import PaintSettings

WITHOUT_AMX = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16"}
SIDES = {1024: 5, 2048: 2, 4096: 1}
"""Sides of the square matrices, and how many products of each are taken in a round."""
CAPTION = (
    "s, GFLOP/s: median evaluation; min s, best: the fastest; product: median rate of the matrix "
    "product at its best side; max: the fastest of all; shares: of GFLOP/s in these two"
)
console = Console(highlight=False)


@dataclass
class Timings:
    """Of one precision: seconds of evaluations, FLOP/s of each product by side of the matrices."""

    seconds: list[float] = field(default_factory=list)
    rates: dict[int, list[float]] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The fastest single product, FLOP/s."""
        return max(max(rates) for rates in self.rates.values())

    @property
    def usual(self) -> float:
        """The median product at the side where that is fastest, FLOP/s."""
        return max(median(rates) for rates in self.rates.values())


def timed(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def evaluation(
    weights: Weights, dtype: torch.dtype, width: int, height: int
) -> Callable[[], object]:
    """One evaluation of a canvas of noise; what is in the pictures does not change the work."""
    settings = PaintSettings()
    network = VGG19(weights, dtype, torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    photo, style, canvas = torch.rand((3, 1, 3, height, width), generator=generator)
    tiling = Tiling(kept=4, roomy=True)
    styles = [Style("style", settings.beta, style)]
    targets = Targets.of(network, photo, styles, settings, tiling)
    objective = Objective(network, targets, settings, tiling)
    return lambda: objective.evaluate(canvas)


def products(dtype: torch.dtype, timings: Timings) -> None:
    """Take the round's matrix products."""
    for side, count in SIDES.items():
        left, right = torch.rand((2, side, side)).to(dtype)
        out = torch.empty_like(left)
        for _ in range(count):
            seconds = timed(partial(torch.mm, left, right, out=out))
            timings.rates.setdefault(side, []).append(2 * side**3 / seconds)


def measured(width: int, height: int, rounds: int) -> dict[torch.dtype, Timings]:
    """Evaluations and products by turns; a first round warms up and does not count."""
    weights = load_weights()
    precisions = (torch.float32, torch.bfloat16)
    evaluations = {dtype: evaluation(weights, dtype, width, height) for dtype in precisions}
    found = {dtype: Timings() for dtype in precisions}
    for turn in range(rounds + 1):
        for dtype, timings in found.items():
            products(dtype, timings)
            timings.seconds.append(timed(evaluations[dtype]))
        if turn == 0:
            found = {dtype: Timings() for dtype in precisions}
    return found


def table(title: str, work: int, found: dict[torch.dtype, Timings]) -> Table:
    """Seconds and GFLOP/s of evaluations, GFLOP/s of products, and the share."""
    rows = Table(title=title, box=SIMPLE, caption=CAPTION)
    rows.add_column("", no_wrap=True, min_width=8)
    for column in ("s", "min s", "GFLOP/s", "best", "product", "max", "share", "of max"):
        rows.add_column(column, justify="right", no_wrap=True)
    for dtype, timings in found.items():
        middle, least = median(timings.seconds), min(timings.seconds)
        rate = work / middle
        rows.add_row(
            str(dtype).removeprefix("torch."),
            f"{middle:.3f}",
            f"{least:.3f}",
            f"{rate / 1e9:.0f}",
            f"{work / least / 1e9:.0f}",
            f"{timings.usual / 1e9:.0f}",
            f"{timings.best / 1e9:.0f}",
            f"{rate / timings.usual:.0%}",
            f"{rate / timings.best:.0%}",
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evaluation", description=__doc__)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    limited = "ONEDNN_MAX_CPU_ISA" in os.environ
    if not limited:
        console.print(machine.described())
        doubt = machine.warning()
        if doubt is not None:
            console.print(doubt, style="yellow")
    keep_freed_memory()
    work = operations((args.width, args.height))
    isa = f", {os.environ['ONEDNN_MAX_CPU_ISA']} at most" if limited else ""
    title = f"{args.width}×{args.height} px, {work / 1e9:.0f} GFLOP an evaluation{isa}"
    console.print(table(title, work, measured(args.width, args.height, args.rounds)))
    if machine.has_amx() and not limited:
        command = [sys.executable, "-m", "benchmarks.evaluation", *sys.argv[1:]]
        subprocess.run(command, env=os.environ | WITHOUT_AMX, check=True)


if __name__ == "__main__":
    main()

"""Tiles: what they cost in time a pixel, and how large a picture fits into how much memory.

    python -m benchmarks.tiling [--rounds 3] [--paintings 800x600,2048x1536:2GB,3840x2160:3GB]

The first table evaluates losses and gradient by turns: a picture as one tile with all maps kept,
and a larger one in tiles, with fewer and fewer maps kept, in memory and on disk. The second paints
noise for a few steps at one level, in a process of its own for each size and budget: what was
planned, the peak of resident memory by the system's count, and seconds a step.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image

from benchmarks.confined import confined
from benchmarks.process import module
from impasto.artwork import Job
from impasto.events import Step
from impasto.neural.device import choose_device, choose_precision, keep_freed_memory
from impasto.neural.objective import Objective, Style, Targets
from impasto.neural.tiles import Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import load_weights
from impasto.scratch import scratch_folder
from impasto.settings import PaintSettings

WHOLE, LARGE = (1024, 768), (3840, 2160)
"""(width, height) of the picture that is one tile, and of that in many."""

PAINTINGS = "800x600,1200x900,2048x1536:2GB,3840x2160,3840x2160:3GB,8000x6000:6GB"
STEPS = 3


def objective(size: tuple[int, int], tiling: Tiling) -> tuple[Objective, torch.Tensor]:
    """The usual losses between pictures of noise, and a canvas; what they show changes no time."""
    width, height = size
    device = choose_device("auto")
    network = VGG19(load_weights(), choose_precision("auto", device), device)
    generator = torch.Generator().manual_seed(0)
    photo, style, canvas = (
        torch.rand((height, width, 3), generator=generator).permute(2, 0, 1)[None].to(device)
        for _ in range(3)
    )
    settings = PaintSettings()
    targets = Targets.of(network, photo, [Style("noise", 100.0, style)], settings, tiling)
    return Objective(network, targets, settings, tiling), canvas


def ratios(rounds: int) -> None:
    """Print what tiles cost, a pixel, beside a picture that is one tile."""
    ways = {
        "one tile, all kept": (WHOLE, Tiling(rows=WHOLE[1], kept=4)),
        **{
            f"tiles, {kept} of 4 kept, {'disk' if folder else 'memory'}": (
                LARGE,
                Tiling(kept=kept, folder=folder),
            )
            for kept, folder in ((3, None), (2, None), (0, None), (2, scratch_folder()))
        },
    }
    work = {name: (size, *objective(size, tiling)) for name, (size, tiling) in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds + 1):
        for name, ((width, height), judge, canvas) in work.items():
            began = time.perf_counter()
            judge.evaluate(canvas)
            times[name].append((time.perf_counter() - began) / (width * height))
    print("| evaluation | px | microseconds a pixel | of one tile's |")
    print("| --- | ---: | ---: | ---: |")
    base = median(times["one tile, all kept"][1:])
    for name, ((width, height), *_) in work.items():
        found = median(times[name][1:])
        print(f"| {name} | {width}x{height} | {1e6 * found:.3f} | {found / base:.2f} |", flush=True)


def one(width: int, height: int, memory: str) -> None:
    """Paint noise at one level and print what came of it, for the process that measures memory."""
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "noise.png"
        noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(noise).save(file, compress_level=0)
        settings = PaintSettings.checked(
            {"size": "full", "levels": 1, "steps": STEPS, "memory": memory}
        )
        job = Job(file, [("sample:spirograph", None)], settings)
    plan = job.forecast(0).plan
    ends = [time.perf_counter()]
    steps = (event for event in job.events() if isinstance(event, Step))
    ends.extend(time.perf_counter() for _ in steps)
    level = plan.levels[0]
    facts = {
        "planned": plan.memory,
        "disk": plan.disk,
        "tiles": level.tiles,
        "kept": level.kept,
        "step": float(np.median(np.diff(ends)[1:])),
    }
    print(json.dumps(facts))


def paintings(wanted: str) -> None:
    """Print size, memory, and time a step."""
    print(
        "| size | budget | planned, GB | peak, GB | on disk, GB | tiles | kept | seconds a step |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for text in wanted.split(","):
        size, _, memory = text.partition(":")
        width, height = map(int, size.split("x"))
        ran = confined(module("tiling", "--one", width, height, memory or "auto"))
        if ran.status:
            raise SystemExit(f"{text}: {ran.errors}")
        found = json.loads(ran.output.splitlines()[-1])
        print(
            f"| {width}x{height} | {memory or 'free'} | {found['planned'] / 1e9:.2f} "
            f"| {ran.peak / 1e9:.2f} | {found['disk'] / 1e9:.2f} | {found['tiles']} "
            f"| {found['kept']}/4 | {found['step']:.2f} |",
            flush=True,
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--paintings", default=PAINTINGS, help="WxH[:MEMORY], by commas; '' none")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        width, height, memory = given.one
        one(int(width), int(height), memory)
        return
    if given.rounds:
        keep_freed_memory()
        ratios(given.rounds)
    if given.paintings:
        paintings(given.paintings)


if __name__ == "__main__":
    main()

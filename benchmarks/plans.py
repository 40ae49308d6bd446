"""What a painting takes beside what its plan says, on random settings.

`python -m benchmarks.plans`: for each setting one process prints the plan and another one paints.
Memory is the peak of the process that paints, as the system tells it; seconds are from its start to
its end, Python and all. `--limits` paints again under hard limits of memory, above and below the
plan: a painting ends or is refused, and is never killed.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

from PIL import Image

from benchmarks import machine
from benchmarks.confined import Outcome, confined
from impasto.errors import ExitStatus
from impasto.image.samples import PHOTOS, PREFIX, STYLES, photo

PROGRAM = (sys.executable, "-m", "impasto.cli", "paint")

SHAPES = (None, 1.0, 2 / 3, 3 / 2, 1 / 3, 3.0)
"""Width over height that photos are cropped to; None for not at all."""

SIZES = 200, 1600
"""The long side of the paintings, px."""

PLENTY = 1.2
"""Budgets are drawn up to that share of what a painting takes without one."""

HALVINGS = 5
"""Of the span in which the least budget is sought."""

ROOMY, TIGHT = 1.1, (0.5, 0.9)
"""Hard limits over the planned memory."""

FINISHED, REFUSED = "finished", "refused"

WITHIN = {"memory": (1.0, 1.25), "seconds": (1 / 1.5, 1.5)}
"""Where planned over measured is right."""


@dataclass(frozen=True)
class Setting:
    """What is painted and how."""

    photo: Path
    options: tuple[str, ...]
    budget: float | None
    """Where between the least and plenty, 0 to 1; None for no budget."""
    tight: float
    """The lower hard limit over the planned memory."""

    @property
    def command(self) -> list[str]:
        """The command that paints it, without an output."""
        return [*PROGRAM, str(self.photo), *self.options]

    def __str__(self) -> str:
        values = [word.removeprefix(PREFIX) for word in self.options if word != "--style"]
        return f"{self.photo.stem} {' '.join(values)}".replace(str(self.photo), "itself")


@dataclass(frozen=True)
class Plan:
    """What `--plan --json` says, as far as it is compared here."""

    memory: int
    seconds: float
    tiles: object


@dataclass(frozen=True)
class Painted:
    """A setting that was planned and painted."""

    number: int
    """Of the setting, from 1."""
    setting: Setting
    command: list[str]
    """With its budget, if it has one."""
    budget: int | None
    plan: Plan
    outcome: Outcome
    verdict: str

    @property
    def memory(self) -> float:
        """Planned over measured."""
        return self.plan.memory / self.outcome.peak

    @property
    def seconds(self) -> float:
        """Planned over measured."""
        return self.plan.seconds / self.outcome.seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.plans",
        description="What paintings take beside what their plans say, on random settings.",
    )
    parser.add_argument("--count", type=int, default=20, help="of the settings (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the settings (default: 0)")
    parser.add_argument("--limits", action="store_true", help="paint under hard limits as well")
    args = parser.parse_args()
    print(f"{machine.described()}; {machine.warning() or 'nothing else runs'}\n")
    random = Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        settings = [drawn(random, number, Path(folder)) for number in range(1, args.count + 1)]
        output = Path(folder) / "painting.png"
        painted = list(shown(settings, output))
        finished = [one for one in painted if one.verdict == FINISHED]
        print(f"\n{len(finished)} of {args.count} finished")
        for line in summary(finished):
            print(line)
        if args.limits:
            limited(painted, output)


def drawn(random: Random, number: int, folder: Path) -> Setting:
    """A random setting; its photo is written to the folder."""
    file = folder / f"{number}-{random.choice(PHOTOS)}.jpg"
    shape, side = random.choice(SHAPES), random.randint(*SIZES)
    with Image.fromarray(photo(file.stem.partition("-")[2])) as image:
        cropped(image, shape, side).save(file, quality=90)
    styles = random.sample([*STYLES, *PHOTOS], random.randint(1, 3))
    choices = {
        "size": round(math.exp(random.uniform(*map(math.log, SIZES)))),
        "style-scale": random.choice((0.25, 0.5, 1, 1.5)),
        "optimizer": random.choice(("lbfgs", "adam")),
        "precision": random.choice(("auto", "float32")),
        "pooling": random.choice(("max", "average")),
        "init": random.choice(("photo", "noise", file)),
        "levels": random.choice(("auto", 1, 2, 3)),
        "steps": random.randint(2, 12),
        "coarse-steps": random.randint(2, 12),
    }
    options = [word for style in styles for word in ("--style", PREFIX + style)]
    options += [word for name, value in choices.items() for word in (f"--{name}", str(value))]
    budget = random.choice((None, random.random()))
    return Setting(file, tuple(options), budget, random.uniform(*TIGHT))


def cropped(image: Image.Image, shape: float | None, side: int) -> Image.Image:
    """The middle of a picture, of that width over height, `side` px long."""
    width, height = image.size
    if shape is not None:
        width, height = min(width, round(height * shape)), min(height, round(width / shape))
    left, top = (image.width - width) / 2, (image.height - height) / 2
    share = side / max(width, height)
    size = max(1, round(width * share)), max(1, round(height * share))
    return image.resize(size, box=(left, top, left + width, top + height))


def shown(settings: Sequence[Setting], output: Path) -> Iterator[Painted]:
    """Plan and paint each; a row of the table for each."""
    titles = "budget, MB", "tiles", "planned, MB", "peak, MB", "ratio", "planned, s", "s", "ratio"
    print(f"| | setting | {' | '.join(titles)} | verdict |")
    print(f"| ---: | --- |{' ---: |' * len(titles)} --- |")
    for number, setting in enumerate(settings, 1):
        painted = paint(number, setting, output)
        if painted is None:
            print(f"| {number} | {setting} |{' |' * len(titles)} does not fit |", flush=True)
            continue
        budget = "none" if painted.budget is None else f"{painted.budget / 1e6:.0f}"
        plan, outcome = painted.plan, painted.outcome
        print(
            f"| {number} | {setting} | {budget} | {plan.tiles}"
            f" | {plan.memory / 1e6:.0f} | {outcome.peak / 1e6:.0f} | {painted.memory:.2f}"
            f" | {plan.seconds:.1f} | {outcome.seconds:.1f} | {painted.seconds:.2f}"
            f" | {painted.verdict} |",
            flush=True,
        )
        yield painted


def paint(number: int, setting: Setting, output: Path) -> Painted | None:
    """Plan and paint a setting; None where it does not fit into this machine."""
    command, budget = setting.command, None
    plan = planned(command)
    if plan is None:
        return None
    if setting.budget is not None:
        least, plenty = least_budget(command, plan.memory), PLENTY * plan.memory
        budget = round(least + setting.budget * (plenty - least))
        command = [*command, "--memory", str(budget)]
        plan = planned(command)
        if plan is None:
            raise SystemExit(f"refused, though less was accepted: {' '.join(command)}")
    return Painted(number, setting, command, budget, plan, *attempt(command, output))


def planned(command: Sequence[str]) -> Plan | None:
    """What a command plans; None where it says that it does not fit."""
    outcome = confined([*command, "--plan", "--json"])
    if outcome.status == ExitStatus.OUT_OF_MEMORY:
        return None
    if outcome.status != ExitStatus.OK:
        raise SystemExit(f"no plan: {' '.join(command)}\n{outcome.errors}")
    facts = json.loads(outcome.output)
    return Plan(facts["memory"], facts["seconds"], facts["tiles"])


def least_budget(command: Sequence[str], memory: int) -> int:
    """The least budget that the plan accepts, to 1/2^HALVINGS of what it takes without one."""
    refused, accepted = 0, round(PLENTY * memory)
    for _ in range(HALVINGS):
        middle = (refused + accepted) // 2
        if planned([*command, "--memory", str(middle)]) is None:
            refused = middle
        else:
            accepted = middle
    return accepted


def attempt(command: Sequence[str], output: Path, limit: int = 0) -> tuple[Outcome, str]:
    """Paint under a hard limit, 0 for none: how it ended, and the verdict on that."""
    output.unlink(missing_ok=True)
    outcome = confined([*command, "-o", str(output), "--force", "--json"], limit)
    match outcome.status, output.exists():
        case ExitStatus.OK, True:
            return outcome, FINISHED
        case ExitStatus.OUT_OF_MEMORY, False:
            return outcome, REFUSED
        case status, exists:
            said = (outcome.errors.splitlines() or ["nothing said"])[-1]
            picture = "a picture" if exists else "no picture"
            return outcome, f"failed: status {status}, {picture}, {said}"


def summary(painted: Sequence[Painted]) -> Iterator[str]:
    """How far the plans of those that were finished were right."""
    for name, (low, high) in WITHIN.items():
        ratios = [getattr(one, name) for one in painted]
        if ratios:
            right = sum(low <= ratio <= high for ratio in ratios)
            yield (
                f"{name}, planned over measured: {min(ratios):.2f} to {max(ratios):.2f}, "
                f"median {median(ratios):.2f}; {right} of {len(ratios)} "
                f"from {low:.2f} to {high:.2f}"
            )
    bounds = [(one.outcome.peak, one.budget) for one in painted if one.budget is not None]
    kept = sum(peak <= budget for peak, budget in bounds)
    yield f"{kept} of {len(bounds)} budgets kept"


def limited(painted: Sequence[Painted], output: Path) -> None:
    """Paint each again under a limit above the plan and one below; a row for each."""
    print("\n| | limit over plan | limit, MB | held by | peak, MB | verdict |")
    print("| ---: | ---: | ---: | --- | ---: | --- |")
    verdicts = []
    for one in painted:
        for share in (ROOMY, one.setting.tight):
            limit = round(share * one.plan.memory)
            outcome, verdict = attempt(one.command, output, limit)
            verdicts.append(verdict)
            print(
                f"| {one.number} | {share:.2f} | {limit / 1e6:.0f} | {outcome.means} "
                f"| {outcome.peak / 1e6:.0f} | {verdict} |",
                flush=True,
            )
    counts = {word: verdicts.count(word) for word in (FINISHED, REFUSED)}
    failed = len(verdicts) - sum(counts.values())
    print(f"\n{counts[FINISHED]} finished, {counts[REFUSED]} refused, {failed} failed")


if __name__ == "__main__":
    main()

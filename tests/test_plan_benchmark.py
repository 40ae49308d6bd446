"""What the comparison of plans with paintings rests on; a small program stands in for Impasto."""

import random
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("resource", reason="needs POSIX's limits")

from benchmarks import confined, plans
from benchmarks.confined import Outcome
from benchmarks.plans import Painted, Plan, Setting
from benchmarks.process import run

from impasto.settings import PaintSettings, StyleChoice

MB = 1_000_000
LEAST = 64 * MB

PROGRAM = f"""
import json, sys
from pathlib import Path
words = dict(zip(sys.argv[1:], sys.argv[2:]))
memory = int(words.get("--memory", {200 * MB}))
if memory < {LEAST}:
    sys.exit(4)
if "--plan" in words:
    print(json.dumps(dict(memory=memory, seconds=2, tiles=3, disk=0)))
else:
    held = b"1" * (memory - {20 * MB})
    Path(words["-o"]).touch()
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command that plans and paints: as much as `--memory` allows is held."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    command = [sys.executable, "-S", str(file)]
    monkeypatch.setattr(plans, "PROGRAM", command)
    return command


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path / "photo.jpg", ("--size", "200"), 0.5, 0.7)


def test_settings_are_valid_and_drawn_again_from_their_seed(tmp_path: Path) -> None:
    first, again = (
        [plans.drawn(r, n, tmp_path) for n in range(8)] for r in map(random.Random, "aa")
    )
    assert first == again
    for setting in first:
        pairs = list(zip(setting.options[::2], setting.options[1::2], strict=True))
        values = {name[2:].replace("-", "_"): text for name, text in pairs if name != "--style"}
        assert 200 <= int(values["size"]) <= 1600
        assert 1 <= int(values["steps"]) <= 12
        PaintSettings.checked(values)
        styles = [StyleChoice.parse(text).path for name, text in pairs if name == "--style"]
        assert 1 <= len(set(styles)) == len(styles) <= 3
        with Image.open(setting.photo) as image:
            assert 200 <= max(image.size) <= 1600


@pytest.mark.parametrize(
    ("shape", "size"), [(None, (90, 60)), (1, (90, 90)), (1 / 3, (30, 90)), (3, (90, 30))]
)
def test_photos_are_cropped_to_a_shape(shape: float | None, size: tuple[int, int]) -> None:
    assert plans.cropped(Image.new("RGB", (300, 200)), shape, 90).size == size


def test_the_peak_is_the_process_s_own() -> None:
    small, large = (
        confined.confined([sys.executable, "-S", "-c", f"b'1' * {size}"]) for size in (1, 300 * MB)
    )
    assert small.peak < 60 * MB
    assert large.peak - small.peak == pytest.approx(300 * MB, rel=0.05)


def test_the_least_budget_is_found(program: list[str]) -> None:
    least = plans.least_budget(program, 200 * MB)
    assert LEAST <= least <= LEAST + plans.PLENTY * 200 * MB / 2**plans.HALVINGS
    assert plans.planned([*program, "--memory", str(LEAST - 1)]) is None


@pytest.mark.usefixtures("program")
def test_a_setting_is_planned_and_painted(setting: Setting, tmp_path: Path) -> None:
    painted = plans.paint(1, setting, tmp_path / "art.png")
    assert painted is not None
    assert painted.verdict == plans.FINISHED
    assert painted.plan == Plan(painted.budget or 0, 2, 3)
    assert LEAST < painted.plan.memory < 240 * MB
    assert painted.memory == pytest.approx(1, rel=0.2)


def test_hard_limits(program: list[str], tmp_path: Path) -> None:
    output = tmp_path / "art.png"
    outcome, verdict = plans.attempt(program, output, 250 * MB)
    assert (outcome.status, verdict) == (0, plans.FINISHED)
    outcome, verdict = plans.attempt(program, output, 100 * MB)
    assert verdict.startswith(f"failed: status {outcome.status}, no picture, ")
    _, verdict = plans.attempt([*program, "--memory", "1"], output, 100 * MB)
    assert verdict == plans.REFUSED
    assert outcome.means in ("control group", "RLIMIT_DATA")


WITHOUT_GROUPS = f"""
import sys
from benchmarks import confined
confined.control_group = lambda limit: None
outcome = confined.carry_out([sys.executable, "-S", "-c", "b'1' * {200 * MB}"], {100 * MB})
print(outcome.means, outcome.status, outcome.errors.split()[-1])
"""


def test_without_a_control_group_the_process_s_own_limit_holds() -> None:
    ran = run([sys.executable, "-c", WITHOUT_GROUPS])
    assert ran.output.split() == ["RLIMIT_DATA", "1", "MemoryError"]


def test_the_summary(setting: Setting) -> None:
    def painted(planned: int, peak: int, budget: int | None) -> Painted:
        outcome = Outcome(0, 10, peak, "nothing", "", "")
        return Painted(1, setting, [], budget, Plan(planned, 5, 1), outcome, plans.FINISHED)

    found = plans.summary([painted(90, 100, 95), painted(120, 100, 130), painted(130, 100, None)])
    assert list(found) == [
        "memory, planned over measured: 0.90 to 1.30, median 1.20; 1 of 3 from 1.00 to 1.25",
        "seconds, planned over measured: 0.50 to 0.50, median 0.50; 0 of 3 from 0.67 to 1.50",
        "1 of 2 budgets kept",
    ]

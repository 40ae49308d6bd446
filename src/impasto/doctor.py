"""What this installation can do, and what is wrong with it."""

import platform
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import torch

from impasto.errors import ImpastoError, ran_out
from impasto.neural.budget import free_memory
from impasto.neural.device import (
    choose_device,
    choose_precision,
    has_bfloat16,
    present_devices,
)
from impasto.neural.duration import Pace, all_seconds, level_seconds
from impasto.neural.plan import Work, budget_of, largest_side, plan_for
from impasto.neural.speed import Speed, measure
from impasto.neural.weights import Weights, load_weights
from impasto.recipe import FILTERING, PAINTING
from impasto.settings import PaintSettings
from impasto.sizes import MAX_PIXELS

USUAL = 800, 600
"""(width, height) of the picture whose time is estimated: the default size, as cameras shape it."""

LARGEST = round((MAX_PIXELS * 4 / 3) ** 0.5), round((MAX_PIXELS * 3 / 4) ** 0.5)
"""(width, height) of the largest picture of that shape that is read at all."""

BUSY = 10
"""Percent of the processor that other programs may use before the speed is doubtful."""


@dataclass(frozen=True)
class WeightsInUse:
    """VGG-19's weights as they were loaded: their digest is right and their values are whole."""

    source: str
    kind: str
    sha256: str


@dataclass(frozen=True)
class Report:
    """What was found; what could not be is None or missing, and `problems` says why."""

    versions: Mapping[str, str]
    """Of Impasto, Python and the libraries that decide a picture's pixels."""
    system: str
    processor: str
    cores: int
    threads: int
    """That PyTorch computes with."""
    devices: tuple[str, ...]
    device: str
    """What `--device auto` takes."""
    precision: str
    """What `--precision auto` takes."""
    precision_reason: str
    weights: WeightsInUse | None
    free_memory: int
    """Bytes, on the device."""
    largest_size: int
    """The largest --size that fits for a 4:3 photo, px; 0 where none does."""
    busy: float | None
    """Percent of the processor that other programs used just before the speed check."""
    speed: Speed | None
    """Operations a second; None where it was not measured."""
    painting_seconds: float | None
    """Estimate for a picture of `USUAL` px with the default preset."""
    problems: Mapping[str, str]
    """{part: what is wrong and what to do}."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def facts(self) -> dict[str, Any]:
        """What `--json` prints."""
        facts = {"ok": self.ok} | asdict(self)
        if self.speed is not None:
            facts["speed"]["share"] = self.speed.share
        return facts


def examine(speed_seconds: float) -> Report:
    """Look at everything; the speed check takes at least that many seconds, 0 leaves it out."""
    problems: dict[str, str] = {}
    device = choose_device("auto")
    dtype = choose_precision("auto", device)
    usual = Work(USUAL, [USUAL], PaintSettings(), dtype, device, unread=True)
    huge = replace(usual, size=LARGEST, styles=[LARGEST])
    largest = largest_side(huge, budget_of(huge.settings, device))
    plan = None
    with noted("memory", problems):
        plan = plan_for(usual)
    weights = None
    with noted("weights", problems):
        weights = load_weights()
    busy = psutil.cpu_percent(interval=min(0.5, speed_seconds)) if speed_seconds else None
    speed = seconds = None
    if weights is not None and speed_seconds:
        with noted("speed", problems):
            speed = measure(weights, device, dtype, speed_seconds)
            if plan is not None:
                exact = Pace.measured(usual, weights, 0).exact
                levels = level_seconds(usual, plan, Pace(speed.evaluation, exact))
                seconds = all_seconds(usual, levels)
    return Report(
        versions=versions(problems),
        system=platform.platform(),
        processor=processor(),
        cores=psutil.cpu_count(logical=False) or psutil.cpu_count() or 1,
        threads=torch.get_num_threads(),
        devices=tuple(map(described, present_devices())),
        device=device.type,
        precision=str(dtype).removeprefix("torch."),
        precision_reason=reason(device),
        weights=in_use(weights) if weights is not None else None,
        free_memory=free_memory(device),
        largest_size=largest,
        busy=busy,
        speed=speed,
        painting_seconds=seconds,
        problems=problems,
    )


@contextmanager
def noted(part: str, problems: dict[str, str]) -> Iterator[None]:
    """Note what goes wrong inside and go on: a doctor looks at everything."""
    try:
        yield
    except ImpastoError as error:
        problems[part] = str(error)
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        problems[part] = "memory ran out; end other programs"


def in_use(weights: Weights) -> WeightsInUse:
    """What a report keeps of them."""
    return WeightsInUse(weights.source, weights.kind, weights.sha256)


def versions(problems: dict[str, str]) -> dict[str, str]:
    """{name: version} of Impasto, Python and the libraries, as far as they are there."""
    found = {"python": platform.python_version()}
    for name in dict.fromkeys((*PAINTING, *FILTERING)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            problems[name] = f"{name} is not installed; install it with: pip install {name}"
    try:
        found["libvips"] = libvips()
    except (ImportError, OSError) as error:
        remedy = "reinstall it with: pip install --force-reinstall pyvips pyvips-binary"
        problems["libvips"] = f"libvips cannot be loaded ({error}); {remedy}"
    return found


def libvips() -> str:
    """The version of the library itself, which may be another than its package's."""
    import pyvips

    return ".".join(str(pyvips.version(part)) for part in range(3))


def processor() -> str:
    """The processor's own name, where the system tells."""
    file = Path("/proc/cpuinfo")
    if sys.platform == "linux" and file.exists():
        for line in file.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def described(device: str) -> str:
    """A device with its card's name."""
    return f"cuda ({torch.cuda.get_device_name()})" if device == "cuda" else device


def reason(device: torch.device) -> str:
    """Why `--precision auto` takes what it takes."""
    if has_bfloat16(device):
        return "bfloat16 is multiplied in hardware, faster than float32"
    return "bfloat16 would not be faster here"

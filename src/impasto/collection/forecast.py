"""What a collection will take: time, disk and memory, worked out from the headers of its files."""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from impasto.artwork import TRIAL_SECONDS
from impasto.collection.manifest import Done
from impasto.collection.painter import MOST_PICTURES
from impasto.collection.plan import Plan
from impasto.collection.standing import Standing
from impasto.collection.task import Material, Task
from impasto.errors import UnreadableImage, UsageError
from impasto.image.read import size_of
from impasto.image.write import format_for
from impasto.neural.device import choose_device, choose_precision
from impasto.neural.duration import FILES, STARTING, Pace, level_seconds
from impasto.neural.plan import Work, plan_for
from impasto.neural.pyramid import Size
from impasto.neural.weights import Weights
from impasto.settings import OutputSettings
from impasto.sizes import fitted

PIXEL_BYTES = {"PNG": 2.5, "JPEG": 0.9, "WebP": 0.75, "TIFF": 2.6}
"""What a pixel of an artwork takes in a file with 8 bits a channel, usual quality, about."""

BESIDE_BYTES = 24_000
"""Of an artwork's recipe and its thumbnail, about."""


@dataclass(frozen=True)
class CollectionForecast:
    """What a collection will take."""

    tasks: Sequence[Task]
    standing: Standing
    sizes: Mapping[str, Size]
    """{name: (width, height)}, px, of artworks whose photo can be read."""
    seconds: float | None
    """To paint what is missing, one after the other; None where nothing is."""
    disk: int
    """Bytes that the missing files will take."""
    memory: int
    """Bytes that the process holds at its peak."""

    def facts(self) -> dict[str, object]:
        """The same for programs: a job has its name, its files, and its state."""
        standing = self.standing
        return {
            "jobs": len(self.tasks),
            "missing": len(standing.missing),
            "done": len(standing.done),
            "failed": len(standing.failed),
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "disk": self.disk,
            "memory": self.memory,
            "list": [
                {
                    "name": task.name,
                    "photo": task.photo.path,
                    "styles": [f"{style.path}={beta:g}" for style, beta in task.styles],
                    "size": self.sizes.get(task.name),
                    "state": self._state(task.name),
                }
                for task in self.tasks
            ],
        }

    def _state(self, name: str) -> str:
        if name in self.standing.done:
            return "done"
        return "failed" if name in self.standing.failed else "missing"


def forecast_of(
    plan: Plan, standing: Standing, weights: Weights, seconds: float = TRIAL_SECONDS
) -> CollectionForecast:
    """Work out what is missing, by trials of this machine's speed that take so long together.

    Raises NotEnoughMemory where the largest does not fit.
    """
    works = works_of(plan.tasks)
    missing = [works[task.name] for task in standing.missing if task.name in works]
    kinds = {(work.dtype, work.device): work for work in sorted(missing, key=_pixels)}
    paces = {
        kind: Pace.measured(work, weights, seconds / len(kinds)) for kind, work in kinds.items()
    }
    taken, memory = 0.0, 0
    beside = min(MOST_PICTURES, sum(map(_decoded, _materials(standing.missing))))
    known: dict[object, tuple[float, int]] = {}
    for work in missing:
        key = work.size, len(work.styles), id(work.settings)  # styles become as long as the picture
        if key not in known:
            known[key] = _costs(work, paces[work.dtype, work.device], beside)
        taken, memory = taken + known[key][0], max(memory, known[key][1])
    return CollectionForecast(
        plan.tasks,
        standing,
        sizes={name: work.size for name, work in works.items()},
        seconds=STARTING + taken if missing else None,
        disk=round(_disk(standing, works)),
        memory=memory,
    )


def works_of(tasks: Iterable[Task]) -> dict[str, Work]:
    """{name: what decides its memory and time} of artworks whose pictures have sound headers."""
    sizes: dict[Material, Size | None] = {}
    found = {}
    for task in tasks:
        for material in task.materials():
            if material not in sizes:
                sizes[material] = _size(material)
        with suppress(UsageError):  # larger than pictures may be: it fails when its turn comes
            work = _work(task, sizes)
            if work is not None:
                found[task.name] = work
    return found


def evaluations(work: Work) -> int:
    """Pixels that pass through the network: of each level's canvas, once a step."""
    return sum(math.prod(level.size) * level.steps for level in work.levels())


def _work(task: Task, sizes: Mapping[Material, Size | None]) -> Work | None:
    photo, styles = sizes[task.photo], [sizes[style] for style, _ in task.styles]
    known = [style for style in styles if style is not None]
    if photo is None or len(known) < len(styles):
        return None
    device = choose_device(task.settings.device)
    return Work(
        size=fitted(*photo, task.settings.size),
        styles=known,
        settings=task.settings,
        dtype=choose_precision(task.settings.precision, device),
        device=device,
        unread=True,
    )


def _size(material: Material) -> Size | None:
    """Of the upright picture, px; None where its header says that it cannot be used."""
    try:
        return size_of(material.path) if material.sha256 else None
    except UnreadableImage:
        return None


def _costs(work: Work, pace: Pace, beside: int) -> tuple[float, int]:
    """Seconds and bytes of memory; targets are counted though most are there from others.

    beside: bytes of decoded pictures that are kept for other artworks, and let go where there is
    no room for them.
    """
    plan = plan_for(work)
    memory = plan.memory
    if work.device.type == "cpu":  # elsewhere the plan is of the card's memory
        memory = max(memory, min(memory + beside, plan.budget))
    return sum(level_seconds(work, plan, pace)) + FILES * _pixels(work), memory


def _materials(tasks: Iterable[Task]) -> set[Material]:
    """All pictures that go in."""
    return {material for task in tasks for material in task.materials()}


def _decoded(material: Material) -> int:
    """Bytes of a picture in memory, red, green and blue in float32."""
    return 12 * math.prod(_size(material) or (0, 0))


def _pixels(work: Work) -> int:
    return math.prod(work.size)


def _disk(standing: Standing, works: Mapping[str, Work]) -> float:
    """Bytes that the missing files will take."""
    rates: dict[tuple[str, OutputSettings], float] = {}
    found = 0.0
    for task in standing.missing:
        if task.name in works:
            kind = format_for(task.name), task.output
            if kind not in rates:
                rates[kind] = _rate(*kind, standing.done.values())
            found += rates[kind] * _pixels(works[task.name]) + BESIDE_BYTES
    return found


def _rate(kind: str, output: OutputSettings, done: Iterable[Done]) -> float:
    """Bytes a pixel in a file: as of those that are there, where there are some of the kind."""
    alike = [
        record
        for record in done
        if format_for(record.name) == kind and record.recipe.output == output
    ]
    if alike:
        return sum(each.bytes for each in alike) / sum(math.prod(each.size) for each in alike)
    return PIXEL_BYTES[kind] * output.depth / 8

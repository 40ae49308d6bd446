"""Tables for people: what `doctor` and `weights` find, and what a painting will take."""

from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from impasto.artwork import Forecast
from impasto.collection.forecast import CollectionForecast
from impasto.doctor import BUSY, USUAL, Report
from impasto.neural.weights import Candidate
from impasto.quantities import quantity, span

DIGITS = 12
"""Of a SHA-256, enough to tell files apart."""


def report_table(report: Report) -> Table:
    """A line for each fact, then one for each problem."""
    table = Table(box=SIMPLE, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, fact in (*facts(report), *speed_facts(report)):
        table.add_row(name, escape(fact))
    for part, problem in report.problems.items():
        table.add_row(f"[red]{part}[/red]", escape(problem))
    return table


def facts(report: Report) -> Iterator[tuple[str, str]]:
    """What is there."""
    yield "versions", ", ".join(f"{name} {number}" for name, number in report.versions.items())
    yield "system", report.system
    yield "processor", f"{report.processor}, {report.cores} cores, {report.threads} threads used"
    yield "device", f"{report.device} (present: {', '.join(report.devices)})"
    yield "precision", f"{report.precision}: {report.precision_reason}"
    if report.weights is not None:
        found = report.weights
        yield "weights", f"{found.source}, {found.kind}, SHA-256 {found.sha256[:DIGITS]}… ok"
    free = f"{report.free_memory / 1e9:.1f} GB free"
    yield "memory", f"{free}; for a 4:3 photo --size {report.largest_size} is the largest that fits"


def speed_facts(report: Report) -> Iterator[tuple[str, str]]:
    """How fast it is, if that was measured."""
    if report.speed is None or report.painting_seconds is None:
        return
    speed = report.speed
    product = f"{speed.product / 1e9:.0f} GFLOP/s of a matrix product in {report.precision}"
    evaluation = f"losses and gradient at {speed.evaluation / 1e9:.0f} GFLOP/s"
    yield "speed", f"{evaluation}, {speed.share:.0%} of the {product}"
    yield "", f"a picture of {USUAL[0]}×{USUAL[1]} px takes about {span(report.painting_seconds)}"
    if report.busy is not None and report.busy >= BUSY:
        yield "", f"other programs use {report.busy:.0f} % of the processor: alone it is faster"


def forecast_table(forecast: Forecast) -> Table:
    """A line for each level, coarse to fine, and one for the whole."""
    plan, recipe = forecast.plan, forecast.recipe
    table = Table(
        box=SIMPLE,
        caption=f"{recipe.device}, {recipe.precision}; {plan.budget / 1e9:.1f} GB may be used",
        caption_justify="left",
        show_footer=True,
    )
    table.add_column("size", "all", justify="right")
    table.add_column("steps", str(sum(level.steps for level in plan.levels)), justify="right")
    table.add_column("tiles", justify="right")
    table.add_column("kept", justify="right")
    table.add_column("memory", f"{plan.memory / 1e9:.2f} GB", justify="right")
    table.add_column("disk", f"{plan.disk / 1e9:.2f} GB" if plan.disk else "", justify="right")
    table.add_column("time", f"about {span(forecast.seconds)}", justify="right")
    for level, seconds in zip(plan.levels, forecast.levels, strict=True):
        width, height = level.size
        table.add_row(
            f"{width}×{height}",
            str(level.steps),
            str(level.tiles),
            f"{level.kept}/{plan.segments}",
            f"{level.memory / 1e9:.2f} GB",
            f"{level.disk / 1e9:.2f} GB" if level.disk else "",
            span(seconds),
        )
    return table


def collection_table(forecast: CollectionForecast) -> Table:
    """How far a collection is, and what the rest takes."""
    standing = forecast.standing
    table = Table(box=SIMPLE, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_row("artworks", f"{len(forecast.tasks):,}")
    table.add_row("there already", f"{len(standing.done):,}")
    table.add_row("failed before", f"{len(standing.failed):,}")
    table.add_row("to paint", f"{len(standing.missing):,}")
    if standing.missing:
        names = [task.name for task in standing.missing]
        table.add_row("first", escape(names[0]))
        table.add_row("last", escape(names[-1]))
    if forecast.seconds is not None:
        table.add_row("time", f"about {span(forecast.seconds)}")
        table.add_row("disk", f"about {quantity(forecast.disk)}B")
        table.add_row("memory", f"{forecast.memory / 1e9:.2f} GB")
    return table


def candidates_table(candidates: Sequence[Candidate]) -> Table:
    """A line for each file; the first is the one in use."""
    table = Table(box=SIMPLE)
    for title, how in (("used", "center"), ("file", "left"), ("kind", "left"), ("MB", "right")):
        table.add_column(title, justify=how, overflow="fold")  # type: ignore[arg-type]
    table.add_column("SHA-256", no_wrap=True)
    table.add_column("state", overflow="fold")
    for number, found in enumerate(candidates):
        table.add_row(
            "*" if number == 0 else "",
            escape(str(found.path)),
            found.kind or "",
            f"{found.size / 1e6:.1f}",
            f"{found.sha256[:DIGITS]}…" if found.sha256 else "",
            "ok" if found.error is None else escape(found.error),
        )
    return table


def candidates_facts(candidates: Iterable[Candidate]) -> dict[str, object]:
    """What `weights --json` prints."""
    return {
        "weights": [
            {
                "path": str(found.path),
                "kind": found.kind,
                "bytes": found.size,
                "sha256": found.sha256 or None,
                "error": found.error,
                "in_use": number == 0,
            }
            for number, found in enumerate(candidates)
        ]
    }

"""A running job on the terminal: a bar with level, step, losses and time left, on standard error.

Where standard error is not a terminal, a line a level; of films and collections, a line a tenth.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from impasto.events import (
    ArtworkDone,
    ArtworkStep,
    Event,
    FrameDone,
    FrameStep,
    LevelDone,
    Losses,
    Notice,
    RolledBack,
    Stage,
    Started,
    Step,
)
from impasto.quantities import span


class Show(Protocol):
    """Takes every event of a job."""

    def __call__(self, event: Event) -> None:
        """Show it."""


@contextmanager
def shown(console: Console, *, quiet: bool) -> Iterator[Show]:
    """While a job runs: something that shows its events."""
    if quiet:
        yield lambda _: None
    elif console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeLeft(),
            TextColumn("{task.fields[losses]}"),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            yield Bar(progress)
    else:
        yield Lines(console)


class TimeLeft(TimeRemainingColumn):
    """What the job knows of its time left, or else what its latest steps make likely."""

    def render(self, task: Task) -> Text:
        """The time left."""
        left: float | None = task.fields["left"]
        return super().render(task) if left is None else Text(span(left), "progress.remaining")


class Bar:
    """A live bar."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("reading", total=1.0, losses="", left=None)
        self._levels: tuple[tuple[int, int], ...] = ()

    def __call__(self, event: Event) -> None:
        """Move the bar."""
        if isinstance(event, Started):
            self._levels = event.levels
            self._progress.update(self._task, description=f"{event.device}, {event.precision}")
        elif isinstance(event, Step):
            self._progress.update(
                self._task,
                completed=event.done,
                description=f"{size(self._levels[event.level - 1])} step {event.step}",
                losses=summary(event.losses),
            )
        elif isinstance(event, FrameStep):
            self._progress.update(
                self._task,
                completed=event.done,
                description=place(event),
                losses=summary(event.losses) if event.losses else "",
                left=event.left,
            )
        elif isinstance(event, ArtworkStep):
            self._progress.update(
                self._task,
                completed=event.done,
                description=f"{event.made} of {event.artworks}, {event.name}",
                losses="",
                left=event.left,
            )
        elif isinstance(event, Stage):
            self._progress.update(
                self._task, completed=event.done, description=event.name, losses="", left=None
            )
        else:
            tell(event, self._progress.console)


class Lines:
    """A line a level, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._levels: tuple[tuple[int, int], ...] = ()
        # A step holds its canvas, which may be large: only its number and losses stay.
        self._best: tuple[int, Losses] | None = None
        self._tenths = 0

    def __call__(self, event: Event) -> None:
        """Print a line where there is something to say."""
        if isinstance(event, Started):
            self._levels = event.levels
            self._console.print(f"painting on {event.device} in {event.precision}")
        elif isinstance(event, Step):
            if self._best is None or total(event.losses) <= total(self._best[1]):
                self._best = event.step, event.losses
        elif isinstance(event, LevelDone) and self._best is not None:
            size_now, (step, losses) = size(self._levels[event.level - 1]), self._best
            self._console.print(f"{size_now} done: {summary(losses)} at step {step}")
            self._best = None
        elif isinstance(event, FrameDone):
            last = f": {summary(event.losses)}" if event.losses else ""
            self._tenth(event.made, event.frames, f"frames{last}", event.left)
        elif isinstance(event, ArtworkDone):
            self._tenth(event.made, event.artworks, "artworks", event.left)
        else:
            tell(event, self._console)

    def _tenth(self, made: int, count: int, what: str, left: float | None) -> None:
        tenths = 10 * made // count
        if tenths > self._tenths:
            self._tenths = tenths
            rest = f", about {span(left)} left" if left and left >= 1 else ""
            self._console.print(f"{made} of {count} {what}{rest}")


def total(losses: Losses) -> float:
    """The loss of a canvas."""
    return sum(losses.values())


def size(level: tuple[int, int]) -> str:
    """(width, height) as people write it."""
    return f"{level[0]}×{level[1]}"


def place(event: FrameStep) -> str:
    """Where in a film a frame is."""
    shot = f", shot {event.shot} of {event.shots}" if event.shots > 1 else ""
    return f"frame {event.frame} of {event.frames}{shot}"


def summary(losses: Mapping[str, float]) -> str:
    """Total, content and style losses in a few words."""
    content = losses.get("content", 0.0)
    style = sum(value for name, value in losses.items() if name.startswith("style/"))
    return f"loss {content + style:.3g} = content {content:.3g} + style {style:.3g}"


def tell(event: Event, console: Console) -> None:
    """Print what a person should know of an event, if anything."""
    if isinstance(event, RolledBack):
        console.print(f"step {event.step} gave values that are not finite: undone, tried smaller")
    elif isinstance(event, Notice):
        console.print(event.message)

"""The pictures of a sweep in their folder: those that are there, and those to be painted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.artwork import Job, Opened
from impasto.checkpoint import is_unfinished, resumable
from impasto.errors import BadRecipe, UnreadableImage, UsageError
from impasto.events import Event, Notice, RolledBack, Stage, Step
from impasto.image.atomic import unwritable
from impasto.image.metadata import recipe_in
from impasto.image.write import check_file
from impasto.neural.shared import MOST, Shared
from impasto.recipe import PaintRecipe
from impasto.studio.axes import STYLE, Point
from impasto.work import carry_out

AGAIN = "give the same command again"
"""How a person goes on after a stop."""

Show = Callable[[Event], None]


@dataclass(frozen=True)
class Variant:
    """A picture of a sweep, in its file."""

    point: Point
    file: Path
    recipe: PaintRecipe

    @property
    def content(self) -> float | None:
        """The content loss without its weight alpha; None where it has none."""
        alpha = self.recipe.settings.alpha
        loss = self.recipe.losses.get("content")
        return loss / alpha if alpha and loss is not None else None

    @property
    def style(self) -> float | None:
        """The style loss of all layers without its weight beta; None where it has none."""
        beta = self.recipe.styles[0].beta
        losses = [x for name, x in self.recipe.losses.items() if name.startswith("style/")]
        known = [loss for loss in losses if loss is not None]
        return sum(known) / beta if beta and len(known) == len(losses) else None

    @property
    def note(self) -> str:
        """Both distances in words, and whether it ended early."""
        found = {"content": self.content, "style": self.style}
        parts = [f"{name} {x:.3g}" for name, x in found.items() if x is not None]
        return " · ".join(parts if self.recipe.complete else [*parts, "ended early"])

    def facts(self) -> dict[str, object]:
        """The same for programs."""
        settings = self.point.settings.model_dump(mode="json")
        named = {
            name: value.head if name == STYLE else settings.get(name, value.given)
            for name, value in self.point.values.items()
        }
        return {
            "values": named,
            "file": str(self.file),
            "content": self.content,
            "style": self.style,
            "losses": dict(self.recipe.losses),
            "complete": self.recipe.complete,
        }


class Variants:
    """Paints a photo after each of some styles, one picture after the other, into a folder."""

    def __init__(
        self,
        photo: Opened,
        styles: Sequence[tuple[Opened, float | None]],
        weights: Path | None,
        folder: Path,
    ) -> None:
        """A style comes with its beta; None takes the settings'."""
        self.photo, self.styles, self._weights = photo, styles, weights
        self.folder, self._shared = folder, Shared(MOST)
        self._inits: dict[Path, Opened] = {}
        self.done: dict[str, Variant] = {}
        """{name of the file without ending: a picture that is there}."""

    def find(self, points: Iterable[Point], inputs: Sequence[str | Path], *, force: bool) -> None:
        """Find what is there already, before any work.

        UsageError where a file would take the place of an input, or without `force` of a picture
        or of the state of one with another recipe.
        """
        for point in points:
            job, file = self.job(point), self.file(point)
            if self.folder.is_dir():
                check_file(file, inputs, force=True)
            differing, found = _compared(file, job.recipe)
            if differing and not force:
                raise UsageError(
                    f"cannot write {file}: there is a picture with other {', '.join(differing)}; "
                    "choose another name for the sheet, or add --force"
                )
            if found is not None and (found.complete or not is_unfinished(file)):
                self.done[point.stem] = Variant(point, file, found)
            elif is_unfinished(file) and not resumable(file, job.recipe) and not force:
                raise UsageError(
                    f"cannot write {file}: the state of another painting is kept for it; choose "
                    "another name for the sheet, or add --force to start anew"
                )

    def paint(self, points: Sequence[Point], show: Show) -> None:
        """Paint what is not there, each as `paint` does, into the folder, which is made first.

        Raises NotEnoughMemory before any work where one of them would not fit.
        """
        missing = [point for point in points if point.stem not in self.done]
        work = [self.job(point).passed for point in missing]
        if len(missing) < len(points):
            show(Notice(f"{len(self.done)} of {len(points)} pictures are there already"))
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(self.folder, error) from error
        for number, point in enumerate(missing):
            begun, share = sum(work[:number]) / sum(work), work[number] / sum(work)
            name = f"{len(self.done) + 1} of {len(points)}, {point.title or 'painting'}"
            job, file = self.job(point), self.file(point)
            artwork = carry_out(
                job,
                file,
                _part(show, name, begun, share),
                resume=resumable(file, job.recipe),
                again=AGAIN,
                so_far=False,
            )
            variant = self.done[point.stem] = Variant(point, file, artwork.recipe)
            show(Notice(f"{file.name}: {variant.note}, {artwork.seconds:.1f} s"))

    def file(self, point: Point) -> Path:
        """Where a picture lies."""
        return self.folder / f"{point.stem}.png"

    def job(self, point: Point) -> Job:
        """The painting of a picture."""
        style, init = self.styles[point.style], point.settings.init
        return Job(
            self.photo,
            [style],
            point.settings,
            weights=self._weights,
            shared=self._shared,
            init=self._opened(init) if isinstance(init, Path) else None,
        )

    def _opened(self, init: Path) -> Opened:
        """What canvases start from, read once, as a pipe can be."""
        if init not in self._inits:
            self._inits[init] = Opened.of(init)
        return self._inits[init]


def _compared(file: Path, wanted: PaintRecipe) -> tuple[list[str], PaintRecipe | None]:
    """What the recipe of a file differs in, and the recipe if it doesn't; nothing for no file."""
    if not file.exists():
        return [], None
    try:
        found = recipe_in(file)
    except (BadRecipe, UnreadableImage):
        return ["or no recipe"], None
    if not isinstance(found, PaintRecipe):
        return ["command"], None
    differing = wanted.differences(found)
    return differing, None if differing else found


def _part(show: Show, name: str, begun: float, share: float) -> Show:
    """Shows the events of a painting as those of a part of the sweep, from a share of it on."""

    def take(event: Event) -> None:
        if isinstance(event, Step):
            show(Stage(name, begun + share * event.done))
        elif isinstance(event, Notice | RolledBack):
            show(event)

    return take

"""One artwork, from the files that go in to the file that comes out.

This is what the command line and the Python functions share: inputs are read and named, the chain
runs, its state is kept safe, and the picture is written with its recipe.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from impasto.errors import UsageError
from impasto.events import Event, Losses, Painted, Snapshot, Step
from impasto.image.picture import Picture, Source
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.made import Made, input_of
from impasto.neural.budget import peak_memory
from impasto.neural.device import choose_device, choose_precision
from impasto.neural.duration import Pace, all_seconds, level_seconds
from impasto.neural.paint import RGB, Inputs, StyleImage, work_of
from impasto.neural.paint import painting as run_chain
from impasto.neural.plan import Plan, plan_for
from impasto.neural.shared import Shared
from impasto.neural.weights import Weights
from impasto.recipe import FILTERING, PAINTING, Input, PaintRecipe, StyleInput, installed_versions
from impasto.settings import OutputSettings, PaintSettings, as_text
from impasto.sizes import dpi_of

TRIAL_SECONDS = 4.0
"""How long the machine's speed is tried for a forecast."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture that was read before, for several jobs, with where it came from."""

    source: Source
    picture: Picture

    @classmethod
    def of(cls, source: "Source | Opened") -> "Opened":
        """Read, if it isn't yet."""
        return source if isinstance(source, Opened) else cls(source, read(source))

    @property
    def input(self) -> Input:
        """As a recipe names it."""
        return input_of(self.source, self.picture)


@dataclass(frozen=True)
class Artwork(Made):
    """A painted picture and how it came about."""

    recipe: PaintRecipe
    losses: Losses
    """Every weighted term by name, float32, at the picture's own size, before enhancement."""
    steps: int
    peak_memory: int
    """Bytes that the process (on CUDA: the card) held at most."""
    complete: bool
    """False where the run had to end early and this is the best picture so far."""

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        return {
            **super().facts(),
            "steps": self.steps,
            "losses": finite(self.losses),
            "peak_memory": self.peak_memory,
            "device": self.recipe.device,
            "precision": self.recipe.precision,
            "complete": self.complete,
        }


@dataclass(frozen=True)
class Forecast:
    """What a painting will take."""

    plan: Plan
    seconds: float
    """From the start of the program to its end."""
    levels: Sequence[float]
    """Seconds of each level."""
    recipe: PaintRecipe

    def facts(self) -> dict[str, object]:
        """The same for programs: memory and disk are bytes."""
        return {
            "size": self.plan.levels[-1].size,
            "seconds": round(self.seconds, 1),
            "memory": self.plan.memory,
            "budget": self.plan.budget,
            "disk": self.plan.disk,
            "levels": [
                {
                    "size": level.size,
                    "steps": level.steps,
                    "tiles": level.tiles,
                    "kept": level.kept,
                    "memory": level.memory,
                    "disk": level.disk,
                    "seconds": round(seconds, 1),
                }
                for level, seconds in zip(self.plan.levels, self.levels, strict=True)
            ],
            "tiles": self.plan.levels[-1].tiles,
            "device": self.recipe.device,
            "precision": self.recipe.precision,
        }


class Job:
    """One painting to be made: everything is read and checked when it is created."""

    beside = 0
    """Bytes that whoever takes the events comes to hold meanwhile, as a film's frames."""

    def __init__(
        self,
        photo: Source | Opened,
        styles: Sequence[tuple[Source | Opened, float | None]],
        settings: PaintSettings,
        output: OutputSettings | None = None,
        weights: Path | None = None,
        shared: Shared | None = None,
        init: Opened | None = None,
    ) -> None:
        """Each style comes with its beta; None takes the settings'.

        `shared`: what other jobs have made and this one may use, and the other way round. `init`:
        the picture that the settings name, if it was read before.
        """
        if not styles:
            raise UsageError("no style picture: give at least one with --style")
        self._began = time.perf_counter()
        self._steps = 0
        self.settings = settings
        opened = Opened.of(photo)
        self.photo = opened.picture
        sources = [Opened.of(source) for source, _ in styles]
        pictures = [source.picture for source in sources]
        betas = [settings.beta if beta is None else beta for _, beta in styles]
        if init is None and isinstance(settings.init, Path):
            init = Opened.of(settings.init)
        names = distinct([picture.name for picture in pictures])
        self._shared = shared or Shared()
        self._weights = self._shared.weights(weights)
        self._inputs = Inputs(
            self.photo.rgb,
            [
                StyleImage(name, beta, picture.rgb, picture.sha256)
                for name, beta, picture in zip(names, betas, pictures, strict=True)
            ],
            init.picture.rgb if init is not None else None,
            self.photo.sha256,
        )
        self.recipe = recipe_for(
            opened.input,
            [
                StyleInput(beta=beta, **dict(source.input))
                for source, beta in zip(sources, betas, strict=True)
            ],
            init.input if init is not None else None,
            weights_input(self._weights, weights),
            settings,
            output or OutputSettings(),
        )

    @property
    def passed(self) -> int:
        """Pixels that will pass through the network: of each level's canvas, once a step.

        Raises NotEnoughMemory where it would not fit.
        """
        levels = plan_for(work_of(self._inputs, self.settings, self.beside)).levels
        return sum(math.prod(level.size) * level.steps for level in levels)

    def forecast(self, seconds: float = TRIAL_SECONDS) -> Forecast:
        """What painting it would take, by trials of this machine's speed that take so long.

        Raises NotEnoughMemory where it would not fit.
        """
        work = work_of(self._inputs, self.settings, self.beside)
        plan = plan_for(work)
        pace = Pace.measured(work, self._weights, seconds)
        levels = level_seconds(work, plan, pace)
        return Forecast(plan, all_seconds(work, levels), levels, self.recipe)

    def events(self, resume: Snapshot | None = None) -> Iterator[Event]:
        """Run the chain."""
        chain = run_chain(
            self._inputs, self.settings, self._weights, resume, self._shared, beside=self.beside
        )
        for event in chain:
            if isinstance(event, Step):
                self._steps = event.taken
            yield event

    def finished(self, event: Painted) -> Artwork:
        """The artwork that the chain's last event brings."""
        return self._artwork(event.picture, event.losses, event.complete)

    def unfinished(self, event: Step) -> Artwork:
        """The artwork as it is after a step, at the size it is to have."""
        return self._artwork(event.whole(), event.losses, complete=False)

    def _artwork(self, rgb: RGB, losses: Losses, complete: bool) -> Artwork:
        height, width = rgb.shape[:2]
        alpha = self.photo.alpha
        if alpha is not None:
            alpha = resize(alpha[:, :, None], width, height)[:, :, 0]
        if self.settings.enhance == "auto":
            from impasto.image.adjust import enhance
            from impasto.image.auto import auto

            rgb = enhance(rgb, auto(rgb, alpha), alpha=alpha)
        dpi = dpi_of(self.settings.size)
        metadata = self.photo.metadata
        if dpi is not None:
            metadata = replace(metadata, dpi=(dpi, dpi))
        losses = {**losses, "total": sum(losses.values())}
        outcome = {"complete": complete, "losses": finite(losses)}
        return Artwork(
            picture=replace(self.photo, rgb=rgb, alpha=alpha, metadata=metadata),
            losses=losses,
            recipe=self.recipe.model_copy(update=outcome),
            steps=self._steps,
            seconds=time.perf_counter() - self._began,
            peak_memory=peak_memory(choose_device(self.settings.device)),
            complete=complete,
        )


def recipe_for(
    photo: Input,
    styles: Sequence[StyleInput],
    init: Input | None,
    weights: Input,
    settings: PaintSettings,
    output: OutputSettings,
) -> PaintRecipe:
    """The recipe of a picture that is yet to be painted by this process."""
    device = choose_device(settings.device)
    dtype = choose_precision(settings.precision, device)
    return PaintRecipe(
        photo=photo,
        styles=tuple(styles),
        init=init,
        weights=weights,
        settings=settings,
        output=output,
        device=str(device),
        precision=str(dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        versions=installed_versions(packages_of(settings)),
    )


def weights_input(weights: Weights, path: Path | None) -> Input:
    """Weights as a recipe names them; `path` is where they were read from, None for the usual."""
    return Input(path=weights.source if path is None else as_text(path), sha256=weights.sha256)


def finite(losses: Losses) -> dict[str, float | None]:
    """Losses for JSON, which has no numbers that are not finite."""
    return {name: loss if math.isfinite(loss) else None for name, loss in losses.items()}


def packages_of(settings: PaintSettings) -> Sequence[str]:
    """The packages whose versions a recipe with these settings names."""
    return PAINTING if settings.enhance == "none" else tuple(dict.fromkeys(PAINTING + FILTERING))


def distinct(names: Sequence[str]) -> list[str]:
    """The same, numbered where two are alike: starry, starry-2."""
    found: list[str] = []
    for name in names:
        numbered, count = name, 1
        while numbered in found:
            count += 1
            numbered = f"{name}-{count}"
        found.append(numbered)
    return found

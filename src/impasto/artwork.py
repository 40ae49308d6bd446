"""One artwork, from the files that go in to the file that comes out.

This is what the command line and the Python functions share: inputs are read and named, the chain
runs, its state is kept safe, and the picture is written with its recipe.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from impasto.errors import UsageError
from impasto.events import Event, Losses, Painted, Snapshot, Step
from impasto.image.picture import STANDARD_STREAM, Picture, Source
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.image.srgb import to_bits
from impasto.image.write import check_output, write
from impasto.neural.device import choose_device, choose_precision, peak_memory
from impasto.neural.paint import RGB, Inputs, StyleImage
from impasto.neural.paint import painting as run_chain
from impasto.neural.weights import load_weights
from impasto.recipe import Input, Recipe, StyleInput, installed_versions
from impasto.settings import OutputSettings, PaintSettings


@dataclass(frozen=True)
class Artwork:
    """A painted picture and how it came about."""

    picture: Picture
    losses: Losses
    """Every weighted term by name, float32, at the picture's own size."""
    recipe: Recipe
    steps: int
    seconds: float
    peak_memory: int
    """Bytes that the process (on CUDA: the card) held at most."""
    complete: bool
    """False where the run had to end early and this is the best picture so far."""

    @property
    def image(self) -> Image.Image:
        """The picture as Pillow has it, RGB or RGBA, 8 bits a channel."""
        planes = self.picture.rgb
        if self.picture.alpha is not None:
            planes = np.dstack([planes, self.picture.alpha])
        return Image.fromarray(to_bits(planes, 8))

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs; JSON has no numbers that are not finite."""
        return {
            "size": self.picture.size,
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
            "losses": {k: x if math.isfinite(x) else None for k, x in self.losses.items()},
            "peak_memory": self.peak_memory,
            "device": self.recipe.device,
            "precision": self.recipe.precision,
            "complete": self.complete,
        }

    def save(
        self,
        output: str | Path,
        settings: OutputSettings | None = None,
        *,
        force: bool = False,
    ) -> None:
        """Write the picture with its recipe; `force` replaces an existing file."""
        settings = settings or self.recipe.output
        check_output(output, (), force=force, settings=settings)
        recipe = self.recipe.model_copy(update={"output": settings})
        write(self.picture, output, settings, recipe.to_json())


class Job:
    """One painting to be made: everything is read and checked when it is created."""

    def __init__(
        self,
        photo: Source,
        styles: Sequence[tuple[Source, float | None]],
        settings: PaintSettings,
        output: OutputSettings | None = None,
        weights: Path | None = None,
    ) -> None:
        """Each style comes with its beta; None takes the settings'."""
        if not styles:
            raise UsageError("no style picture: give at least one with --style")
        self._began = time.perf_counter()
        self._steps = 0
        self.settings = settings
        self.photo = read(photo)
        pictures = [read(source) for source, _ in styles]
        betas = [settings.beta if beta is None else beta for _, beta in styles]
        init = read(settings.init) if isinstance(settings.init, Path) else None
        self._weights = load_weights(weights)
        self._inputs = Inputs(
            self.photo.rgb,
            [
                StyleImage(name, beta, picture.rgb)
                for name, beta, picture in zip(distinct(pictures), betas, pictures, strict=True)
            ],
            init.rgb if init is not None else None,
        )
        device = choose_device(settings.device)
        dtype = choose_precision(settings.precision, device)
        self.recipe = Recipe(
            photo=_input(photo, self.photo),
            styles=tuple(
                StyleInput(beta=beta, **dict(_input(source, picture)))
                for (source, _), beta, picture in zip(styles, betas, pictures, strict=True)
            ),
            init=_input(settings.init, init) if init is not None else None,
            weights=Input(
                path=self._weights.source if weights is None else as_text(weights),
                sha256=self._weights.sha256,
            ),
            settings=settings,
            output=output or OutputSettings(),
            device=str(device),
            precision=str(dtype).removeprefix("torch."),
            threads=torch.get_num_threads(),
            versions=installed_versions(),
        )

    def events(self, resume: Snapshot | None = None) -> Iterator[Event]:
        """Run the chain."""
        for event in run_chain(self._inputs, self.settings, self._weights, resume):
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
        return Artwork(
            picture=replace(self.photo, rgb=rgb, alpha=alpha),
            losses={**losses, "total": sum(losses.values())},
            recipe=self.recipe.model_copy(update={"complete": complete}),
            steps=self._steps,
            seconds=time.perf_counter() - self._began,
            peak_memory=peak_memory(choose_device(self.settings.device)),
            complete=complete,
        )


def distinct(pictures: Sequence[Picture]) -> list[str]:
    """The pictures' names, numbered where two are alike: starry, starry-2."""
    names: list[str] = []
    for picture in pictures:
        name, count = picture.name, 1
        while name in names:
            count += 1
            name = f"{picture.name}-{count}"
        names.append(name)
    return names


def _input(source: Source, picture: Picture) -> Input:
    """A file by its path as given, for pictures travel and a full one tells of its maker's disk."""
    named = isinstance(source, str | Path) and str(source) != STANDARD_STREAM
    return Input(path=as_text(source) if named else picture.name, sha256=picture.sha256)


def as_text(path: object) -> str:
    """A path that may hold bytes which are no text, as POSIX allows, for JSON."""
    return str(path).encode("utf-8", "backslashreplace").decode()

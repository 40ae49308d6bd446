"""The chain: pictures in, targets, descent level by level, a picture out."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import BadWeights, NotEnoughMemory, ran_out
from impasto.events import Event, LevelDone, Painted, RolledBack, Snapshot, Started, Step
from impasto.image.picture import MIN_SIDE
from impasto.image.resize import fit, resize
from impasto.neural.device import choose_device, choose_precision
from impasto.neural.memory import require_memory
from impasto.neural.objective import Objective, Style, Targets
from impasto.neural.optimise import Arrays, NotFinite, Optimiser, make_optimiser
from impasto.neural.pyramid import Size, enlarged, level_sizes
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings

PATIENCE = 5
"""Attempts at a step without finite values after which a run ends with the best picture so far."""

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""


@dataclass(frozen=True)
class StyleImage:
    """A style picture, the name of its losses, and its weight beta."""

    name: str
    beta: float
    rgb: RGB


@dataclass(frozen=True)
class Inputs:
    """The pictures of a run; `init` is what the canvas starts from if the settings name a file."""

    photo: RGB
    styles: Sequence[StyleImage]
    init: RGB | None = None

    def __post_init__(self) -> None:
        names = [style.name for style in self.styles]
        if len(set(names)) < len(names):
            raise ValueError(f"styles need names of their own, not {', '.join(names)}")


def painting(
    inputs: Inputs, settings: PaintSettings, weights: Weights, resume: Snapshot | None = None
) -> Iterator[Event]:
    """Paint; the last event is `Painted`.

    The same on one machine, version and number of threads, whether resumed or not.
    Raises NotEnoughMemory before any work where the picture can't fit, or when it did not.
    """
    try:
        yield from Run(inputs, settings, weights).events(resume)
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        width, height = fitted(inputs.photo, settings.size)
        raise NotEnoughMemory(
            f"memory ran out while painting {width}x{height} px; "
            "choose a smaller --size, or end other programs"
        ) from error


def fitted(rgb: RGB, long_side: int | Literal["full"]) -> Size:
    """(width, height) of a picture once its long side is that many px; "full" is its own."""
    height, width = rgb.shape[:2]
    return fit(width, height, max(width, height) if long_side == "full" else long_side)


@dataclass(frozen=True)
class Done:
    """What a level leaves; `change` is what it did to the start."""

    level: int
    canvas: Tensor
    change: Tensor
    curvature: Tensor | None
    targets: Targets
    complete: bool
    """False where it ended for want of finite values."""


class Run:
    """One run of the chain: what holds for all its levels."""

    def __init__(self, inputs: Inputs, settings: PaintSettings, weights: Weights) -> None:
        self.inputs, self.settings = inputs, settings
        self.sizes = level_sizes(*fitted(inputs.photo, settings.size), settings)
        coarse = [settings.coarse_steps] * (len(self.sizes) - 1)
        self.steps = [*coarse, settings.steps]
        device = choose_device(settings.device)
        dtype = choose_precision(settings.precision, device)
        require_memory(self.sizes[-1], self.style_sizes(len(self.sizes)), device, dtype)
        require_layers(weights, settings)
        torch.backends.cudnn.allow_tf32 = False  # float32 means float32 on CUDA too
        self.network = VGG19(weights, dtype, device, settings.pooling)
        # Targets and losses of the final size are float32 whatever the descent runs in.
        self.exact = self.network
        if dtype != torch.float32:
            self.exact = VGG19(weights, torch.float32, device, settings.pooling)

    def events(self, resume: Snapshot | None) -> Iterator[Event]:
        """Level by level; each hands its change of the start, and its curvature, to the next."""
        yield Started(
            size=self.sizes[-1],
            levels=self.sizes,
            steps=sum(self.steps),
            device=str(self.network.device),
            precision=str(self.network.dtype).removeprefix("torch."),
        )
        done: Done | None = None
        for level in range(resume.level if resume is not None else 1, len(self.sizes) + 1):
            done = yield from self.level(level, done, resume)
            if not done.complete:
                break
        if done is None:
            raise ValueError(f"no level {resume.level if resume else 1} to resume at")
        yield self.finished(done)

    def level(
        self, number: int, before: Done | None, resume: Snapshot | None
    ) -> Generator[Event, None, Done]:
        """One level, from what the level before it left."""
        start, targets = self.start(number), self.targets(number)
        objective = Objective(self.network, targets, self.settings)
        canvas, curvature = start, None
        if before is not None:
            canvas, curvature = changed(start, before.change), before.curvature
        optimiser = make_optimiser(objective, canvas, self.settings, curvature)
        begun = 0
        if resume is not None and resume.level == number:
            optimiser.restore(self.tensors(resume))
            begun = resume.step
        complete = yield from self.descend(optimiser, number, begun, start)
        canvas = optimiser.canvas
        yield LevelDone(number, to_rgb(canvas))
        return Done(number, canvas, canvas - start, optimiser.curvature(), targets, complete)

    def finished(self, done: Done) -> Painted:
        """The picture at its final size, also where the last level could not be reached."""
        canvas, targets, final = done.canvas, done.targets, len(self.sizes)
        if done.level < final:
            canvas, targets = changed(self.start(final), done.change), self.targets(final)
        losses = Objective(self.exact, targets, self.settings).losses(canvas)
        return Painted(to_rgb(canvas), losses, done.complete)

    def descend(
        self, optimiser: Optimiser, level: int, begun: int, start: Tensor
    ) -> Generator[Event, None, bool]:
        """The level's steps from `begun` on; whether all of them could be taken."""
        areas = [width * height for width, height in self.sizes]
        work = [area * steps for area, steps in zip(areas, self.steps, strict=True)]
        for step in range(begun + 1, self.steps[level - 1] + 1):
            losses = yield from attempt(optimiser, level, step)
            if losses is None:
                return False
            yield Step(
                level=level,
                step=step,
                taken=sum(self.steps[: level - 1]) + step,
                done=(sum(work[: level - 1]) + areas[level - 1] * step) / sum(work),
                losses=losses,
                picture=partial(to_rgb, optimiser.canvas),
                whole=partial(self.whole, level, start, optimiser.canvas),
                snapshot=partial(snapshot, optimiser.arrays(), level, step),
            )
        return True

    def start(self, level: int) -> Tensor:
        """What the canvas of a level starts from, before the coarser levels' change, (1, 3, H, W).

        White noise is drawn for the final size, so that every level starts from the same.
        """
        if self.settings.init == "noise":
            width, height = self.sizes[-1]
            generator = torch.Generator().manual_seed(self.settings.seed)
            noise = torch.rand((height, width, 3), generator=generator).numpy()
            return self.tensor(noise, self.sizes[level - 1])
        init = self.inputs.init if self.inputs.init is not None else self.inputs.photo
        return self.tensor(init, self.sizes[level - 1])

    def targets(self, level: int) -> Targets:
        """The targets of a level; in float32 at the final size."""
        network = self.exact if level == len(self.sizes) else self.network
        styles = (
            Style(style.name, style.beta, self.tensor(style.rgb, size))
            for style, size in zip(self.inputs.styles, self.style_sizes(level), strict=True)
        )
        photo = self.tensor(self.inputs.photo, self.sizes[level - 1])
        return Targets.of(network, photo, styles, self.settings)

    def style_sizes(self, level: int) -> list[Size]:
        """The size of each style at a level."""
        long_side = round(max(self.sizes[level - 1]) * self.settings.style_scale)
        return [fitted(style.rgb, max(MIN_SIDE, long_side)) for style in self.inputs.styles]

    def tensor(self, rgb: RGB, size: Size) -> Tensor:
        """A picture at a size, on the device, (1, 3, H, W)."""
        planes = np.moveaxis(resize(rgb, *size), 2, 0)
        return torch.from_numpy(np.ascontiguousarray(planes))[None].to(self.network.device)

    def tensors(self, resume: Snapshot) -> dict[str, Tensor]:
        """A snapshot's arrays, copied: sums round by where their values lie.

        Pictures go to the device; single numbers don't, for not every device has float64.
        """
        place = self.network.device
        return {
            k: torch.tensor(array, device=place if array.ndim == 4 else None)
            for k, array in resume.arrays.items()
        }

    def whole(self, level: int, start: Tensor, canvas: Tensor) -> RGB:
        """A level's canvas as the picture would be if the run ended there, at the final size."""
        if level == len(self.sizes):
            return to_rgb(canvas)
        return to_rgb(changed(self.start(len(self.sizes)), canvas - start))


def require_layers(weights: Weights, settings: PaintSettings) -> None:
    """Raise BadWeights where the settings name a layer that the weights end before."""
    for layer in (*settings.content_layers, *settings.style_layers):
        if layer not in weights.layers:
            raise BadWeights(
                f"the weights {weights.source} have no {layer}: they end at {max(weights.layers)}; "
                "choose other layers, or give complete weights"
            )


def attempt(
    optimiser: Optimiser, level: int, step: int
) -> Generator[Event, None, dict[str, float] | None]:
    """Take a step, again and again until its values are finite; its losses, None if patience ends.

    A step that is tried again doesn't count twice.
    """
    for failures in range(1, PATIENCE + 1):
        try:
            return optimiser.step()
        except NotFinite:
            yield RolledBack(level, step, failures)
    return None


def changed(start: Tensor, change: Tensor) -> Tensor:
    """A level's start with the change that a coarser one made to its own."""
    size = start.shape[3], start.shape[2]
    return (start + enlarged(change, size)).clamp_(0, 1)


def snapshot(arrays: Arrays, level: int, step: int) -> Snapshot:
    """What `painting` needs to go on from here."""
    return Snapshot(level, step, {k: x.cpu().numpy() for k, x in arrays.items()})


def to_rgb(canvas: Tensor) -> RGB:
    """(1, 3, H, W) -> (H, W, 3)."""
    return np.ascontiguousarray(canvas[0].permute(1, 2, 0).cpu().numpy())

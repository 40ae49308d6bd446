"""A picture that follows others, as a frame of a film: held to what they show, and soon done."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.events import Event, Painted
from impasto.image.resize import resize
from impasto.neural.lbfgs import LBFGS
from impasto.neural.losses import energy, temporal_loss
from impasto.neural.objective import FRESH, PULL, Evaluation, Objective, Targets
from impasto.neural.optimise import Optimiser
from impasto.neural.paint import RGB, Done, Inputs, Run, learned, painting, to_rgb
from impasto.neural.pyramid import Size
from impasto.neural.shared import Shared
from impasto.neural.tiles import Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings

TEMPORAL = "temporal"
"""Name of the loss."""

FAINT = 1e-4
"""Mean square of a picture that the temporal loss is relative to at least."""

RAW = 2.0
"""How much further from the style than a whole picture what is fresh in it may be in the end: a
small part can't have all that a style has."""


@dataclass(frozen=True)
class Followed:
    """What came before a picture.

    picture: what it should look like, (H, W, 3), as far as `held`, (H, W), from 0 to 1.
    fresh: where it has to come into the style yet, (H, W), from 0 to 1.
    weight: of the temporal loss. goal: the style loss at which it is good enough.
    curvature: what a descent before it learned, (3, bands).
    """

    picture: RGB
    held: NDArray[np.float32]
    fresh: NDArray[np.float32]
    weight: float
    goal: float
    curvature: NDArray[np.float32] | None = None


def following(
    inputs: Inputs, followed: Followed, settings: PaintSettings, weights: Weights, shared: Shared
) -> Iterator[Event]:
    """Paint from `inputs.init`, as `painting` does; the losses are of the descent's precision."""
    run = partial(Following, followed=followed)
    return painting(inputs, settings, weights, shared=shared, run=run)


def style_loss(losses: Mapping[str, float]) -> float:
    """Of all styles and layers together."""
    return sum(value for name, value in losses.items() if name.startswith("style/"))


class Following(Run):
    """A run that ends as soon as the picture is good enough."""

    def __init__(self, *args: Any, followed: Followed) -> None:
        super().__init__(*args)
        # What frames are held to is each other: their losses are for the goal alone.
        self.exact = self.network
        self._followed = followed
        self._best: Mapping[str, float] = {}
        self._curvature: Tensor | None = None
        if followed.curvature is not None:
            self._curvature = torch.from_numpy(followed.curvature).to(self.network.device)

    def objective(self, targets: Targets, level: int) -> Objective:
        """With the temporal loss."""
        self._best = {}
        size, tiling = self.sizes[level - 1], self.room.tiling(level)
        return Held(self._followed, size, self.network, targets, self.settings, tiling)

    def optimiser(self, objective: Objective, level: int) -> Optimiser:
        """From the curvature that was learned before."""
        if level > 1 or self.settings.optimizer == "adam":
            return super().optimiser(objective, level)
        folder = self.room.tiling(level).folder
        return LBFGS(objective, self.start(level), self._curvature, folder)

    def enough(self, losses: Mapping[str, float]) -> bool:
        """Whether the best so far is good enough, and what is fresh in it nearly so."""
        if not self._best or sum(losses.values()) <= sum(self._best.values()):
            self._best = losses
        fresh = self._best.get(FRESH, 0.0) / max(PULL * float(self._followed.fresh.mean()), 1e-9)
        goal = self._followed.goal
        return style_loss(self._best) <= goal and fresh <= RAW * goal

    def finished(self, done: Done) -> Painted:
        """The picture; what is known of its losses is enough."""
        return Painted(to_rgb(done.canvas), self._best, done.complete, learned(done))


class Held(Objective):
    """Content, style and temporal loss, and the style of what is fresh by itself."""

    def __init__(
        self,
        followed: Followed,
        size: Size,
        network: VGG19,
        targets: Targets,
        settings: PaintSettings,
        tiling: Tiling,
    ) -> None:
        pictures = followed.picture, followed.held[..., None], followed.fresh[..., None]
        self._picture, self._held, fresh = (
            torch.from_numpy(resize(picture, *size)).permute(2, 0, 1)[None].to(network.device)
            for picture in pictures
        )
        super().__init__(
            network, targets, settings, tiling, fresh if followed.fresh.any() else None
        )
        # Of a black picture the loss would be infinite.
        least = FAINT * self._picture.numel()
        self._scale = followed.weight / max(energy(self._picture), least)

    def evaluate(self, canvas: Tensor) -> Evaluation:
        """The named losses of a canvas (1, 3, H, W) and the gradient of their sum."""
        found = super().evaluate(canvas)
        if self._scale == 0:
            return found
        value, slope = temporal_loss(canvas, self._picture, self._held, self._scale)
        return Evaluation(found.losses | {TEMPORAL: float(value)}, found.gradient.add_(slope))

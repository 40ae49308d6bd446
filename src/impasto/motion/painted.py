"""Frames painted so that each follows those before it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.events import Event, Painted, Step
from impasto.motion.coherence import Known, Mask, known, start
from impasto.motion.coherence_settings import REACH, CoherenceSettings
from impasto.motion.effect import RGB, Arrays, NewFrame, Past
from impasto.neural.following import Followed, following, style_loss
from impasto.neural.paint import Inputs, StyleImage, painting
from impasto.neural.shared import Shared
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings

FEW = 0.01
"""Share of a frame that is too little to be worked on for its own sake."""

RIPE = 32
"""Evaluations after which what was new in a frame is held as what has always been there."""

CLOSE = 1.02
"""A frame is done when its style loss is so many times that of the first one of its shot. Going on
where there is time weaves a fine grid into what stands still."""


@dataclass(frozen=True)
class MovingStyle:
    """A style whose weight may change from the beginning of the film to its end."""

    name: str
    rgb: RGB
    begins: float
    ends: float
    sha256: str = ""

    def at(self, moment: float) -> StyleImage:
        """As it is at a moment, 0 to 1."""
        beta = self.begins + (self.ends - self.begins) * moment
        return StyleImage(self.name, beta, self.rgb, self.sha256)


def following_settings(settings: PaintSettings, coherence: CoherenceSettings) -> PaintSettings:
    """Those of frames that follow others.

    Adam's last canvas is not its best, so it would change what stands still.
    """
    return settings.updated(
        {
            "size": "full",
            "init": "photo",
            "optimizer": "lbfgs",
            "levels": 1,
            "steps": coherence.frame_steps,
        }
    )


class PaintedFrames:
    """Paints: the first frame of a shot like any picture, those that follow from those before.

    Ruder et al. 2016: optical flow forth and back, a start from the warped result, a temporal loss.
    """

    reach: Sequence[int] = REACH

    def __init__(
        self,
        styles: Sequence[MovingStyle],
        settings: PaintSettings,
        coherence: CoherenceSettings,
        weights: Weights,
        shared: Shared,
    ) -> None:
        self._styles, self._coherence = styles, coherence
        self._weights, self._shared = weights, shared
        self._first = settings.updated({"size": "full"})
        self._next = following_settings(settings, coherence)
        self._turning = any(style.begins != style.ends for style in styles)

    def frame(
        self, photo: RGB, past: Mapping[int, Past], moment: float
    ) -> Iterator[Event | NewFrame]:
        """Paint a frame."""
        inputs = Inputs(photo, [style.at(moment) for style in self._styles])
        if past:
            nearest, *others = sorted(past)
            last = past[nearest]
            before, earlier = last.kept, (past[back] for back in others)
            found = known(photo, chain([last], earlier), self._coherence.flow)
            inputs = replace(inputs, init=start(photo, found))
            held = found.visible * found.ripe
            followed = self._followed(found, held, before)
            events = following(inputs, followed, self._next, self._weights, self._shared)
        else:
            held, before = None, {}
            events = painting(inputs, self._first, self._weights, shared=self._shared)
        steps = 0
        for event in events:
            yield event
            if isinstance(event, Step):
                steps += 1
            elif isinstance(event, Painted):
                kept = self._left(event, steps, before, held)
                yield NewFrame(event.picture, event.losses, steps, kept)

    def _followed(self, found: Known, held: Mask, before: Arrays) -> Followed:
        fresh = 1 - held if 1 - held.mean() > FEW else np.zeros_like(held)
        # While styles turn into others, what was reached says nothing about what can be.
        goal = 0.0 if self._turning else CLOSE * float(before["reached"])
        weight, curvature = self._coherence.coherence, before.get("curvature")
        return Followed(found.picture, held, fresh, weight, goal, curvature)

    def _left(self, painted: Painted, steps: int, before: Arrays, held: Mask | None) -> Arrays:
        """For the frames that follow: the loss to reach, and what was learned."""
        curvature = painted.curvature if painted.curvature is not None else before.get("curvature")
        kept: dict[str, NDArray[Any]] = {} if curvature is None else {"curvature": curvature}
        if held is None:
            return kept | {"reached": np.array(style_loss(painted.losses))}
        kept["reached"] = before["reached"]
        if steps == self._coherence.frame_steps or 1 - held.mean() <= FEW:
            ripe = (held + steps / RIPE).clip(0, 1)
            kept["ripe"] = (255 * ripe).round().astype(np.uint8)
        return kept

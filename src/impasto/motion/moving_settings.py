"""The settings of a picture that is set in motion."""

import math
from typing import Annotated

from pydantic import BeforeValidator, Field

from impasto.settings import Settings
from impasto.sizes import Size, normal

MOST_RATE = 50
"""Frames a second: what is shown for less than 0.02 s, browsers show for 0.1."""


class MovingSettings(Settings):
    """How a still picture moves along its strokes."""

    size: Annotated[Size, BeforeValidator(normal)] = Field(
        640, description="size as of paint; at most the picture's own"
    )
    seconds: float = Field(4.0, ge=0.5, le=60, description="length of the loop")
    fps: float = Field(25.0, ge=5, le=MOST_RATE, description="frames a second")
    distance: float = Field(
        0.02,
        gt=0,
        le=1,
        description="how far paint gets in a loop, as a share of the longer side",
    )
    scale: float = Field(
        0.008,
        ge=0.001,
        le=0.1,
        description="how far strokes are smoothed to find their direction, as a share of the "
        "longer side",
    )

    @property
    def frames(self) -> int:
        """Of the loop: as many as are wanted, but none of them too short."""
        most = math.floor(round(self.seconds * MOST_RATE, 6))  # 0.58 s have 29 and not 28.999…
        return min(round(self.seconds * self.fps), most)

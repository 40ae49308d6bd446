"""The settings of a picture that is set in motion."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from impasto.settings import Settings
from impasto.sizes import Size, normal


class MovingSettings(Settings):
    """How a still picture moves along its strokes."""

    size: Annotated[Size, BeforeValidator(normal)] = Field(
        640, description="size as of paint; at most the picture's own"
    )
    seconds: float = Field(4.0, ge=0.5, le=60, description="length of the loop")
    fps: float = Field(25.0, ge=5, le=50, description="frames a second")
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
        """Of the loop."""
        return round(self.seconds * self.fps)

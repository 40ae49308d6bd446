"""The settings of an animation made of photos."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from impasto.motion.video_settings import EffectName
from impasto.settings import Settings
from impasto.sizes import Size, normal

Order = Literal["name", "time", "given"]
Fit = Literal["crop", "pad", "stretch"]
Loop = Literal["forward", "bounce"]


class AnimateSettings(Settings):
    """What is made of photos, and how they follow one another."""

    effect: EffectName = Field("paint", description="what is made of the frames")
    size: Annotated[Size, BeforeValidator(normal)] = Field(
        800, description="size of the frames, as of paint; 'full' is that of the photos"
    )
    order: Order = Field(
        "name",
        description="order of the photos: by name, img_2 before img_10; by the time they were "
        "taken; or as they are given",
    )
    fps: float = Field(10.0, ge=0.05, le=50, description="photos a second")
    loop: Loop = Field("forward", description="how it goes on at the end: anew, or back and forth")
    align: bool = Field(
        False, description="lay the photos of a hand-held burst onto one another first"
    )
    fit: Fit | None = Field(
        None,
        description="what becomes of photos of other sizes than most: crop, pad (with black) or "
        "stretch; without it they are refused",
    )

"""The settings that decide how frames follow one another."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from impasto.settings import Settings, Weight, whole

Method = Literal["dis", "farneback", "tvl1"]
"""Of optical flow: Kroeger et al. 2016, Farnebäck 2003, Zach et al. 2007."""

REACH = 1, 2, 4, 8
"""How far back frames are asked; Ruder et al. 2016 take 1, 10, 20 and 40."""


class CoherenceSettings(Settings):
    """How frames after the first of a shot follow those before them."""

    coherence: Weight = Field(
        15.0, description="weight of the temporal loss, which holds frames to those before them"
    )
    frame_steps: Annotated[int, BeforeValidator(whole), Field(ge=1, le=10_000)] = Field(
        32, description="most evaluations for a frame that follows others; calm ones take fewer"
    )
    flow: Method = Field("dis", description="method of optical flow: dis, farneback or tvl1")

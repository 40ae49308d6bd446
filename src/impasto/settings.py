"""The one place where an option, its range, its unit and its default live.

The command line, the recipe inside a picture and the Python functions are all derived from these.
"""

import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

CONV_COUNTS = (2, 2, 4, 4, 4)
"""Convolutions in each of VGG-19's five blocks."""

LAYERS = tuple(
    f"relu{block}_{number}"
    for block, count in enumerate(CONV_COUNTS, 1)
    for number in range(1, count + 1)
)
"""The names of VGG-19's feature maps, shallow to deep."""

STYLE_LAYERS = {"relu1_1": 1.0, "relu2_1": 0.8, "relu3_1": 0.5, "relu4_1": 0.3, "relu5_1": 0.1}
"""Gatys et al. 2015 use these five; the article weighs the early ones more."""

CONTENT_LAYERS = {"relu4_2": 1.0}

MAX_PIXELS = 256_000_000
"""Larger pictures are refused from their header alone: a small file may claim to be huge."""


class OutputSettings(BaseModel):
    """How a picture is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    depth: Literal[8, 16] = Field(8, description="bits a channel; 16 for PNG and TIFF only")
    quality: int = Field(92, ge=1, le=100, description="of JPEG and WebP, 1 to 100")
    lossless: bool = Field(False, description="lossless WebP")
    strip: bool = Field(False, description="leave out capture metadata, resolution and recipe")

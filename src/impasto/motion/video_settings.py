"""The settings of a video: which part of a clip, what is made of it, and how the work is done."""

import math
import os
import re
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from impasto.errors import UsageError
from impasto.settings import Settings, Weight, whole
from impasto.sizes import FULL, Size, normal

EffectName = Literal["paint", "quantize", "superpixels"]

CLOCK = re.compile(r"(?:(?:([0-9]{1,6}):)?([0-9]{1,2}):)?([0-9]{1,9}(?:\.[0-9]{1,9})?)")
"""Hours, minutes, seconds."""


def parse_time(value: object) -> object:
    """`75.5`, `1:15.5` or `0:01:15.5` -> 151/2 s, exactly."""
    if isinstance(value, Fraction):
        return value
    found = CLOCK.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"must be a time such as 75.5, 1:15.5 or 0:01:15.5, not {value}")
    hours, minutes, seconds = (Fraction(part or 0) for part in found.groups())
    if found[2] is not None and seconds >= 60:
        raise ValueError(f"must have less than 60 seconds after its minutes, not {value}")
    return 3600 * hours + 60 * minutes + seconds


def time_text(value: Fraction | None) -> str | None:
    """A time for JSON."""
    return None if value is None else str(value)


Time = Annotated[
    Fraction | None,
    BeforeValidator(lambda value: value if value is None else parse_time(value)),
    PlainSerializer(time_text, when_used="json"),
]
"""Seconds."""


class VideoSettings(Settings):
    """Which part of a clip, and what is made of it."""

    effect: EffectName = Field("paint", description="what is made of the frames")
    size: Annotated[Size, BeforeValidator(normal)] = Field(
        FULL, description="size as of paint; 'full' is the clip's own"
    )
    from_: Time = Field(
        None, description="time at which to begin, as 75.5 or 1:15.5; none is the beginning"
    )
    to: Time = Field(None, description="time at which to end; none is the end of the clip")
    every: Annotated[int, Field(ge=1, le=100_000)] = Field(
        1, description="take one frame out of so many"
    )

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.to is not None and self.to <= (self.from_ or 0):
            raise ValueError("--to must lie after --from, and after 0")
        return self


class WorkSettings(Settings):
    """How the work is done; the film is the same, at equal threads."""

    workers: Annotated[
        Annotated[int, Field(ge=1, le=1024)] | Literal["auto"], BeforeValidator(whole)
    ] = Field(
        "auto",
        description="shots that are made at the same time; 'auto' is one, and on a cluster as many "
        "as it has room for",
    )
    threads: Annotated[
        Annotated[int, Field(ge=1, le=1024)] | Literal["auto"], BeforeValidator(whole)
    ] = Field(
        "auto",
        description="of each worker; 'auto' shares the processors among them; on a cluster it is 1",
    )
    keep_frames: bool = Field(
        False, description="leave the frames, as PNG, in the folder beside the output"
    )


class StyleTurn(Settings):
    """A style picture, and how strongly it speaks at the beginning and at the end.

    `None` takes `PaintSettings.beta`.
    """

    path: str
    begins: Weight | None = None
    ends: Weight | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """`a.jpg`, `a.jpg=100`, or `a.jpg=100:0`; a file whose name has such an ending wins."""
        path, equals, numbers = text.rpartition("=")
        first, colon, last = numbers.partition(":")
        if not equals or os.path.exists(text):  # noqa: PTH110 (Path.exists raises on long text)
            return cls(path=text)
        try:
            begins, ends = float(first), float(last if colon else first)
        except ValueError:
            return cls(path=text)
        for beta in (begins, ends):
            if not (beta >= 0 and math.isfinite(beta)):
                raise UsageError(f"beta of {path} must be a number from 0 up, not {numbers}")
        return cls.checked({"path": path, "begins": begins, "ends": ends})

    @model_validator(mode="after")
    def _is_ever_seen(self) -> Self:
        if self.begins == self.ends == 0:
            raise ValueError(f"beta of {self.path} is 0 all the time; leave the style out")
        return self

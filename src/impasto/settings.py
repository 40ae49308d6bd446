"""The one place where an option, its range, its unit and its default live.

The command line, the recipe inside a picture and the Python functions are all derived from these.
"""

import math
import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from impasto.errors import UsageError
from impasto.quantities import LEAST, parse_memory
from impasto.sizes import Size, normal

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

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

WANTED = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than_equal": "at least {ge:g}",
    "less_than_equal": "at most {le:g}",
    "greater_than": "above {gt:g}",
}
"""Pydantic's kinds of faults in words for people: what a value must be."""

CHECKPOINT_SECONDS = 30.0
"""How often the state of a running job is kept."""

Pooling = Literal["max", "average"]


def parse_layers(value: object) -> object:
    """`relu1_1,relu2_1=0.8` -> {"relu1_1": 1.0, "relu2_1": "0.8"}."""
    if not isinstance(value, str):
        return value
    pairs = [item.partition("=") for item in value.split(",") if item.strip()]
    names = [name.strip() for name, _, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"names a layer twice: {value}")
    return {name: weight or 1.0 for name, (_, _, weight) in zip(names, pairs, strict=True)}


def known_layers(value: Mapping[str, float]) -> dict[str, float]:
    """Refuse names that VGG-19 does not have, and an empty choice; order shallow to deep."""
    unknown = [name for name in value if name not in LAYERS]
    if unknown:
        raise ValueError(f"has no layer {unknown[0]!r}; the layers are {', '.join(LAYERS)}")
    if not any(value.values()):
        raise ValueError("needs at least one layer with a weight above 0")
    return {name: value[name] for name in LAYERS if name in value}


def whole(value: object) -> object:
    """A number typed as text; pydantic converts it for numbers, but not for fixed choices."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def memory_amount(value: object) -> object:
    """`4GB` -> 4000000000."""
    return parse_memory(value) if isinstance(value, str) and value != "auto" else value


def as_text(path: object) -> str:
    """A path that may hold bytes which are no text, as POSIX allows, for JSON."""
    return str(path).encode("utf-8", "backslashreplace").decode()


FileName = Annotated[Path, PlainSerializer(as_text, when_used="json")]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
LayerWeights = Annotated[
    dict[str, Weight], BeforeValidator(parse_layers), AfterValidator(known_layers)
]


Memory = Annotated[int, Field(ge=LEAST)]
"""Bytes."""

Steps = Annotated[int, Field(ge=1, le=1_000_000)] | Literal["auto"]


class Settings(BaseModel):
    """A frozen, validated value; unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Self:
        """Settings from values that a person gave; UsageError names the first that is wrong."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = error.errors()
        if not faults[0]["loc"]:  # of settings together
            raise UsageError(_complaint(faults))
        name = str(faults[0]["loc"][0])
        if name not in cls.model_fields:
            raise UsageError(f"no setting {name!r}; there are {', '.join(cls.model_fields)}")
        own = [fault for fault in faults if fault["loc"][0] == name]
        raise UsageError(f"{name.strip('_').replace('_', '-')} {_complaint(own)}")

    def updated(self, changes: Mapping[str, Any]) -> Self:
        """A checked copy with some fields changed."""
        return self.checked(dict(self) | dict(changes))


def _complaint(faults: Sequence["ErrorDetails"]) -> str:
    """What is wrong with one setting, as the end of a sentence that begins with its name.

    A setting that may be one of several things has a fault for each.
    """
    first = faults[0]
    if first["type"] == "value_error":
        return first["msg"].removeprefix("Value error, ")
    reasons = dict.fromkeys(_wanted(fault) for fault in faults)
    part = f"{first['loc'][1]} " if first["loc"][-1] in LAYERS else ""
    return f"{part}must be {' or '.join(reasons)}, not {first['input']}"


def _wanted(fault: "ErrorDetails") -> str:
    """What a value must be; pydantic's words where there are none of ours."""
    words = WANTED.get(fault["type"])
    if words is not None:
        return words.format(**fault.get("ctx", {}))
    return fault["msg"].removeprefix("Input should be ")


class PaintSettings(Settings):
    """What picture is painted: everything but the input files decides it together with these."""

    size: Annotated[Size, BeforeValidator(normal)] = Field(
        800,
        description="long side in px, a box as 1200x800, 2K to 16K, 'full' for the photo's own "
        "size, or paper as 60x40cm@300dpi",
    )
    alpha: Weight = Field(1.0, description="weight of the content loss")
    beta: Weight = Field(100.0, description="weight of a style's loss where the style has none")
    content_layers: LayerWeights = Field(
        CONTENT_LAYERS,
        description="layers of the content loss, as relu4_2 or relu4_2=1,relu5_2=0.5",
    )
    style_layers: LayerWeights = Field(
        STYLE_LAYERS, description="layers of the style loss, as relu1_1=1,relu2_1=0.8"
    )
    style_scale: float = Field(
        1.0, ge=0.05, le=8, description="long side of the styles over that of the picture"
    )
    pooling: Pooling = Field("max", description="pooling of VGG-19")
    init: Literal["photo", "noise"] | FileName = Field(
        "photo", description="what the canvas starts from: photo, noise (white), or a picture file"
    )
    optimizer: Literal["lbfgs", "adam"] = Field("lbfgs", description="method of descent")
    learning_rate: float = Field(
        0.003, gt=0, le=1, description="step of Adam in units of the ImageNet standard deviation"
    )
    steps: Steps = Field(
        "auto",
        description="evaluations of losses and gradient at the final size; 'auto' takes 35, and "
        "fewer for more than 1024 px",
    )
    coarse_steps: Steps = Field(
        "auto",
        description="evaluations at each smaller size before it; 'auto' takes 30, and fewer for "
        "more than 1024 px",
    )
    levels: Annotated[int, Field(ge=1, le=16)] | Literal["auto"] = Field(
        "auto", description="sizes to paint at, each half the next; 'auto' starts near 128 px"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="of the white noise")
    enhance: Literal["none", "auto"] = Field(
        "none", description="enhancement of the finished picture, as impasto enhance --auto does"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to compute")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the convolutions; losses and Gram matrices are always float32"
    )
    memory: Annotated[Literal["auto"] | Memory, BeforeValidator(memory_amount)] = Field(
        "auto",
        description="most memory to take, as 4GB or 512MB; 'auto' is a safe share of what is free",
    )


class Preset(StrEnum):
    """Presets are nothing but settings."""

    DEFAULT = "default"
    ARTICLE = "article"
    GATYS = "gatys"


PRESETS: Mapping[Preset, PaintSettings] = {
    Preset.DEFAULT: PaintSettings(),
    Preset.ARTICLE: PaintSettings(
        optimizer="adam", learning_rate=0.003, steps=2000, levels=1, alpha=1, beta=100
    ),
    # Noise holds nothing of the photo, so its loss has to weigh more to bring it forth.
    Preset.GATYS: PaintSettings(init="noise", beta=20, steps=500, levels=1),
}


def preset_settings(name: str) -> PaintSettings:
    """The settings of a preset; UsageError where there is none of that name."""
    if name not in PRESETS:
        raise UsageError(f"no preset {name!r}; the presets are {', '.join(PRESETS)}")
    return PRESETS[Preset(name)]


class OutputSettings(Settings):
    """How a picture is written."""

    depth: Annotated[Literal[8, 16], BeforeValidator(whole)] = Field(
        8, description="bits a channel; 16 for PNG and TIFF only"
    )
    quality: int = Field(92, ge=1, le=100, description="of JPEG and WebP, 1 to 100")
    lossless: bool = Field(False, description="lossless WebP")
    strip: bool = Field(False, description="leave out capture metadata, resolution and recipe")


class StyleChoice(Settings):
    """A style picture and how strongly it speaks; `None` takes `PaintSettings.beta`."""

    path: str
    beta: Weight | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """`starry.jpg=45` or `starry.jpg`; a file whose own name has such an ending wins."""
        path, equals, number = text.rpartition("=")
        if not equals or os.path.exists(text):  # noqa: PTH110 (Path.exists raises on long text)
            return cls(path=text)
        try:
            beta = float(number)
        except ValueError:
            return cls(path=text)
        if not (beta >= 0 and math.isfinite(beta)):
            raise UsageError(f"beta of {path} must be a number from 0 up, not {number}")
        return cls(path=path, beta=beta)

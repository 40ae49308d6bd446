"""The settings of what is shown of the network: which maps, at which size."""

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from impasto.neural.architecture import CHANNELS, halvings
from impasto.settings import LAYERS, Pooling, Settings
from impasto.sizes import Size, normal


def known_layer(name: str) -> str:
    """Refuse what is no layer of VGG-19."""
    if name not in LAYERS:
        raise ValueError(f"must be one of {', '.join(LAYERS)}, not {name}")
    return name


def parse_numbers(value: object) -> object:
    """`3,17` -> ["3", "17"]."""
    if isinstance(value, str):
        return [number.strip() for number in value.split(",") if number.strip()]
    return value


def some_once(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse none, and one that is there twice."""
    if not numbers or len(set(numbers)) < len(numbers):
        raise ValueError("needs numbers of maps, each once, as 3,17")
    return numbers


SEEN_SIZE = 512
"""Long side of a photo unless asked for another, px."""

SeenSize = Annotated[Size, BeforeValidator(normal)]

Maps = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...],
    BeforeValidator(parse_numbers),
    AfterValidator(some_once),
]


class FeatureSettings(Settings):
    """Which feature maps of a photo are shown."""

    layer: Annotated[str, AfterValidator(known_layer)] = Field(
        "relu1_1", description="the layer, relu1_1 to relu5_4"
    )
    maps: Maps | None = Field(
        None, description="numbers of maps, counted from 0, as 3,17; all if none are named"
    )
    top: int | None = Field(
        None,
        ge=1,
        le=CHANNELS[-1],
        description="how many maps, the most active ones; all if there is no number",
    )
    size: SeenSize = Field(SEEN_SIZE, description="size that the photo is seen at, as of paint")

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        """What there is of the layer, chosen in one way."""
        if self.maps is not None and self.top is not None:
            raise ValueError("maps and top exclude each other; give one of them")
        count = CHANNELS[halvings(self.layer)]
        if self.maps is not None and max(self.maps) >= count:
            raise ValueError(
                f"{self.layer} has maps 0 to {count - 1}, but no {max(self.maps)}; choose others"
            )
        return self


class GramSettings(Settings):
    """How Gram matrices are taken."""

    size: SeenSize = Field(SEEN_SIZE, description="size of the photo, as of paint")
    style_scale: float = Field(
        1.0, ge=0.05, le=8, description="long side of the style over that of the photo"
    )
    pooling: Pooling = Field("max", description="pooling of VGG-19")

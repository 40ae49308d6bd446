"""The settings of reconstructions: of which layers, and how they are made."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from impasto.settings import LAYERS, Memory, Pooling, Settings, memory_amount
from impasto.sizes import Size, normal

LayerSet = tuple[str, ...]
"""Layers whose losses are taken together."""

CONTENT_SETS: tuple[LayerSet, ...] = tuple((f"relu{block}_2",) for block in range(1, 6))
STYLE_SETS: tuple[LayerSet, ...] = tuple(
    tuple(f"relu{block}_1" for block in range(1, deepest + 1)) for deepest in range(1, 6)
)
"""Those of Gatys et al. 2015, figure 1: content by one layer, style by all down to one."""


def parse_sets(value: object) -> object:
    """`relu1_1,relu1_1+relu2_1` -> [["relu1_1"], ["relu1_1", "relu2_1"]]."""
    if not isinstance(value, str):
        return value
    sets = [item for item in value.split(",") if item.strip()]
    return [[name.strip() for name in item.split("+")] for item in sets]


def known_sets(sets: Iterable[LayerSet]) -> tuple[LayerSet, ...]:
    """Refuse names that VGG-19 does not have, and an empty choice; order each shallow to deep."""
    found = tuple(tuple(sorted(set(names))) for names in sets)
    unknown = [name for names in found for name in names if name not in LAYERS]
    if unknown:
        raise ValueError(f"has no layer {unknown[0]!r}; the layers are {', '.join(LAYERS)}")
    if not found or not all(found):
        raise ValueError("needs at least one layer, as relu4_2")
    return found


LayerSets = Annotated[tuple[LayerSet, ...], BeforeValidator(parse_sets), AfterValidator(known_sets)]


class ReconstructSettings(Settings):
    """What is reconstructed of a photo, and how."""

    content_layer: LayerSets | None = Field(
        None,
        description="layers whose content is kept, each a picture, as relu1_2,relu4_2; with "
        "neither this nor --style-layer, five of both",
    )
    style_layer: LayerSets | None = Field(
        None,
        description="layers whose style is kept, each a picture, as relu1_1,relu1_1+relu2_1, "
        "which takes two together",
    )
    size: Annotated[Size, BeforeValidator(normal)] = Field(
        256, description="size of each picture, as of paint"
    )
    steps: int = Field(
        100, ge=1, le=1_000_000, description="evaluations of loss and gradient at each size"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="of the noise that they start from")
    pooling: Pooling = Field("max", description="pooling of VGG-19")
    device: Literal["auto", "cpu", "cuda", "mps"] = Field("auto", description="where to compute")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the convolutions"
    )
    memory: Annotated[Literal["auto"] | Memory, BeforeValidator(memory_amount)] = Field(
        "auto", description="most memory to take, as 4GB; 'auto' is a safe share of what is free"
    )

    @property
    def sets(self) -> tuple[tuple[LayerSet, ...], tuple[LayerSet, ...]]:
        """Of content and of style."""
        if self.content_layer is None and self.style_layer is None:
            return CONTENT_SETS, STYLE_SETS
        return self.content_layer or (), self.style_layer or ()

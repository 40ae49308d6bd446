"""The settings of the filters: what decides a picture together with the input files."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from impasto.settings import FileName, OutputSettings, Settings


def rgb_of(color: str) -> tuple[int, int, int]:
    """The channels of an opaque colour's name or code, 0 to 255; ValueError where it is none."""
    from PIL import ImageColor  # `impasto --help` does without

    try:
        channels: tuple[int, ...] = ImageColor.getrgb(color)
    except ValueError:
        channels = ()
    if len(channels) != 3 or not all(0 <= channel <= 255 for channel in channels):
        raise ValueError(f"must be a colour such as white, #fa0 or rgb(255,160,0), not {color}")
    red, green, blue = channels
    return red, green, blue


def known_color(text: str) -> str:
    """Refuse what is not the name or the code of an opaque colour."""
    rgb_of(text)
    return text


def known_borders(text: str) -> str:
    """Refuse what is not `COLOR` or `COLOR:WIDTH`."""
    color, colon, width = text.partition(":")
    if colon and not (width.isdecimal() and 1 <= int(width) <= 100):
        raise ValueError(f"must be COLOR or COLOR:WIDTH with a width of 1 to 100 px, not {text}")
    rgb_of(color)
    return text


Color = Annotated[str, AfterValidator(known_color)]
Strength = Annotated[float, Field(ge=0, le=1)]


FEW_COLOURS = OutputSettings(lossless=True)
"""How a picture of few colours is written: what is lossy would add others."""


class QuantizeSettings(Settings):
    """Colour quantization: which few colours a picture keeps."""

    k: int = Field(16, ge=2, le=256, description="number of colours")
    space: Literal["oklab", "lab", "srgb", "linear"] = Field(
        "oklab", description="where distances between colours are taken"
    )
    dither: Literal["none", "floyd-steinberg"] = Field(
        "none", description="how colours between those of the palette are shown"
    )
    palette: FileName | None = Field(
        None, description="file whose colours are used: a picture, .gpl, .hex or .act"
    )
    seed: int = Field(0, ge=0, lt=2**32, description="of the clustering's start")


class SuperpixelSettings(Settings):
    """Superpixels: connected groups of similar pixels, each in its mean colour."""

    n: int = Field(2000, ge=2, le=1_000_000, description="number of superpixels")
    method: Literal["slic", "slico", "lsc", "seeds"] = Field(
        "slic", description="how pixels are grouped"
    )
    compactness: float = Field(
        10.0, gt=0, le=1000, description="higher makes shapes rounder, lower follows edges closer"
    )
    mean: Literal["linear", "srgb"] = Field(
        "linear", description="mean of the light, or of the values in the file"
    )
    borders: Annotated[str, AfterValidator(known_borders)] | None = Field(
        None, description="lines between superpixels, as COLOR or COLOR:WIDTH in px"
    )


class EnhanceSettings(Settings):
    """Enhancement and colour correction; all is off by default."""

    auto: bool = Field(False, description="a tasteful combination, chosen for each picture")
    white_balance: Strength = Field(0.0, description="removal of the colour cast, 0 to 1")
    neutral: Color | None = Field(
        None, description="colour of the picture that is to be grey, instead of finding the cast"
    )
    levels: Strength = Field(0.0, description="stretch to the whole range of lightness, 0 to 1")
    gamma: float = Field(1.0, ge=0.1, le=10, description="above 1 brightens the midtones")
    local_contrast: Strength = Field(0.0, description="contrast of each part of the picture")
    vibrance: float = Field(0.0, ge=-1, le=1, description="saturation of what has little")
    saturation: float = Field(0.0, ge=-1, le=1, description="saturation of everything; -1 is grey")
    sharpen: float = Field(0.0, ge=0, le=3, description="contrast of fine detail")
    denoise: Strength = Field(0.0, description="removal of noise, 0 to 1")
    match: FileName | None = Field(None, description="picture whose colours are taken on")
    like_photo: FileName | None = Field(
        None, description="photo whose colours are given back to an artwork made from it"
    )

    @model_validator(mode="after")
    def _one_source_of_colours(self) -> Self:
        """Each would undo the other."""
        if self.match is not None and self.like_photo is not None:
            raise ValueError("match and like-photo exclude each other; give one of them")
        return self

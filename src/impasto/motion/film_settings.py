"""How a film is written."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from impasto.settings import Settings, whole


class FilmSettings(Settings):
    """How a film is written; the frames themselves are made before."""

    codec: Literal["auto", "h264", "hevc", "vp9", "av1", "prores"] = Field(
        "auto", description="codec; 'auto' is VP9 for .webm and H.264 for all others"
    )
    quality: int = Field(
        65,
        ge=1,
        le=100,
        description="of the film, 1 to 100: the encoder's CRF counted from its worst, so that 65 "
        "is -crf 18 of H.264 and HEVC, 22 of VP9 and AV1; ProRes has a profile each quarter, "
        "proxy to HQ",
    )
    depth: Annotated[Literal["auto", 8, 10], BeforeValidator(whole)] = Field(
        "auto",
        description="bits a channel; 'auto' is 10 where the source has more than 8, but in H.264, "
        "whose 10 bits few players know",
    )
    sound: Literal["copy", "none"] = Field(
        "copy", description="what becomes of the sound: copied unchanged, or left out"
    )
    strip: bool = Field(False, description="leave out the source's title and place, and the recipe")

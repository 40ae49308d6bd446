"""The settings of what is made beside a painting."""

from typing import Self

from pydantic import Field, model_validator

from impasto.settings import FileName, Settings


class RecordingSettings(Settings):
    """What is recorded of a painting's growth; nothing by default."""

    timelapse: FileName | None = Field(
        None, description="film of its growth to write as well: .gif, .webp or .mp4"
    )
    timelapse_size: int = Field(
        480, ge=16, le=4096, description="long side of the film, px; at most that of the picture"
    )
    timelapse_seconds: float = Field(
        8.0, ge=1, le=600, description="length of the film, whose end is held for a while"
    )
    log: FileName | None = Field(
        None, description="log to write as well: a line of JSON for each step"
    )
    plot: FileName | None = Field(
        None, description="plot of the losses to write as well: .svg or .png"
    )

    @model_validator(mode="after")
    def _belongs_to_a_film(self) -> Self:
        """What is said of a film that there is not would be left out without a word."""
        said = sorted(self.model_fields_set & {"timelapse_size", "timelapse_seconds"})
        if said and self.timelapse is None:
            name = said[0].replace("_", "-")
            raise ValueError(f"--{name} needs a film; name one with --timelapse")
        return self

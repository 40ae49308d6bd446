"""A picture that Impasto made, with the recipe that it carries into its file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from impasto.image.picture import STANDARD_STREAM, Picture, Source
from impasto.image.srgb import to_bits
from impasto.image.write import check_output, write
from impasto.recipe import Input, Recipe
from impasto.settings import OutputSettings, as_text


@dataclass(frozen=True)
class Made:
    """What all ways of making a picture have in common."""

    picture: Picture
    recipe: Recipe
    seconds: float

    @property
    def image(self) -> Image.Image:
        """The picture as Pillow has it, RGB or RGBA, 8 bits a channel."""
        planes = self.picture.rgb
        if self.picture.alpha is not None:
            planes = np.dstack([planes, self.picture.alpha])
        return Image.fromarray(to_bits(planes, 8))

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        return {"size": self.picture.size, "seconds": round(self.seconds, 3)}

    def save(
        self,
        output: str | Path,
        settings: OutputSettings | None = None,
        *,
        force: bool = False,
    ) -> int:
        """Write the picture with its recipe; `force` replaces an existing file.

        Returns the number of bytes.
        """
        settings = settings or self.recipe.output
        indexed = self.picture.indexed is not None
        check_output(output, (), force=force, settings=settings, indexed=indexed)
        recipe = self.recipe.model_copy(update={"output": settings})
        return write(self.picture, output, settings, recipe.to_json())


def input_of(source: Source, picture: Picture) -> Input:
    """A file by its path as given, for pictures travel and a full one tells of its maker's disk."""
    named = isinstance(source, str | Path) and str(source) != STANDARD_STREAM
    return Input(path=as_text(source) if named else picture.name, sha256=picture.sha256)

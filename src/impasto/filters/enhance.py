"""An enhanced picture, and the strengths that it was enhanced with."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from impasto.filter_settings import EnhanceSettings
from impasto.filters.job import Filtered, FilterJob
from impasto.image.adjust import enhance
from impasto.image.auto import NOTHING, auto
from impasto.image.picture import Picture, over_grey
from impasto.image.read import read
from impasto.made import input_of
from impasto.recipe import EnhanceRecipe


@dataclass(frozen=True)
class EnhancedPicture(Filtered):
    """An enhanced picture."""

    recipe: EnhanceRecipe
    """Its settings are what was done: what `auto` chose has become strengths."""

    def summary(self) -> str:
        """What came of the work, in a few words for people."""
        changed = self.recipe.settings.model_dump(exclude_defaults=True)
        words = [f"{name.replace('_', '-')} {_short(value)}" for name, value in changed.items()]
        return ", ".join(words) or "nothing to do"

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        return {**super().facts(), "settings": self.recipe.settings.model_dump(mode="json")}


def _short(value: object) -> str:
    return f"{value:.2g}" if isinstance(value, float) else str(value)


class EnhanceJob(FilterJob[EnhanceSettings, EnhancedPicture]):
    """Enhancement and colour correction."""

    doing = "enhancing"
    recipe_type = EnhanceRecipe

    def _made(self, photo: Picture) -> EnhancedPicture:
        match, references = None, {}
        if self.settings.match is not None:
            model = read(str(self.settings.match))
            match, references["match"] = visible(model), input_of(self.settings.match, model)
        like = None
        if self.settings.like_photo is not None:
            model = read(str(self.settings.like_photo))
            like, references["like_photo"] = (
                over_grey(model.rgb, model.alpha),
                input_of(self.settings.like_photo, model),
            )
        settings = self.settings
        if settings.auto:  # it judges what the colours of others leave
            judged = enhance(photo.rgb, NOTHING, alpha=photo.alpha, match=match, photo=like)
            settings = auto(judged, photo.alpha, settings)
        rgb = enhance(photo.rgb, settings, alpha=photo.alpha, match=match, photo=like)
        return EnhancedPicture(
            picture=replace(photo, rgb=rgb), **self._facts(photo, settings, references)
        )


def visible(picture: Picture) -> NDArray[np.float32]:
    """The pixels that can be seen, as a square picture of them; all, if none can."""
    if picture.alpha is None or not (picture.alpha >= 0.5).any():
        return picture.rgb
    pixels = picture.rgb[picture.alpha >= 0.5]
    side = math.isqrt(len(pixels))
    return pixels[: side * side].reshape(side, side, 3)

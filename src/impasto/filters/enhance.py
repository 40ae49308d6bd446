"""An enhanced picture, and the strengths that it was enhanced with."""

from dataclasses import dataclass, replace

from impasto.filter_settings import EnhanceSettings
from impasto.filters.job import Filtered, FilterJob
from impasto.image.adjust import enhance
from impasto.image.auto import auto
from impasto.image.picture import Picture
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
        models, references = {}, {}
        for name in ("match", "like_photo"):
            path = getattr(self.settings, name)
            if path is not None:
                model = read(str(path))
                models[name], references[name] = model.rgb, input_of(path, model)
        settings = resolved(self.settings, photo)
        rgb = enhance(
            photo.rgb,
            settings,
            alpha=photo.alpha,
            match=models.get("match"),
            photo=models.get("like_photo"),
        )
        return EnhancedPicture(
            picture=replace(photo, rgb=rgb), **self._facts(photo, settings, references)
        )


def resolved(settings: EnhanceSettings, photo: Picture) -> EnhanceSettings:
    """The settings with what `auto` chooses for this photo; what was given wins."""
    if not settings.auto:
        return settings
    chosen = auto(photo.rgb, photo.alpha)
    given = {name: getattr(settings, name) for name in settings.model_fields_set - {"auto"}}
    return chosen.model_copy(update=given)

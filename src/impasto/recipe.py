"""The recipe inside every picture: all that is needed to make it again."""

from importlib.metadata import version
from typing import Literal

from pydantic import Field, PositiveInt, ValidationError

from impasto.errors import BadRecipe
from impasto.settings import OutputSettings, PaintSettings, Settings

PACKAGES = ("impasto", "torch", "numpy", "pillow", "pyvips", "pyvips-binary")
"""Whose versions a recipe names: they can change the values of pixels."""


class Input(Settings):
    """A file that went into the picture, by the path that was given.

    `sha256` is of its bytes (of the pixels for arrays).
    """

    path: str
    sha256: str


class StyleInput(Input):
    """A style picture with the beta it had."""

    beta: float


class Recipe(Settings):
    """All settings, input digests and versions that made a picture."""

    kind: Literal["paint"] = "paint"
    photo: Input
    styles: tuple[StyleInput, ...] = Field(min_length=1)
    init: Input | None = None
    """The picture file that the canvas started from, if it was one."""
    weights: Input
    settings: PaintSettings
    output: OutputSettings
    device: str
    """What `auto` became."""
    precision: str
    threads: PositiveInt
    """Sums over threads round differently for another count."""
    versions: dict[str, str]
    complete: bool = True
    """False in a picture that was saved before its run had ended."""

    def to_json(self) -> str:
        """Compact JSON, as stored in a file."""
        return self.model_dump_json()

    def differences(self, other: "Recipe") -> list[str]:
        """What of the other recipe could give another picture: names of fields and settings."""
        ours, theirs = self._decisive(), other._decisive()
        return [name for name, value in ours.items() if value != theirs[name]]

    def _decisive(self) -> dict[str, object]:
        """What decides the pixels; the same bytes may have moved to another place."""
        return self.settings.model_dump(exclude={"init"}) | {
            "photo": self.photo.sha256,
            "styles": [style.sha256 for style in self.styles],
            "beta": [style.beta for style in self.styles],
            "init": self.init.sha256 if self.init is not None else self.settings.init,
            "weights": self.weights.sha256,
            "device": self.device,
            "precision": self.precision,
            "threads": self.threads,
            "versions": self.versions,
        }

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> "Recipe":
        """Read what `to_json` wrote; `where` names the file in the error."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the whole"
            raise BadRecipe(
                f"the recipe in {where} cannot be used: {field}: {first['msg']}; was it written "
                f"by another version of Impasto than {version('impasto')}?"
            ) from None


def installed_versions() -> dict[str, str]:
    """{package: version} of what can change the values of pixels."""
    return {name: version(name) for name in PACKAGES}

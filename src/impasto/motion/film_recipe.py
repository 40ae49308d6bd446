"""The recipe of a moving picture: all that is needed to make it again."""

import hashlib
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, PositiveInt, TypeAdapter

from impasto.errors import BadRecipe
from impasto.image.film_codec import CONTAINERS
from impasto.image.metadata import read_recipe
from impasto.recipe import AnyRecipe, Input, parsed
from impasto.settings import Settings

FEW = 3
"""Sources that are named in a message, at most."""


class MovingStyleInput(Input):
    """A style picture with the betas it had at the beginning and at the end."""

    begins: float
    ends: float


class FilmRecipe(Settings):
    """All settings, input digests and versions that made a moving picture."""

    kind: Literal["video", "animate"]
    sources: tuple[Input, ...]
    """The clip, or the photos in their order."""
    effect: str
    styles: tuple[MovingStyleInput, ...] = ()
    references: Mapping[str, Input] = {}
    """Files that were taken as a model, by the setting that names them."""
    weights: Input | None = None
    settings: Mapping[str, JsonValue]
    """What decides the frames."""
    film: Mapping[str, JsonValue] = {}
    """How they are written."""
    depth: Literal[8, 16]
    """Bits a channel of the frames."""
    device: str | None = None
    precision: str | None = None
    threads: PositiveInt | None = None
    """Of each painting: sums over threads round differently for another count."""
    versions: dict[str, str]

    def to_json(self) -> str:
        """Compact JSON, as stored in a file."""
        return self.model_dump_json()

    @property
    def command(self) -> str:
        """The command that makes it from its inputs, without its settings and its output."""
        paths = [source.path for source in self.sources]
        words = ["impasto", self.kind, *(paths if len(paths) <= FEW else [*paths[: FEW - 1], "…"])]
        if self.effect != "paint":
            words += ["--effect", self.effect]
        for style in self.styles:
            words += ["--style", f"{style.path}={style.begins:g}:{style.ends:g}"]
        return shlex.join(words)

    def differences(self, other: "FilmRecipe") -> list[str]:
        """What of the other recipe could give other frames: names of fields and settings."""
        ours, theirs = self._decisive(), other._decisive()
        return [name for name in ours | theirs if ours.get(name) != theirs.get(name)]

    @property
    def job(self) -> str:
        """A name for the frames that it makes, the same for all recipes that make the same."""
        text = json.dumps(self._decisive(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _decisive(self) -> dict[str, JsonValue]:
        """What decides the frames; the same bytes may have moved to another place."""
        fields = {"effect", "depth", "device", "precision", "threads", "versions"}
        plain: dict[str, JsonValue] = self.model_dump(mode="json", include=fields)
        named = {name: input_.sha256 for name, input_ in self.references.items()}
        return {
            **self.settings,
            **plain,
            **named,
            "input": [source.sha256 for source in self.sources],
            "styles": [[style.sha256, style.begins, style.ends] for style in self.styles],
            "weights": None if self.weights is None else self.weights.sha256,
        }


Every = Annotated[AnyRecipe | FilmRecipe, Field(discriminator="kind")]
EVERY: TypeAdapter[Every] = TypeAdapter(Every)


def any_recipe_in(source: str | Path) -> Every:
    """The recipe that a picture (`-` for standard input), an animation or a film carries.

    `UnreadableImage` or `UnreadableVideo` if it is none of these, `BadRecipe` if it carries none or
    it cannot be used.
    """
    if Path(source).suffix.lower() not in CONTAINERS:
        return parsed(EVERY, read_recipe(source), str(source))
    from impasto.motion.film_out import recipe_text

    text = recipe_text(Path(source))
    if text is None or not text.startswith("{"):
        raise BadRecipe(
            f"{source} carries no recipe; was it written with --strip or edited by another "
            "program? Use the film as Impasto wrote it"
        )
    return parsed(EVERY, text, str(source))

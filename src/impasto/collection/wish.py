"""An artwork as it was asked for, before any of its files is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import UsageError
from impasto.image.listing import gathered
from impasto.image.samples import PREFIX, is_sample
from impasto.settings import PaintSettings, Preset, StyleChoice

StyleAsked = tuple[str, float | None]
"""A picture with its own beta; None takes the settings'."""


@dataclass(frozen=True)
class Wish:
    """A photo in one or more styles together."""

    photo: str
    styles: tuple[StyleAsked, ...]
    settings: PaintSettings
    preset: str = Preset.DEFAULT
    """That the settings started from."""

    @property
    def betas(self) -> list[float]:
        """Of its styles."""
        return [self.settings.beta if beta is None else beta for _, beta in self.styles]


def styles_in(text: str, output: Path) -> list[StyleAsked]:
    """The styles that a picture, a folder or a pattern stands for, each alone, with `=BETA`."""
    choice = StyleChoice.parse(text)
    return [(path, choice.beta) for path in gathered([choice.path], output)]


def mixed(texts: Sequence[str], output: Path) -> tuple[StyleAsked, ...]:
    """Styles that are mixed in one artwork; UsageError where one of them is several pictures."""
    found = []
    for text in texts:
        styles = styles_in(text, output)
        if len(styles) > 1:
            raise UsageError(f"{text} is {len(styles)} pictures; name one where styles are mixed")
        found += styles
    return tuple(found)


def stem(path: str) -> str:
    """A picture's name without folder and ending; of a sample, its name."""
    return path.removeprefix(PREFIX) if is_sample(path) else Path(path).stem

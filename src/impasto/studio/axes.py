"""What a sweep goes through: settings with several values, and the pictures these make together."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.artwork import distinct
from impasto.errors import UsageError
from impasto.options import shown
from impasto.settings import PaintSettings, Preset, as_text, preset_settings

STYLE, PRESET = "style", "preset"
"""The axes that are no settings."""

COMMAS_OF_THEIR_OWN = {"content_layers", "style_layers"}
"""Settings of which a single value may have commas."""

AWKWARD = re.compile(r"""[\s\x00-\x1f\x7f-\x9f/\\:*?"'<>|,;&$`!#(){}\[\]~^%]+""")
"""In the name of a file."""

LONGEST = 120
"""Bytes of a file's name without its ending; file systems take 255."""


@dataclass(frozen=True)
class Value:
    """A value on an axis.

    given: what settings take; of a style, its number. head: what people call it, `beta 10`; a
    style's name speaks for itself. part: the same in the names of files, `beta-10`.
    """

    given: Any
    head: str
    part: str


@dataclass(frozen=True)
class Axis:
    """What differs from picture to picture; `name` is that of the setting."""

    name: str
    values: tuple[Value, ...]

    @property
    def of_numbers(self) -> bool:
        """Whether its values are numbers, rather than words and pictures."""
        numbers = all(isinstance(value.given, int | float) for value in self.values)
        return numbers and self.name != STYLE

    @property
    def heads(self) -> list[str]:
        """Of its rows or columns."""
        return [value.head for value in self.values]


@dataclass(frozen=True)
class Point:
    """A picture of a sweep: {axis: its value}, its settings, and the number of its style."""

    values: Mapping[str, Value]
    settings: PaintSettings
    style: int

    @property
    def title(self) -> str:
        """`beta 10, alpha 1`."""
        return ", ".join(value.head for value in self.values.values())

    @property
    def stem(self) -> str:
        """Its file's name without ending, `alpha-1_beta-10`, the same in every sweep."""
        name = "_".join(self.values[axis].part for axis in sorted(self.values)) or "picture"
        if len(name.encode()) <= LONGEST:
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return f"{name.encode()[: LONGEST - 9].decode(errors='ignore')}-{digest}"


@dataclass(frozen=True)
class Field:
    """All pictures of a sweep, in the rows and columns of its axes.

    fixed: what holds for all of them, as far as it was chosen, in words.
    """

    across: Axis | None
    down: Axis | None
    rows: tuple[tuple[Point, ...], ...]
    fixed: tuple[str, ...]

    def __iter__(self) -> Iterator[Point]:
        return (point for row in self.rows for point in row)


def split(setting: str, text: str) -> list[str]:
    """The values of an option, between commas; a file whose own name has a comma is one.

    >>> split("beta", "1, 10,100")
    ['1', '10', '100']
    """
    if setting in COMMAS_OF_THEIR_OWN:
        return [text]
    if setting == "init" and os.path.exists(text):  # noqa: PTH110 (Path.exists raises on long text)
        return [text]
    return [value.strip() for value in text.split(",")]


def field_of(
    styles: Sequence[str], presets: Sequence[str], settings: Mapping[str, Sequence[Any]]
) -> Field:
    """The pictures that styles of these names, presets and settings make, each with each.

    What has several values is an axis. UsageError where a value is wrong or there twice, or where
    there are more axes than the two of a sheet.
    """
    found = {
        STYLE: _values(STYLE, list(enumerate(map(as_text, styles)))),
        PRESET: _values(PRESET, [(preset, str(preset)) for preset in presets]),
        **{name: _values(name, _typed(name, values)) for name, values in settings.items()},
    }
    axes = [Axis(name, values) for name, values in found.items() if len(values) > 1]
    if len(axes) > 2:
        *names, last = (written(axis.name) for axis in axes)
        raise UsageError(
            f"a sheet has two axes, but {', '.join(names)} and {last} have several values each; "
            "leave one value to all but two of them"
        )
    # The longer axis runs across, for pages are wide; of two alike the one of numbers, as in plots.
    axes.sort(key=lambda axis: (len(axis.values), axis.of_numbers), reverse=True)
    across, down = (*axes, None, None)[:2]
    first = {name: values[0] for name, values in found.items()}
    rows = tuple(
        tuple(_point(first, {**right, **below}) for right in _steps(across))
        for below in _steps(down)
    )
    fixed = tuple(
        values[0].head
        for name, values in found.items()
        if len(values) == 1
        and name != STYLE
        and (name, values[0].given) != (PRESET, Preset.DEFAULT)
    )
    return Field(across, down, rows, fixed)


def written(setting: str) -> str:
    """A setting as people write it: `style-scale`."""
    return setting.replace("_", "-")


def plain(label: str) -> str:
    """A label as a part of a file's name: in small letters, without what shells and disks mind.

    >>> plain("relu4_2=1,relu5_2=0.5"), plain("60x40cm@300dpi"), plain("../A b")
    ('relu4_2=1-relu5_2=0.5', '60x40cm@300dpi', '..-a-b')
    """
    return AWKWARD.sub("-", label.lower())


def label_of(value: object) -> str:
    """A setting's value in few letters, but all that tell it from others; of a file, its name."""
    if isinstance(value, Path):
        return value.name
    text = shown(value)
    return repr(value) if isinstance(value, float) and float(text) != value else text


def _typed(name: str, values: Sequence[Any]) -> list[tuple[Any, str]]:
    """Checked values of a setting with their labels."""
    if not values:
        raise UsageError(f"{written(name)} has no value; give it one")
    typed = [getattr(PaintSettings.checked({name: value}), name) for value in values]
    return [(value, label_of(value)) for value in typed]


def _values(name: str, labelled: Sequence[tuple[Any, str]]) -> tuple[Value, ...]:
    """Values with names for files, of which no two are alike."""
    given = [value for value, _ in labelled]
    for place, (value, label) in enumerate(labelled):
        if value in given[:place]:
            raise UsageError(f"{written(name)} has the value {label} twice; give it once")
    parts = distinct([f"{written(name)}-{plain(label)}" for _, label in labelled])
    return tuple(
        Value(value, label if name == STYLE else f"{written(name)} {label}", part)
        for (value, label), part in zip(labelled, parts, strict=True)
    )


def _steps(axis: Axis | None) -> list[dict[str, Value]]:
    """One step for each value of an axis; a single one where there is no axis."""
    return [{}] if axis is None else [{axis.name: value} for value in axis.values]


def _point(first: Mapping[str, Value], values: Mapping[str, Value]) -> Point:
    """The picture with these values on its axes, and with the first of everything else."""
    chosen = {name: value.given for name, value in first.items()}
    chosen |= {name: value.given for name, value in values.items()}
    style, preset = chosen.pop(STYLE), chosen.pop(PRESET)
    return Point(values, preset_settings(preset).updated(chosen), style)

"""Where artworks stand in the matrix of a collection: photos down, styles across.

A style has one column, or one for each of the settings it was painted with, so that a cell holds
one artwork.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from impasto.collection.entry import Entry
from impasto.collection.task import Material, Task
from impasto.image.samples import PREFIX
from impasto.options import option_name, shown
from impasto.studio.typeset import clean


@dataclass(frozen=True)
class Column:
    """What the artworks below it have in common."""

    styles: tuple[Material, ...]
    variant: str = ""
    """How they differ from those of the same styles in other columns, as `beta 10`."""


@dataclass(frozen=True)
class Matrix:
    """Rows and columns in the order in which they are first needed, and where each entry stands."""

    photos: tuple[Material, ...]
    columns: tuple[Column, ...]
    places: tuple[tuple[int, int], ...]
    """(row, column) of each entry; no two have the same."""
    notes: tuple[str, ...]
    """In what each entry's settings differ from others, as `beta 10 · style-scale 0.5`."""


def matrix(entries: Sequence[Entry]) -> Matrix:
    """Lay a collection out."""
    tasks = [entry.task for entry in entries]
    notes = _notes(entries)
    pairs = Counter((task.photo, _styles(task)) for task in tasks)
    split = {styles for (_, styles), count in pairs.items() if count > 1}
    photos: dict[Material, int] = {}
    columns: dict[Column, int] = {}
    taken: set[tuple[int, int]] = set()
    places = []
    for task, note in zip(tasks, notes, strict=True):
        row = photos.setdefault(task.photo, len(photos))
        for column in _columns(_styles(task), note if _styles(task) in split else ""):
            place = row, columns.setdefault(column, len(columns))
            if place not in taken:
                break
        taken.add(place)
        places.append(place)
    return Matrix(tuple(photos), tuple(columns), tuple(places), tuple(notes))


def labels(paths: Sequence[str]) -> list[str]:
    """What files are called: by their names without ending, and by more where these are the same.

    >>> labels(["a/sea.jpg", "b/sea.jpg", "b/hill.png", "sample:coffee"])
    ['a/sea.jpg', 'b/sea.jpg', 'hill', 'coffee']
    """
    forms = {path: list(_forms(path)) for path in paths}
    counts = Counter(form for path in forms for form in set(forms[path]))
    return [clean(next((x for x in forms[path] if counts[x] == 1), path)) for path in paths]


def _forms(path: str) -> Iterator[str]:
    """Names of a file, from the shortest to its whole path."""
    if path.startswith(PREFIX):
        yield path.removeprefix(PREFIX)
    else:
        parts = PurePath(path).parts
        yield PurePath(path).stem
        yield from ("/".join(parts[-count:]) for count in range(1, len(parts)))
    yield path


def _styles(task: Task) -> tuple[Material, ...]:
    return tuple(style for style, _ in task.styles)


def _columns(styles: tuple[Material, ...], variant: str) -> Iterator[Column]:
    """Columns for artworks of the same styles and settings, that differ by their names alone."""
    yield Column(styles, variant)
    number = 2
    while True:
        yield Column(styles, f"{variant} ({number})".strip())
        number += 1


def _notes(entries: Sequence[Entry]) -> list[str]:
    """In what the settings of each artwork differ from those of others; empty where none do."""
    tasks = [entry.task for entry in entries]
    values = [dict(_values(entry)) for entry in entries]
    varied = [name for name in (values[0] if values else {}) if _differs(values, name)]
    betas: dict[tuple[Material, ...], set[tuple[float, ...]]] = {}
    for task in tasks:
        betas.setdefault(_styles(task), set()).add(_betas(task))
    notes = []
    for task, own in zip(tasks, values, strict=True):
        parts = [f"{name} {own[name]}" for name in varied]
        if len(betas[_styles(task)]) > 1:
            parts.insert(0, f"beta {' + '.join(map(shown, _betas(task)))}")
        notes.append(clean(" · ".join(parts)))
    return notes


def _betas(task: Task) -> tuple[float, ...]:
    return tuple(beta for _, beta in task.styles)


def _values(entry: Entry) -> Iterator[tuple[str, str]]:
    """Every setting by the name of its option, as text; betas are those of the styles."""
    yield "weights", entry.weights
    for settings in (entry.task.settings, entry.task.output):
        for name, value in settings:
            if name != "beta":
                yield option_name(name).lstrip("-"), shown(value)


def _differs(values: Sequence[Mapping[str, str]], name: str) -> bool:
    return len({own[name] for own in values}) > 1

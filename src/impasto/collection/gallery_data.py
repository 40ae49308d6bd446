"""What the page of a gallery shows, as one JSON value in which nothing is said twice."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from impasto.collection.entry import Entry, State
from impasto.collection.matrix import Column, labels, matrix
from impasto.collection.task import Material, Task
from impasto.collection.thumbnail import input_thumbnail, thumbnail_of
from impasto.options import option_name
from impasto.recipe import USUAL_WEIGHTS, Input, PaintRecipe
from impasto.settings import OutputSettings, PaintSettings, as_text
from impasto.studio.typeset import clean

Fields = dict[str, Any]

SPLIT = "settings", "output"
"""Fields of a recipe of which one part may differ from the others' without the rest."""


def gallery_data(entries: Sequence[Entry], title: str, folder: Path) -> Fields:
    """All of a collection, for JSON.

    An entry says what is its own; what a recipe has in common with the first is in `recipe`.
    """
    found = matrix(entries)
    inputs = _numbered(entries)
    made = [entry.recipe for entry in entries if entry.recipe is not None]
    shared = _shared(made[0]) if made else {}
    options: dict[tuple[str, ...], int] = {}
    losses: dict[tuple[str, ...], int] = {}
    cells = []
    for entry, (row, column), note in zip(entries, found.places, found.notes, strict=True):
        cell = _cell(entry, folder) | {"row": row, "column": column}
        words = _options(entry)
        cell["options"] = options.setdefault(words, len(options))
        cell |= {"note": note} if note else {}
        if entry.recipe is not None:
            cell |= _own(entry.recipe, entry.task, shared)
            names, values = tuple(entry.recipe.losses), entry.recipe.losses.values()
            cell["losses"] = [losses.setdefault(names, len(losses)), *values]
        cells.append(cell)
    return {
        "title": clean(title),
        "folder": as_text(folder),
        "inputs": _inputs([*inputs], folder),
        "rows": [inputs[photo] for photo in found.photos],
        "columns": [_column(column, inputs) for column in found.columns],
        "recipe": shared,
        "losses": [*losses],
        "options": [*options],
        "entries": cells,
    }


def _column(column: Column, inputs: Mapping[Material, int]) -> Fields:
    return {"styles": [inputs[style] for style in column.styles], "variant": column.variant}


def _numbered(entries: Sequence[Entry]) -> dict[Material, int]:
    """Every photo and style with its number."""
    inputs: dict[Material, int] = {}
    for entry in entries:
        for material in (entry.task.photo, *(style for style, _ in entry.task.styles)):
            inputs.setdefault(material, len(inputs))
    return inputs


def _inputs(materials: Sequence[Material], folder: Path) -> list[Fields]:
    names = labels([material.path for material in materials])
    found = []
    for material, label in zip(materials, names, strict=True):
        facts = {"label": label, "path": as_text(material.path), "sha256": material.sha256}
        place = input_thumbnail(material)
        found.append(facts | ({"thumbnail": place} if (folder / place).is_file() else {}))
    return found


def _cell(entry: Entry, folder: Path) -> Fields:
    """What is known of an entry; what is not, or goes without saying, is left out."""
    name = entry.task.name
    address = quote(os.fsencode(name))
    cell: Fields = {"name": as_text(name), "betas": [beta for _, beta in entry.task.styles]}
    if address != cell["name"]:
        cell["address"] = address
    if entry.state is not State.DONE:
        cell["state"] = entry.state
    elif (folder / thumbnail_of(name)).is_file():
        cell["thumbnail"] = True
    known: Fields = {
        "version": entry.version,
        "reason": entry.reason,
        "size": entry.size,
        "bytes": entry.file_size,
    }
    if entry.seconds is not None:
        known["seconds"] = round(entry.seconds, 2)
    return cell | {name: value for name, value in known.items() if value}


def _shared(recipe: PaintRecipe) -> Fields:
    """A recipe without what each entry says itself; the places of that stay."""
    return recipe.model_dump(mode="json") | {"photo": None, "styles": None, "losses": None}


def _own(recipe: PaintRecipe, task: Task, shared: Mapping[str, Any]) -> Fields:
    """What of a recipe is not as it is shared, and not as the task's materials say: {"own": …}."""
    fields = recipe.model_dump(mode="json", exclude={"losses"})
    if _is_of(recipe.photo, task.photo):
        del fields["photo"]
    styles = zip(recipe.styles, task.styles, strict=True)
    if all(_is_of(style, made) and style.beta == beta for style, (made, beta) in styles):
        del fields["styles"]
    own = {name: value for name, value in fields.items() if value != shared[name]}
    for name in own.keys() & set(SPLIT):
        own[name] = {key: value for key, value in own[name].items() if value != shared[name][key]}
    return {"own": own} if own else {}


def _is_of(item: Input, material: Material) -> bool:
    return item.path == as_text(material.path) and item.sha256 == material.sha256


def _options(entry: Entry) -> tuple[str, ...]:
    """The words of a command line that say how an artwork's settings differ from the defaults."""
    task, weights = entry.task, entry.weights
    words: list[str] = [] if weights == USUAL_WEIGHTS else ["--weights", weights]
    usual = dict(PaintSettings()) | dict(OutputSettings())
    for name, value in (*task.settings, *task.output):
        if value is True:
            words.append(option_name(name))
        elif value != usual[name]:
            words += [option_name(name), _typed(value)]
    return tuple(words)


def _typed(value: object) -> str:
    """A setting's value as it would be typed, to its last digit."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={weight!r}" for name, weight in value.items())
    return as_text(value)

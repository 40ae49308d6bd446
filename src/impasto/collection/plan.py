"""The plan of a collection: which artworks, of which files, under which names."""

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from impasto.artwork import recipe_for
from impasto.collection.jobs_file import Asked, wishes
from impasto.collection.naming import Template, named, usual
from impasto.collection.task import Material, Task
from impasto.collection.wish import Wish
from impasto.errors import UsageError
from impasto.image.read import read
from impasto.image.samples import is_sample
from impasto.recipe import Input, PaintRecipe, StyleInput
from impasto.replay import digest_of
from impasto.settings import OutputSettings, as_text


@dataclass(frozen=True)
class Plan:
    """All artworks of a collection."""

    folder: Path
    tasks: tuple[Task, ...]
    weights: Input
    """As recipes name them."""

    @cached_property
    def recipes(self) -> Mapping[str, PaintRecipe]:
        """{name: the recipe that its artwork will have, without losses}."""
        alike: dict[int, PaintRecipe] = {}
        return {task.name: self._recipe(task, alike) for task in self.tasks}

    def places(self, task: Task) -> tuple[str, ...]:
        """Where an artwork's photo and styles lie, seen from the folder.

        Paths as they are given may read the same for other files, in another working folder.
        """
        return tuple(self._places[each.path] for each in (task.photo, *(s for s, _ in task.styles)))

    @cached_property
    def _places(self) -> Mapping[str, str]:
        """{path of a photo or style: where it lies, seen from the folder}."""
        paths = {each.path for task in self.tasks for each in task.materials()}
        return {path: _seen_from(self.folder, path) for path in paths}

    def _recipe(self, task: Task, alike: dict[int, PaintRecipe]) -> PaintRecipe:
        """Most have their settings in common, so that only the inputs differ."""
        photo, init = _input(task.photo), _input(task.init) if task.init is not None else None
        styles = tuple(StyleInput(beta=beta, **dict(_input(style))) for style, beta in task.styles)
        known = alike.get(id(task.settings))
        if known is None:
            known = recipe_for(photo, styles, init, self.weights, task.settings, task.output)
            alike[id(task.settings)] = known
        return known.model_copy(update={"photo": photo, "styles": styles, "init": init})


def plan_of(
    asked: Asked,
    options: Mapping[str, Any],
    folder: Path,
    *,
    name: str | None,
    output: OutputSettings,
    weights: Input,
) -> Plan:
    """Lay out what is asked for; digests of all files are taken, and no picture is decoded.

    Raises UsageError where two artworks would have one name or where one would be its own input,
    and UnreadableImage where a file that is named is not there.
    """
    found = wishes(asked, options, folder)
    with asked.at("name") if asked.jobs.name and not name else nullcontext():
        template = Template(name or asked.jobs.name or usual(asked.varied), output)
        names = named(found, template)
    materials = _materials(found, folder)
    tasks = [
        _task(wish, artwork, materials, output) for wish, artwork in zip(found, names, strict=True)
    ]
    return Plan(folder, tuple(tasks), weights)


def _task(wish: Wish, name: str, materials: Mapping[str, Material], output: OutputSettings) -> Task:
    init = wish.settings.init
    return Task(
        name=name,
        photo=materials[wish.photo],
        styles=tuple(
            (materials[path], beta) for (path, _), beta in zip(wish.styles, wish.betas, strict=True)
        ),
        init=materials[str(init)] if isinstance(init, Path) else None,
        settings=wish.settings,
        output=output,
    )


def _materials(found: Sequence[Wish], folder: Path) -> dict[str, Material]:
    """{path: the picture there}."""
    paths: dict[str, None] = {}
    for wish in found:
        init = wish.settings.init
        own = [str(init)] if isinstance(init, Path) else []
        paths |= dict.fromkeys([wish.photo, *(path for path, _ in wish.styles), *own])
    for path in paths:
        _check(path, folder)
    return {path: Material(path, _digest(path)) for path in paths}


def _check(path: str, folder: Path) -> None:
    """Refuse an input that an artwork may take the place of."""
    if is_sample(path):
        return
    place, inside = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    if place.is_relative_to(inside):
        raise UsageError(
            f"cannot write into {folder}: {path} lies in it, and is an input; choose another folder"
        )


def _seen_from(folder: Path, path: str) -> str:
    """The way from a folder to a file, for JSON; the whole path where there is no way."""
    if is_sample(path):
        return path
    place = os.path.realpath(path)
    try:
        return as_text(os.path.relpath(place, os.path.realpath(folder)))
    except ValueError:  # on another drive of Windows
        return as_text(place)


def _digest(path: str) -> str:
    """SHA-256 of a picture file's bytes; of a sample as recipes have it; empty for no access."""
    if is_sample(path):
        return read(path).sha256
    try:
        return digest_of(Path(path))
    except OSError:
        return ""


def _input(material: Material) -> Input:
    return Input(path=as_text(material.path), sha256=material.sha256)

"""A recipe made again: the same inputs, settings and precision give the same picture."""

import hashlib
from pathlib import Path

import torch

from impasto.artwork import Job
from impasto.errors import BadRecipe
from impasto.image.samples import is_sample
from impasto.neural.weights import PACKAGE
from impasto.recipe import Input, Recipe, installed_versions


def job_of(recipe: Recipe, where: Path) -> tuple[Job, list[str]]:
    """The job that repeats a recipe found in the file `where`, and what may make it differ.

    Inputs are looked for by their old paths, from here and from the folder of `where`, then by name
    in that folder. Raises BadRecipe where one is missing or has changed.
    """
    found = located(recipe, where)
    settings = recipe.settings.updated(
        {"device": recipe.device.partition(":")[0], "precision": recipe.precision}
    )
    if isinstance(settings.init, Path) and recipe.init is not None:
        settings = settings.updated({"init": Path(found[recipe.init.path])})
    torch.set_num_threads(recipe.threads)
    job = Job(
        found[recipe.photo.path],
        [(found[style.path], style.beta) for style in recipe.styles],
        settings,
        recipe.output,
        Path(found[recipe.weights.path]) if recipe.weights.path in found else None,
    )
    _require_unchanged(recipe, job.recipe)
    notes = _version_notes(recipe)
    if not recipe.complete:
        notes.append(f"{where.name} was saved before it was finished; this paints all of it")
    job.recipe = recipe.model_copy(update={"versions": installed_versions()})
    return job, notes


def located(recipe: Recipe, where: Path) -> dict[str, str]:
    """{path as it was given: path where the file is now} of all files that a recipe needs.

    The usual weights are no file of the user's.
    """
    files = [recipe.photo, *recipe.styles]
    if recipe.init is not None:
        files.append(recipe.init)
    if recipe.weights.path != PACKAGE:
        files.append(recipe.weights)
    return {item.path: _place(item, where) for item in files}


def _place(item: Input, where: Path) -> str:
    if is_sample(item.path):
        return item.path
    old = Path(item.path)
    places = (old, where.parent / old, where.parent / old.name)
    found = [path for path in places if path.is_file()]
    for path in found:
        if hashlib.sha256(path.read_bytes()).hexdigest() == item.sha256:
            return str(path)
    if found:
        return str(found[0])  # changed since: told when it is read
    raise BadRecipe(
        f"cannot replay {where}: its input {item.path} is missing; put it back, "
        f"or beside {where.name}"
    )


def _require_unchanged(old: Recipe, new: Recipe) -> None:
    pairs = [(old.photo, new.photo), *zip(old.styles, new.styles, strict=True)]
    if old.init is not None and new.init is not None:
        pairs.append((old.init, new.init))
    pairs.append((old.weights, new.weights))
    for was, now in pairs:
        if was.sha256 != now.sha256:
            raise BadRecipe(
                f"cannot replay: {was.path} has changed since (SHA-256 {now.sha256[:12]}…, "
                f"then {was.sha256[:12]}…); put the old file back, or paint anew"
            )


def _version_notes(recipe: Recipe) -> list[str]:
    now = installed_versions()
    return [
        f"made with {name} {version}, this is {now.get(name, 'none')}: pixels may differ a little"
        for name, version in recipe.versions.items()
        if now.get(name) != version
    ]

"""A painting made again: the same inputs, settings and precision give the same picture."""

from pathlib import Path

import torch

from impasto.artwork import Job
from impasto.recipe import PaintRecipe, installed_versions
from impasto.replay import located, version_notes


def job_of(recipe: PaintRecipe, where: Path) -> tuple[Job, list[str]]:
    """The job that repeats a recipe found in the file `where`, and what may make it differ.

    Raises BadRecipe where an input is missing or has changed.
    """
    found = located(recipe, where)
    settings = recipe.settings.updated(
        {
            "device": recipe.device.partition(":")[0],
            "precision": recipe.precision,
            "memory": "auto",  # changes no pixel, and here may be less than there
        }
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
    packages = tuple(job.recipe.versions)
    notes = version_notes(recipe, packages)
    if not recipe.complete:
        notes.append(f"{where.name} was saved before it was finished; this paints all of it")
    job.recipe = recipe.model_copy(update={"versions": installed_versions(packages)})
    return job, notes

"""A filtered picture made again."""

from pathlib import Path
from typing import Any

from impasto.filters.enhance import EnhanceJob
from impasto.filters.job import FilterJob
from impasto.filters.quantize import QuantizeJob
from impasto.filters.superpixels import SuperpixelsJob
from impasto.recipe import FILTERING, FilterRecipe
from impasto.replay import located, version_notes

JOBS: dict[str, type[FilterJob[Any, Any]]] = {
    "quantize": QuantizeJob,
    "superpixels": SuperpixelsJob,
    "enhance": EnhanceJob,
}
"""By the kind of recipe."""


def filter_job(recipe: FilterRecipe, where: Path) -> tuple[FilterJob[Any, Any], list[str]]:
    """The job that repeats a filter's recipe found in `where`, and what may make it differ."""
    found = located(recipe, where)
    references = {name: Path(found[item.path]) for name, item in recipe.references.items()}
    settings = recipe.settings.updated(references)
    job = JOBS[recipe.kind](found[recipe.photo.path], settings, recipe.output)
    return job.repeating(recipe), version_notes(recipe, FILTERING)

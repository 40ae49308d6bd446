"""What a recipe needs to be made again: its inputs, found and compared, and the versions."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from impasto.errors import BadRecipe
from impasto.image.read import read
from impasto.image.samples import is_sample
from impasto.recipe import Input, Recipe, installed_versions


def located(recipe: Recipe, where: Path) -> dict[str, str]:
    """{path as it was given: path where the file is now} of all files that a recipe needs.

    Inputs are looked for by their old paths, from here and from the folder of `where`, then by name
    in that folder. Raises BadRecipe where one is missing or has changed.
    """
    return {item.path: place_of(item, where, "replay") for item in recipe.inputs()}


def place_of(item: Input, where: Path, doing: str) -> str:
    """Where an input of the picture `where` is now; `doing` is what needs it, for the error."""
    if is_sample(item.path):
        _require(item, read(item.path).sha256, doing)
        return item.path
    old = Path(item.path)
    places = (old, where.parent / old, where.parent / old.name)
    found = {path: digest_of(path) for path in places if path.is_file()}
    for path, digest in found.items():
        if digest == item.sha256:
            return str(path)
    for digest in found.values():
        _require(item, digest, doing)
    raise BadRecipe(
        f"cannot {doing} {where}: its input {item.path} is missing; put it back, "
        f"or beside {where.name}"
    )


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require(item: Input, digest: str, doing: str) -> None:
    if digest != item.sha256:
        raise BadRecipe(
            f"cannot {doing}: {item.path} has changed since (SHA-256 {digest[:12]}…, "
            f"then {item.sha256[:12]}…); put the old file back, or make the picture anew"
        )


def version_notes(recipe: Recipe, packages: Sequence[str]) -> list[str]:
    """A sentence for each package of another version than then."""
    now = installed_versions(packages)
    return [
        f"made with {name} {version}, this is {now.get(name, 'none')}: pixels may differ a little"
        for name, version in recipe.versions.items()
        if now.get(name) != version
    ]

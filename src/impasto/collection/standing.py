"""How far a collection is: what is there, what failed, and what is yet to be painted."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.collection.manifest import Done, Missed, now
from impasto.collection.plan import Plan
from impasto.collection.task import Task
from impasto.errors import BadRecipe, UnreadableImage, UnwritableOutput, UsageError
from impasto.image.metadata import recipe_in
from impasto.image.read import size_of
from impasto.recipe import PaintRecipe
from impasto.replay import digest_of
from impasto.settings import as_text


@dataclass(frozen=True)
class Standing:
    """What of a plan is behind, and what before."""

    done: Mapping[str, Done]
    """{name: an artwork that is there}, with the recipe that is planned."""
    unrecorded: Sequence[Done]
    """Those of them that the manifest does not know, or knows with photo and styles elsewhere."""
    failed: Mapping[str, Missed]
    """{name: why it failed before}, of artworks for which nothing has changed since."""
    missing: Sequence[Task]
    """To be painted."""
    others: Sequence[Done]
    """Artworks in the same folder that are not of this plan."""


class History:
    """What the records of a manifest come to."""

    def __init__(self, records: Sequence[Done | Missed]) -> None:
        self.done: dict[str, Done] = {}
        self._missed: dict[str, Missed] = {}
        self._unusable: dict[tuple[str, str], Missed] = {}
        for record in records:
            if isinstance(record, Done):
                self.done[record.name] = record
                self._missed.pop(record.name, None)
                for item in record.recipe.inputs():  # it could be used after all
                    self._unusable.pop((item.path, item.sha256), None)
            elif record.input is not None:
                self._unusable[record.input.path, record.input.sha256] = record
            else:
                self._missed[record.name] = record

    def failure(self, task: Task, wanted: PaintRecipe) -> Missed | None:
        """Why an artwork failed before, if that would come of it again."""
        for material in task.materials():
            record = self._unusable.get((as_text(material.path), material.sha256))
            if record is not None and not record.passing:
                return record
        record = self._missed.get(task.name)
        if record is None or record.passing or record.recipe is None:
            return None
        return record if alike(record.recipe, wanted) else None


def standing(
    plan: Plan,
    records: Sequence[Done | Missed],
    begun: Mapping[str, str],
    *,
    retry_failed: bool,
    force: bool,
) -> Standing:
    """Compare a plan with its folder.

    begun: {name: digest of what was asked for} of what earlier runs set out to paint there, so that
    a file without a recipe may be what a killed one did not come to record. UsageError where a file
    is in the way that is no artwork of this photo in these styles, unless `force`.
    """
    history = History(records)
    done: dict[str, Done] = {}
    failed: dict[str, Missed] = {}
    missing = []
    for task in plan.tasks:
        wanted, record = plan.recipes[task.name], history.done.get(task.name)
        found = _found(task.name, plan.folder / task.name, record)
        if found is not None and found.recipe.complete and alike(found.recipe, wanted):
            places = plan.places(task)  # its photo or a style may have moved
            same = found.places == places
            done[task.name] = found if same else found.model_copy(update={"places": places})
            continue
        unrecorded = record is None or not alike(record.recipe, wanted)
        unfinished = unrecorded and begun.get(task.name) == digest_of_asked(wanted)
        if not (force or unfinished):
            _refuse_foreign(plan, task, found)
        failure = None if retry_failed else history.failure(task, wanted)
        if failure is not None:
            failed[task.name] = failure
        else:
            missing.append(task)
    new = [each for each in done.values() if each is not history.done.get(each.name)]
    return Standing(done, new, failed, missing, _others(plan, history))


def _refuse_foreign(plan: Plan, task: Task, found: Done | None) -> None:
    """UsageError where a file lies in the place of an artwork that is none of the same subject."""
    file = plan.folder / task.name
    own = found is not None and _same_subject(found, plan.recipes[task.name], plan.places(task))
    if file.exists() and not own:
        raise UsageError(
            f"cannot write {file}: it exists and is no artwork of this collection; choose "
            "another folder or --name, or add --force to replace it"
        )


def _others(plan: Plan, history: History) -> list[Done]:
    """Artworks in the same folder that are not of this plan."""
    names = {task.name for task in plan.tasks}
    return [
        record
        for record in history.done.values()
        if record.name not in names and (plan.folder / record.name).is_file()
    ]


def alike(one: PaintRecipe, other: PaintRecipe) -> bool:
    """Whether the same was asked for, wherever it was painted, and is written in the same way."""
    return one.asked() == other.asked() and one.output == other.output


def digest_of_asked(recipe: PaintRecipe) -> str:
    """SHA-256 of what `alike` compares, hexadecimal."""
    asked = recipe.asked() | {"output": recipe.output.model_dump()}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()


def recorded(name: str, file: Path, recipe: PaintRecipe, seconds: float | None) -> Done:
    """The record of an artwork in its file; UnreadableImage, or OSError if that is not there."""
    state = file.stat()
    return Done(
        name=name,
        finished=now(),
        sha256=digest_of(file),
        bytes=state.st_size,
        modified=state.st_mtime_ns,
        size=size_of(file),
        seconds=seconds,
        losses=recipe.losses,
        recipe=recipe,
    )


def _found(name: str, file: Path, record: Done | None) -> Done | None:
    """The artwork of a name: by its record if the file still is the same, else by its recipe."""
    if file.is_dir():
        raise UnwritableOutput(f"cannot write {file}: it is a folder; choose another --name")
    try:
        if record is not None and _is_still(file, record):
            return record
        recipe = recipe_in(file)
        if isinstance(recipe, PaintRecipe):
            return recorded(name, file, recipe, None)
    except (OSError, BadRecipe, UnreadableImage):
        pass
    return None


def _is_still(file: Path, record: Done) -> bool:
    """Whether a file is the one that was written then; a copy of it counts."""
    state = file.stat()
    if state.st_size != record.bytes:
        return False
    return state.st_mtime_ns == record.modified or digest_of(file) == record.sha256


def _same_subject(found: Done, wanted: PaintRecipe, places: Sequence[str]) -> bool:
    """Whether the same photo was painted in the same styles, in these or in earlier settings.

    A picture is the same that has the same bytes, or lies in the same place.
    """
    theirs = [item.sha256 for item in (found.recipe.photo, *found.recipe.styles)]
    ours = [item.sha256 for item in (wanted.photo, *wanted.styles)]
    if len(theirs) != len(ours):
        return False
    before = found.places or [None] * len(theirs)
    return all(
        one == other or place == here
        for one, other, place, here in zip(theirs, ours, before, places, strict=True)
    )

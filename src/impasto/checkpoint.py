"""The state of an unfinished run, in a file beside its output."""

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError

from impasto.errors import BadRecipe, UsageError
from impasto.events import Snapshot, Step
from impasto.image.atomic import replacing
from impasto.image.write import check_output
from impasto.recipe import PaintRecipe, recipe_of
from impasto.settings import OutputSettings
from impasto.state_file import read_arrays, write_arrays

SHARE = 20
"""A state is not written again before so many times as long as writing it took."""


class Checkpoint:
    """Keeps a run's state beside its output, so that neither a kill nor Ctrl-C loses the work."""

    def __init__(self, output: Path, recipe: PaintRecipe, seconds: float) -> None:
        """The state is written every so many seconds."""
        self.path = checkpoint_of(output)
        self._recipe, self._seconds = recipe, seconds
        self._next = time.monotonic() + seconds

    def load(self) -> Snapshot | None:
        """The state to resume from, if there is one; BadRecipe where it is another job's."""
        return load_checkpoint(self.path, self._recipe) if self.is_there() else None

    def is_there(self) -> bool:
        """Whether a state has been written."""
        return os.path.exists(self.path)  # noqa: PTH110 (Path.exists raises on a name too long)

    def keep(self, event: Step) -> None:
        """Write the state if it is time; raises UnwritableOutput."""
        if time.monotonic() >= self._next:
            self.write(event)

    def write(self, event: Step) -> None:
        """Write the state now."""
        began = time.monotonic()
        try:
            save_checkpoint(self.path, self._recipe, event.snapshot())
        finally:
            ended = time.monotonic()
            self._next = ended + max(self._seconds, SHARE * (ended - began))

    def remove(self) -> None:
        """The work is done, whether what is left of it goes away or not."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def checkpoint_of(output: Path) -> Path:
    """Where the state of an unfinished `output` is kept."""
    return output.with_name(f"{output.name}.unfinished")


def check_place(
    output: str | Path,
    inputs: Iterable[str | Path],
    *,
    settings: OutputSettings,
    force: bool,
    resume: bool,
) -> None:
    """Refuse an output before any work, as `check_output` does, and mind a stopped run's state.

    What that run left may be replaced by the run that goes on, and is not lost by mistake.
    """
    unfinished = is_unfinished(output)
    if unfinished and not (force or resume):
        raise UsageError(
            f"cannot write {output}: the state of a run that was stopped is kept for it; "
            "add --resume to go on, or --force to start anew"
        )
    check_output(output, inputs, force=force or unfinished, settings=settings)


def is_unfinished(output: str | Path) -> bool:
    """Whether the state of a stopped run of this output is kept."""
    path = Path(output)
    return bool(path.name) and os.path.exists(checkpoint_of(path))  # noqa: PTH110 (as above)


def resumable(output: Path, recipe: PaintRecipe) -> bool:
    """Whether the state of this very painting is kept."""
    try:
        return is_unfinished(output) and bool(load_checkpoint(checkpoint_of(output), recipe))
    except BadRecipe:
        return False


def save_checkpoint(path: Path, recipe: PaintRecipe, snapshot: Snapshot) -> None:
    """Write the state of a run whole or not at all; raises UnwritableOutput."""
    facts = {
        "recipe": recipe.to_json(),
        "level": json.dumps(snapshot.level),
        "step": json.dumps(snapshot.step),
    }
    with replacing(path) as temporary:
        write_arrays(temporary, snapshot.arrays, facts)


def load_checkpoint(path: Path, recipe: PaintRecipe) -> Snapshot:
    """The state of an unfinished run of this very recipe; raises BadRecipe otherwise."""
    anew = f"start anew without --resume, or remove {path}"
    try:
        arrays, facts = read_arrays(path)
        level, step = json.loads(facts["level"]), json.loads(facts["step"])
        found = recipe_of(facts["recipe"], str(path))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadRecipe(f"cannot resume from {path}: it is damaged; {anew}") from error
    differing = recipe.differences(found) if isinstance(found, PaintRecipe) else ["command"]
    if differing:
        raise BadRecipe(
            f"cannot resume from {path}: it was made with other {', '.join(differing)}; "
            f"give the same as then, or {anew}"
        )
    return Snapshot(level, step, arrays)

"""The state of an unfinished run, in a file beside its output."""

import json
import time
from contextlib import suppress
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from impasto.errors import BadRecipe
from impasto.events import Snapshot, Step
from impasto.image.atomic import replacing
from impasto.recipe import Recipe


class Checkpoint:
    """Keeps a run's state beside its output, so that neither a kill nor Ctrl-C loses the work."""

    def __init__(self, output: Path, recipe: Recipe, seconds: float) -> None:
        """The state is written every so many seconds."""
        self.path = checkpoint_of(output)
        self._recipe, self._seconds = recipe, seconds
        self._written = time.monotonic()

    def load(self) -> Snapshot | None:
        """The state to resume from, if there is one; BadRecipe where it is another job's."""
        return load_checkpoint(self.path, self._recipe) if self.path.exists() else None

    def keep(self, event: Step) -> None:
        """Write the state if it is time; raises UnwritableOutput."""
        if time.monotonic() - self._written >= self._seconds:
            self.write(event)

    def write(self, event: Step) -> None:
        """Write the state now."""
        self._written = time.monotonic()
        save_checkpoint(self.path, self._recipe, event.snapshot())

    def remove(self) -> None:
        """The work is done, whether what is left of it goes away or not."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def checkpoint_of(output: Path) -> Path:
    """Where the state of an unfinished `output` is kept."""
    return output.with_name(f"{output.name}.unfinished")


def is_unfinished(output: str | Path) -> bool:
    """Whether a run of this output was stopped: the picture that it left may be replaced."""
    return checkpoint_of(Path(output)).exists()


def save_checkpoint(path: Path, recipe: Recipe, snapshot: Snapshot) -> None:
    """Write the state of a run whole or not at all; raises UnwritableOutput."""
    facts = {
        "recipe": recipe.to_json(),
        "level": json.dumps(snapshot.level),
        "step": json.dumps(snapshot.step),
    }
    data = save(dict(snapshot.arrays), metadata=facts)
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def load_checkpoint(path: Path, recipe: Recipe) -> Snapshot:
    """The state of an unfinished run of this very recipe; raises BadRecipe otherwise."""
    anew = f"start anew without --resume, or remove {path}"
    try:
        with safe_open(path, framework="numpy") as file:
            facts = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        level, step = json.loads(facts["level"]), json.loads(facts["step"])
        found = Recipe.from_json(facts["recipe"], str(path))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise BadRecipe(f"cannot resume from {path}: it is damaged; {anew}") from error
    differing = recipe.differences(found)
    if differing:
        raise BadRecipe(
            f"cannot resume from {path}: it was made with other {', '.join(differing)}; "
            f"give the same as then, or {anew}"
        )
    return Snapshot(level, step, arrays)

"""The reconstructions that a stopped run has finished, in a file beside its sheet."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError

from impasto.checkpoint import checkpoint_of, is_unfinished
from impasto.errors import UsageError
from impasto.events import Array
from impasto.image.atomic import replacing
from impasto.image.picture import STANDARD_STREAM
from impasto.state_file import read_arrays, write_arrays
from impasto.studio.reconstruction import Reconstruction

FIELDS = "term", "layers", "distance", "psnr", "complete"
"""What is told of a picture beside its pixels."""


class Finished:
    """Keeps what is finished, so that nothing loses it; nowhere where there is no file to be."""

    def __init__(self, output: str | Path | None, job: Mapping[str, object]) -> None:
        """`job`: all that decides the pictures, as JSON has it."""
        there = output is not None and str(output) != STANDARD_STREAM
        self._output = Path(str(output)) if there else None
        self._job = json.dumps(job, sort_keys=True)

    @property
    def is_there(self) -> bool:
        """Whether something is kept."""
        return self._output is not None and is_unfinished(self._output)

    def load(self, *, force: bool) -> list[Reconstruction]:
        """What a run of this very job has finished.

        UsageError where something else is kept that `force` does not give up.
        """
        if self._output is None or not self.is_there:
            return []
        path = checkpoint_of(self._output)
        try:
            arrays, facts = read_arrays(path)
            fault = "" if facts["job"] == self._job else "it is of another photo or other settings"
            made = [] if fault else _read(arrays, facts["known"])
        except (OSError, SafetensorError, KeyError, ValueError, TypeError):
            fault, made = "it is damaged, or of another command", []
        if fault and not force:
            raise UsageError(
                f"cannot go on from {path}: {fault}; give the same command as then, or add --force "
                "to start anew"
            )
        return made

    def keep(self, made: Sequence[Reconstruction]) -> None:
        """Write all that is finished, whole or not at all; raises UnwritableOutput."""
        if self._output is None:
            return
        known = [{name: getattr(each, name) for name in FIELDS} for each in made]
        arrays = {str(number): _array(each) for number, each in enumerate(made)}
        with replacing(checkpoint_of(self._output)) as temporary:
            write_arrays(temporary, arrays, {"job": self._job, "known": json.dumps(known)})

    def remove(self) -> None:
        """All is done, whether what is left of it goes away or not."""
        if self._output is not None:
            with suppress(OSError):
                checkpoint_of(self._output).unlink(missing_ok=True)


def _read(arrays: Mapping[str, Array], known: str) -> list[Reconstruction]:
    return [
        Reconstruction(
            rgb=np.concatenate(list(arrays[str(number)].pieces())),
            **{**each, "layers": tuple(each["layers"])},
        )
        for number, each in enumerate(json.loads(known))
    ]


def _array(made: Reconstruction) -> Array:
    return Array("float32", made.rgb.shape, lambda: iter([made.rgb]))

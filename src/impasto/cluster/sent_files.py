"""Files that go to workers through Ray's object store, so that no disk need be shared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import ClusterError
from impasto.scratch import unusable

if TYPE_CHECKING:
    from ray import ObjectRef

PART = 16_000_000
"""Bytes that are in the driver's memory, and in a worker's, at a time."""


@dataclass(frozen=True)
class SentFile:
    """A file in the object store."""

    given: str
    """Its path as it was given."""
    parts: "tuple[ObjectRef[bytes], ...]"


def sent(ray: Any, files: Mapping[str, str]) -> list[SentFile]:
    """Put files into the store; {path as given: where it lies}. Raises ClusterError."""
    return [SentFile(given, tuple(map(ray.put, _parts(path)))) for given, path in files.items()]


def received(files: Iterable[SentFile], folder: Path) -> dict[str, str]:
    """Write files into a folder, under their own names; {path as given: path here}.

    Raises UnwritableOutput.
    """
    import ray

    found = {}
    for number, file in enumerate(files):
        path = folder / str(number) / Path(file.given).name
        try:
            path.parent.mkdir(parents=True)
            with path.open("wb") as stream:
                for part in file.parts:
                    stream.write(ray.get(part))
        except OSError as error:
            raise unusable("keep the files of a worker", folder, error) from error
        found[file.given] = str(path)
    return found


def _parts(path: str) -> Iterator[bytes]:
    try:
        with Path(path).open("rb") as stream:
            while data := stream.read(PART):
                yield data
    except OSError as error:
        raise ClusterError(
            f"cannot send {path} to the cluster: {error.strerror or error}; see whether it is "
            "still there, and give the same command again"
        ) from error

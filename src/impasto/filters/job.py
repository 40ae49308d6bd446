"""What all filters do: a photo is read, something is made of it, and that carries its recipe."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

from impasto.events import Event, Stage
from impasto.image.picture import Picture, Source
from impasto.image.read import read
from impasto.made import Made, input_of
from impasto.recipe import FILTERING, FilterRecipe, Input, installed_versions
from impasto.settings import OutputSettings, Settings


@dataclass(frozen=True)
class Filtered(Made, ABC):
    """A picture that a filter made."""

    recipe: FilterRecipe
    bytes_before: int | None
    """Of the photo's file, if there is one."""

    @abstractmethod
    def summary(self) -> str:
        """What came of the work, in a few words for people."""


S = TypeVar("S", bound=Settings)
M = TypeVar("M", bound=Filtered)


class FilterJob(ABC, Generic[S, M]):
    """One picture to be filtered."""

    doing: ClassVar[str]
    """What it does, for people."""
    recipe_type: ClassVar[Callable[..., FilterRecipe]]
    made: M
    """The picture, once all events have been taken."""

    def __init__(self, photo: Source, settings: S, output: OutputSettings | None = None) -> None:
        self.settings = settings
        self._source, self._output = photo, output or OutputSettings()
        self._began = time.perf_counter()
        self._repeated: FilterRecipe | None = None

    def repeating(self, recipe: FilterRecipe) -> Self:
        """Let the picture carry this recipe, in which the inputs are named as they were then."""
        versions = installed_versions(FILTERING)
        self._repeated = recipe.model_copy(update={"versions": versions})
        return self

    def events(self) -> Iterator[Event]:
        """Do it, part by part."""
        yield Stage("reading", 0.0)
        photo = read(self._source)
        yield Stage(self.doing, 0.3)
        made = self._made(photo)
        self.made = made if self._repeated is None else replace(made, recipe=self._repeated)

    @abstractmethod
    def _made(self, photo: Picture) -> M:
        """Apply the filter."""

    def _facts(
        self, photo: Picture, settings: S, references: Mapping[str, Input] | None = None
    ) -> dict[str, Any]:
        """What every filter says of its picture."""
        return {
            "recipe": self.recipe_type(
                photo=input_of(self._source, photo),
                references=references or {},
                settings=settings,
                output=self._output,
                versions=installed_versions(FILTERING),
            ),
            "seconds": time.perf_counter() - self._began,
            "bytes_before": photo.file_size,
        }


def run(job: FilterJob[Any, M], show: Callable[[Event], None]) -> M:
    """Do a job; `show` takes every event."""
    for event in job.events():
        show(event)
    return job.made

"""A collection is made: outcomes are recorded, shown, and counted, whoever paints."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from impasto.collection.entry import Entry, State
from impasto.collection.gallery import Gallery
from impasto.collection.home import Home
from impasto.collection.manifest import Done, Missed, now
from impasto.collection.painter import Unusable, decoded, from_disk
from impasto.collection.plan import Plan
from impasto.collection.progress import Progress
from impasto.collection.standing import Standing, digest_of_asked
from impasto.collection.task import Failed, Finished, Material, Outcome, Runner, Task, Told, Working
from impasto.collection.thumbnail import input_thumbnail, thumbnail, thumbnail_of
from impasto.errors import UnreadableImage, ran_out
from impasto.events import Event, Notice, Stage
from impasto.image.picture import Picture, over_grey
from impasto.image.read import read
from impasto.recipe import Input
from impasto.settings import as_text
from impasto.work import undisturbed

PAGE_SECONDS = 5.0
"""Between two states of the gallery, and at least so many times as long as writing it took:"""
PAGE_SHARE = 20


class Making:
    """A run: all that is known of a collection while it comes to be."""

    def __init__(
        self,
        plan: Plan,
        standing: Standing,
        home: Home,
        sizes: Mapping[str, tuple[int, int]],
        work: Mapping[str, float],
        show: Callable[[Event], None],
    ) -> None:
        """`sizes`: {name: (width, height)}, px, of artworks where it is known.

        work: {name: how much it is to paint, in any unit}.
        """
        self._plan, self._standing, self._home, self._show = plan, standing, home, show
        self._sizes = sizes
        self._gallery, self._next_page = Gallery(home.path), 0.0
        self._heads: set[Material] = set()
        self.done = dict(standing.done)
        self.failed: dict[str, Missed] = dict(standing.failed)
        self.made: dict[str, Done] = {}
        """Artworks that this run has painted."""
        self.targets: dict[str, int] = {}
        """{digest of a picture: how many targets of it this run has computed}."""
        own = {task.name: work.get(task.name, 1.0) for task in standing.missing}
        self._progress = Progress(own, len(self.done), len(plan.tasks))

    def run(self, runner: Runner) -> None:
        """Paint what is missing.

        Raises UnwritableOutput, and Interrupted on Ctrl-C: all that was finished is recorded.
        """
        self._adopt()
        recipes, missing = self._plan.recipes, self._standing.missing
        self._home.begin({task.name: digest_of_asked(recipes[task.name]) for task in missing})
        self._draw()
        for outcome in runner.run(self._standing.missing, self._home.path, self._tell):
            with undisturbed():
                self._take(outcome)
            self._head(outcome.task)
            self._draw_in_time()

    def end(self) -> None:
        """Write the table, and the gallery as it is now."""
        records: list[Done | Missed] = [*self.done.values(), *self._standing.others]
        failures = {id(record): record for record in self.failed.values()}
        self._home.manifest.write_table([*records, *failures.values()])
        self._draw()

    def _adopt(self) -> None:
        """Record artworks whose run was killed before it could, and make missing thumbnails."""
        for record in self._standing.unrecorded:
            if record.seconds is None:  # there may be the thumbnail of what was before
                self._home.remove(thumbnail_of(record.name))
            self._home.manifest.append(record)
        names = [name for name in self.done if not self._is_there(thumbnail_of(name))]
        for number, name in enumerate(names):
            self._show(Stage("making thumbnails", number / len(names)))
            with _spared():
                self._home.write(thumbnail_of(name), _reduced(read(str(self._home.path / name))))
        for task in self._plan.tasks:
            if task.name in self.done:
                self._head(task)

    def _take(self, outcome: Outcome) -> None:
        if isinstance(outcome, Finished):
            self._finish(outcome)
        elif outcome.task.name not in self.failed:
            self._miss(outcome)

    def _finish(self, outcome: Finished) -> None:
        """The thumbnail first: what is recorded is done for good."""
        task = outcome.task
        self._home.write(thumbnail_of(task.name), outcome.thumbnail)
        record = Done(
            name=task.name,
            finished=now(),
            sha256=outcome.sha256,
            bytes=outcome.file_size,
            modified=self._home.modified(task.name),
            size=outcome.size,
            seconds=round(outcome.seconds, 3),
            losses=outcome.recipe.losses,
            recipe=outcome.recipe,
            places=self._plan.places(task),
        )
        self._home.manifest.append(record)
        self.done[task.name] = self.made[task.name] = record
        for digest, count in outcome.made.items():
            self.targets[digest] = self.targets.get(digest, 0) + count
        self._show(self._progress.finished(task.name))

    def _miss(self, outcome: Failed) -> None:
        """One record for all artworks that fail for the same reason."""
        names, blame = [outcome.task.name], outcome.blame
        if blame is not None:
            left = (task for task in self._standing.missing if task.name not in self.made)
            names = [task.name for task in left if blame in task.materials()]
        record = Missed(
            name=outcome.task.name if blame is None else as_text(blame.path),
            finished=now(),
            reason=outcome.reason,
            passing=outcome.passing,
            jobs=tuple(names),
            recipe=self._plan.recipes[outcome.task.name] if blame is None else None,
            input=_input(blame) if blame is not None else None,
        )
        self._home.manifest.append(record)
        self.failed |= dict.fromkeys(names, record)
        more = f" ({len(names)} artworks)" if len(names) > 1 else ""
        self._show(Notice(f"{outcome.reason}{more}"))
        for name in names:
            self._progress.left_out(name)

    def _tell(self, told: Told) -> None:
        if isinstance(told, Working):
            self._show(self._progress.working(told.task.name, told.done))
        else:
            self._show(told)

    def _head(self, task: Task) -> None:
        """Make thumbnails of an artwork's photo and styles, each once."""
        for material in {task.photo, *(style for style, _ in task.styles)} - self._heads:
            self._heads.add(material)
            name = input_thumbnail(material)
            if material.sha256 and not self._is_there(name):
                with _spared():
                    self._home.write(name, _reduced(decoded(material, from_disk)))

    def _is_there(self, name: str) -> bool:
        return (self._home.path / name).is_file()

    def _draw_in_time(self) -> None:
        if time.monotonic() >= self._next_page:
            self._draw()

    def _draw(self) -> None:
        began = time.monotonic()
        self._gallery.write(self._entries())
        ended = time.monotonic()
        self._next_page = ended + max(PAGE_SECONDS, PAGE_SHARE * (ended - began))

    def _entries(self) -> Sequence[Entry]:
        planned = [self._entry(task) for task in self._plan.tasks]
        return [*planned, *(_done(task_of(record), record) for record in self._standing.others)]

    def _entry(self, task: Task) -> Entry:
        if task.name in self.done:
            return _done(task, self.done[task.name])
        if task.name in self.failed:
            reason, weights = self.failed[task.name].reason, self._plan.weights.path
            return Entry(task, State.FAILED, reason, weights=weights)
        size = self._sizes.get(task.name)
        return Entry(task, size=size, weights=self._plan.weights.path)


@contextmanager
def _spared() -> Iterator[None]:
    """Do without a thumbnail that cannot be made now; the next run makes it.

    Its picture may have changed since the plan was made, or be too large for the memory there is.
    """
    try:
        yield
    except (Unusable, UnreadableImage):
        pass
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise


def task_of(record: Done) -> Task:
    """What an artwork that is there was made from."""
    recipe = record.recipe
    return Task(
        name=record.name,
        photo=_material(recipe.photo),
        styles=tuple((_material(style), style.beta) for style in recipe.styles),
        init=_material(recipe.init) if recipe.init is not None else None,
        settings=recipe.settings,
        output=recipe.output,
    )


def _done(task: Task, record: Done) -> Entry:
    return Entry(
        task,
        State.DONE,
        size=record.size,
        seconds=record.seconds,
        file_size=record.bytes,
        recipe=record.recipe,
        weights=record.recipe.weights.path,
        version=record.sha256[:8],
    )


def _material(item: Input) -> Material:
    return Material(item.path, item.sha256)


def _input(material: Material) -> Input:
    return Input(path=as_text(material.path), sha256=material.sha256)


def _reduced(picture: Picture) -> bytes:
    """The thumbnail of a picture."""
    return thumbnail(over_grey(picture.rgb, picture.alpha))

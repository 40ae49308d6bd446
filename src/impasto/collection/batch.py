"""Collections: every photo in every style, planned before, recorded as they come to be."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from impasto.artwork import weights_input
from impasto.cluster.cluster_settings import ClusterSettings
from impasto.collection.cluster import Cluster
from impasto.collection.forecast import CollectionForecast, evaluations, forecast_of, works_of
from impasto.collection.gallery import Gallery
from impasto.collection.here import Here
from impasto.collection.home import Home
from impasto.collection.jobs_file import ENDINGS, Asked, Jobs, read_jobs
from impasto.collection.making import Making
from impasto.collection.manifest import Done, Missed
from impasto.collection.painter import AGAIN, Painter
from impasto.collection.plan import plan_of
from impasto.collection.standing import Standing, standing
from impasto.collection.task import Runner
from impasto.errors import ImpastoError, Interrupted, UnwritableOutput, UsageError
from impasto.events import Event, Notice
from impasto.image.atomic import unwritable
from impasto.neural.target_files import TargetFiles
from impasto.neural.weights import load_weights
from impasto.quantities import parse_memory
from impasto.settings import OutputSettings, Preset
from impasto.threads import limited
from impasto.work import undisturbed

MOST_THREADS = 1024
"""Of this process: more than any machine computes with."""

CACHE = "1GB"
"""Bytes of computed targets that a collection keeps on the disk until it is complete."""


@dataclass(frozen=True)
class Collection:
    """What has come of a collection."""

    output: Path
    done: Mapping[str, Done]
    """{name: the record of an artwork that is there}."""
    failed: Mapping[str, Missed]
    """{name: the record of why an artwork is not there}."""
    made: int
    """Artworks that this run has painted."""
    targets: Mapping[str, int]
    """{digest of a photo or style: how many targets of it this run has computed}, one a level."""
    seconds: float

    @property
    def complete(self) -> bool:
        """Whether all artworks are there."""
        return not self.failed

    def facts(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "output": str(self.output),
            "jobs": len(self.done) + len(self.failed),
            "done": len(self.done),
            "failed": {name: record.reason for name, record in self.failed.items()},
            "made": self.made,
            "targets": sum(self.targets.values()),
            "seconds": round(self.seconds, 3),
        }


def batch(
    photos: str | Path | Sequence[str | Path],
    styles: str | Path | Sequence[str | Path | Sequence[str | Path]] | None = None,
    *,
    output: str | Path,
    name: str | None = None,
    preset: Preset | str | None = None,
    weights: str | Path | None = None,
    save: OutputSettings | None = None,
    cache: int | str = CACHE,
    threads: int | None = None,
    cluster: ClusterSettings | str | None = None,
    retry_failed: bool = False,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> Collection:
    """Paint every photo in every style, into a folder with a manifest and a gallery.

    photos: a file, a folder, a pattern as "photos/*.jpg", or several of these; alone, the path of
    a list of jobs: TOML, JSON or CSV.
    styles: the same, each with "=BETA" if wanted; several in a list of their own are mixed.
    output: the folder. name: of the files, with fields in braces: "{photo}--{style}.png".
    preset, settings, weights, save: as of `paint`; they hold instead of those in a list of jobs.
    cache: bytes of targets, or as "1GB", that are kept on the disk until all is painted.
    threads: that this process computes with; by default as many as PyTorch takes.
    cluster: of Ray that paints instead: its address, "auto", or settings that say more.
    retry_failed: try again also what failed before though nothing has changed.
    force: replace files that are no artworks of this collection.
    show: takes every event, for progress.

    What is there with the same recipe is not painted again; a job that fails is recorded with its
    reason, and the rest goes on.

    >>> collection = impasto.batch("photos", "styles", output="art", size=512)
    >>> collection.failed
    {}

    Raises the errors of `impasto.errors`.
    """
    job = Batch(
        asked_for(photos, styles),
        Path(output),
        settings | ({} if preset is None else {"preset": preset}),
        name=name,
        weights=Path(weights) if weights is not None else None,
        save=save or OutputSettings(),
        retry_failed=retry_failed,
        force=force,
    )
    if isinstance(cluster, str):
        own = {} if threads is None else {"threads": threads}
        cluster = ClusterSettings.checked({"cluster": cluster, **own})
    return job.make(show or (lambda _: None), job.runner(cluster, cache, threads))


def asked_for(
    photos: str | Path | Sequence[str | Path],
    styles: str | Path | Sequence[str | Path | Sequence[str | Path]] | None,
) -> Asked:
    """What is asked for by photos and styles, or by a list of jobs alone."""
    if styles is None:
        if not isinstance(photos, str | Path):
            raise UsageError("no styles: give them beside the photos, or name a list of jobs alone")
        return read_jobs(Path(photos))
    listed = [photos] if isinstance(photos, str | Path) else photos
    chosen = [styles] if isinstance(styles, str | Path) else styles
    for given in (*listed, *chosen):
        if str(given).lower().endswith(ENDINGS):
            raise UsageError(
                f"{given} is a list of jobs, which stands alone: name nothing beside it"
            )
    return Asked(
        Jobs(
            photos=tuple(map(str, listed)),
            styles=tuple(
                str(style) if isinstance(style, str | Path) else tuple(map(str, style))
                for style in chosen
            ),
        )
    )


class Batch:
    """A collection that is planned: all that is asked for is checked when it is created."""

    def __init__(
        self,
        asked: Asked,
        output: Path,
        settings: Mapping[str, Any],
        *,
        name: str | None,
        weights: Path | None,
        save: OutputSettings,
        retry_failed: bool,
        force: bool,
    ) -> None:
        """`settings` hold instead of those that are asked for; `preset` is one of them."""
        self._began = time.perf_counter()
        self.weights, self.loaded = weights, load_weights(weights)
        """The file of the weights, None for the usual, and what it holds."""
        self.plan = plan_of(
            asked,
            settings,
            output,
            name=name,
            output=save,
            weights=weights_input(self.loaded, weights),
        )
        self._retry, self._force = retry_failed, force
        self._home = Home(output)

    def forecast(self, threads: int | None = None) -> CollectionForecast:
        """What is missing would take with so many threads; nothing is written.

        Raises what `runner`, and `make` before work, raise.
        """
        self._check()
        with limited(_own(threads)):
            return forecast_of(self.plan, self._standing(), self.loaded)

    def runner(
        self, cluster: ClusterSettings | None, cache: int | str, threads: int | None
    ) -> Runner:
        """Who paints: workers on a cluster, or else this process with so many threads.

        UsageError where there are no threads, or far too many, or the amount of the cache is none.
        """
        if cluster is not None:
            return Cluster(cluster, self.weights, self.loaded)
        files = TargetFiles(self._home.targets, cache_bytes(cache))
        painter = Painter(self.weights, self.loaded, files)
        return Here(painter, _own(threads))

    def make(self, show: Callable[[Event], None], runner: Runner) -> Collection:
        """Paint what is missing, and record it.

        Raises Interrupted on Ctrl-C, when all that was finished is recorded; UsageError where
        another run is at work in the folder or a file is in the way; UnwritableOutput.
        """
        self._check()
        with self._home.held():
            self._home.manifest.mend()
            found = self._standing()
            _introduce(found, len(self.plan.tasks), show)
            works = works_of(found.missing)
            making = Making(
                self.plan,
                found,
                self._home,
                {name: work.size for name, work in works.items()},
                {name: float(evaluations(work)) for name, work in works.items()},
                show,
            )
            self._run(making, runner)
            self._home.close(complete=not making.failed)
        return Collection(
            self.plan.folder,
            making.done,
            making.failed,
            len(making.made),
            making.targets,
            time.perf_counter() - self._began,
        )

    def _check(self) -> None:
        """Refuse a folder that cannot be made, or where somebody else's files would be lost."""
        self._home.check()
        Gallery(self.plan.folder).check()

    def _run(self, making: Making, runner: Runner) -> None:
        try:
            making.run(runner)
            making.end()
        except (KeyboardInterrupt, Interrupted):
            _end_early(making)
            raise Interrupted(f"stopped; {self._there(making)}") from None
        except ImpastoError as error:
            _end_early(making)
            if not making.done:  # as where no worker can be had: the same command would not help
                raise
            raise type(error)(f"{error}; {self._there(making)}") from error
        except Exception:
            _end_early(making)
            raise

    def _there(self, making: Making) -> str:
        return f"{len(making.done)} of {len(self.plan.tasks)} artworks are there; to go on, {AGAIN}"

    def _standing(self) -> Standing:
        try:
            return standing(
                self.plan,
                self._home.manifest.read(),
                self._home.begun(),
                retry_failed=self._retry,
                force=self._force,
            )
        except OSError as error:
            raise unwritable(self.plan.folder, error) from error


def _own(threads: int | None) -> int:
    """Threads of this process, where it paints; as PyTorch has them, unless they are asked for."""
    if threads is None:
        return torch.get_num_threads()
    if not 1 <= threads <= MOST_THREADS:
        raise UsageError(f"threads must be at least 1 and at most {MOST_THREADS}, not {threads}")
    return threads


def _end_early(making: Making) -> None:
    """Write table and gallery of what is there; where they cannot be, all is recorded anyway."""
    with undisturbed(), suppress(UnwritableOutput):
        making.end()


def cache_bytes(amount: int | str) -> int:
    """Bytes that are meant; UsageError where that is no amount."""
    try:
        return parse_memory(amount) if isinstance(amount, str) else amount
    except ValueError as error:
        raise UsageError(f"cache {error}") from None


def counted(artworks: int) -> str:
    """So many artworks, in words."""
    return f"{artworks} artwork{'' if artworks == 1 else 's'}"


def _introduce(found: Standing, artworks: int, show: Callable[[Event], None]) -> None:
    """Say what there is to do."""
    parts = [counted(artworks)]
    if found.done:
        parts.append(f"{len(found.done)} {'is' if len(found.done) == 1 else 'are'} there already")
    parts.append(f"{len(found.missing)} to paint")
    show(Notice("; ".join(parts)))
    if found.failed:
        show(
            Notice(
                f"{len(found.failed)} failed before and nothing has changed since; --retry-failed "
                "tries them again"
            )
        )

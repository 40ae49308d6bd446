"""The command that paints collections."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.program import (
    NONE_OF_WRITING,
    Json,
    Quiet,
    WeightFile,
    Writing,
    app,
    console,
    present,
    say,
)
from impasto.cluster.cluster_settings import ClusterSettings
from impasto.errors import ExitStatus, UsageError
from impasto.options import FILE, given, options_of
from impasto.settings import OutputSettings, PaintSettings, Preset

if TYPE_CHECKING:
    from impasto.collection.batch import Collection
    from impasto.collection.jobs_file import Asked

    PaintOptions = Any
    ClusterOptions = Any
else:
    PaintOptions = options_of(PaintSettings, "Painting")
    ClusterOptions = options_of(ClusterSettings, "Cluster", without=["threads"])

NONE_OF_PAINTING, NO_CLUSTER = PaintOptions(), ClusterOptions()

FolderToWrite = Annotated[
    Path, FILE, Parameter(("--output", "-o"), help="Folder to write; made if it is not there.")
]
Name = Annotated[
    str | None,
    Parameter(help="Names of the files, with fields in braces. [default: {photo}--{style}.png]"),
]
Cache = Annotated[
    str,
    Parameter(help="Most disk to keep computed targets on. [default: 1GB]", metavar="AMOUNT"),
]
Threads = Annotated[
    int | None,
    Parameter(help="Threads to compute with. [default: one a core; 1 a worker on a cluster]"),
]


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto batch photos/ styles/ -o art\n"
        "    impasto batch 'photos/*.jpg' 'styles/*.jpg=50' --size 512 -o art\n"
        "    impasto batch photos/ styles/ --name '{style}/{photo}.jpg' --quality 90 -o art\n"
        "    impasto batch photos/ styles/ --size 1024 --dry-run -o art\n"
        "    impasto batch photos/ styles/ --cluster auto --workers 2 -o art\n"
        "    impasto batch jobs.toml --retry-failed -o art"
    )
)
def batch(
    *inputs: Annotated[
        str, FILE, Parameter(help="Photos and styles: folders or patterns; or a list of jobs.")
    ],
    output: FolderToWrite,
    name: Name = None,
    dry_run: Annotated[
        bool, Parameter(help="Say what there is to do and what it takes; write nothing.")
    ] = False,
    retry_failed: Annotated[
        bool, Parameter(help="Try again what failed before, though nothing has changed.")
    ] = False,
    preset: Annotated[
        Preset | None, Parameter(help="Settings to start from. [default: default]")
    ] = None,
    weights: WeightFile = None,
    cache: Cache = "1GB",
    threads: Threads = None,
    force: Annotated[
        bool, Parameter(help="Replace files that are no artworks of this collection.")
    ] = False,
    quiet: Quiet = False,
    json_: Json = False,
    cluster: Annotated[ClusterOptions, Parameter("*")] = NO_CLUSTER,
    options: Annotated[PaintOptions, Parameter("*")] = NONE_OF_PAINTING,
    writing: Writing = NONE_OF_WRITING,
) -> None:
    """Paint every photo in every style; a stopped run goes on by the same command."""
    from impasto.collection.batch import Batch, cache_bytes
    from impasto.neural.device import keep_freed_memory
    from impasto.progress import shown

    keep_freed_memory()
    most, workers = cache_bytes(cache), cluster_of(given(cluster), threads)
    job = Batch(
        asked_in(inputs),
        output,
        given(options) | ({} if preset is None else {"preset": preset}),
        name=name,
        weights=weights,
        save=OutputSettings.checked(given(writing)),
        retry_failed=retry_failed,
        force=force,
    )
    runner = job.runner(workers, most, threads)
    if dry_run:
        from impasto.tables import collection_table

        forecast = job.forecast(threads)
        present(forecast.facts(), collection_table(forecast), json_=json_)
        return
    with shown(console, quiet=quiet) as show:
        made = job.make(show, runner)
    finish(made, quiet=quiet, json_=json_)


def asked_in(inputs: tuple[str, ...]) -> "Asked":
    """What is asked for by photos and styles, or by a list of jobs alone."""
    from impasto.collection.batch import asked_for

    if not inputs:
        raise UsageError("no photos: name them and the styles, or a list of jobs")
    if len(inputs) > 2:
        raise UsageError(
            f"{len(inputs)} files are two patterns that the shell has spelled out; put patterns "
            "in quotes: impasto batch 'photos/*.jpg' 'styles/*.jpg' -o art"
        )
    return asked_for(inputs[0], inputs[1] if len(inputs) > 1 else None)


def cluster_of(asked: dict[str, Any], threads: int | None) -> ClusterSettings | None:
    """The cluster that is asked for; UsageError for workers without one."""
    own = {} if threads is None else {"threads": threads}
    return ClusterSettings.asked(asked | own if asked else {})


def finish(made: "Collection", *, quiet: bool, json_: bool) -> None:
    """Say what came of the work."""
    from impasto.collection.batch import counted

    if json_:
        say(json.dumps(made.facts()))
    elif not quiet:
        console.print(
            f"{made.output}: {counted(len(made.done))}; {made.made} of them painted now, in "
            f"{made.seconds:.1f} s; see {made.output / 'index.html'}"
        )
    if not made.complete:
        reasons = len({record.reason for record in made.failed.values()})
        console.print(
            f"impasto: {counted(len(made.failed))} missing, for {reasons} "
            f"reason{'s' if reasons > 1 else ''}; see {made.output / 'manifest.csv'}"
        )
        raise SystemExit(ExitStatus.PARTIAL)

"""The commands that paint."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.filtering import check_filter, finish_filter, present_files, two_files
from impasto.cli.program import (
    NONE_OF_WRITING,
    Force,
    Json,
    Output,
    Photo,
    Quiet,
    WeightFile,
    Writing,
    app,
    console,
    one_stream,
    present,
    say,
)
from impasto.errors import ExitStatus, UsageError
from impasto.options import FILE, checkpoint_seconds, given, options_of
from impasto.settings import (
    CHECKPOINT_SECONDS,
    OutputSettings,
    PaintSettings,
    Preset,
    StyleChoice,
    preset_settings,
)
from impasto.studio.recording_settings import RecordingSettings

if TYPE_CHECKING:
    from impasto.artwork import Job
    from impasto.studio.recording import Recording

    PaintOptions = Any
    RecordingOptions = Any
else:
    PaintOptions = options_of(PaintSettings, "Painting")
    RecordingOptions = options_of(RecordingSettings, "Recording")

NONE_OF_PAINTING, NOTHING_RECORDED = PaintOptions(), RecordingOptions()

Every = Annotated[
    float,
    Parameter(
        help=f"Seconds between states kept. [default: {CHECKPOINT_SECONDS:g}]",
        validator=checkpoint_seconds,
    ),
]
Resume = Annotated[bool, Parameter(help="Go on where a stopped run was.")]


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto paint photo.jpg --style starry.jpg -o art.png\n"
        "    impasto paint photo.jpg --style starry.jpg=100 --style wave.jpg=45 -o art.jpg\n"
        "    impasto paint photo.jpg --style starry.jpg --size full --depth 16 -o art.tif\n"
        "    impasto paint photo.jpg --style starry.jpg --size 60x40cm@300dpi -o print.tif\n"
        "    impasto paint photo.jpg --style starry.jpg --size 8K --memory 4GB --plan\n"
        "    impasto paint photo.jpg --style starry.jpg --preset article --json -o art.png\n"
        "    impasto paint photo.jpg --style starry.jpg --timelapse grow.mp4 -o art.png\n"
        "    impasto paint photo.jpg --style starry.jpg --log run.jsonl -o art.png\n"
        "    cat photo.jpg | impasto paint - --style starry.jpg -o - > art.png"
    )
)
def paint(
    photo: Photo,
    /,
    *,
    style: Annotated[
        list[str], FILE, Parameter(help="Style picture, or PICTURE=BETA; repeatable.")
    ],
    output: Annotated[Output | None, Parameter()] = None,
    plan: Annotated[
        bool, Parameter(help="Say what it would take (memory, time, tiles), and paint nothing.")
    ] = False,
    preset: Annotated[Preset, Parameter(help="Settings to start from. [default: default]")] = (
        Preset.DEFAULT
    ),
    weights: WeightFile = None,
    force: Force = False,
    resume: Resume = False,
    checkpoint_every: Every = CHECKPOINT_SECONDS,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[PaintOptions, Parameter("*")] = NONE_OF_PAINTING,
    recorded: Annotated[RecordingOptions, Parameter("*")] = NOTHING_RECORDED,
    writing: Writing = NONE_OF_WRITING,
) -> None:
    """Paint a photo in the style of one or more pictures."""
    settings = preset_settings(preset).updated(given(options))
    saving = OutputSettings.checked(given(writing))
    beside = RecordingSettings.checked(given(recorded))
    styles = [StyleChoice.parse(text) for text in style]
    files: list[str | Path | None] = [photo, settings.init, weights]
    files += [choice.path for choice in styles]
    recording = None
    if output is None and not plan:
        raise UsageError("no output: name a file to write with -o, or ask for the --plan alone")
    if output is not None and not plan:
        check(output, files, saving, force=force, resume=resume, json_=json_)
        recording = recording_of(given(recorded), output, files, force=force, resume=resume)
    from impasto.artwork import Job

    pairs = [(choice.path, choice.beta) for choice in styles]
    job = Job(photo, pairs, settings, saving, weights)
    if plan or output is None:
        tell_plan(job, beside, json_=json_)
        return
    how: dict[str, Any] = {"resume": resume, "checkpoint_seconds": checkpoint_every}
    finish(job, output, quiet, json_, recording=recording, **how)


@app.command
def demo(
    *,
    output: Output = "demo.png",
    photo: Annotated[str, Parameter(help="Sample photo. [default: chelsea]")] = "chelsea",
    style: Annotated[str, Parameter(help="Sample style. [default: spirograph]")] = "spirograph",
    size: Annotated[str, Parameter(help="Size, as of paint. [default: 512]")] = "512",
    force: Force = False,
    resume: Resume = False,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Paint one of the pictures that come with Impasto: no file and no network needed."""
    settings = PaintSettings.checked({"size": size})
    check(output, (), OutputSettings(), force=force, resume=resume, json_=json_)
    from impasto.artwork import Job

    job = Job(f"sample:{photo}", [(f"sample:{style}", None)], settings)
    finish(job, output, quiet, json_, resume=resume)


@app.command
def recipe(
    file: Annotated[str, FILE, Parameter(help="Picture or film made by Impasto.")], /
) -> None:
    """Print how a picture, an animation or a film was made, as JSON."""
    from impasto.motion.film_recipe import any_recipe_in

    say(any_recipe_in(file).model_dump_json(indent=2))


@app.command
def replay(
    file: Annotated[Path, FILE, Parameter(help="Picture made by Impasto.")],
    /,
    *,
    output: Output,
    force: Force = False,
    resume: Resume = False,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """Make a picture again from its recipe, bit for bit on the same machine and version."""
    from impasto.motion.film_recipe import FilmRecipe, any_recipe_in
    from impasto.recipe import PaintRecipe
    from impasto.replay import located

    found = any_recipe_in(file)
    if isinstance(found, FilmRecipe):
        raise UsageError(
            f"{file} is made of frames, and only pictures are replayed; make it again by "
            f"{found.command} -o {output}, with the settings that impasto recipe {file} prints"
        )
    files: list[str | Path] = [file, *located(found, file).values()]
    if isinstance(found, PaintRecipe):
        check(output, files, found.output, force=force, resume=resume, json_=json_)
        from impasto.repaint import job_of

        job, notes = job_of(found, file)
        finish(job, output, quiet, json_, notes=notes, resume=resume)
    elif resume:
        raise UsageError(f"{file} was not painted, so there is nothing to resume; leave it out")
    else:
        palette = found.kind == "quantize"
        check_filter(output, files, found.output, force=force, json_=json_, indexed=palette)
        from impasto.refilter import filter_job

        filter_again, notes = filter_job(found, file)
        finish_filter(filter_again, output, quiet, json_, notes=notes)


def check(
    output: str,
    inputs: Iterable[str | Path | None],
    settings: OutputSettings,
    *,
    force: bool,
    resume: bool,
    json_: bool,
) -> None:
    """Refuse an output before any work."""
    one_stream(output, json_=json_)
    from impasto.checkpoint import check_place

    files = [path for path in inputs if path is not None]
    check_place(output, files, settings=settings, force=force, resume=resume)


def tell_plan(job: "Job", recorded: RecordingSettings, *, json_: bool) -> None:
    """Say what painting and recording would take.

    Nothing is imported before that painting does without: it would count as memory that is held.
    """
    from impasto.neural.device import keep_freed_memory

    keep_freed_memory()
    if recorded.timelapse is not None:
        from impasto.studio.recording import memory_of

        job.beside = memory_of(recorded, job)
    forecast = job.forecast()
    from impasto.tables import forecast_table

    present(forecast.facts(), forecast_table(forecast), json_=json_)


def recording_of(
    asked: dict[str, Any],
    output: str,
    inputs: Iterable[str | Path | None],
    *,
    force: bool,
    resume: bool,
) -> "Recording | None":
    """What is to be recorded, its files checked; None, and no time lost, where that is nothing."""
    if not asked:
        return None
    from impasto.studio.recording import OUTPUTS, Recording

    for name in OUTPUTS:
        if name in asked:
            two_files(f"--{name}", Path(asked[name]), output)
    return Recording(force=force, resume=resume, others=present_files(*inputs), **asked)


def finish(
    job: "Job",
    output: str,
    quiet: bool,
    json_: bool,
    notes: Iterable[str] = (),
    recording: "Recording | None" = None,
    **how: Any,
) -> None:
    """Carry a job out, with its progress on the terminal, and say what came of it."""
    from impasto.events import Notice
    from impasto.neural.device import keep_freed_memory
    from impasto.progress import shown

    keep_freed_memory()
    with shown(console, quiet=quiet) as show:
        for note in notes:
            show(Notice(note))
        if recording is None:
            from impasto.work import carry_out

            artwork = carry_out(job, output, show, **how)
        else:
            from impasto.studio.recording import carry_out_recorded

            artwork = carry_out_recorded(job, output, show, recording, **how)
    if json_:
        recorded = {} if recording is None else recording.facts()
        say(json.dumps({"output": output, **artwork.facts(), **recorded}))
    elif not quiet:
        from impasto.progress import summary

        console.print(f"{output}: {summary(artwork.losses)}, {artwork.seconds:.1f} s")
        if recording is not None:
            console.print(f"recorded in {recording.files}")
    if not artwork.complete:
        console.print(
            f"impasto: the values stopped being finite; {output} is the best picture up to there, "
            "try a smaller beta or a lower learning rate"
        )
        raise SystemExit(ExitStatus.PARTIAL)

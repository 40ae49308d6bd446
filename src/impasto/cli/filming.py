"""The command that turns videos into artwork."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.program import (
    Force,
    Json,
    Quiet,
    Status,
    StyleTurns,
    WeightFile,
    app,
    console,
    say,
)
from impasto.cluster.cluster_settings import ClusterSettings
from impasto.errors import ExitStatus, UsageError
from impasto.filter_settings import QuantizeSettings, SuperpixelSettings
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.effect_settings import OF_PICTURES
from impasto.motion.film_settings import FilmSettings
from impasto.motion.video_settings import StyleTurn, VideoSettings, WorkSettings
from impasto.options import FILE, given, options_of
from impasto.settings import PaintSettings

if TYPE_CHECKING:
    from impasto.motion.video import Film

    VideoOptions = Any
    WorkOptions = Any
    ClusterOptions = Any
    PaintOptions = Any
    CoherenceOptions = Any
    QuantizeOptions = Any
    SuperpixelOptions = Any
    FilmOptions = Any
else:
    VideoOptions = options_of(VideoSettings, "Video")
    WorkOptions = options_of(WorkSettings, "Work")
    ClusterOptions = options_of(ClusterSettings, "Cluster", without=["workers", "threads"])
    PaintOptions = options_of(PaintSettings, "Painting", without=OF_PICTURES)
    CoherenceOptions = options_of(CoherenceSettings, "Coherence")
    QuantizeOptions = options_of(QuantizeSettings, "Colours (--effect quantize)")
    SuperpixelOptions = options_of(SuperpixelSettings, "Superpixels (--effect superpixels)")
    FilmOptions = options_of(FilmSettings, "Writing")

NO_VIDEO, NO_WORK, NO_CLUSTER, NO_PAINTING, NO_COHERENCE, NO_QUANTIZING, NO_SUPERPIXELS, NO_FILM = (
    VideoOptions(),
    WorkOptions(),
    ClusterOptions(),
    PaintOptions(),
    CoherenceOptions(),
    QuantizeOptions(),
    SuperpixelOptions(),
    FilmOptions(),
)


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto video clip.mp4 --style starry.jpg -o film.mp4\n"
        "    impasto video clip.mp4 --style starry.jpg --from 0:10 --to 0:20 -o film.mp4\n"
        "    impasto video clip.mkv --style a.jpg=100:0 --style b.jpg=0:100 -o film.mkv\n"
        "    impasto video clip.mp4 --style starry.jpg --workers 2 --codec hevc -o film.mp4\n"
        "    impasto video clip.mp4 --style starry.jpg --cluster auto -o film.mp4\n"
        "    impasto video clip.mp4 --effect quantize -k 8 -o film.webm --sound none\n"
        "    impasto video --status -o film.mp4"
    )
)
def video(
    clip: Annotated[Path | None, FILE, Parameter(help="Video to work on.")] = None,
    /,
    *,
    output: Annotated[Path, FILE, Parameter(("--output", "-o"), help="Film to write.")],
    style: StyleTurns = None,
    weights: WeightFile = None,
    status: Status = False,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[VideoOptions, Parameter("*")] = NO_VIDEO,
    work: Annotated[WorkOptions, Parameter("*")] = NO_WORK,
    cluster: Annotated[ClusterOptions, Parameter("*")] = NO_CLUSTER,
    painting: Annotated[PaintOptions, Parameter("*")] = NO_PAINTING,
    coherence: Annotated[CoherenceOptions, Parameter("*")] = NO_COHERENCE,
    quantizing: Annotated[QuantizeOptions, Parameter("*")] = NO_QUANTIZING,
    grouping: Annotated[SuperpixelOptions, Parameter("*")] = NO_SUPERPIXELS,
    writing: Annotated[FilmOptions, Parameter("*")] = NO_FILM,
) -> None:
    """Turn a video into artwork, with its sound; a stopped run goes on by the same command."""
    if status:
        tell_status(output, json_=json_)
        return
    if clip is None:
        raise UsageError("no clip: name the video to work on, or ask for the --status alone")
    settings = given(options, work, cluster, painting, coherence, quantizing, grouping, writing)
    turns = [StyleTurn.parse(text) for text in style or ()]
    from impasto.motion.video import VideoJob
    from impasto.progress import shown

    if settings.get("effect", "paint") == "paint":
        from impasto.neural.device import keep_freed_memory

        keep_freed_memory()
    with shown(console, quiet=quiet) as show:
        film = VideoJob(clip, turns, output, weights, settings, force=force).make(show)
    finish(film, quiet=quiet, json_=json_)


def tell_status(output: Path, *, json_: bool) -> None:
    """Print how far a film is."""
    from impasto.motion.status import status

    found = status(output)
    say(json.dumps(found.facts()) if json_ else found.sentence())


def finish(film: "Film", *, quiet: bool, json_: bool) -> None:
    """Say what came of the work."""
    if json_:
        say(json.dumps(film.facts()))
    elif not quiet:
        console.print(
            f"{film.output}: {film.survey.frames} frames, {film.survey.seconds:.2f} s, "
            f"{film.bytes:,} bytes; {film.made} of them made now, in {film.seconds:.1f} s"
        )
    if not film.complete:
        console.print(f"impasto: {faults(film)}")
        raise SystemExit(ExitStatus.PARTIAL)


def faults(film: "Film") -> str:
    """What the clip did not give."""
    found = []
    damaged, missing = len(film.survey.damaged), film.survey.missing
    if damaged:
        frames = f"{damaged} frame{'s' if damaged > 1 else ''}"
        found.append(f"{frames} of the clip damaged and bridged")
    if missing:
        found.append(f"{missing:.2f} s missing at its end")
    return ", ".join(found)

"""The commands that filter: fewer colours, superpixels, enhancement."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from impasto.cli.program import (
    NONE_OF_WRITING,
    Force,
    Json,
    Output,
    Photo,
    Quiet,
    Writing,
    app,
    console,
    one_stream,
    say,
)
from impasto.errors import UsageError
from impasto.filter_settings import (
    FEW_COLOURS,
    EnhanceSettings,
    QuantizeSettings,
    SuperpixelSettings,
)
from impasto.options import FILE, given, options_of
from impasto.settings import OutputSettings

if TYPE_CHECKING:
    from impasto.filters.job import Filtered, FilterJob
    from impasto.filters.quantize import QuantizedPicture
    from impasto.filters.superpixels import SuperpixelPicture

    M = TypeVar("M", bound=Filtered)
    QuantizeOptions = Any
    SuperpixelOptions = Any
    EnhanceOptions = Any
else:
    QuantizeOptions = options_of(QuantizeSettings, "Colours")
    SuperpixelOptions = options_of(SuperpixelSettings, "Superpixels")
    EnhanceOptions = options_of(EnhanceSettings, "Enhancement")

NO_QUANTIZING, NO_SUPERPIXELS, NO_ENHANCING = (
    QuantizeOptions(),
    SuperpixelOptions(),
    EnhanceOptions(),
)


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto quantize photo.jpg -k 16 -o poster.png\n"
        "    impasto quantize photo.jpg -k 8 --dither floyd-steinberg -o poster.gif\n"
        "    impasto quantize photo.jpg --save-palette colours.gpl -o poster.png\n"
        "    impasto quantize photo.jpg --palette starry.jpg -o poster.png\n"
        "    cat photo.jpg | impasto quantize - -k 64 -o - > poster.png"
    )
)
def quantize(
    photo: Photo,
    /,
    *,
    output: Output,
    save_palette: Annotated[
        Path | None,
        FILE,
        Parameter(help="Palette to write as well: .gpl, .hex or .png."),
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[QuantizeOptions, Parameter("*")] = NO_QUANTIZING,
    writing: Writing = NONE_OF_WRITING,
) -> None:
    """Reduce a photo to few colours, chosen by K-means."""
    settings = QuantizeSettings.checked(given(options))
    saving = FEW_COLOURS.updated(given(writing))
    files = [photo, settings.palette]
    check_filter(output, files, saving, force=force, json_=json_, indexed=True)
    if save_palette is not None:
        from impasto.image.palette_file import check_palette_output

        check_palette_output(save_palette, present_files(*files), force=force)
        two_files("--save-palette", save_palette, output)
    from impasto.filters.quantize import QuantizeJob

    def write_palette(made: "QuantizedPicture") -> None:
        if save_palette is not None:
            made.save_palette(save_palette, force=True)

    job = QuantizeJob(photo, settings, saving)
    finish_filter(job, output, quiet, json_, beside=write_palette)


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto superpixels photo.jpg -n 2000 -o mosaic.png\n"
        "    impasto superpixels photo.jpg -n 500 --borders white:2 -o glass.jpg\n"
        "    impasto superpixels photo.jpg --labels regions.png -o mosaic.png"
    )
)
def superpixels(
    photo: Photo,
    /,
    *,
    output: Output,
    labels: Annotated[
        Path | None, FILE, Parameter(help="Labels to write as well: .png of 16 bits, or .npy.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[SuperpixelOptions, Parameter("*")] = NO_SUPERPIXELS,
    writing: Writing = NONE_OF_WRITING,
) -> None:
    """Group similar pixels, and give each group its mean colour."""
    settings = SuperpixelSettings.checked(given(options))
    saving = OutputSettings.checked(given(writing))
    check_filter(output, [photo], saving, force=force, json_=json_)
    if labels is not None:
        from impasto.image.labels import check_labels_output

        check_labels_output(labels, settings.n, [photo], force=force)
        two_files("--labels", labels, output)
    from impasto.filters.superpixels import SuperpixelsJob

    def write_labels(made: "SuperpixelPicture") -> None:
        if labels is not None:
            made.save_labels(labels, force=True)

    job = SuperpixelsJob(photo, settings, saving)
    finish_filter(job, output, quiet, json_, beside=write_labels)


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto enhance photo.jpg --auto -o better.jpg\n"
        "    impasto enhance photo.jpg --white-balance 1 --levels 0.5 -o better.jpg\n"
        "    impasto enhance scan.tif --denoise 0.5 --sharpen 1 --depth 16 -o clean.tif\n"
        "    impasto enhance photo.jpg --match painting.jpg -o tinted.png\n"
        "    impasto enhance art.png --like-photo photo.jpg -o coloured.png"
    )
)
def enhance(
    photo: Photo,
    /,
    *,
    output: Output,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[EnhanceOptions, Parameter("*")] = NO_ENHANCING,
    writing: Writing = NONE_OF_WRITING,
) -> None:
    """Correct colours, contrast and sharpness; everything is off unless asked for."""
    settings = EnhanceSettings.checked(given(options))
    saving = OutputSettings.checked(given(writing))
    files = [photo, settings.match, settings.like_photo]
    check_filter(output, files, saving, force=force, json_=json_)
    from impasto.filters.enhance import EnhanceJob

    finish_filter(EnhanceJob(photo, settings, saving), output, quiet, json_)


def check_filter(
    output: str,
    inputs: Iterable[str | Path | None],
    settings: OutputSettings,
    *,
    force: bool,
    json_: bool,
    indexed: bool = False,
) -> None:
    """Refuse an output before any work."""
    one_stream(output, json_=json_)
    from impasto.image.write import check_output

    files = present_files(*inputs)
    check_output(output, files, force=force, settings=settings, indexed=indexed)


def two_files(option: str, file: Path, output: str) -> None:
    """Refuse a further file in the place of the picture."""
    from impasto.image.write import same_file

    if output != "-" and same_file(file, Path(output)):
        raise UsageError(f"{option} and --output name the same file, {file}; choose another name")


def present_files(*files: str | Path | None) -> list[str | Path]:
    """Those that were named."""
    return [file for file in files if file is not None]


def finish_filter(
    job: "FilterJob[Any, M]",
    output: str,
    quiet: bool,
    json_: bool,
    notes: Iterable[str] = (),
    beside: Callable[["M"], None] | None = None,
) -> None:
    """Do a job with its progress on the terminal, write the picture, and say what came of it.

    `beside` writes what else there is; the picture comes last, so that nothing is missing with it.
    """
    from impasto.events import Notice, Stage
    from impasto.filters.job import run
    from impasto.progress import shown

    with shown(console, quiet=quiet) as show:
        for note in notes:
            show(Notice(note))
        made = run(job, show)
        show(Stage("writing", 0.7))
        if beside is not None:
            beside(made)
        size = made.save(output, force=True)
    if json_:
        facts = {**made.facts(), "bytes_before": made.bytes_before, "bytes_after": size}
        say(json.dumps({"output": output, **facts}))
    elif not quiet:
        before = "" if made.bytes_before is None else f"{made.bytes_before:,} → "
        console.print(f"{output}: {made.summary()}; {before}{size:,} bytes, {made.seconds:.1f} s")

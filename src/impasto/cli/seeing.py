"""The commands that show what the network sees."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from impasto.cli.program import (
    Force,
    Json,
    OnPaper,
    Output,
    Quiet,
    WeightFile,
    app,
    console,
    one_stream,
    present,
    say,
)
from impasto.errors import UsageError
from impasto.options import FILE, given, options_of
from impasto.settings import STYLE_LAYERS, OutputSettings
from impasto.studio.seeing_settings import FeatureSettings, GramSettings
from impasto.studio.theme import Paper

if TYPE_CHECKING:
    from impasto.studio.drawn import Page

    FeatureOptions = Any
    GramOptions = Any
else:
    FeatureOptions = options_of(FeatureSettings, "Maps")
    GramOptions = options_of(GramSettings, "Gram matrices")

NO_FEATURES, NO_GRAMS = FeatureOptions(), GramOptions()

STRONGEST = 4
"""Maps that are named for each edge."""


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto layers\n"
        "    impasto layers --size 4K --json\n"
        "    impasto layers --size 1200x800 -o layers.svg"
    )
)
def layers(
    *,
    size: Annotated[
        str, Parameter(help="Size of the image, as WIDTHxHEIGHT. [default: 1200x800]")
    ] = "1200x800",
    output: Annotated[
        str | None, FILE, Parameter(("--output", "-o"), help="Figure to write: .svg or .png.")
    ] = None,
    paper: OnPaper = Paper.LIGHT,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
) -> None:
    """List VGG-19's layers: their maps, what they see, their work and memory; or draw them."""
    from impasto.neural.architecture import layers as layers_for
    from impasto.studio.seeing_tables import layers_table

    found = layers_for(size)
    if output is not None:
        from impasto.studio.diagram import diagram
        from impasto.studio.figure import check_figure, save_figure

        check_figure(output, (), force=force)
        written = save_figure(diagram(found, paper), output)
        if not quiet:
            console.print(f"{output}: {written:,} bytes")
    present({"layers": [layer.facts() for layer in found]}, layers_table(found), json_=json_)


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto features photo.jpg --layer relu1_1 -o maps.png\n"
        "    impasto features photo.jpg --layer relu4_2 --top 16 -o maps.png\n"
        "    impasto features photo.jpg --layer relu3_1 --maps 3,17 --json\n"
        "    impasto features photo.jpg --all -o depth.gif\n"
        "    impasto features --filters -o filters.png\n"
        "    impasto features --edges"
    )
)
def features(
    photo: Annotated[str | None, FILE, Parameter(help="Picture to look at; - for a pipe.")] = None,
    /,
    *,
    output: Annotated[Output | None, Parameter()] = None,
    all_: Annotated[
        bool, Parameter("--all", help="Go through all layers: a .gif, .webp or .mp4.")
    ] = False,
    filters: Annotated[bool, Parameter(help="Show the filters of the first layer.")] = False,
    edges: Annotated[
        bool, Parameter(help="Say which maps of the first layer answer to which edges.")
    ] = False,
    paper: OnPaper = Paper.LIGHT,
    weights: WeightFile = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[FeatureOptions, Parameter("*")] = NO_FEATURES,
) -> None:
    """Show the feature maps that VGG-19 makes of a photo."""
    asked = given(options)
    check_choice(photo, asked, {"--all": all_, "--filters": filters, "--edges": edges})
    settings = FeatureSettings.checked(asked)
    outlet = Outlet(output, paper, force=force, quiet=quiet, json_=json_)
    if edges:
        show_edges(settings.top or STRONGEST, outlet, weights)
    elif filters:
        show_filters(outlet, weights)
    elif all_:
        show_walk(str(photo), asked, outlet, weights)
    else:
        show_maps(str(photo), asked, outlet, weights)


@app.command(
    help_epilogue=(
        "Examples:\n\n"
        "    impasto gram starry.jpg -o gram.png\n"
        "    impasto gram starry.jpg photo.jpg -o gram.png\n"
        "    impasto gram starry.jpg art.png --size full --json"
    )
)
def gram(
    style: Annotated[str, FILE, Parameter(help="Style picture.")],
    photo: Annotated[
        str | None, FILE, Parameter(help="Photo or artwork to compare with it.")
    ] = None,
    /,
    *,
    output: Annotated[Output | None, Parameter()] = None,
    paper: OnPaper = Paper.LIGHT,
    weights: WeightFile = None,
    force: Force = False,
    quiet: Quiet = False,
    json_: Json = False,
    options: Annotated[GramOptions, Parameter("*")] = NO_GRAMS,
) -> None:
    """Show the Gram matrices of a style, and how far a picture's are from them."""
    asked = given(options)
    GramSettings.checked(asked)
    outlet = Outlet(output, paper, force=force, quiet=quiet, json_=json_)
    if photo is None or output is not None:
        outlet.check([style, photo, weights])
    from impasto.progress import shown
    from impasto.studio.seeing import gram as grams_of
    from impasto.studio.seeing_tables import distances_table

    with shown(console, quiet=quiet) as show:
        found = grams_of(style, photo, weights=weights, show=show, **asked)
    outlet.write(found, found.facts(), "Gram matrices of " + ", ".join(STYLE_LAYERS))
    if photo is not None and output != "-" and not json_:
        present({}, distances_table(found.distances), json_=False)


@dataclass(frozen=True)
class Outlet:
    """Where a page goes, and what is said of it."""

    output: str | None
    paper: Paper
    force: bool
    quiet: bool
    json_: bool

    def check(self, inputs: Iterable[str | Path | None]) -> None:
        """Refuse an output before any work, and none where there is nothing else to give."""
        if self.output is None:
            if not self.json_:
                raise UsageError("no output: name a file with -o, or ask for numbers with --json")
            return
        one_stream(self.output, json_=self.json_)
        from impasto.image.write import check_output

        files = [file for file in inputs if file is not None]
        check_output(self.output, files, force=self.force, settings=OutputSettings())

    def write(self, page: "Page", facts: Mapping[str, object], summary: str) -> None:
        """Write a page if there is an output, and say so, for people or for programs."""
        written = page.save(self.output, paper=self.paper, force=True) if self.output else 0
        self.tell(facts, f"{summary}; {written:,} bytes")

    def tell(self, facts: Mapping[str, object], summary: str) -> None:
        """Say what was written."""
        if self.json_:
            say(json.dumps({"output": self.output, **facts}))
        elif self.output and not self.quiet:
            console.print(f"{self.output}: {summary}")


def check_choice(photo: str | None, asked: dict[str, Any], modes: dict[str, bool]) -> None:
    """Refuse what does not go together."""
    chosen = [name for name, wanted in modes.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other; give one of them")
    mode = chosen[0] if chosen else ""
    if mode in {"", "--all"}:
        if photo is None:
            raise UsageError("no photo: name a picture to look at")
        unfit = {"--all": ("layer", "maps")}.get(mode, ())
    elif photo is not None:
        raise UsageError(f"{mode} looks at the network alone; leave the photo {photo} out")
    else:
        unfit = ("layer", "maps", "size", *(("top",) if mode == "--filters" else ()))
    for name in unfit:
        if name in asked:
            raise UsageError(f"--{name} has no meaning with {mode}; leave one of them out")


def show_maps(photo: str, asked: dict[str, Any], outlet: Outlet, weights: Path | None) -> None:
    """A sheet of a layer's maps."""
    outlet.check([photo, weights])
    from impasto.events import Stage
    from impasto.progress import shown
    from impasto.studio.seeing import features as maps_of

    with shown(console, quiet=outlet.quiet) as show:
        found = maps_of(photo, weights=weights, show=show, **asked)
        show(Stage("drawing", 0.7))
        outlet.write(found, found.facts(), found.summary())


def show_walk(photo: str, asked: dict[str, Any], outlet: Outlet, weights: Path | None) -> None:
    """An animation of all layers."""
    if outlet.output is None:
        raise UsageError("no output: name a .gif, .webp or .mp4 with -o")
    from impasto.progress import shown
    from impasto.studio.seeing import walk_layers

    how: dict[str, Any] = {"paper": outlet.paper, "weights": weights, "force": outlet.force}
    with shown(console, quiet=outlet.quiet) as show:
        written = walk_layers(photo, outlet.output, show=show, **how, **asked)
    outlet.tell({"bytes": written}, f"{written:,} bytes")


def show_filters(outlet: Outlet, weights: Path | None) -> None:
    """The filters of the first layer as a picture, or as numbers."""
    outlet.check([weights])
    from impasto.studio.seeing import first_filters

    found = first_filters(weights)
    outlet.write(found, {"filters": found.values.tolist()}, f"{len(found.values)} filters")


def show_edges(count: int, outlet: Outlet, weights: Path | None) -> None:
    """Which maps answer to which edges, on standard output."""
    if outlet.output is not None:
        raise UsageError("--edges is a table, not a picture; leave --output out")
    from impasto.studio.seeing import edge_responses
    from impasto.studio.seeing_tables import edges_table

    found = edge_responses(weights)
    present(found.facts(), edges_table(found, count), json_=outlet.json_)

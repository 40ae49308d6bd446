"""What single layers keep of a photo: Gatys et al. 2015, figure 1.

A picture is made from next to nothing until some layers see in it what they see in the photo: the
same feature maps (its content), or the same Gram matrices (its style). What else the photo shows,
these layers do not know.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from impasto.errors import Interrupted
from impasto.events import Event, Notice, Painted, Stage, Step
from impasto.image.picture import Picture, Source
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.image.write import check_output
from impasto.neural.paint import painting
from impasto.neural.shared import Shared
from impasto.neural.sources import RGB, Inputs, StyleImage
from impasto.neural.speed import operations
from impasto.settings import LAYERS, OutputSettings, PaintSettings
from impasto.sizes import fitted
from impasto.studio.drawn import Page
from impasto.studio.reconstruct_settings import LayerSet, ReconstructSettings
from impasto.studio.sheet import Cell, Sheet, draw
from impasto.studio.theme import Paper
from impasto.work import undisturbed

Term = Literal["content", "style"]

NOISE = 0.1
"""Range of the noise around middle grey that pictures start from. What a layer does not see stays
as it was at the start, so noise of the whole range would hide what the layer does see."""

Show = Callable[[Event], None]


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A picture that differs from the photo as little as some layers can tell."""

    term: Term
    layers: LayerSet
    rgb: RGB
    distance: float
    """That is left: |F - F_c|² / |F_c|² or |G - A|² / |A|², the mean of its layers, float32."""
    psnr: float
    """Of its pixels beside the photo's, dB."""

    @property
    def title(self) -> str:
        """Its layers, in short."""
        first, *rest = self.layers
        return ", ".join([first, *(name.removeprefix("relu") for name in rest)])

    @property
    def note(self) -> str:
        """How close it is; by pixels only where these are meant to be alike."""
        pixels = f", PSNR {self.psnr:.1f} dB" if self.term == "content" else ""
        return f"distance {self.distance:.2g}{pixels}"

    def facts(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "term": self.term,
            "layers": self.layers,
            "distance": self.distance if math.isfinite(self.distance) else None,
            "psnr": round(self.psnr, 2) if math.isfinite(self.psnr) else None,
        }


@dataclass(frozen=True, eq=False)
class Reconstructions(Page):
    """A photo and what layers keep of it."""

    name: str
    photo: RGB
    """At the size of the reconstructions."""
    pictures: Sequence[Reconstruction]
    """Content first, then style."""
    settings: ReconstructSettings
    seconds: float

    def page(self, paper: Paper = Paper.LIGHT) -> RGB:
        """A sheet with a row of content and one of style, and the photo beside, (H, W, 3)."""
        rows, heads, aims = [], [], []
        for term, aim in (("content", "feature maps"), ("style", "Gram matrices")):
            found = [each for each in self.pictures if each.term == term]
            if found:
                rows.append([Cell(each.rgb, each.title, each.note) for each in found])
                heads.append(term.capitalize())
                aims.append(aim)
        height, width = self.photo.shape[:2]
        sheet = Sheet(
            rows=rows,
            title=f"What the layers keep of {self.name}",
            subtitle=f"From faint noise to the same {' or '.join(aims)}, "
            f"{self.settings.steps} steps at each size",
            row_heads=heads,
            beside=[Cell(self.photo, self.name, f"{width} × {height} px")],
        )
        return draw(sheet, paper)

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        height, width = self.photo.shape[:2]
        return {
            "size": (width, height),
            "seconds": round(self.seconds, 1),
            "reconstructions": [each.facts() for each in self.pictures],
        }


def reconstruct(
    photo: Source,
    *,
    output: str | Path | None = None,
    paper: Paper | str = Paper.LIGHT,
    weights: str | Path | None = None,
    force: bool = False,
    show: Show | None = None,
    **settings: Any,
) -> Reconstructions:
    """Make pictures of what single layers of VGG-19 keep of a photo: its content, its style.

    photo: as in `paint`. settings: the fields of `ReconstructSettings`; `content_layer` and
    `style_layer` are text, as "relu1_2,relu4_2", or a sequence of sequences of layers.
    output, paper, force: a sheet to write as well, on light or dark paper, and whether to replace
    it; with it, Ctrl-C writes what is there. weights: a file with VGG-19's weights. show: takes
    every event, for progress.

    >>> kept = impasto.reconstruct("photo.jpg", content_layer="relu1_2,relu5_2", size=128)
    >>> kept.pictures[1].rgb, kept.save("kept.png")

    Raises the errors of `impasto.errors`.
    """
    asked = ReconstructSettings.checked(settings)
    if output is not None:
        files = [file for file in (photo, weights) if isinstance(file, str | Path)]
        check_output(output, files, force=force, settings=OutputSettings())
    began, tell = time.perf_counter(), show or (lambda _: None)
    tell(Stage("reading", 0.0))
    work = _Work(read(photo), asked, Path(weights) if weights is not None else None)
    made: list[Reconstruction] = []

    def so_far() -> Reconstructions:
        seconds = time.perf_counter() - began
        return Reconstructions(work.name, work.photo, made, asked, seconds)

    try:
        for event in work.events(made):
            tell(event)
    except KeyboardInterrupt:
        with undisturbed():
            said = f"stopped after {len(made)} of {len(work.wanted)} reconstructions"
            if output is None or not made:
                raise Interrupted(f"{said}; nothing was written") from None
            so_far().save(output, paper=paper, force=True)
            raise Interrupted(f"{said}; these are in {output}") from None
    if output is not None:
        so_far().save(output, paper=paper, force=True)
    return so_far()


class _Work:
    """One photo, and the pictures that are to be made of it."""

    def __init__(
        self, picture: Picture, settings: ReconstructSettings, weights: Path | None
    ) -> None:
        self._picture, self._settings = picture, settings
        self._shared = Shared()
        self._weights = self._shared.weights(weights)
        size = fitted(*picture.size, settings.size)
        self.name, self.photo = picture.name, resize(picture.rgb, *size)
        self._start = start(size, settings.seed)
        content, style = settings.sets
        terms: tuple[tuple[Term, Sequence[LayerSet]], ...] = (
            ("content", content),
            ("style", style),
        )
        self.wanted = [(term, layers) for term, sets in terms for layers in sets]

    def events(self, made: list[Reconstruction]) -> Iterator[Event]:
        """Make one after the other, each added to `made`; shares of the work are those of all."""
        size = self._picture.size
        costs = [operations(size, down_to(layers)) for _, layers in self.wanted]
        for number, (term, layers) in enumerate(self.wanted):
            before, share = sum(costs[:number]) / sum(costs), costs[number] / sum(costs)
            doing = f"{number + 1} of {len(costs)}, {term} of {layers[-1]}"
            for event in painting(*self._painting(term, layers), shared=self._shared):
                if isinstance(event, Step):
                    yield Stage(f"{doing}, step {event.step}", before + share * event.done)
                elif isinstance(event, Notice):
                    yield event
                elif isinstance(event, Painted):
                    made.append(self._finished(term, layers, event))
                    yield Notice(f"{term} of {made[-1].title}: {made[-1].note}")

    def _painting(self, term: Term, layers: LayerSet) -> tuple[Inputs, PaintSettings, Any]:
        """What the chain is to paint: the photo by one loss alone, its layers alike."""
        asked, picture = self._settings, self._picture
        weights = dict.fromkeys(layers, 1 / len(layers))
        settings = PaintSettings(
            alpha=1.0 if term == "content" else 0.0,
            content_layers=weights,
            style_layers=weights,
            steps=asked.steps,
            coarse_steps=asked.steps,
            # Gram matrices of a small picture tell so much that the photo itself comes back.
            levels="auto" if term == "content" else 1,
            **asked.model_dump(include={"size", "pooling", "device", "precision", "memory"}),
        )
        styles = [StyleImage("photo", 1.0, picture.rgb)] if term == "style" else []
        return Inputs(picture.rgb, styles, self._start), settings, self._weights

    def _finished(self, term: Term, layers: LayerSet, event: Painted) -> Reconstruction:
        distance = sum(event.losses.values())
        return Reconstruction(
            term, layers, event.picture, distance, psnr(event.picture, self.photo)
        )


def start(size: tuple[int, int], seed: int) -> RGB:
    """Middle grey with faint white noise, (H, W, 3)."""
    width, height = size
    noise = np.random.default_rng(seed).random((height, width, 3), np.float32)
    return np.float32(0.5) + np.float32(NOISE) * (noise - np.float32(0.5))


def psnr(rgb: RGB, other: RGB) -> float:
    """Peak signal-to-noise ratio of pictures in [0, 1], dB; infinite where they are the same."""
    error = float(np.square(rgb - other, dtype=np.float64).mean())
    return -10 * math.log10(error) if error else math.inf


def down_to(layers: LayerSet) -> tuple[str, ...]:
    """The network down to the deepest of some layers."""
    return LAYERS[: LAYERS.index(layers[-1]) + 1]

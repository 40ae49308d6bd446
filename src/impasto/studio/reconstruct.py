"""What single layers keep of a photo: Gatys et al. 2015, figure 1.

A picture is made from next to nothing until some layers see in it what they see in the photo: the
same feature maps (its content), or the same Gram matrices (its style). What else the photo shows,
these layers do not know.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from impasto.checkpoint import is_unfinished
from impasto.errors import ImpastoError, Interrupted, UnwritableOutput
from impasto.events import Event, Notice, Painted, Stage, Step
from impasto.image.picture import Picture, Source
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.image.write import check_output
from impasto.neural.device import choose_device, choose_precision
from impasto.neural.paint import painting
from impasto.neural.shared import Shared
from impasto.neural.sources import RGB, Inputs, StyleImage
from impasto.neural.speed import operations
from impasto.settings import LAYERS, OutputSettings, PaintSettings
from impasto.sizes import fitted
from impasto.studio.reconstruct_settings import LayerSet, ReconstructSettings
from impasto.studio.reconstruct_state import Finished
from impasto.studio.reconstruction import Reconstruction, Reconstructions, Term, psnr
from impasto.studio.theme import Paper
from impasto.work import undisturbed

NOISE = 0.1
"""Range of the noise around middle grey that pictures start from. What a layer does not see stays
as it was at the start, so noise of the whole range would hide what the layer does see."""

AGAIN = "to go on, give the same command again"

Show = Callable[[Event], None]


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
    it. With it, each finished picture is kept beside it until all are; a run that was stopped, or
    failed, goes on behind them when it is called again. Ctrl-C writes a sheet of what is there.
    weights: a file with VGG-19's weights. show: takes every event, for progress.

    >>> kept = impasto.reconstruct("photo.jpg", content_layer="relu1_2,relu5_2", size=128)
    >>> kept.pictures[1].rgb, kept.save("kept.png")

    Raises the errors of `impasto.errors`.
    """
    asked, paper = ReconstructSettings.checked(settings), Paper(paper)
    if output is not None:
        files = [file for file in (photo, weights) if isinstance(file, str | Path)]
        again = force or is_unfinished(output)
        check_output(output, files, force=again, settings=OutputSettings())
    tell = show or (lambda _: None)
    tell(Stage("reading", 0.0))
    work = _Work(read(photo), asked, Path(weights) if weights is not None else None)
    finished = Finished(output, work.decisive)
    made = finished.load(force=force)
    try:
        for event in work.events(made, finished):
            tell(event)
        if output is not None:
            work.so_far(made).save(output, paper=paper, force=True)
    except KeyboardInterrupt:
        with undisturbed():
            if made:
                with suppress(UnwritableOutput):  # that it can't be kept was told
                    finished.keep(made)
            said = _stopped(work, made, output, paper)
        raise Interrupted(f"{said}{_kept(finished)}") from None
    except ImpastoError as error:
        raise type(error)(f"{error}{_kept(finished)}") from error
    finished.remove()
    return work.so_far(made)


def _stopped(
    work: "_Work", made: Sequence[Reconstruction], output: str | Path | None, paper: Paper
) -> str:
    """Write a sheet of what there is; the sentence that says so."""
    said = f"stopped after {len(made)} of {len(work.wanted)} reconstructions"
    if output is None or not made:
        return f"{said}; nothing was written"
    try:
        work.so_far(made).save(output, paper=paper, force=True)
    except UnwritableOutput as error:
        return f"{said}; {error}"
    return f"{said}; these are in {output}"


def _kept(finished: Finished) -> str:
    """How to go on, as the end of a sentence."""
    return f"; {AGAIN}" if finished.is_there else ""


class _Work:
    """One photo, and the pictures that are to be made of it."""

    def __init__(
        self, picture: Picture, settings: ReconstructSettings, weights: Path | None
    ) -> None:
        self._began = time.perf_counter()
        self._picture, self._settings = picture, settings
        self._shared = Shared()
        self._weights = self._shared.weights(weights)
        size = fitted(*picture.size, settings.size)
        self._photo = resize(picture.rgb, *size)
        self._start = start(size, settings.seed)
        content, style = settings.sets
        terms: tuple[tuple[Term, Sequence[LayerSet]], ...] = (
            ("content", content),
            ("style", style),
        )
        self.wanted = [(term, layers) for term, sets in terms for layers in sets]

    @property
    def decisive(self) -> dict[str, object]:
        """All that decides the pictures; memory does not."""
        device = choose_device(self._settings.device)
        return self._settings.model_dump(mode="json", exclude={"memory"}) | {
            "photo": self._picture.sha256,
            "weights": self._weights.sha256,
            "device": str(device),
            "precision": str(choose_precision(self._settings.precision, device)),
        }

    def so_far(self, made: Sequence[Reconstruction]) -> Reconstructions:
        """What is there."""
        seconds = time.perf_counter() - self._began
        return Reconstructions(self._picture.name, self._photo, made, self._settings, seconds)

    def events(self, made: list[Reconstruction], finished: Finished) -> Iterator[Event]:
        """Make one after the other behind those that are `made`, each added to them, and kept.

        Shares of the work are those of all.
        """
        size, begun = self._picture.size, len(made)
        if begun:
            yield Notice(f"{begun} of {len(self.wanted)} reconstructions are there already")
        costs = [operations(size, down_to(layers)) for _, layers in self.wanted]
        for number, (term, layers) in enumerate(self.wanted[begun:], begun):
            before, share = sum(costs[:number]) / sum(costs), costs[number] / sum(costs)
            doing = f"{number + 1} of {len(costs)}, {term} of {layers[-1]}"
            for event in painting(*self._painting(term, layers), shared=self._shared):
                if isinstance(event, Step):
                    yield Stage(f"{doing}, step {event.step}", before + share * event.done)
                elif isinstance(event, Notice):
                    yield event
                elif isinstance(event, Painted):
                    made.append(self._finished(term, layers, event))
                    yield from _keep(made, finished)

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
        return Reconstruction(
            term,
            layers,
            event.picture,
            distance=sum(event.losses.values()),
            psnr=psnr(event.picture, self._photo),
            complete=event.complete,
        )


def _keep(made: Sequence[Reconstruction], finished: Finished) -> Iterator[Notice]:
    """Keep what was made last, and say so; where it can't be kept, the work goes on."""
    try:
        finished.keep(made)
    except UnwritableOutput as error:
        yield Notice(f"what is finished is not kept: {error}")
    yield Notice(f"{made[-1].term} of {made[-1].title}: {made[-1].note}")


def start(size: tuple[int, int], seed: int) -> RGB:
    """Middle grey with faint white noise, (H, W, 3)."""
    width, height = size
    noise = np.random.default_rng(seed).random((height, width, 3), np.float32)
    return np.float32(0.5) + np.float32(NOISE) * (noise - np.float32(0.5))


def down_to(layers: LayerSet) -> tuple[str, ...]:
    """The network down to the deepest of some layers."""
    return LAYERS[: LAYERS.index(layers[-1]) + 1]

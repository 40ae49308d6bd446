"""An effect before its frames are made: its inputs read and named, its memory shared out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import UsageError
from impasto.filter_settings import QuantizeSettings, SuperpixelSettings
from impasto.filters.quantize import reference
from impasto.image.read import read
from impasto.image.superpixels import check_number
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.effect import Effect
from impasto.motion.effects import PaintedStyle, painted, quantized, superpixelled
from impasto.motion.film_recipe import MovingStyleInput
from impasto.motion.video_settings import StyleTurn
from impasto.recipe import FILTERING, PAINTING, Input, installed_versions
from impasto.settings import PaintSettings, Settings, as_text
from impasto.sizes import FULL

if TYPE_CHECKING:
    from impasto.neural.plan import Work

MOVING = ("av", "opencv-contrib-python-headless")
"""Packages that read clips and follow their motion, whose versions can change frames."""


@dataclass(frozen=True)
class Prepared:
    """An effect that can be built in any process."""

    effect: Callable[[], Effect]
    workers: int
    """That there is memory for."""
    facts: Mapping[str, Any]
    """What the recipe says of it, by the names of its fields."""
    notices: Sequence[str] = field(default=())
    """What a person should know."""
    seconds: Callable[[int, int], float | None] | None = None
    """Of so many first frames of shots and other frames, with one worker, if it can be told."""


def prepared(
    own: Sequence[Settings],
    styles: Sequence[StyleTurn],
    weights: Path | None,
    size: tuple[int, int],
    workers: int,
    threads: int,
) -> Prepared:
    """Read and check what an effect with these settings takes; size: of the frames, px."""
    check_inputs(own, styles, weights)
    match own:
        case [PaintSettings() as settings, CoherenceSettings() as coherence]:
            return _painting(settings, coherence, styles, weights, size, workers, threads)
        case [QuantizeSettings() | SuperpixelSettings() as settings]:
            return _filter(settings, size, workers)
    raise TypeError(f"no effect has the settings {own}")


def check_inputs(
    own: Sequence[Settings], styles: Sequence[StyleTurn], weights: Path | None
) -> None:
    """Refuse a painting without a style, and styles where nothing is painted."""
    painting = isinstance(own[0], PaintSettings)
    if painting and not styles:
        raise UsageError("no style picture: give at least one with --style")
    if not painting and (styles or weights is not None):
        raise UsageError("styles and weights are of the effect paint; leave them out")


def files_beside(
    own: Sequence[Settings], styles: Sequence[StyleTurn], weights: Path | None
) -> list[str | Path]:
    """The files that go into an effect beside its frames, which no output may replace."""
    files = (*(turn.path for turn in styles), weights, getattr(own[0], "palette", None))
    return [file for file in files if file is not None]


def _filter(
    settings: QuantizeSettings | SuperpixelSettings, size: tuple[int, int], workers: int
) -> Prepared:
    """Nothing that is sampled in several threads, so their number has no say."""
    facts: dict[str, Any] = {"versions": installed_versions((*FILTERING, *MOVING[:1]))}
    if isinstance(settings, SuperpixelSettings):
        check_number(settings.n, size)
        return Prepared(partial(superpixelled, settings), workers, facts)
    _, facts["references"] = reference(settings)
    return Prepared(partial(quantized, settings), workers, facts)


def _painting(
    settings: PaintSettings,
    coherence: CoherenceSettings,
    styles: Sequence[StyleTurn],
    weights: Path | None,
    size: tuple[int, int],
    workers: int,
    threads: int,
) -> Prepared:
    from impasto.motion.expected import expected_seconds
    from impasto.neural.device import choose_device, choose_precision
    from impasto.neural.plan import Work
    from impasto.neural.shared import Shared

    pictures = [read(style.path) for style in styles]
    betas = [
        tuple(settings.beta if beta is None else beta for beta in (style.begins, style.ends))
        for style in styles
    ]
    found = Shared().weights(weights)
    device = choose_device(settings.device)
    dtype = choose_precision(settings.precision, device)
    settings = settings.updated({"size": FULL, "device": device.type})
    sizes = [picture.size for picture in pictures]
    work = Work(size, sizes, settings, dtype, device, followed=True)
    fitting, memory = shared_out(work, workers)
    settings = settings.updated({"memory": memory})
    turns = [PaintedStyle(style.path, *pair) for style, pair in zip(styles, betas, strict=True)]
    fewer = f"there is memory for {fitting} of {workers} workers: that many are taken"
    return Prepared(
        partial(painted, turns, settings, coherence, weights),
        fitting,
        {
            "styles": tuple(
                MovingStyleInput(
                    path=turn.path, sha256=picture.sha256, begins=turn.begins, ends=turn.ends
                )
                for turn, picture in zip(turns, pictures, strict=True)
            ),
            "weights": Input(
                path=found.source if weights is None else as_text(weights), sha256=found.sha256
            ),
            "device": str(device),
            "precision": str(dtype).removeprefix("torch."),
            "threads": threads,
            "versions": installed_versions((*PAINTING, *MOVING)),
        },
        (fewer,) if fitting < workers else (),
        partial(expected_seconds, work, coherence, found),
    )


def shared_out(work: "Work", workers: int) -> tuple[int, Any]:
    """How many workers there is memory for, and the bytes of each; `auto` for one alone.

    Raises NotEnoughMemory where there is not even enough for one.
    """
    from impasto.neural.budget import resident_memory
    from impasto.neural.plan import Planner, budget_of, plan_for, scratch

    plan_for(work)
    if workers == 1:
        return 1, work.settings.memory
    # Each holds the libraries, the weights and the styles, as this process does now.
    base = resident_memory(work.device)
    budget = budget_of(work.settings, work.device) - base
    least = Planner(work, base, scratch()).least()
    fitting = max(1, min(workers, budget // least))
    return fitting, budget // fitting

"""An effect before its frames are made: its inputs read and named, its memory shared out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cluster.cluster_settings import ClusterSettings
from impasto.errors import UsageError
from impasto.filter_settings import QuantizeSettings, SuperpixelSettings
from impasto.filters.quantize import reference
from impasto.image.read import read
from impasto.image.samples import is_sample
from impasto.image.superpixels import check_number
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.effect import Builder
from impasto.motion.effects import PaintedStyle, Painting, Quantizing, Superpixelling
from impasto.motion.film_recipe import MovingStyleInput
from impasto.motion.staff import Staff
from impasto.motion.video_settings import StyleTurn
from impasto.recipe import FILTERING, PAINTING, Input, installed_versions
from impasto.settings import PaintSettings, Settings, as_text
from impasto.sizes import FULL
from impasto.threads import limited

if TYPE_CHECKING:
    import torch

    from impasto.neural.plan import Work
    from impasto.neural.weights import Weights

MOVING = ("av", "opencv-contrib-python-headless", "scipy")
"""Packages that read clips, follow their motion and carry paintings along it: their versions can
change frames."""


@dataclass(frozen=True)
class Prepared:
    """An effect that can be built in any process."""

    effect: Builder
    workers: int
    """That there is memory for on this machine."""
    facts: Mapping[str, Any]
    """What the recipe says of it, by the names of its fields."""
    files: Mapping[str, str] = field(default_factory=dict)
    """{path as given: where it lies here} of the files that go in; samples are everywhere."""
    notices: Sequence[str] = field(default=())
    """What a person should know."""
    seconds: Callable[[int, int], float | None] | None = None
    """Of so many first frames of shots and other frames, where this process makes them all and it
    can be told."""


def prepared(
    own: Sequence[Settings],
    styles: Sequence[StyleTurn],
    weights: Path | None,
    size: tuple[int, int],
    staff: Staff,
) -> Prepared:
    """Read and check what an effect with these settings takes; size: of the frames, px."""
    check_inputs(own, styles, weights)
    match own:
        case [PaintSettings() as settings, CoherenceSettings() as coherence]:
            painting = Painting(_turns(styles, settings), settings, coherence, weights)
            return _painting(painting, size, staff)
        case [QuantizeSettings() | SuperpixelSettings() as settings]:
            return _filter(settings, size, staff)
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
    settings: QuantizeSettings | SuperpixelSettings, size: tuple[int, int], staff: Staff
) -> Prepared:
    """Nothing that is sampled in several threads, so their number has no say."""
    facts: dict[str, Any] = {"versions": installed_versions((*FILTERING, *MOVING))}
    if isinstance(settings, SuperpixelSettings):
        check_number(settings.n, size)
        return Prepared(Superpixelling(settings), staff.workers, facts)
    _, facts["references"] = reference(settings)
    files = _lying([] if settings.palette is None else [settings.palette])
    return Prepared(Quantizing(settings), staff.workers, facts, files)


def _painting(asked: Painting, size: tuple[int, int], staff: Staff) -> Prepared:
    """Settle device, precision, and memory, but for workers of a cluster, who find it out."""
    from impasto.neural.plan import Work
    from impasto.neural.shared import Shared

    pictures = [read(style.path) for style in asked.styles]
    found = Shared().weights(asked.weights)
    device, dtype = _computed_on(asked.settings, staff.cluster)
    settings = asked.settings.updated(
        {"size": FULL, "device": device.type, "precision": str(dtype).removeprefix("torch.")}
    )
    ready = Prepared(
        replace(asked, settings=settings),
        staff.workers,
        _facts(asked, [picture.sha256 for picture in pictures], found)
        | {"device": str(device), "precision": settings.precision, "threads": staff.threads},
        # A bare name of weights may be that of a file in the user's folder.
        _lying(style.path for style in asked.styles)
        | ({} if asked.weights is None else {str(asked.weights): found.source}),
    )
    if staff.cluster is not None:
        return ready
    sizes = [picture.size for picture in pictures]
    work = Work(size, sizes, settings, dtype, device, followed=True)
    fitting, memory = shared_out(work, staff.workers)
    fewer = f"there is memory for {fitting} of {staff.workers} workers: that many are taken"
    return replace(
        ready,
        effect=replace(asked, settings=settings.updated({"memory": memory})),
        workers=fitting,
        notices=(fewer,) if fitting < staff.workers else (),
        # How much several hinder one another, their first frames tell.
        seconds=partial(_seconds, work, asked.coherence, found, staff.threads)
        if fitting == 1
        else None,
    )


def _turns(styles: Sequence[StyleTurn], settings: PaintSettings) -> list[PaintedStyle]:
    """Styles with all their betas."""
    return [
        PaintedStyle(
            style.path,
            *(settings.beta if beta is None else beta for beta in (style.begins, style.ends)),
        )
        for style in styles
    ]


def _facts(asked: Painting, digests: Sequence[str], weights: "Weights") -> dict[str, Any]:
    """What the recipe says of a painting's inputs."""
    return {
        "styles": tuple(
            MovingStyleInput(
                path=as_text(style.path), sha256=sha256, begins=style.begins, ends=style.ends
            )
            for style, sha256 in zip(asked.styles, digests, strict=True)
        ),
        "weights": Input(
            path=weights.source if asked.weights is None else as_text(asked.weights),
            sha256=weights.sha256,
        ),
        "versions": installed_versions((*PAINTING, *MOVING)),
    }


def _lying(files: Iterable[str | Path]) -> dict[str, str]:
    """Files that lie where their paths say."""
    return {str(file): str(file) for file in files if not is_sample(str(file))}


def _computed_on(
    settings: PaintSettings, cluster: ClusterSettings | None
) -> tuple["torch.device", "torch.dtype"]:
    """Where frames are computed, and how precisely: on a cluster the same for all workers.

    What cards can do that are not here is not known, so there `auto` is float32.
    """
    import torch

    from impasto.neural.device import choose_device, choose_precision, present_devices

    if cluster is None:
        device = choose_device(settings.device)
        return device, choose_precision(settings.precision, device)
    kind = "cuda" if cluster.gpus else "cpu"
    if settings.device not in ("auto", kind):
        raise UsageError(
            f"--device {settings.device}: workers of this cluster compute on {kind}; leave it "
            "out, and give them --gpus for graphics cards"
        )
    unknown = settings.precision == "auto" and kind not in present_devices()
    device = torch.device(kind)
    return device, choose_precision("float32" if unknown else settings.precision, device)


def _seconds(
    work: "Work",
    coherence: CoherenceSettings,
    weights: "Weights",
    threads: int,
    firsts: int,
    others: int,
) -> float | None:
    from impasto.motion.expected import expected_seconds

    with limited(threads):
        return expected_seconds(work, coherence, weights, firsts, others)


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

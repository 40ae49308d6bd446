"""How fast this machine evaluates, beside what its own matrix products reach."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from impasto.neural.device import return_freed_memory
from impasto.neural.objective import Objective, Style, Targets
from impasto.neural.pyramid import Size
from impasto.neural.tiles import Tiling, segments
from impasto.neural.vgg import VGG19, halvings
from impasto.neural.weights import SHAPES, Weights
from impasto.settings import LAYERS, PaintSettings

PROBE = {"cpu": (512, 384)}
"""(width, height) of the canvas that is evaluated; a graphics card needs more to be busy."""
LARGE_PROBE = 1024, 768

SIDE = {"cpu": 2048}
"""Side of the square matrices that are multiplied."""
LARGE_SIDE = 8192


@dataclass(frozen=True)
class Speed:
    """Operations a second: of evaluations, and of plain matrix products in the same precision."""

    evaluation: float
    product: float

    @property
    def share(self) -> float:
        """How much of the machine's product rate the evaluations reach."""
        return self.evaluation / self.product


def operations(size: Size, layers: Sequence[str] = LAYERS[: LAYERS.index("relu5_1") + 1]) -> int:
    """Of convolutions: forward, and the gradient by each one's input, at an image's size.

    Two for a multiplication with its addition. The weights are frozen, so no gradient by them is
    computed or counted; nor are Gram matrices, losses and poolings, about 2 % more.
    """
    width, height = size
    total = 0
    for layer in layers:
        outputs, inputs, *kernel = SHAPES[LAYERS.index(layer)]
        halved = halvings(layer)
        pixels = (width >> halved) * (height >> halved)
        total += 2 * pixels * outputs * inputs * kernel[0] * kernel[1]
    return 2 * total


def measure(
    weights: Weights,
    device: torch.device,
    dtype: torch.dtype,
    seconds: float,
    most: Size = LARGE_PROBE,
) -> Speed:
    """Evaluations and products by turns, for at least that long; the fastest of each.

    The first few rounds take up to twice as long, until the process has its memory; a painting has
    that behind it soon. The picture that is evaluated is not larger than `most`.
    """
    width, height = PROBE.get(device.type, LARGE_PROBE)
    size = min(width, most[0]), min(height, most[1])
    side = SIDE.get(device.type, LARGE_SIDE)
    turns = evaluation(weights, device, dtype, size), product(side, device, dtype)
    moments: list[tuple[float, float]] = []
    began = time.perf_counter()
    while len(moments) < 2 or time.perf_counter() - began < seconds:
        moments.append((timed(turns[0], device), timed(turns[1], device)))
    del turns
    return_freed_memory()  # or plans would count it as in use
    evaluations, products = zip(*moments, strict=True)
    return Speed(operations(size) / min(evaluations), 2 * side**3 / min(products))


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds until the device has done the work."""
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - began


def evaluation(
    weights: Weights, device: torch.device, dtype: torch.dtype, size: Size
) -> Callable[[], object]:
    """Losses and gradient of a canvas of noise; what the pictures show does not change the work."""
    settings = PaintSettings()
    width, height = size
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand((3, 1, 3, height, width), generator=generator)
    photo, style, canvas = pictures.to(device)
    network = VGG19(weights, dtype, device)
    deepest = max(settings.style_layers, key=LAYERS.index)
    tiling = Tiling(kept=len(segments(deepest)), roomy=True)
    styles = [Style("style", settings.beta, style)]
    targets = Targets.of(network, photo, styles, settings, tiling)
    return partial(Objective(network, targets, settings, tiling).evaluate, canvas)


def product(side: int, device: torch.device, dtype: torch.dtype) -> Callable[[], object]:
    """The product of two square matrices."""
    generator = torch.Generator().manual_seed(0)
    left, right = torch.rand((2, side, side), generator=generator).to(device, dtype)
    return partial(torch.mm, left, right, out=torch.empty_like(left))

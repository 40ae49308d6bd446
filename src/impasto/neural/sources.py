"""The pictures that go into a painting, as its levels need them: as targets and as a start."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.image.resize import resize
from impasto.neural.objective import StyleTarget, Targets, content_of, grams_of, weighted
from impasto.neural.pyramid import Size, style_size
from impasto.neural.rows import Rows
from impasto.neural.shared import Shared
from impasto.neural.target_files import Target
from impasto.neural.tiles import Tiling
from impasto.neural.vgg import VGG19
from impasto.settings import PaintSettings

V = TypeVar("V", Rows, Tensor)

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""


@dataclass(frozen=True)
class StyleImage:
    """A style picture, the name of its losses, and its weight beta.

    sha256: of what it was read from; without it, its targets are not shared.
    """

    name: str
    beta: float
    rgb: RGB
    sha256: str = ""


@dataclass(frozen=True)
class Inputs:
    """The pictures of a run.

    init: what the canvas starts from if the settings name a file. sha256: of what the photo was
    read from; without it, its targets are not shared.
    """

    photo: RGB
    styles: Sequence[StyleImage]
    init: RGB | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        names = [style.name for style in self.styles]
        if len(set(names)) < len(names):
            raise ValueError(f"styles need names of their own, not {', '.join(names)}")


class Sources:
    """The pictures of a run at the sizes of its levels, on its device."""

    def __init__(
        self,
        inputs: Inputs,
        settings: PaintSettings,
        final: Size,
        device: torch.device,
        shared: Shared,
    ) -> None:
        self._inputs, self._settings, self._final = inputs, settings, final
        self._device, self._shared = device, shared

    def start(self, size: Size) -> Tensor:
        """What a canvas starts from, before the coarser levels' change, (1, 3, H, W).

        White noise is drawn for the final size, so that every level starts from the same.
        """
        if self._settings.init == "noise":
            width, height = self._final
            generator = torch.Generator().manual_seed(self._settings.seed)
            noise = torch.rand((height, width, 3), generator=generator).numpy()
            return self._tensor(noise, size)
        init = self._inputs.init if self._inputs.init is not None else self._inputs.photo
        return self._tensor(init, size)

    def targets(self, network: VGG19, canvas: Size, tiling: Tiling) -> Targets:
        """What the photo and the styles ask for of a canvas of that size."""
        chosen, inputs = self._settings, self._inputs
        wanted = weighted(chosen.content_layers, chosen.alpha)
        content = self._maps(
            content_of, network, tiling, inputs.photo, inputs.sha256, canvas, wanted
        )
        styles = []
        for style in inputs.styles:
            size = style_size((style.rgb.shape[1], style.rgb.shape[0]), canvas, chosen)
            wanted = weighted(chosen.style_layers, style.beta)
            grams = self._maps(grams_of, network, tiling, style.rgb, style.sha256, size, wanted)
            styles.append(StyleTarget(style.name, style.beta, grams))
        return Targets(content, tuple(styles))

    def _maps(
        self,
        take: Callable[[VGG19, Tensor, Collection[str], Tiling], dict[str, V]],
        network: VGG19,
        tiling: Tiling,
        rgb: RGB,
        sha256: str,
        size: Size,
        layers: Collection[str],
    ) -> dict[str, V]:
        """What is taken of a picture at a size; shared, unless it lies on disk to spare memory."""

        def make() -> dict[str, V]:
            self._shared.made[sha256] += 1
            return take(network, self._tensor(rgb, size), layers, tiling)

        if not sha256 or tiling.folder is not None:
            return make()
        target = Target(take, network, tiling.halved, sha256, size, tuple(layers))
        return self._shared.targets(target, make)

    def _tensor(self, rgb: RGB, size: Size) -> Tensor:
        """A picture at a size, (1, 3, H, W), channels-last."""
        picture = torch.from_numpy(resize(rgb, *size)).permute(2, 0, 1)[None]
        return picture.to(self._device)

"""Which maps of the first layer answer to edges, and to which: measured on edges made for it.

The first layer is linear before its ReLU, so a filter that answers to an edge with the bright side
on one hand is silent where it is on the other: direction has a sign.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.neural.vgg import VGG19
from impasto.settings import LAYERS

DIRECTIONS = ("left-bright", "right-bright", "top-bright", "bottom-bright")
"""Edges by their bright side: the first two are vertical, the others horizontal."""

SIDE, DARK, BRIGHT = 16, 0.25, 0.75
"""Of the picture of an edge: px, and sRGB."""


@dataclass(frozen=True, eq=False)
class EdgeResponses:
    """How much more than on flat brightness each map answers at an edge."""

    values: NDArray[np.float32]
    """(C, 4), from 0 up, in the order of `DIRECTIONS`."""

    def strongest(self, direction: str, count: int) -> tuple[int, ...]:
        """The maps that answer to no edge more than to this one, the strongest first."""
        column = DIRECTIONS.index(direction)
        own = (self.values.argmax(axis=1) == column) & (self.values[:, column] > 0)
        order = np.argsort(-np.where(own, self.values[:, column], 0), kind="stable")
        return tuple(int(channel) for channel in order[: min(count, int(own.sum()))])

    def ranking(self, count: int) -> dict[str, tuple[int, ...]]:
        """{direction: so many of the maps that answer to it most}."""
        return {direction: self.strongest(direction, count) for direction in DIRECTIONS}

    def of(self, channel: int) -> dict[str, float]:
        """{direction: a map's answer}."""
        values = (round(float(value), 3) for value in self.values[channel])
        return dict(zip(DIRECTIONS, values, strict=True))

    def facts(self) -> dict[str, object]:
        """For programs: which maps answer most to each edge, and every map's answers."""
        count = len(self.values)
        maps = [{"map": channel, **self.of(channel)} for channel in range(count)]
        return {"layer": LAYERS[0], "strongest": self.ranking(count), "maps": maps}


def edge_image(direction: str, dark: float = DARK, bright: float = BRIGHT) -> Tensor:
    """A grey picture with an edge through its middle, (1, 3, 16, 16)."""
    across = torch.full((SIDE,), dark)
    across[: SIDE // 2] = bright
    if direction in {"right-bright", "bottom-bright"}:
        across = across.flip(0)
    image = across.expand(1, 3, SIDE, SIDE)
    return image.mT if direction in {"top-bright", "bottom-bright"} else image


def responses_to_edges(network: VGG19) -> EdgeResponses:
    """Show the first layer an edge of each direction.

    A map's answer is its greatest value minus that on the flat parts, and without the picture's
    border, whose padding is an edge too.
    """
    layer, answers = LAYERS[0], []
    for direction in DIRECTIONS:
        image = edge_image(direction).to(network.device)
        passed = network.forward(network.enter(image), [layer], pooled=False)
        inner = passed.maps[layer][0, :, 1:-1, 1:-1]  # (C, 14, 14)
        flat = torch.stack([inner[:, 0, 0], inner[:, -1, -1]]).amax(dim=0)
        answers.append(inner.amax(dim=(1, 2)) - flat)
    return EdgeResponses(torch.stack(answers, dim=1).float().cpu().numpy())

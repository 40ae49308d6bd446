"""A painting in tiles is that of the whole picture, all the way, at a size that people paint at."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from impasto.events import Painted, Step
from impasto.image.samples import photo
from impasto.neural.objective import Evaluation, Objective
from impasto.neural.paint import RGB, Inputs, StyleImage, painting
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings

SETTINGS = PaintSettings(size=512, precision="float32", steps=4, coarse_steps=5, levels=2)
WHOLE, TILES = 10**6, (16, 48, 100)
"""Rows of a tile."""


def picture(name: str) -> RGB:
    return photo(name).astype(np.float32) / np.float32(255)


def test_every_evaluation_of_a_run_is_that_of_the_whole(
    weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate, rows, sizes = Objective.evaluate, iter(TILES * 3), []

    def both(self: Objective, canvas: torch.Tensor) -> Evaluation:
        found = {}
        for height in (WHOLE, next(rows)):
            self.tiling = replace(self.tiling, rows=height, kept=0)
            found[height] = evaluate(self, canvas)
        whole, tiled = found.values()
        assert tiled.losses == pytest.approx(whole.losses, rel=1e-5)
        away = (tiled.gradient - whole.gradient).norm() / whole.gradient.norm()
        assert away < 1e-4
        sizes.append(tuple(canvas.shape[2:]))
        return tiled

    monkeypatch.setattr(Objective, "evaluate", both)
    inputs = Inputs(picture("coffee"), [StyleImage("rocket", 100.0, picture("rocket"))])
    *events, last = painting(inputs, SETTINGS, weights)
    assert isinstance(last, Painted)
    assert last.complete
    assert sizes == [(170, 256)] * 5 + [(341, 512)] * 4
    first, *_, end = (sum(x.losses.values()) for x in events if isinstance(x, Step) and x.level > 1)
    assert end < 0.8 * first

"""The losses that only frames of a film have, against automatic differentiation."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from impasto.events import Event, Painted, Step
from impasto.neural.following import RAW, TEMPORAL, Followed, following, style_loss
from impasto.neural.losses import temporal_loss
from impasto.neural.objective import FRESH, PULL, Objective, Style, Targets
from impasto.neural.paint import Inputs
from impasto.neural.shared import Shared
from impasto.neural.tiles import Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings, Pooling

Vgg = Callable[[torch.dtype, Pooling], VGG19]
Maps = Callable[[Weights, Tensor, Pooling], dict[str, Tensor]]
Sample = Callable[[str, int, int], Tensor]

SIZE = 56, 42
SETTINGS = PaintSettings(precision="float32", levels=1, steps=8, size="full")


def mask(width: int, height: int) -> Tensor:
    """A disk with a soft edge."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return (10 - torch.hypot(x - 20.0, y - 18.0)).div(4).clamp(0, 1)[None, None]


def test_the_temporal_loss_has_its_derivative() -> None:
    random = torch.Generator().manual_seed(0)
    canvas, target = torch.rand((2, 1, 3, 7, 9), generator=random, dtype=torch.float64)
    visible = torch.rand((1, 1, 7, 9), generator=random, dtype=torch.float64)
    canvas.requires_grad_()
    wanted = 0.3 * (visible * (canvas - target) ** 2).sum()
    wanted.backward()
    value, slope = temporal_loss(canvas.detach(), target, visible, 0.3)
    assert float(value) == pytest.approx(float(wanted.detach()), rel=1e-12)
    torch.testing.assert_close(slope, canvas.grad)


@pytest.mark.parametrize("tiling", [Tiling(rows=10**6), Tiling(rows=9, kept=2)])
def test_what_is_fresh_has_a_style_loss_of_its_own(
    vgg: Vgg, picture: Sample, plain_maps: Maps, weights: Weights, tiling: Tiling
) -> None:
    """Gram matrices of the mask's pixels alone, weighed by how many they are."""
    network, fresh = vgg(torch.float64, "max"), mask(*SIZE).double()
    photo, painting = picture("coffee", *SIZE).double(), picture("mosaic", 48, 48).double()
    canvas = picture("astronaut", *SIZE).double()
    style = Style("mosaic", 100.0, painting)
    targets = Targets.of(network, photo, [style], SETTINGS, tiling)
    whole = Objective(network, targets, SETTINGS, tiling).evaluate(canvas)
    both = Objective(network, targets, SETTINGS, tiling, fresh).evaluate(canvas)

    free = canvas.clone().requires_grad_()
    maps, asked = (plain_maps(weights, x, "max") for x in (free, painting))
    wanted = torch.zeros((), dtype=torch.float64)
    for layer, weight in SETTINGS.style_layers.items():
        part = F.avg_pool2d(fresh, 1 << (int(layer[4]) - 1))
        pixels, other = maps[layer].flatten(2)[0], asked[layer].flatten(2)[0]
        gram = (pixels * part.flatten()) @ pixels.T / part.sum().clamp_min(1)
        target = other @ other.T / other.shape[1]
        wanted = wanted + 100 * weight * (gram - target).square().sum() / target.square().sum()
    wanted = PULL * fresh.mean() * wanted
    wanted.backward()  # type: ignore[no-untyped-call]
    assert free.grad is not None
    assert both.losses == pytest.approx(whole.losses | {FRESH: float(wanted.detach())}, rel=1e-6)
    away = both.gradient - whole.gradient - free.grad
    assert away.norm() < 1e-6 * free.grad.norm()


def followed(picture: Sample, **changes: object) -> Followed:
    height, width = SIZE[1], SIZE[0]
    shown = picture("rocket", *SIZE)[0].permute(1, 2, 0).numpy()
    nothing = np.zeros((height, width), np.float32)
    plain = Followed(shown, nothing, nothing, weight=50, goal=0)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
def follow(inputs: Inputs, weights: Weights, picture: Sample) -> Callable[..., list[Event]]:
    photo = picture("astronaut", *SIZE)[0].permute(1, 2, 0).numpy()
    begun = replace(inputs, photo=photo, init=picture("rocket", *SIZE)[0].permute(1, 2, 0).numpy())

    def run(**changes: object) -> list[Event]:
        return list(following(begun, followed(picture, **changes), SETTINGS, weights, Shared()))

    return run


def test_a_picture_that_is_good_enough_stays_as_it_was(
    follow: Callable[..., list[Event]], picture: Sample
) -> None:
    events = follow(goal=1e9)
    last = events[-1]
    assert isinstance(last, Painted)
    assert sum(isinstance(event, Step) for event in events) == 1
    assert np.array_equal(last.picture, picture("rocket", *SIZE)[0].permute(1, 2, 0).numpy())


def test_it_ends_at_its_goal_and_not_before_what_is_fresh_is_near_it(
    follow: Callable[..., list[Event]],
) -> None:
    steps = [event for event in follow() if isinstance(event, Step)]
    totals = [style_loss(step.losses) for step in steps]
    assert len(steps) == 8
    goal = totals[4] * 1.001
    reached = [event for event in follow(goal=goal) if isinstance(event, Step)]
    assert len(reached) == 1 + next(i for i, total in enumerate(totals) if total <= goal)
    fresh = mask(*SIZE)[0, 0].numpy()
    worked = [event for event in follow(goal=goal, fresh=fresh) if isinstance(event, Step)]
    assert len(worked) >= len(reached)
    local = worked[-1].losses[FRESH] / (PULL * float(fresh.mean()))
    assert len(worked) == 8 or local <= RAW * goal


def test_what_is_held_stays_nearer(follow: Callable[..., list[Event]], picture: Sample) -> None:
    held = np.ones((SIZE[1], SIZE[0]), np.float32)
    shown = picture("rocket", *SIZE)[0].permute(1, 2, 0).numpy()
    apart = []
    for changes in ({}, {"held": held, "weight": 1e4}):
        *_, last = follow(**changes)
        assert isinstance(last, Painted)
        apart.append(np.abs(last.picture - shown).mean())
        assert last.losses.get(TEMPORAL, 0) > 0 or not changes
    assert apart[1] < apart[0] / 3

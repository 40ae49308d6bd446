from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from impasto.neural import tiles
from impasto.neural.objective import Evaluation, Objective, Style, Targets
from impasto.neural.tiles import Tiling, segments
from impasto.neural.vgg import VGG19, Passed
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, PaintSettings, Pooling

Vgg = Callable[[torch.dtype, Pooling], VGG19]
Sample = Callable[[str, int, int], Tensor]
WHOLE = Tiling(rows=10**6)
NAMES = ("mosaic", "spirograph", "coffee", "rocket")


@pytest.fixture(scope="module")
def layers(reference: ModuleType, weights: Weights) -> list[tuple[str, Tensor, Tensor]]:
    """The reference's own network in float64, and what it lacks after relu5_1."""
    own = [(name, w.double(), b.double()) for name, w, b in reference.network()]
    rest = ("5_2", "5_3", "5_4")
    more = [(name, *(x.double() for x in weights.layers[f"relu{name}"])) for name in rest]
    return [*own, *((name, weight, bias) for name, weight, bias in more)]


def terms_by_reference(
    reference: ModuleType,
    layers: Any,
    canvas: Tensor,
    photo: Tensor,
    styles: list[Style],
    settings: PaintSettings,
) -> dict[str, Tensor]:
    maps = reference.features(layers, canvas)
    asked = reference.features(layers, photo)
    terms: dict[str, Tensor] = {"content": torch.zeros((), dtype=torch.float64)}
    for layer, weight in settings.content_layers.items():
        found, wanted = maps[layer.removeprefix("relu")], asked[layer.removeprefix("relu")]
        distance = (found - wanted).square().sum() / wanted.square().sum()
        terms["content"] = terms["content"] + settings.alpha * weight * distance
    for style in styles:
        asked = reference.features(layers, style.image)
        for layer, weight in settings.style_layers.items():
            found = reference.gram(maps[layer.removeprefix("relu")])
            wanted = reference.gram(asked[layer.removeprefix("relu")])
            distance = (found - wanted).square().sum() / wanted.square().sum()
            terms[f"style/{style.name}/{layer}"] = style.beta * weight * distance
    return terms


@pytest.mark.parametrize("tiling", [WHOLE, Tiling(rows=1), Tiling(rows=9, kept=2)])
@pytest.mark.parametrize(
    ("size", "count", "changes"),
    [
        ((64, 48), 1, {}),
        ((51, 37), 2, {"alpha": 30}),
        ((16, 16), 3, {}),
        ((33, 16), 4, {"content_layers": "relu3_4=0.5,relu4_2=2,relu5_4"}),
        ((40, 32), 2, {"style_layers": "relu1_2,relu4_4=0.5,relu5_4=3"}),
        ((32, 40), 1, {"style_layers": "relu2_2", "content_layers": "relu2_2,relu1_1", "alpha": 9}),
        ((32, 32), 1, {"alpha": 0}),
    ],
)
def test_losses_and_gradient_are_those_of_the_reference(
    vgg: Vgg,
    picture: Sample,
    reference: ModuleType,
    layers: Any,
    size: tuple[int, int],
    count: int,
    changes: dict[str, Any],
    tiling: Tiling,
) -> None:
    settings = PaintSettings().updated(changes)
    styles = [
        Style(name, 100.0 / (k + 1), picture(name, 40 + 3 * k, 35).double())
        for k, name in enumerate(NAMES[:count])
    ]
    photo, canvas = (picture(name, *size).double() for name in ("astronaut", "chelsea"))
    network = vgg(torch.float64, "max")
    targets = Targets.of(network, photo, styles, settings, tiling)
    objective = Objective(network, targets, settings, tiling)
    found = objective.evaluate(canvas)

    leaf = canvas.clone().requires_grad_()
    expected = terms_by_reference(reference, layers, leaf, photo, styles, settings)
    (gradient,) = torch.autograd.grad(torch.stack(list(expected.values())).sum(), leaf)
    # The weights and the mean were scaled from 0..255 to 0..1 in float32, to 1e-7.
    losses = {name: value.item() for name, value in expected.items()}
    assert found.losses == pytest.approx(losses, rel=1e-5)
    assert objective.losses(canvas) == pytest.approx(losses, rel=1e-5)
    assert found.total == pytest.approx(sum(losses.values()), rel=1e-5)
    assert ((found.gradient - gradient).norm() / gradient.norm()).item() < 1e-5


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_gradient_is_the_finite_difference(vgg: Vgg, picture: Sample, pooling: Pooling) -> None:
    settings, network = PaintSettings(alpha=20), vgg(torch.float64, pooling)
    photo, canvas = (picture(name, 37, 33).double() for name in ("astronaut", "coffee"))
    style = Style("mosaic", 100.0, picture("mosaic", 37, 37).double())
    targets = Targets.of(network, photo, [style], settings, WHOLE)
    objective = Objective(network, targets, settings, WHOLE)
    gradient = objective.evaluate(canvas).gradient
    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        way = torch.randn(canvas.shape, dtype=canvas.dtype, generator=rng)
        h = 1e-9  # few ReLUs and poolings switch within so little
        ahead, behind = (sum(objective.losses(canvas + step * way).values()) for step in (h, -h))
        assert (ahead - behind) / (2 * h) == pytest.approx((gradient * way).sum().item(), rel=1e-4)


def evaluated(vgg: Vgg, picture: Sample, dtype: torch.dtype, pooling: Pooling) -> Evaluation:
    settings, network = PaintSettings(), vgg(dtype, pooling)
    photo, canvas = (picture(name, 96, 64) for name in ("astronaut", "coffee"))
    styles = [Style("mosaic", 100.0, picture("mosaic", 96, 96))]
    targets = Targets.of(vgg(torch.float32, pooling), photo, styles, settings, WHOLE)
    return Objective(network, targets, settings, WHOLE).evaluate(canvas)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_bfloat16_is_close_to_float32(vgg: Vgg, picture: Sample, pooling: Pooling) -> None:
    """Within 3 % a loss, 1 % in all, and 8 degrees of the gradient's direction."""
    exact = evaluated(vgg, picture, torch.float32, pooling)
    half = evaluated(vgg, picture, torch.bfloat16, pooling)
    assert half.losses == pytest.approx(exact.losses, rel=0.03)
    assert half.total == pytest.approx(exact.total, rel=0.01)
    assert half.gradient.dtype == torch.float32
    assert torch.cosine_similarity(half.gradient.flatten(), exact.gradient.flatten(), 0) > 0.99


def test_float32_is_float64s(vgg: Vgg, picture: Sample) -> None:
    single = evaluated(vgg, picture, torch.float32, "max")
    settings, network = PaintSettings(), vgg(torch.float64, "max")
    photo, canvas = (picture(name, 96, 64).double() for name in ("astronaut", "coffee"))
    styles = [Style("mosaic", 100.0, picture("mosaic", 96, 96).double())]
    targets = Targets.of(network, photo, styles, settings, WHOLE)
    double = Objective(network, targets, settings, WHOLE).evaluate(canvas)
    assert single.losses == pytest.approx(double.losses, rel=1e-4)
    distance = (single.gradient - double.gradient).norm() / double.gradient.norm()
    assert distance.item() < 1e-3


def test_losses_are_named_and_0_at_their_targets(vgg: Vgg, picture: Sample) -> None:
    settings, network = PaintSettings(), vgg(torch.float32, "max")
    photo = picture("astronaut", 32, 32)
    targets = Targets.of(network, photo, [Style("itself", 100.0, photo)], settings, WHOLE)
    found = Objective(network, targets, settings, WHOLE).evaluate(photo)
    names = [f"style/itself/relu{block}_1" for block in range(1, 6)]
    assert found.losses == dict.fromkeys(["content", *names], 0.0)
    assert found.total == 0
    assert not found.gradient.any()


def test_without_weights_there_is_no_loss_and_no_gradient(vgg: Vgg, picture: Sample) -> None:
    settings, network = PaintSettings(alpha=0), vgg(torch.float32, "max")
    photo, canvas = picture("astronaut", 32, 32), picture("coffee", 32, 32)
    targets = Targets.of(network, photo, [Style("mosaic", 0.0, canvas.flip(3))], settings, WHOLE)
    found = Objective(network, targets, settings, WHOLE).evaluate(canvas)
    assert set(found.losses.values()) == {0.0}
    assert not found.gradient.any()


def test_without_styles_there_is_content_alone(vgg: Vgg, picture: Sample) -> None:
    settings, network = PaintSettings(), vgg(torch.float32, "max")
    photo, canvas = picture("astronaut", 32, 32), picture("coffee", 32, 32)
    targets = Targets.of(network, photo, [], settings, WHOLE)
    found = Objective(network, targets, settings, WHOLE).evaluate(canvas)
    assert list(found.losses) == ["content"]
    assert found.gradient.any()


@pytest.mark.parametrize(
    ("changes", "beta", "named", "deepest"),
    [
        ({"alpha": 0, "style_layers": "relu1_1,relu2_1"}, 1.0, "relu4_2", "relu2_1"),
        ({"style_layers": "relu1_1,relu5_1=0"}, 1.0, "relu5_1", "relu4_2"),
        ({"content_layers": "relu2_2,relu5_4=0"}, 0.0, "relu5_4", "relu2_2"),
        ({"alpha": 0}, 0.0, "relu5_1", "relu1_1"),
    ],
)
def test_a_loss_without_weight_takes_no_work_and_no_memory(
    vgg: Vgg,
    picture: Sample,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    beta: float,
    named: str,
    deepest: str,
) -> None:
    settings, network = PaintSettings().updated(changes), vgg(torch.float32, "max")
    photo, canvas = picture("astronaut", 48, 32), picture("coffee", 48, 32)
    tiling = Tiling(kept=len(segments(named)) - 1)  # all but the first, of those that are named
    passed: list[str] = []
    forward = VGG19.forward

    def counted(self: VGG19, x: Tensor, layers: Sequence[str], *rest: Any, **more: Any) -> Passed:
        passed.extend(layers)
        return forward(self, x, layers, *rest, **more)

    monkeypatch.setattr(VGG19, "forward", counted)
    targets = Targets.of(network, photo, [Style("mosaic", beta, canvas.flip(3))], settings, tiling)
    objective = Objective(network, targets, settings, tiling)
    for found in (objective.losses(canvas), objective.evaluate(canvas).losses):
        assert set(found) == {"content", *(f"style/mosaic/{k}" for k in settings.style_layers)}
    assert set(passed) <= set(LAYERS[: LAYERS.index(deepest) + 1])
    # On the way back only the first segment is passed once more.
    passed.clear()
    objective.evaluate(canvas)
    assert {name: passed.count(name) for name in passed} == {
        name: 1 + (name in segments(deepest)[0].layers)
        for name in LAYERS[: LAYERS.index(deepest) + 1]
    }


def test_each_image_has_tiles_of_its_own_width(
    monkeypatch: pytest.MonkeyPatch, vgg: Vgg, picture: Sample
) -> None:
    """Plans count on it: a wide style in the tall tiles of a narrow canvas would take far more."""
    widths: list[int] = []

    def rows(width: int, *_: object) -> int:
        widths.append(width)
        return 16

    monkeypatch.setattr(tiles, "tile_rows", rows)
    network, styles = vgg(torch.float32, "max"), [Style("wide", 1.0, picture("mosaic", 160, 32))]
    targets = Targets.of(network, picture("coffee", 32, 64), styles, PaintSettings(), Tiling())
    Objective(network, targets, PaintSettings(), Tiling()).evaluate(picture("rocket", 32, 64))
    assert widths == [32, 160, 32]

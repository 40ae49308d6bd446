"""Tiles against the whole image: how far they must reach, and that they compute the same."""

from collections.abc import Callable
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from impasto.neural.losses import energy
from impasto.neural.objective import Evaluation, Objective, Style, Targets
from impasto.neural.optimise import is_finite
from impasto.neural.tiles import (
    LEAST_ROWS,
    MOST_REACH,
    Segment,
    Tile,
    Tiles,
    Tiling,
    segments,
    tile_rows,
)
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import LAYERS, PaintSettings, Pooling

Vgg = Callable[[torch.dtype, Pooling], VGG19]
Sample = Callable[[str, int, int], Tensor]
SmallWeights = Callable[..., Weights]
PlainMaps = Callable[[Weights, Tensor, Pooling], dict[str, Tensor]]

CPU = torch.device("cpu")
WHOLE = Tiling(rows=10**6)
POOLINGS: list[Pooling] = ["max", "average"]
ENDS = "relu1_2,relu2_2,relu3_4,relu4_4,relu5_4"
CHOICES = [
    {},
    {"content_layers": "relu5_4", "style_layers": "relu1_1,relu5_4"},
    {"content_layers": "relu1_2", "style_layers": "relu1_2"},
    {"content_layers": "relu2_2", "style_layers": "relu1_1=0.5,relu2_1"},
    {"content_layers": "relu1_1=2,relu2_1,relu3_3,relu4_2,relu5_2", "style_layers": ENDS},
    {"content_layers": ENDS, "style_layers": "relu3_2"},
    {"content_layers": "relu3_1", "style_layers": "relu3_4,relu4_3=3", "alpha": 30},
]
"""Layers of losses: the usual ones, only deep, only shallow, of every block, at cuts."""

sides = st.integers(16, 70)
tilings = st.builds(Tiling, st.one_of(st.integers(1, 12), st.integers(1, 90)), st.integers(0, 4))
relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scratch")


# What a tile depends on


def linear(small_weights: SmallWeights) -> VGG19:
    """Nothing cancels and nothing is cut, so that all that is within reach is seen."""
    plain = small_weights(1)
    layers = {name: (kernel.abs(), bias.abs()) for name, (kernel, bias) in plain.layers.items()}
    weights = Weights("test", "caffe", "", torch.zeros(3), layers)
    return VGG19(weights, torch.float64, CPU, "average")


def measured_reach(network: VGG19, segment: Segment) -> int:
    """How far from an output row's own rows of the input those lie that it changes with."""
    channels, step = 3 if segment.layers[0] == "relu1_1" else 4, segment.step
    x = torch.rand(1, channels, 48, 8, dtype=torch.float64)
    before = network.forward(x, segment.layers, (), pooled=segment.pooled).output
    farthest = 0
    for row in range(20, 28):
        other = x.clone()
        other[:, :, row] += 1
        after = network.forward(other, segment.layers, (), pooled=segment.pooled).output
        for changed in (after != before).any(3).any(1)[0].nonzero().flatten().tolist():
            above, below = changed * step - row, row - (changed * step + step - 1)
            farthest = max(farthest, above, below)
    return farthest


@pytest.mark.parametrize("deepest", LAYERS)
def test_reach_and_step_are_as_measured(small_weights: SmallWeights, deepest: str) -> None:
    """Neither a row too few nor a row too many."""
    network = linear(small_weights)
    found = segments(deepest)
    assert sum((segment.layers for segment in found), ()) == LAYERS[: LAYERS.index(deepest) + 1]
    assert [segment.pooled for segment in found] == [True] * (len(found) - 1) + [False]
    for segment in found:
        channels = 3 if segment.layers[0] == "relu1_1" else 4
        x = torch.rand(1, channels, 32, 32, dtype=torch.float64)
        output = network.forward(x, segment.layers, (), pooled=segment.pooled).output
        assert output.shape[2] * segment.step == 32
        assert segment.reach == measured_reach(network, segment)


def test_the_whole_network_is_cut_into_four() -> None:
    found = segments("relu5_4")
    assert [(s.layers[0], s.layers[-1]) for s in found] == [
        ("relu1_1", "relu2_2"),
        ("relu3_1", "relu3_4"),
        ("relu4_1", "relu4_4"),
        ("relu5_1", "relu5_4"),
    ]
    assert [(s.step, s.reach) for s in found] == [(4, 6), (2, 4), (2, 4), (1, 4)]
    assert [s.halvings(s.layers[-1]) for s in found] == [1, 0, 0, 0]


DEEP = segments("relu5_4")
DIFFERENT = [*DEEP, *segments("relu1_2"), segments("relu2_1")[0]]


@pytest.mark.parametrize("segment", DIFFERENT, ids=lambda segment: segment.layers[-1])
def test_tiles_cover_every_row_once_at_every_halving(segment: Segment) -> None:
    for height, rows in product(range(16, 201), range(1, 65)):
        tiles = segment.tiles(height, rows)
        for halved in range(segment.halved + 1):
            own = [tile.rows(halved) for tile in tiles]
            assert (own[0].start, own[-1].stop) == (0, height >> halved)
            assert all(a.stop == b.start for a, b in pairwise(own))
        assert all(well_placed(segment, tile, height) for tile in tiles)
        tallest = max(tile.bottom - tile.top for tile in tiles)
        assert tallest <= max(1.5 * rows, 1) + segment.step


def well_placed(segment: Segment, tile: Tile, height: int) -> bool:
    """Whether halos reach far enough, and begin where windows of poolings do."""
    return (
        tile.top < tile.bottom
        and tile.top % segment.step == tile.start % segment.step == 0
        and (tile.end % segment.step == 0 or tile.end == height)
        and 0 <= tile.start <= max(0, tile.top - segment.reach)
        and min(height, tile.bottom + segment.reach) <= tile.end <= height
    )


def test_own_rows_within_the_halo_are_the_own_rows() -> None:
    tile = Tile(top=12, bottom=20, start=4, end=28)
    assert tile.halo == slice(4, 28)
    assert (tile.rows(0), tile.within(0)) == (slice(12, 20), slice(8, 16))
    assert (tile.rows(2), tile.within(2)) == (slice(3, 5), slice(2, 4))


def test_tiles_are_as_tall_as_pixels_allow_and_not_flatter_than_some_rows() -> None:
    for dtype, pixels in ((torch.bfloat16, 2**18), (torch.float32, 2**17)):
        for width in (300, 1024, 1500):
            rows = tile_rows(width, dtype, CPU)
            tall = rows + 2 * MOST_REACH
            assert rows == LEAST_ROWS or pixels - width < tall * width <= pixels
    assert tile_rows(1024, torch.bfloat16, CPU) > LEAST_ROWS
    assert all(-(-own.reach // own.step) * own.step <= MOST_REACH for own in DIFFERENT)
    assert tile_rows(10**6, torch.float32, CPU) == LEAST_ROWS


# What is computed


def evaluated(
    network: VGG19,
    pictures: tuple[Tensor, Tensor, list[Style]],
    chosen: PaintSettings,
    tiling: Tiling,
) -> Evaluation:
    canvas, photo, styles = pictures
    targets = Targets.of(network, photo, styles, chosen, tiling)
    return Objective(network, targets, chosen, tiling).evaluate(canvas)


def distance(found: Tensor, expected: Tensor) -> float:
    """Relative to what is expected."""
    return float((found - expected).norm() / expected.norm().clamp_min(1e-300))


def by_autograd(
    maps: Callable[[Tensor], dict[str, Tensor]],
    pictures: tuple[Tensor, Tensor, list[Style]],
    chosen: PaintSettings,
) -> tuple[dict[str, float], Tensor]:
    """The losses and the gradient, of whole maps."""
    canvas, photo, styles = pictures
    leaf = canvas.clone().requires_grad_()
    found, asked = maps(leaf), maps(photo)
    terms = {"content": torch.zeros((), dtype=leaf.dtype)}
    for layer, weight in chosen.content_layers.items():
        away = (found[layer] - asked[layer]).square().sum() / energy(asked[layer])
        terms["content"] = terms["content"] + chosen.alpha * weight * away
    for style in styles:
        asked = maps(style.image)
        for layer, weight in chosen.style_layers.items():
            wanted = correlations(asked[layer])
            away = (correlations(found[layer]) - wanted).square().sum() / energy(wanted)
            terms[f"style/{style.name}/{layer}"] = style.beta * weight * away
    (gradient,) = torch.autograd.grad(torch.stack(list(terms.values())).sum(), leaf)
    return {name: value.item() for name, value in terms.items()}, gradient


def correlations(features: Tensor) -> Tensor:
    flat = features.flatten(2)[0]
    return flat @ flat.mT / flat.shape[1]


@settings(relaxed, max_examples=150)
@given(
    width=sides,
    height=sides,
    tiling=tilings,
    on_disk=st.booleans(),
    count=st.integers(1, 4),
    pooling=st.sampled_from(POOLINGS),
    changes=st.sampled_from(CHOICES),
    seed=st.integers(0, 99),
)
def test_tiles_are_the_whole_in_float64(
    small_weights: SmallWeights,
    plain_maps: PlainMaps,
    scratch: Path,
    width: int,
    height: int,
    tiling: Tiling,
    on_disk: bool,
    count: int,
    pooling: Pooling,
    changes: dict[str, Any],
    seed: int,
) -> None:
    weights, chosen = small_weights(seed), PaintSettings().updated(changes)
    network = VGG19(weights, torch.float64, CPU, pooling)
    tiling = Tiling(tiling.rows, tiling.kept, scratch if on_disk else None)
    rng = torch.Generator().manual_seed(seed)

    def picture(height: int, width: int) -> Tensor:
        return torch.rand(1, 3, height, width, dtype=torch.float64, generator=rng)

    styles = [Style(str(k), 50.0 + k, picture(16 + 7 * k, 33 - 4 * k)) for k in range(count)]
    pictures = picture(height, width), picture(height, width), styles
    whole = evaluated(network, pictures, chosen, WHOLE)
    tiled = evaluated(network, pictures, chosen, tiling)
    assert tiled.losses == pytest.approx(whole.losses, rel=1e-10, abs=0)
    assert distance(tiled.gradient, whole.gradient) < 1e-10
    losses, gradient = by_autograd(lambda x: plain_maps(weights, x, pooling), pictures, chosen)
    assert whole.losses == pytest.approx(losses, rel=1e-10, abs=0)
    assert distance(whole.gradient, gradient) < 1e-10


@settings(relaxed, max_examples=40)
@given(
    width=sides,
    height=sides,
    tiling=tilings,
    on_disk=st.booleans(),
    count=st.integers(1, 4),
    pooling=st.sampled_from(POOLINGS),
    changes=st.sampled_from(CHOICES),
)
def test_tiles_are_the_whole_in_float32(
    vgg: Vgg,
    picture: Sample,
    scratch: Path,
    width: int,
    height: int,
    tiling: Tiling,
    on_disk: bool,
    count: int,
    pooling: Pooling,
    changes: dict[str, Any],
) -> None:
    network, chosen = vgg(torch.float32, pooling), PaintSettings().updated(changes)
    tiling = Tiling(tiling.rows, tiling.kept, scratch if on_disk else None)
    names = ("mosaic", "spirograph", "coffee", "rocket")[:count]
    styles = [Style(name, 100.0 / (k + 1), picture(name, 40, 33)) for k, name in enumerate(names)]
    pictures = picture("chelsea", width, height), picture("astronaut", width, height), styles
    whole = evaluated(network, pictures, chosen, WHOLE)
    tiled = evaluated(network, pictures, chosen, tiling)
    assert tiled.total == pytest.approx(whole.total, rel=1e-5)
    assert tiled.losses == pytest.approx(whole.losses, rel=1e-5, abs=0)
    assert tiled.gradient.dtype == torch.float32
    assert distance(tiled.gradient, whole.gradient) < 1e-4


@settings(relaxed, max_examples=40)
@given(
    width=sides,
    height=sides,
    rows=st.integers(1, 80),
    pooling=st.sampled_from(POOLINGS),
    changes=st.sampled_from(CHOICES),
    seed=st.integers(0, 99),
)
def test_targets_and_losses_alone_are_the_wholes(
    small_weights: SmallWeights,
    plain_maps: PlainMaps,
    width: int,
    height: int,
    rows: int,
    pooling: Pooling,
    changes: dict[str, Any],
    seed: int,
) -> None:
    weights, chosen = small_weights(seed), PaintSettings().updated(changes)
    network, tiling = VGG19(weights, torch.float64, CPU, pooling), Tiling(rows)
    rng = torch.Generator().manual_seed(seed)
    photo, canvas, image = torch.rand(3, 1, 3, height, width, dtype=torch.float64, generator=rng)
    targets = Targets.of(network, photo, [Style("a", 7.0, image)], chosen, tiling)
    expected = plain_maps(weights, photo, pooling)
    assert set(targets.content) == set(chosen.content_layers)
    for layer, kept in targets.content.items():
        assert kept.shape == tuple(expected[layer].shape)
        torch.testing.assert_close(kept[:], expected[layer], rtol=1e-10, atol=1e-12)
    expected = plain_maps(weights, image, pooling)
    (style,) = targets.styles
    assert (style.name, style.beta, set(style.grams)) == ("a", 7.0, set(chosen.style_layers))
    for layer, found in style.grams.items():
        torch.testing.assert_close(found, correlations(expected[layer]), rtol=1e-10, atol=1e-12)
    objective = Objective(network, targets, chosen, tiling)
    losses, _ = by_autograd(
        lambda x: plain_maps(weights, x, pooling),
        (canvas, photo, [Style("a", 7.0, image)]),
        chosen,
    )
    assert objective.losses(canvas) == pytest.approx(losses, rel=1e-10, abs=0)


def some_pictures(picture: Sample, width: int, height: int) -> tuple[Tensor, Tensor, list[Style]]:
    styles = [Style("mosaic", 100.0, picture("mosaic", 64, 48))]
    return picture("chelsea", width, height), picture("astronaut", width, height), styles


SHORT = {"relu4_1": 2, "relu5_1": 1}
"""16 px of the image, in rows of the inputs of these segments."""


def test_halos_that_are_too_small_would_be_noticed(
    vgg: Vgg, picture: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """16 px too small in the deep blocks, the gradient is off, and at the tiles' borders alone."""
    network, tiling = vgg(torch.float32, "max"), Tiling(rows=40)
    chosen = PaintSettings().updated({"content_layers": "relu4_2,relu5_1"})
    canvas, photo, _ = some_pictures(picture, 16, 1280)
    targets = Targets.of(network, photo, [], chosen, WHOLE)

    def gradient(tiling: Tiling) -> Tensor:
        return Objective(network, targets, chosen, tiling).evaluate(canvas).gradient

    whole, exact = gradient(WHOLE), gradient(tiling)
    four, five = (segment.tiles(rows, 40) for segment, rows in ((DEEP[2], 160), (DEEP[3], 80)))
    borders = [8 * tile.top for tile in four[1:]]
    assert borders == [320, 640, 960]
    assert [16 * tile.top for tile in five[1:]] == [640]
    enough = {segment: segment.reach for segment in segments("relu5_1")}
    shortened = property(lambda segment: enough[segment] - SHORT.get(segment.layers[0], 0))
    monkeypatch.setattr(Segment, "reach", shortened)
    short = gradient(tiling)

    far = torch.ones(1280, dtype=torch.bool)
    for border in borders:
        around = slice(border - 16, border + 16)
        assert distance(short[:, :, around], whole[:, :, around]) > 0.05
        far[border - 128 : border + 128] = False
    assert far.sum() > 300
    assert distance(short[:, :, far], whole[:, :, far]) < 1e-5
    assert distance(short, whole) > 0.01
    assert distance(exact, whole) < 1e-5


@pytest.mark.parametrize("block", SHORT)
def test_each_deep_halo_that_is_too_small_would_be_noticed(
    vgg: Vgg, picture: Sample, monkeypatch: pytest.MonkeyPatch, block: str
) -> None:
    """With the usual losses, at a size of the other tests here."""
    network, chosen = vgg(torch.float32, "max"), PaintSettings()
    pictures = some_pictures(picture, 40, 70)
    whole = evaluated(network, pictures, chosen, WHOLE)
    assert distance(evaluated(network, pictures, chosen, Tiling(2)).gradient, whole.gradient) < 1e-4
    enough = {segment: segment.reach for last in LAYERS for segment in segments(last)}
    shortened = property(lambda own: enough[own] - SHORT[block] * (own.layers[0] == block))
    monkeypatch.setattr(Segment, "reach", shortened)
    found = evaluated(network, pictures, chosen, Tiling(2))
    assert distance(found.gradient, whole.gradient) > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("deepest", ["relu5_1", "relu3_1"])
def test_what_is_kept_and_where_changes_not_a_bit(
    vgg: Vgg, picture: Sample, tmp_path: Path, dtype: torch.dtype, pooling: Pooling, deepest: str
) -> None:
    network = vgg(dtype, pooling)
    layers = {"content_layers": "relu1_2,relu2_2", "style_layers": f"relu1_1,relu2_1,{deepest}"}
    chosen, pictures = PaintSettings().updated(layers), some_pictures(picture, 37, 51)
    plain = evaluated(network, pictures, chosen, Tiling(rows=6))
    for kept, folder, roomy in product(range(5), (None, tmp_path), (False, True)):
        found = evaluated(network, pictures, chosen, Tiling(6, kept, folder, roomy=roomy))
        assert found.losses == plain.losses
        assert torch.equal(found.gradient, plain.gradient)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("deepest", ["relu5_4", "relu4_2", "relu3_1", "relu2_2"])
@pytest.mark.parametrize("kept", range(5))
def test_maps_of_the_deepest_segments_are_kept_and_used_up(
    small_weights: SmallWeights, deepest: str, kept: int
) -> None:
    tiles = Tiles(VGG19(small_weights(1), torch.float64, CPU), [deepest], Tiling(8, kept), 24)
    trail = tiles.trail(torch.rand(1, 3, 40, 24, dtype=torch.float64), lambda *_: None)
    count = len(segments(deepest))
    assert len(trail.inputs) == count
    assert {index for index, _ in trail.passed} == set(range(max(0, count - kept), count))
    tiles.backward(trail, lambda layer, features, rows, gradient: None)
    assert not trail.inputs
    assert not trail.passed


@pytest.mark.parametrize("rows", [1, 4, 16, 40])
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("changes", [CHOICES[0], CHOICES[1], CHOICES[4]])
def test_bfloat16_tiles_are_close_to_the_whole(
    vgg: Vgg, picture: Sample, rows: int, pooling: Pooling, changes: dict[str, Any]
) -> None:
    """Within 1e-4 a loss and 1 % of the gradient; bfloat16 itself is 3 % and more off float32.

    Gradients between segments are rounded once more where halos meet.
    """
    network, chosen = vgg(torch.bfloat16, pooling), PaintSettings().updated(changes)
    canvas, photo, styles = some_pictures(picture, 40, 90)
    targets = Targets.of(vgg(torch.float32, pooling), photo, styles, chosen, WHOLE)
    whole = Objective(network, targets, chosen, WHOLE).evaluate(canvas)
    tiled = Objective(network, targets, chosen, Tiling(rows)).evaluate(canvas)
    assert tiled.losses == pytest.approx(whole.losses, rel=1e-4, abs=0)
    assert tiled.gradient.dtype == torch.float32
    assert distance(tiled.gradient, whole.gradient) < 0.01


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_not_finite_comes_through(vgg: Vgg, picture: Sample, dtype: torch.dtype) -> None:
    """It is the optimiser's to notice; neither poolings nor halos may trip over it."""
    canvas, photo, styles = some_pictures(picture, 24, 40)
    canvas = canvas.clone()
    canvas[0, 1, 30, 11] = float("inf")
    found = evaluated(vgg(dtype, "max"), (canvas, photo, styles), PaintSettings(), Tiling(8))
    assert not is_finite(found)

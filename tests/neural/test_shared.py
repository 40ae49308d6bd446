"""What is shared between paintings changes no bit of them, is made once, and stays in its bound."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto.errors import NotEnoughMemory
from impasto.events import Notice, Painted
from impasto.neural import paint, shared
from impasto.neural.objective import Objective, content_of
from impasto.neural.paint import Inputs, StyleImage, painting, planned, work_of
from impasto.neural.plan import plan_for
from impasto.neural.shared import MOST, Shared, bytes_of_maps
from impasto.neural.tiles import Tiles, Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights
from impasto.settings import PaintSettings, Pooling

RGB = NDArray[np.float32]
Sample = Callable[[str], RGB]

SMALL: dict[str, Any] = {"size": 64, "levels": 2, "steps": 2, "coarse_steps": 1}


@pytest.fixture(autouse=True)
def networks_made_once(
    monkeypatch: pytest.MonkeyPatch, vgg: Callable[[torch.dtype, Pooling], VGG19]
) -> None:
    def made(weights: Weights, dtype: torch.dtype, device: torch.device, pooling: Pooling) -> VGG19:
        return vgg(dtype, pooling)

    monkeypatch.setattr(shared, "VGG19", made)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of all images that were passed through the network for their maps alone."""
    found: list[tuple[int, ...]] = []
    forward = Tiles.forward

    def counted(self: Tiles, image: torch.Tensor, visit: Any) -> None:
        found.append(tuple(image.shape))
        forward(self, image, visit)

    monkeypatch.setattr(Tiles, "forward", counted)
    return found


@pytest.fixture
def inputs(sample: Sample) -> Inputs:
    style = StyleImage("mosaic", 100.0, sample("mosaic"), "of the mosaic")
    return Inputs(sample("astronaut"), [style], sha256="of the astronaut")


def painted(
    inputs: Inputs, weights: Weights, changes: dict[str, Any], store: Shared | None = None
) -> Painted:
    *_, last = painting(inputs, PaintSettings(**SMALL | changes), weights, shared=store)
    assert isinstance(last, Painted)
    return last


CHANGES: list[dict[str, Any]] = [
    {"precision": "float32"},
    {"precision": "bfloat16"},
    {"alpha": 3},
    {"size": 32},
    {"style_scale": 0.5},
    {"style_layers": "relu1_1=1,relu3_1=0.5"},
    {"content_layers": "relu3_2"},
    {"pooling": "average"},
    {"init": "noise"},
    {"precision": "float32"},
]


def test_no_bit_of_any_picture_depends_on_those_before_it(
    inputs: Inputs, weights: Weights, sample: Sample
) -> None:
    other = Inputs(sample("rocket"), inputs.styles, sha256="of the rocket")
    store = Shared(MOST)
    for each, changes in [*((inputs, changes) for changes in CHANGES), (other, {}), (inputs, {})]:
        together, alone = (painted(each, weights, changes, with_) for with_ in (store, None))
        assert np.array_equal(together.picture, alone.picture), changes
        assert together.losses == alone.losses, changes


def test_targets_are_made_once(
    inputs: Inputs, weights: Weights, passes: list[tuple[int, ...]]
) -> None:
    store, changes = Shared(MOST), {"precision": "float32"}
    painted(inputs, weights, changes, store)
    # At each of two levels photo and style, and the last losses.
    assert [shape[3] for shape in passes] == [32, 32, 64, 64, 64]
    passes.clear()
    painted(inputs, weights, changes | {"alpha": 7, "init": "noise"}, store)
    assert [shape[3] for shape in passes] == [64]
    passes.clear()
    painted(inputs, weights, changes | {"style_scale": 2}, store)
    # At the first level the style is as large as it was at the last one before.
    assert [shape[3] for shape in passes] == [128, 64]


def test_nothing_is_kept_of_pictures_from_nowhere_or_without_a_bound(
    inputs: Inputs, weights: Weights, sample: Sample
) -> None:
    unknown = Inputs(sample("astronaut"), [StyleImage("mosaic", 100.0, sample("mosaic"))])
    for each, store in ((unknown, Shared(MOST)), (inputs, Shared())):
        painted(each, weights, {}, store)
        assert store.held == 0


def test_what_is_held_is_what_the_tensors_take(
    vgg: Callable[[torch.dtype], VGG19], picture: Callable[[str, int, int], torch.Tensor]
) -> None:
    maps = content_of(
        vgg(torch.bfloat16), picture("coffee", 64, 48), ["relu1_1", "relu3_2"], Tiling()
    )
    assert bytes_of_maps(maps) == 2 * (64 * 64 * 48 + 256 * 16 * 12)
    assert bytes_of_maps(maps) == sum(rows[:].nbytes for rows in maps.values())


@given(st.integers(0, 40), st.lists(st.tuples(st.integers(0, 6), st.integers(0, 20)), max_size=40))
@settings(max_examples=200, deadline=None)
def test_the_bound_holds_and_the_longest_unused_go_first(
    most: int, asked: list[tuple[int, int]]
) -> None:
    store, sizes = Shared(most), dict(asked)
    expected: list[int] = []  # from the longest unused to the last used
    for key, _ in asked:
        made: list[int] = []

        def make(key: int = key, made: list[int] = made) -> int:
            made.append(key)
            return key

        assert store.once(key, make, sizes.__getitem__) == key
        assert bool(made) == (key not in expected)
        expected = [other for other in expected if other != key] + [key]
        while sum(sizes[other] for other in expected) > most:
            expected.pop(0)
        assert store.held == sum(sizes[other] for other in expected) <= most


def test_only_as_much_more_is_kept_as_a_painting_leaves_free() -> None:
    store = Shared(100)
    store.once("a", object, lambda _: 30)
    store.allow(25)
    store.once("b", object, lambda _: 20)
    assert store.held == 50
    store.once("c", object, lambda _: 10)
    assert store.held == 30  # b and c
    store.allow(1000)
    store.once("d", object, lambda _: 80)
    assert store.held == 90  # c and d


def test_what_is_kept_goes_where_a_picture_would_not_fit_beside_it(
    inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, store, made = work_of(inputs, PaintSettings(size=64)), Shared(MOST), plan_for

    def full(*arguments: Any) -> object:
        if store.held:
            raise NotEnoughMemory("no room")
        return made(*arguments)

    monkeypatch.setattr(paint, "plan_for", full)
    store.once("a", object, lambda _: 1)
    plan = planned(work, store)
    assert store.held == 0
    store.once("b", object, lambda _: plan.budget - plan.memory + 1)
    assert store.held == 0

    def never(*_: object) -> object:
        raise NotEnoughMemory("no room")

    monkeypatch.setattr(paint, "plan_for", never)
    with pytest.raises(NotEnoughMemory):
        planned(work, store)


def test_what_is_kept_goes_first_when_memory_runs_out(
    inputs: Inputs, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, evaluate, held = Shared(MOST), Objective.evaluate, []

    def failing(self: Objective, canvas: torch.Tensor) -> Any:
        held.append(store.held)
        if len(held) == 1:
            raise MemoryError
        return evaluate(self, canvas)

    monkeypatch.setattr(Objective, "evaluate", failing)
    events = list(painting(inputs, PaintSettings(**SMALL), weights, shared=store))
    assert held[0] > 0
    assert held[1] == 0
    assert sum(isinstance(event, Notice) for event in events) == 1
    last = events[-1]
    assert isinstance(last, Painted)
    assert np.array_equal(last.picture, painted(inputs, weights, {}).picture)

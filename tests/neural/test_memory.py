"""The model of memory against bytes that are counted while passes run."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from impasto.neural.device import has_bfloat16
from impasto.neural.following import Followed, Held
from impasto.neural.memory import (
    CANVAS,
    GAPS,
    PAIR,
    STATES,
    Block,
    Level,
    Model,
    Need,
    Passes,
)
from impasto.neural.objective import Objective, Style, Targets
from impasto.neural.pyramid import Size
from impasto.neural.tiles import Segment, Tiling, segments
from impasto.neural.vgg import VGG19, halvings
from impasto.neural.weights import SHAPES
from impasto.settings import LAYERS, PaintSettings, Pooling

Vgg = Callable[[torch.dtype, Pooling], VGG19]
Sample = Callable[[str, int, int], Tensor]

CPU = torch.device("cpu")
PRECISIONS = [
    torch.float32,
    pytest.param(
        torch.bfloat16,
        marks=pytest.mark.skipif(not has_bfloat16(CPU), reason="bfloat16 would be emulated"),
    ),
]
WIDTH, ROWS = 160, 96
SEGMENTS = {part.layers[0]: part for part in segments("relu5_4")}
NAMES = list(SEGMENTS)
COPIES = {item * math.prod(shape) for shape in SHAPES for item in (2, 4)}
"""Bytes of the kernels."""


def input_of(segment: Segment, dtype: torch.dtype, width: int, rows: int) -> Tensor:
    channels = SHAPES[LAYERS.index(segment.layers[0])][1]
    values = torch.rand((1, channels, rows, width), generator=torch.Generator().manual_seed(0))
    return values.to(dtype).contiguous(memory_format=torch.channels_last)


def size_of(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


# Maps


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(("width", "rows"), [(80, 48), (67, 41)])
@pytest.mark.parametrize("deepest", ["relu5_4", "relu5_1", "relu4_2", "relu2_2"])
def test_maps_are_those_that_are_made(
    vgg: Vgg, dtype: torch.dtype, width: int, rows: int, deepest: str
) -> None:
    for segment in segments(deepest):
        halved = halvings(segment.layers[0])
        across, down = width >> halved, rows >> halved
        x = input_of(segment, dtype, across, down)
        passed = vgg(dtype, "max").forward(x, segment.layers, pooled=segment.pooled)
        block = Block(segment, across, down, dtype.itemsize)
        assert block.input == size_of(x)
        for layer in segment.layers:
            assert block.map(layer) == size_of(passed.maps[layer])
            pooled = passed.pooled.get(layer)
            assert block.pooled(layer) == (0 if pooled is None else size_of(pooled))
        made = [*passed.maps.values(), *passed.pooled.values()]
        assert block.maps == sum(map(size_of, made))


# Peaks


def peak(work: Callable[[], object]) -> int:
    """The most bytes that tensors held, beyond those that were there before.

    What convolutions copy of the kernels is no map, and is counted with the libraries.
    """
    work()  # kernels are placed on the first pass
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    held = most = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]" and abs(event.nbytes()) not in COPIES:
            held += event.nbytes()
            most = max(most, held)
    return most


def test_the_peak_is_what_is_held_together() -> None:
    def work() -> None:
        first = torch.empty(1000)
        second = torch.empty(500)
        del first
        del second
        torch.empty(700)

    assert peak(work) == 6000


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shown", [(), LAYERS], ids=["none", "all"])
def test_the_peak_on_the_way_down_is_planned_for(
    vgg: Vgg, dtype: torch.dtype, name: str, shown: Sequence[str]
) -> None:
    """It is no less than the maps that the model counts, and within what it allows for them."""
    segment, network = SEGMENTS[name], vgg(dtype, "max")
    x = input_of(segment, dtype, WIDTH, ROWS)
    run = partial(network.forward, x, segment.layers, shown, pooled=segment.pooled)
    model = Block(segment, WIDTH, ROWS, dtype.itemsize).down(shown)
    assert model <= size_of(x) + peak(run) <= GAPS * model


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", NAMES)
def test_the_peak_on_the_way_up_is_planned_for(vgg: Vgg, dtype: torch.dtype, name: str) -> None:
    segment, network = SEGMENTS[name], vgg(dtype, "max")
    x = input_of(segment, dtype, WIDTH, ROWS)

    def ignore(layer: str, features: Tensor, so_far: Tensor) -> None:
        pass

    def run() -> None:
        passed = network.forward(x, segment.layers, pooled=segment.pooled)
        network.backward(passed, (), ignore, torch.zeros_like(passed.output))

    model = Block(segment, WIDTH, ROWS, dtype.itemsize).up()
    assert model <= size_of(x) + peak(run) <= GAPS * model


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("kept", [0, 5])
def test_what_a_picture_follows_is_planned_for(
    vgg: Vgg, picture: Sample, dtype: torch.dtype, kept: int
) -> None:
    """What it takes more than any other of that size."""
    size, network, tiling = (WIDTH, ROWS), vgg(dtype, "max"), Tiling(kept=kept)
    photo, chosen = picture("coffee", *size), PaintSettings()
    targets = Targets.of(
        network, photo, [Style("mosaic", 100.0, picture("mosaic", 64, 64))], chosen, tiling
    )
    half = np.linspace(0, 1, WIDTH * ROWS, dtype=np.float32).reshape(ROWS, WIDTH)
    shown = photo[0].permute(1, 2, 0).numpy()
    before = Followed(shown, held=half, fresh=1 - half, weight=50, goal=0)

    def alone() -> None:
        Objective(network, targets, chosen, tiling).evaluate(photo)

    def following() -> None:
        Held(before, size, network, targets, chosen, tiling).evaluate(photo)

    level = Level(size, [(64, 64)], 1, final=False)
    plain, more = (
        Model(chosen, dtype, CPU, followed=followed).need(level, kept, on_disk=False).memory
        for followed in (False, True)
    )
    taken = peak(following) - peak(alone)
    assert 0.8 * taken < more - plain < 1.6 * taken


# Levels


def need(size: Size, kept: int = 0, *, on_disk: bool = False, **changes: object) -> Need:
    """What a last level takes, with a style as large as the canvas."""
    chosen = PaintSettings().updated({"steps": 35} | changes)
    level = Level(size, [size], int(chosen.steps), final=True)
    return Model(chosen, torch.float32, CPU).need(level, kept, on_disk=on_disk)


@pytest.mark.parametrize("kept", range(5))
@pytest.mark.parametrize("on_disk", [False, True])
@settings(deadline=None)
@given(width=st.integers(1000, 4000), height=st.integers(1000, 4000))
def test_a_picture_twice_as_large_takes_more(
    kept: int, on_disk: bool, width: int, height: int
) -> None:
    """Tiles are alike in height, so that a few pixels more may take a little less."""
    small = need((width, height), kept, on_disk=on_disk)
    large = need((2 * width, 2 * height), kept, on_disk=on_disk)
    assert large.memory > small.memory
    assert large.disk > small.disk or not on_disk


def test_maps_that_are_kept_count_with_their_halos() -> None:
    added = need((3200, 2400), 4).memory - need((3200, 2400), 3).memory
    first, rows = segments("relu5_1")[0], 2400 + 37 * 2 * 8  # 38 tiles
    assert added == pytest.approx(Block(first, 3200, rows, 4).maps, rel=0.1)


def test_what_lies_on_disk_lies_not_in_memory() -> None:
    size = 3200, 2400
    memory, disk = need(size), need(size, on_disk=True)
    assert memory.disk == 0
    content = 4 * 512 * 400 * 300  # relu4_2
    pairs = PAIR * math.prod(size)
    between = 4 * (128 * 800 * 600 + 256 * 400 * 300 + 512 * 200 * 150)
    assert disk.disk == content + 11 * pairs + 2 * between
    assert disk.memory < memory.memory - content - 10 * pairs


def test_adam_needs_no_pairs() -> None:
    size = 3200, 2400
    adam = need(size, on_disk=True, optimizer="adam").disk
    assert need(size, on_disk=True).disk - adam == 10 * PAIR * math.prod(size)


def test_few_steps_make_few_pairs() -> None:
    size = 3200, 2400
    two, nine, many = (need(size, on_disk=True, steps=steps).disk for steps in (2, 9, 35))
    assert (nine - two, many - nine) == (7 * PAIR * math.prod(size), 2 * PAIR * math.prod(size))


def test_a_style_larger_than_the_canvas_counts() -> None:
    chosen = PaintSettings()
    model = Model(chosen, torch.float32, CPU)
    alike, large = (
        model.need(Level((400, 300), [style], 35, final=True), 0, on_disk=False).memory
        for style in ((400, 300), (3200, 2400))
    )
    passes = Passes(list(chosen.style_layers), (3200, 2400), torch.float32, CPU, "max")
    assert large > alike
    assert large > passes.shown(on_disk=False) + CANVAS * 3200 * 2400


def test_the_state_moves_where_maps_are_small() -> None:
    """Between evaluations the optimiser's own values are the peak, if nothing else is shown."""
    size = 3200, 2400
    found = need(size, on_disk=True, content_layers="relu1_1", style_layers="relu1_1")
    assert found.memory >= STATES["lbfgs"][1] * math.prod(size)

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from tests.neural.runs import SMALL, TWO_LEVELS, last, steps

from impasto.errors import BadWeights
from impasto.events import (
    Event,
    LevelDone,
    Painted,
    RolledBack,
    Snapshot,
    Started,
    Step,
)
from impasto.image.resize import resize
from impasto.neural.device import has_bfloat16
from impasto.neural.objective import Evaluation, Objective
from impasto.neural.paint import PATIENCE, Inputs, StyleImage, painting
from impasto.neural.weights import Weights
from impasto.settings import PRESETS, PaintSettings, Preset

RGB = NDArray[np.float32]
Sample = Callable[[str], RGB]
Paint = Callable[..., list[Event]]

pytestmark = pytest.mark.usefixtures("networks_made_once")


def flat(level: float, height: int = 48, width: int = 48) -> RGB:
    return np.full((height, width, 3), level, np.float32)


def assert_sound(found: Painted, width: int, height: int) -> None:
    assert found.picture.shape == (height, width, 3)
    assert found.picture.dtype == np.float32
    assert found.picture.min() >= 0  # NaN is neither
    assert found.picture.max() <= 1
    assert all(map(math.isfinite, found.losses.values()))


# What a run tells


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_events_come_in_order(painted: Paint, sample: Sample, optimizer: str) -> None:
    photo = sample("astronaut")[:, :228]
    other = Inputs(photo, [StyleImage("mosaic", 100.0, sample("mosaic"))])
    events = painted(TWO_LEVELS | {"optimizer": optimizer, "size": 100, "steps": 4}, other)
    kinds = [type(event) for event in events]
    assert kinds == [Started, *[Step] * 3, LevelDone, *[Step] * 4, LevelDone, Painted]
    started = events[0]
    assert isinstance(started, Started)
    sizes = (38, 50), (76, 100)
    assert started == Started((76, 100), sizes, 7, "cpu", "float32", started.start)
    np.testing.assert_array_equal(started.start((60, 79)), resize(photo, 60, 79))
    taken = steps(events)
    assert [(step.level, step.step) for step in taken] == [
        *((1, k) for k in (1, 2, 3)),
        *((2, k) for k in (1, 2, 3, 4)),
    ]
    # A step costs what its pixels cost: a quarter at half the size.
    assert [step.done for step in taken] == pytest.approx(
        [share / 19 for share in (1, 2, 3, 7, 11, 15, 19)]
    )
    assert taken[-1].done == 1
    names = ["content", *(f"style/mosaic/relu{block}_1" for block in range(1, 6))]
    assert all(list(step.losses) == names for step in taken)
    assert [done.picture().shape for done in events if isinstance(done, LevelDone)] == [
        (50, 38, 3),
        (100, 76, 3),
    ]
    final = last(events)
    assert_sound(final, 76, 100)
    assert final.complete
    assert list(final.losses) == names
    assert np.array_equal(final.picture, taken[-1].picture())


def test_pictures_of_steps_stay_what_they_were(painted: Paint) -> None:
    """Whether they are asked for at once or when the run is long over."""
    events = steps(painted(TWO_LEVELS))
    later = [event.picture() for event in events]
    again = painted(TWO_LEVELS)
    assert [picture.shape[0] for picture in later] == [32] * 3 + [64] * 3
    assert all(np.array_equal(x, y.picture()) for x, y in zip(later, steps(again), strict=True))
    assert not np.array_equal(later[3], later[4])


def test_full_is_the_photos_own_size(painted: Paint, sample: Sample) -> None:
    other = Inputs(sample("coffee")[:41, :53], [StyleImage("a", 100.0, sample("mosaic"))])
    events = painted(SMALL | {"size": "full", "steps": 1}, other)
    assert_sound(last(events), 53, 41)
    # After the evaluation of the start alone, the picture is the photo.
    assert np.abs(last(events).picture - other.photo).max() < 1e-6


# What it finds


@pytest.fixture(scope="session")
def judge(
    reference: ModuleType, sample: Sample, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[RGB, str, str], dict[str, float]]:
    """The reference's losses of a picture, from files of the photo and the style."""
    layers = reference.network()

    def judged(picture: RGB, photo: str, style: str) -> dict[str, float]:
        loaded = []
        for name in (photo, style):
            path = tmp_path_factory.mktemp("judge") / f"{name}.png"
            Image.fromarray(np.rint(sample(name) * 255).astype(np.uint8)).save(path)
            loaded.append(reference.load(path, max(picture.shape[:2])))
        canvas = torch.from_numpy(picture).permute(2, 0, 1)[None]
        with torch.no_grad():
            found = reference.losses(layers, canvas, reference.targets(layers, *loaded))
        return {name: value.item() for name, value in found.items()}

    return judged


@pytest.mark.parametrize(
    "changes",
    [
        TWO_LEVELS,
        SMALL | {"optimizer": "adam", "learning_rate": 0.02},
        pytest.param(
            TWO_LEVELS | {"precision": "bfloat16"},
            marks=pytest.mark.skipif(
                not has_bfloat16(torch.device("cpu")), reason="bfloat16 would be emulated"
            ),
        ),
    ],
)
def test_reported_losses_are_the_references(
    painted: Paint, judge: Callable[[RGB, str, str], dict[str, float]], changes: dict[str, Any]
) -> None:
    final = last(painted(changes))
    expected = judge(final.picture, "astronaut", "mosaic")
    named = {name.removeprefix("style/mosaic/"): value for name, value in final.losses.items()}
    assert named == pytest.approx(expected, rel=1e-3)


def test_the_losses_of_the_first_step_are_those_of_the_photo(
    painted: Paint, inputs: Inputs, judge: Callable[[RGB, str, str], dict[str, float]]
) -> None:
    first = steps(painted(SMALL | {"steps": 1}))[0]
    expected = judge(resize(inputs.photo, 32, 32), "astronaut", "mosaic")
    assert expected["content"] < 1e-9
    named = {name.removeprefix("style/mosaic/"): value for name, value in first.losses.items()}
    assert named == pytest.approx(expected, rel=1e-3, abs=1e-6)


@pytest.mark.skipif(not has_bfloat16(torch.device("cpu")), reason="bfloat16 would be emulated")
def test_bfloat16_paints_as_well_as_float32(painted: Paint) -> None:
    changes = TWO_LEVELS | {"steps": 12, "coarse_steps": 8}
    totals = [
        sum(last(painted(changes | {"precision": precision})).losses.values())
        for precision in ("float32", "bfloat16")
    ]
    assert totals[1] == pytest.approx(totals[0], rel=0.05)


def test_a_picture_that_is_the_style_and_the_photo_needs_no_change(
    painted: Paint, sample: Sample
) -> None:
    photo = sample("chelsea")
    final = last(painted(TWO_LEVELS, Inputs(photo, [StyleImage("same", 100.0, photo)])))
    assert sum(final.losses.values()) < 1e-6
    assert np.abs(final.picture - resize(photo, 64, 64)).max() < 1e-3


def test_several_styles_pull_by_their_weights(painted: Paint, sample: Sample) -> None:
    """Losses are proportional to beta at the start, and each style has its names."""
    styles = [
        StyleImage("mosaic", 60.0, sample("mosaic")),
        StyleImage("cup", 20.0, sample("coffee")),
        StyleImage("unheard", 0.0, sample("rocket")),
    ]
    photo = sample("astronaut")
    both = steps(painted(SMALL | {"steps": 1}, Inputs(photo, styles)))[0].losses
    for style in styles:
        alone = Inputs(photo, [replace(style, beta=1.0)])
        single = steps(painted(SMALL | {"steps": 1}, alone))[0].losses
        for name, value in single.items():
            if name != "content":
                assert both[name] == pytest.approx(style.beta * value, rel=1e-5)
    assert len(both) == 16


def test_styles_need_names_of_their_own(sample: Sample) -> None:
    styles = [StyleImage("a", beta, sample("mosaic")) for beta in (1.0, 2.0)]
    with pytest.raises(ValueError, match="names of their own"):
        Inputs(sample("astronaut"), styles)


def test_style_scale_is_the_size_of_the_style(painted: Paint, sample: Sample) -> None:
    """A style enlarged beforehand by the same Lanczos filter is the same style."""
    photo, small = sample("astronaut"), resize(sample("mosaic"), 60, 30)
    for scale, size in [(0.5, (16, 16)), (2.0, (64, 32))]:
        scaled = Inputs(photo, [StyleImage("a", 100.0, small)])
        ready = Inputs(photo, [StyleImage("a", 100.0, resize(small, *size))])
        losses = [
            steps(painted(SMALL | {"steps": 1, "style_scale": scale}, other))[0].losses
            for other in (scaled, ready)
        ]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_canvas_starts_from_the_picture_that_is_given(painted: Paint, sample: Sample) -> None:
    init = resize(sample("coffee"), 32, 32)
    other = Inputs(sample("astronaut"), [StyleImage("a", 100.0, sample("mosaic"))], init)
    final = last(painted(SMALL | {"init": Path("cup.png"), "steps": 1}, other))
    assert np.abs(final.picture - init).max() < 1e-6


# Presets, seeds


def test_preset_article_is_adam_on_one_level(inputs: Inputs, weights: Weights) -> None:
    settings = PRESETS[Preset.ARTICLE].updated(SMALL | {"size": 64})
    events = list(painting(inputs, settings, weights))
    assert [type(event) for event in events] == [Started, Step, Step, Step, LevelDone, Painted]
    moved = np.abs(last(events).picture - resize(inputs.photo, 64, 64))
    unit = np.array([0.229, 0.224, 0.225], np.float32)
    assert (moved.max((0, 1)) <= 3 * 0.003 * unit * 1.01).all()  # Adam's steps are bounded
    assert (moved.mean((0, 1)) > 0.003 * unit).all()


def test_preset_gatys_starts_from_the_noise_of_its_seed(inputs: Inputs, weights: Weights) -> None:
    def run(seed: int, count: int) -> RGB:
        settings = PRESETS[Preset.GATYS].updated(SMALL | {"steps": count, "seed": seed})
        return last(list(painting(inputs, settings, weights))).picture

    start = run(1, 1)
    assert abs(float(start.mean()) - 0.5) < 0.03  # uniform: mean 1/2, variance 1/12
    assert abs(float(start.var()) - 1 / 12) < 0.01
    assert np.array_equal(run(1, 3), run(1, 3))
    assert not np.array_equal(run(1, 3), run(2, 3))
    assert np.abs(start - run(2, 1)).mean() > 0.2


# Going on


def through_a_file(snapshot: Snapshot) -> Snapshot:
    """As bytes, and back at addresses that are not aligned, read-only."""
    arrays = {}
    for name, array in snapshot.arrays.items():
        data = b"8 bytes." + b"".join(piece.tobytes() for piece in array.pieces())
        whole = np.frombuffer(data, array.dtype, offset=8).reshape(array.shape)
        pieces = np.array_split(whole, 3)
        arrays[name] = replace(array, pieces=partial(iter, pieces))
    return Snapshot(snapshot.level, snapshot.step, arrays)


@pytest.mark.parametrize(
    "changes",
    [
        TWO_LEVELS,
        TWO_LEVELS | {"optimizer": "adam"},
        TWO_LEVELS | {"init": "noise", "precision": "bfloat16"},
    ],
)
def test_a_resumed_run_gives_the_same_picture_bit_for_bit(
    painted: Paint, changes: dict[str, Any]
) -> None:
    whole = painted(changes)
    for done, event in enumerate(steps(whole), 1):
        resumed = painted(changes, resume=through_a_file(event.snapshot()))
        assert resumed[0] == whole[0]
        assert [x.losses for x in steps(resumed)] == [x.losses for x in steps(whole)[done:]]
        assert [x.done for x in steps(resumed)] == [x.done for x in steps(whole)[done:]]
        assert np.array_equal(last(resumed).picture, last(whole).picture)
        assert last(resumed).losses == last(whole).losses


# What is not finite


def spoil(monkeypatch: pytest.MonkeyPatch, when: Callable[[int], bool], bad: float) -> None:
    """Make the evaluations that `when` chooses, counted from 1, not finite."""
    evaluate, count = Objective.evaluate, iter(range(1, 10_000))

    def spoiled(self: Objective, canvas: torch.Tensor) -> Evaluation:
        found = evaluate(self, canvas)
        if not when(next(count)):
            return found
        return Evaluation(dict.fromkeys(found.losses, bad), torch.full_like(found.gradient, bad))

    monkeypatch.setattr(Objective, "evaluate", spoiled)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_steps_that_are_not_finite_are_tried_again(
    painted: Paint, monkeypatch: pytest.MonkeyPatch, optimizer: str, bad: float
) -> None:
    """Evaluations: 1, 2, (3, 4), 5 | (6), 7, 8, (9, 10, 11, 12), 13."""
    spoil(monkeypatch, {3, 4, 6, 9, 10, 11, 12}.__contains__, bad)
    events = painted(TWO_LEVELS | {"optimizer": optimizer})
    undone = [event for event in events if isinstance(event, RolledBack)]
    assert undone == [
        *(RolledBack(1, 3, failures) for failures in (1, 2)),
        RolledBack(2, 1, 1),
        *(RolledBack(2, 3, failures) for failures in (1, 2, 3, 4)),
    ]
    assert [(step.level, step.step) for step in steps(events)] == [
        *((1, k) for k in (1, 2, 3)),
        *((2, k) for k in (1, 2, 3)),
    ]
    assert steps(events)[-1].done == 1
    assert last(events).complete
    assert_sound(last(events), 64, 64)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("changes", [SMALL, TWO_LEVELS, SMALL | {"steps": 1}])
def test_a_run_that_is_never_finite_ends_with_its_start(
    painted: Paint,
    inputs: Inputs,
    monkeypatch: pytest.MonkeyPatch,
    optimizer: str,
    changes: dict[str, Any],
) -> None:
    spoil(monkeypatch, lambda count: True, math.nan)
    events = painted(changes | {"optimizer": optimizer})
    kinds = [type(event) for event in events]
    assert kinds == [Started, *[RolledBack] * PATIENCE, LevelDone, Painted]
    final, side = last(events), changes["size"]
    assert not final.complete
    assert_sound(final, side, side)
    assert np.abs(final.picture - resize(inputs.photo, side, side)).max() < 1e-6


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_a_run_that_stops_being_finite_ends_with_the_best_so_far(
    painted: Paint, monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    good = painted(TWO_LEVELS | {"optimizer": optimizer})
    spoil(monkeypatch, lambda count: count > 5, math.inf)
    events = painted(TWO_LEVELS | {"optimizer": optimizer})
    final = last(events)
    assert not final.complete
    assert len(steps(events)) == 5
    assert_sound(final, 64, 64)
    start, end = (sum(steps(good)[k].losses.values()) for k in (3, 5))
    assert sum(final.losses.values()) < 1.01 * start
    assert sum(final.losses.values()) == pytest.approx(end, abs=abs(start - end) + 0.01 * start)


# Extremes


GREY = np.repeat(np.random.default_rng(0).random((40, 50, 1), np.float32), 3, axis=2)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize(
    ("photo", "style"),
    [
        (flat(0), flat(1)),
        (flat(1), GREY),
        (GREY, flat(0)),
        (flat(0.5), flat(0.5)),
        (flat(0, 16, 200), flat(1, 200, 16)),
        (GREY[:16, :16], GREY),
    ],
)
def test_extreme_pictures_give_finite_results(
    painted: Paint, photo: RGB, style: RGB, optimizer: str
) -> None:
    changes = TWO_LEVELS | {"optimizer": optimizer}
    final = last(painted(changes, Inputs(photo, [StyleImage("a", 100.0, style)])))
    height, width = photo.shape[:2]
    scale = 64 / max(height, width)
    assert_sound(final, max(16, round(width * scale)), max(16, round(height * scale)))
    assert final.complete


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("beta", [1e-30, 1e12, 1e30])
def test_extreme_weights_give_finite_results(
    painted: Paint, sample: Sample, optimizer: str, beta: float
) -> None:
    other = Inputs(sample("astronaut"), [StyleImage("a", beta, sample("mosaic"))])
    events = painted(TWO_LEVELS | {"optimizer": optimizer, "steps": 4}, other)
    final = last(events)
    assert_sound(final, 64, 64)
    if beta == 1e12:
        first, *_, end = (sum(step.losses.values()) for step in steps(events)[3:])
        assert end < (0.9 if optimizer == "lbfgs" else 0.99) * first
    # The square of a gradient of 1e30 is more than float32 can hold.
    assert final.complete == (beta < 1e30)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_without_weights_the_photo_stays(
    painted: Paint, inputs: Inputs, sample: Sample, optimizer: str
) -> None:
    other = Inputs(inputs.photo, [StyleImage("a", 0.0, sample("mosaic"))])
    for alpha in (0, 1):
        final = last(painted(TWO_LEVELS | {"optimizer": optimizer, "alpha": alpha}, other))
        assert_sound(final, 64, 64)
        assert np.abs(final.picture - resize(inputs.photo, 64, 64)).max() < 1e-3


# What can't be done


def test_layers_that_the_weights_lack_are_named(inputs: Inputs, weights: Weights) -> None:
    short = replace(
        weights, layers={k: v for k, v in weights.layers.items() if not k.startswith("relu5_4")}
    )
    run = partial(painting, inputs, weights=short)
    with pytest.raises(BadWeights, match=r"no relu5_4: they end at relu5_3; choose other layers"):
        next(run(settings=PaintSettings().updated(SMALL | {"style_layers": "relu1_1,relu5_4"})))
    events: Iterator[Event] = run(settings=PaintSettings().updated(SMALL))
    assert isinstance(next(events), Started)


def test_pictures_of_events_can_be_written_to(
    painted: Paint, inputs: Inputs, weights: Weights
) -> None:
    """They are no part of the run: drawing into them does not change what follows."""
    untouched = last(painted(TWO_LEVELS))
    settings = PaintSettings().updated(TWO_LEVELS)
    for event in painting(inputs, settings, weights):
        if isinstance(event, Step | LevelDone):
            event.picture()[:] = 0
    assert isinstance(event, Painted)
    np.testing.assert_array_equal(event.picture, untouched.picture)

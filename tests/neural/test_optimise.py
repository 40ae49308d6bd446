import math
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from impasto.events import Array
from impasto.neural.adam import Adam
from impasto.neural.lbfgs import HISTORY, LBFGS, two_loop_
from impasto.neural.metric import Metric, Pair
from impasto.neural.objective import Evaluation, Objective
from impasto.neural.optimise import NotFinite, Optimiser, is_finite
from impasto.neural.rows import Rows
from impasto.neural.state import tensor_of

Method = Literal["lbfgs", "adam"]
METHODS: list[Method] = ["lbfgs", "adam"]
SIZE = (1, 3, 16, 20)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def rand(seed: int) -> Tensor:
    """A picture in the layout that canvases have, which sums round by."""
    values = torch.rand(SIZE, generator=torch.Generator().manual_seed(seed))
    return values.contiguous(memory_format=torch.channels_last)


class Bowl(Objective):
    """1/2 <x-m, A (x-m)> + <slope, x-m> with A = steepness + coupling of neighbours.

    It is evaluated in float64; `worse` and `broken` name evaluations, from 1, that it spoils.
    """

    def __init__(
        self,
        middle: Tensor,
        *,
        slope: Tensor | None = None,
        worse: Collection[int] = (),
        broken: Mapping[int, float] | None = None,
    ) -> None:
        self.middle = middle.double()
        self.slope = torch.zeros_like(self.middle) if slope is None else slope.double()
        self.steepness = 1 + 30 * rand(77).double() ** 3
        self.worse, self.broken = worse, broken or {}
        self.seen: list[Tensor] = []

    def product(self, x: Tensor) -> Tensor:
        kernel = torch.tensor([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], dtype=x.dtype)
        neighbours = F.conv2d(x, kernel.expand(3, 1, 3, 3), padding=1, groups=3)
        return self.steepness * x + 5 * neighbours

    def total(self, canvas: Tensor) -> float:
        away = canvas.double() - self.middle
        return (away * (0.5 * self.product(away) + self.slope)).sum().item()

    def evaluate(self, canvas: Tensor) -> Evaluation:
        self.seen.append(canvas.clone())
        away = canvas.double() - self.middle
        total = 1 + self.total(canvas)
        gradient = (self.product(away) + self.slope).float()
        if len(self.seen) in self.worse:
            total *= 10
        if len(self.seen) in self.broken:
            total = self.broken[len(self.seen)]
            gradient[0, 0, 3, 3] = total
        return Evaluation({"bowl": total}, gradient)


def optimiser(method: Method, objective: Objective, start: Tensor) -> Optimiser:
    if method == "adam":
        return Adam(objective, start, 0.05)
    return LBFGS(objective, start, None)


def test_adam_is_pytorchs_while_no_bound_is_touched() -> None:
    bowl, start = Bowl(0.4 + 0.2 * rand(1)), 0.4 + 0.2 * rand(2)
    ours = Adam(bowl, start, 0.003)
    z = (start / STD).requires_grad_()
    theirs = torch.optim.Adam([z], lr=0.003)
    for _ in range(40):
        z.grad = bowl.evaluate(z.detach() * STD).gradient * STD
        theirs.step()
        ours.step()
        torch.testing.assert_close(ours.canvas, z.detach() * STD, rtol=0, atol=2e-6)
    assert ours.canvas.min() > 0.01
    assert ours.canvas.max() < 0.99
    assert (ours.canvas - start).abs().max() > 0.01


@pytest.mark.parametrize("method", METHODS)
def test_the_minimiser_inside_the_bounds_is_found(method: Method) -> None:
    middle = 0.2 + 0.6 * rand(1)
    descent = optimiser(method, Bowl(middle), torch.full(SIZE, 0.5))
    for _ in range({"lbfgs": 60, "adam": 300}[method]):
        descent.step()
    assert (descent.canvas - middle).abs().max() < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_the_minimiser_among_the_bounds_is_found(method: Method) -> None:
    """By Kuhn and Tucker: where it lies on a bound, the slope there points outwards."""
    middle = (2 * rand(1) - 0.5).clamp(0, 1)
    slope = torch.where(middle == 0, 1.0, torch.where(middle == 1, -1.0, 0.0)) * 10 * rand(3)
    assert (slope != 0).float().mean() > 0.3
    descent = optimiser(method, Bowl(middle, slope=slope), rand(4))
    for _ in range({"lbfgs": 100, "adam": 400}[method]):
        descent.step()
    assert (descent.canvas - middle).abs().max() < 2e-3
    assert (descent.canvas == middle)[slope.abs() > 0.5].all()


def test_lbfgs_needs_few_evaluations() -> None:
    """Conjugate gradients, exact line searches given, need about 25 for this condition number."""
    middle = 0.2 + 0.6 * rand(1)
    bowl = Bowl(middle)
    descent = LBFGS(bowl, torch.full(SIZE, 0.5), None)
    start = bowl.total(descent.canvas)
    for _ in range(25):
        descent.step()
    assert bowl.total(descent.canvas) < 1e-4 * start


@pytest.mark.parametrize("method", METHODS)
def test_every_canvas_is_in_gamut_and_the_best_never_gets_worse(method: Method) -> None:
    bowl = Bowl(3 * rand(1) - 1, worse={4, 5, 9, 15})
    descent = optimiser(method, bowl, rand(2))
    totals = []
    for _ in range(30):
        descent.step()
        totals.append(bowl.total(descent.canvas))
    assert all(x.min() >= 0 and x.max() <= 1 for x in [*bowl.seen, descent.canvas])
    if method == "lbfgs":
        assert totals == sorted(totals, reverse=True)
        assert totals[-1] == pytest.approx(min(bowl.total(x) for x in bowl.seen))


def test_losses_are_those_of_the_canvas_that_was_evaluated() -> None:
    for method in METHODS:
        bowl = Bowl(rand(1))
        descent = optimiser(method, bowl, rand(2))
        for _ in range(5):
            losses = descent.step()
            assert losses == {"bowl": pytest.approx(1 + bowl.total(bowl.seen[-1]))}
        assert len(bowl.seen) == 5


def test_a_clearly_worse_step_that_teaches_nothing_is_shortened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bowl = Bowl(0.2 + 0.6 * rand(1), worse={6})
    descent = LBFGS(bowl, torch.full(SIZE, 0.5), None)
    for _ in range(5):
        descent.step()
    monkeypatch.setattr(LBFGS, "_pair", lambda *_: None)
    for _ in range(2):
        descent.step()
    stand, far, near = bowl.seen[4:7]
    torch.testing.assert_close(near - stand, 0.4 * (far - stand), rtol=0, atol=1e-6)


@pytest.mark.parametrize("bold", [10.0, 100.0, 1000.0])
def test_a_step_that_went_far_too_far_is_learned_from(bold: float) -> None:
    """What is known of the curvature is wrong by that factor, and right again a step later."""
    bowl = Bowl(torch.full(SIZE, 0.5))
    start = 0.5 + 0.001 * (rand(2) - 0.5)
    descent = LBFGS(bowl, start, torch.full((3, 8), bold / 20))
    totals = [descent.step()["bowl"] - 1 for _ in range(4)]
    assert totals[1] > 2 * totals[0]
    assert min(totals[2:]) < totals[0]
    assert torch.equal(bowl.seen[0], start)
    one, other = (flat(bowl.seen[k] - start) for k in (1, 2))  # both steps begin at the start
    assert np.linalg.norm(other) < 0.5 * np.linalg.norm(one)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_two_loop_is_dense_bfgs(dtype: torch.dtype) -> None:
    """Of the pairs as they are kept, rounded."""
    height, width = 8, 12
    metric = Metric(height, width, torch.device("cpu"))
    rng = torch.Generator().manual_seed(0)
    steep = 1 + 20 * torch.rand(1, 3, height, width, generator=rng) ** 2
    pairs: list[Pair] = []
    for _ in range(6):
        change = torch.randn(1, 3, height, width, generator=rng)
        mixed = F.avg_pool2d(steep * change, 3, 1, 1)
        response = steep * change + 0.3 * mixed
        pair = metric.pair(Rows.of(change.to(dtype)), Rows.of(response.to(dtype)))
        assert pair is not None
        pairs.append(pair)

    count = 3 * height * width
    units = torch.eye(count).view(count, 1, 3, height, width)
    guess = metric.guess(pairs)
    inverse = np.stack([flat(metric.apply_(guess, unit.clone())) for unit in units], axis=1)
    for pair in pairs:
        s, y = flat(pair.change[:]), flat(pair.response[:])
        rho = 1 / (s @ y)
        left = np.eye(count) - rho * np.outer(s, y)
        inverse = left @ inverse @ left.T + rho * np.outer(s, s)
    gradient = torch.randn(1, 3, height, width, generator=rng)
    expected = inverse @ flat(gradient)
    found = two_loop_(gradient, tuple(pairs), metric)
    assert found is gradient
    assert np.linalg.norm(flat(found) - expected) < 1e-4 * np.linalg.norm(expected)
    # The newest pair is always satisfied: the inverse Hessian takes its response to its change.
    newest = flat(two_loop_(pairs[-1].response[:].float().clone(), tuple(pairs), metric))
    assert np.linalg.norm(newest - flat(pairs[-1].change[:])) < 1e-4 * np.linalg.norm(newest)


def flat(x: Tensor) -> NDArray[np.float64]:
    return x.flatten().double().numpy()


def through_a_file(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """As bytes, and back at addresses that are not aligned."""
    back = {}
    for name, array in arrays.items():
        values: NDArray[Any] = np.concatenate(list(array.pieces()))
        room = np.empty(values.nbytes + 8, np.uint8)
        place = room[8:].view(values.dtype).reshape(values.shape)
        place[...] = values
        back[name] = Array(array.dtype, array.shape, partial(iter, [place[:1], place[1:]]))
    return back


def values_of(arrays: Mapping[str, Array]) -> dict[str, NDArray[Any]]:
    return {name: np.concatenate(list(array.pieces())) for name, array in arrays.items()}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("steps", [0, 1, 2, 6, HISTORY + 4])
@pytest.mark.parametrize("spoiled", ["", "worse", "broken"])
def test_a_saved_state_goes_on_bit_for_bit(method: Method, steps: int, spoiled: str) -> None:
    """Also where the last evaluation was rejected, so that the next step is another one."""
    middle = 2 * rand(1) - 0.5
    worse = {steps} if spoiled == "worse" else set()
    broken = {steps: math.nan} if spoiled == "broken" else {}
    whole = optimiser(method, Bowl(middle, worse=worse, broken=broken), rand(2))
    for _ in range(steps):
        try:
            whole.step()
        except NotFinite:
            assert spoiled == "broken"
    arrays = through_a_file(whole.arrays())
    if spoiled == "broken" and steps > 1 and method == "lbfgs":
        assert values_of(arrays)["numbers"][2] != 1
    resumed = optimiser(method, Bowl(middle), rand(5))
    resumed.restore(arrays)
    assert torch.equal(resumed.canvas, whole.canvas)
    for _ in range(12):
        assert resumed.step() == whole.step()
        assert torch.equal(resumed.canvas, whole.canvas)


def test_a_state_holds_what_the_coarser_level_knew() -> None:
    curvature = torch.rand(3, 8, generator=torch.Generator().manual_seed(0)) * 0.01
    whole = LBFGS(Bowl(rand(1)), rand(2), curvature)
    whole.step()
    resumed = LBFGS(Bowl(rand(1)), rand(2), None)
    resumed.restore(through_a_file(whole.arrays()))
    for _ in range(4):
        assert resumed.step() == whole.step()
        assert torch.equal(resumed.canvas, whole.canvas)


def test_states_do_not_change_once_taken() -> None:
    for method in METHODS:
        descent = optimiser(method, Bowl(rand(1)), rand(2))
        for _ in range(4):
            descent.step()
        arrays = descent.arrays()
        before = {name: values.copy() for name, values in values_of(arrays).items()}
        for _ in range(4):
            descent.step()
        after = values_of(arrays)
        assert all(np.array_equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("when", [{1}, {2}, {5}, {5, 6, 7}, {3, 5, 8}])
def test_what_is_not_finite_is_undone_and_tried_again_more_carefully(
    method: Method, bad: float, when: set[int]
) -> None:
    middle = 0.2 + 0.6 * rand(1)
    bowl = Bowl(middle, broken=dict.fromkeys(when, bad))
    descent = optimiser(method, bowl, torch.full(SIZE, 0.5))
    failed = set()
    for step in range(1, {"lbfgs": 60, "adam": 300}[method]):
        try:
            descent.step()
        except NotFinite:
            failed.add(step)
        assert descent.canvas.min() >= 0
        assert descent.canvas.max() <= 1
    assert failed == when
    for step in when - {1}:  # evaluations count from 1, `seen` from 0
        if step - 1 not in when:
            stand, far, near = bowl.seen[step - 2 : step + 1]
            assert 0 < (near - stand).norm() < 0.5 * (far - stand).norm()
    assert (descent.canvas - middle).abs().max() < 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_the_start_stays_where_nothing_is_finite(method: Method) -> None:
    start = rand(2)
    bowl = Bowl(rand(1), broken=dict.fromkeys(range(1, 99), math.nan))
    descent = optimiser(method, bowl, start)
    for _ in range(8):
        with pytest.raises(NotFinite):
            descent.step()
        assert torch.equal(descent.canvas, start)


@pytest.mark.parametrize("method", METHODS)
def test_a_gradient_of_nothing_moves_nothing(method: Method) -> None:
    middle = rand(1)
    descent = optimiser(method, Bowl(middle), middle)
    for _ in range(4):
        descent.step()
    assert torch.equal(descent.canvas, middle)


def test_curvature_is_handed_on_for_four_times_the_pixels() -> None:
    descent = LBFGS(Bowl(rand(1)), rand(2), None)
    assert descent.curvature() is None
    for _ in range(3):
        descent.step()
    curvature = descent.curvature()
    assert curvature is not None
    arrays = descent.arrays()
    metric = Metric(*SIZE[2:], torch.device("cpu"))
    change, response = rounded(arrays["change.1"]), rounded(arrays["response.1"])
    taken = metric.apply_(curvature / 4, response.clone())
    scaled, wanted = (response * taken).sum().item(), (response * change).sum().item()
    assert scaled == pytest.approx(wanted, rel=1e-2)
    assert optimiser("adam", Bowl(rand(1)), rand(2)).curvature() is None


def rounded(array: Array) -> Tensor:
    """A picture that is kept in bfloat16."""
    assert array.dtype == "int16"
    return tensor_of(array, torch.device("cpu")).view(torch.bfloat16).float()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_value_that_is_not_finite_is_noticed(value: float) -> None:
    gradient = torch.zeros(SIZE)
    assert is_finite(Evaluation({"a": 1.0}, gradient))
    assert not is_finite(Evaluation({"a": 1.0, "b": value}, gradient))
    gradient[0, 2, 15, 19] = value
    assert not is_finite(Evaluation({"a": 1.0}, gradient))

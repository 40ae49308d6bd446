from itertools import product

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from impasto.image.samples import style
from impasto.motion.signs import signs_of
from impasto.motion.strokes import flow_of, orientation_of

Plane = NDArray[np.float64]
SIDE = 120


def grid() -> tuple[Plane, Plane]:
    """x and y from the middle, px."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    return x, y


def waves(phase: Plane) -> NDArray[np.float32]:
    """A grey picture of stripes."""
    plane = (0.5 + 0.4 * np.sin(phase)).astype(np.float32)
    return np.stack([plane] * 3, axis=-1)


def spirograph(side: int) -> NDArray[np.float32]:
    return style("spirograph", side).astype(np.float32) / np.float32(255)


def off(angle: NDArray[np.floating], wanted: Plane) -> Plane:
    """Degrees between lines, which have no sign."""
    return np.asarray(np.abs((np.degrees(angle - wanted) + 90) % 180 - 90))


@pytest.mark.parametrize("degrees", [-75, -45, -20, 0, 10, 30, 45, 60, 89, 90])
@pytest.mark.parametrize("wavelength", [6.0, 12.0])
def test_stripes_run_at_their_angle(degrees: float, wavelength: float) -> None:
    x, y = grid()
    along = np.radians(degrees)
    across = -x * np.sin(along) + y * np.cos(along)
    found = orientation_of(waves(2 * np.pi / wavelength * across), 4.0)
    inner = np.s_[16:-16, 16:-16]
    assert off(found.angle[inner], np.full((88, 88), along)).max() < 1
    assert found.coherence[inner].min() > 0.98


def test_only_one_channel_is_enough() -> None:
    x, _ = grid()
    rgb = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    rgb[..., 2] = waves(x)[..., 0]
    assert (
        off(orientation_of(rgb, 4.0).angle[16:-16, 16:-16], np.full((88, 88), np.pi / 2)).max() < 1
    )


def test_rings_run_along_their_tangents() -> None:
    x, y = grid()
    radius = np.hypot(x, y)
    found = orientation_of(waves(radius), 2.0)
    ring = (radius > 14) & (radius < 50)
    assert off(found.angle, np.arctan2(x, -y))[ring].max() < 1


def test_noise_has_little_coherence_and_a_flat_picture_none() -> None:
    noise = np.random.default_rng(0).random((SIDE, SIDE, 3)).astype(np.float32)
    assert orientation_of(noise, 6.0).coherence.mean() < 0.2
    flat = np.full((SIDE, SIDE, 3), 0.3, np.float32)
    assert orientation_of(flat, 6.0).coherence.max() < 1e-3
    assert np.abs(flow_of(flat, 6.0)).max() == 0


@pytest.mark.parametrize("centre", [(0, 0), (-20, 13)])
def test_rings_turn_one_way(centre: tuple[int, int]) -> None:
    x, y = grid()
    x, y = x - centre[0], y - centre[1]
    radius = np.hypot(x, y)
    flow = flow_of(waves(radius), 2.5)
    turning = (x * flow[..., 1] - y * flow[..., 0]) / np.maximum(radius, 1)
    ring = (radius > 10) & (radius < 36)
    turning *= np.sign(turning[ring].mean())
    assert turning[ring].min() > 0.8


def test_a_spiral_runs_one_way() -> None:
    """Arms at a constant angle to the radius: phase m theta + k ln r is constant along them."""
    x, y = grid()
    radius, theta = np.maximum(np.hypot(x, y), 1), np.arctan2(y, x)
    m, k = 6, 9
    flow = flow_of(waves(m * theta + k * np.log(radius)), 2.0)
    # Along an arm d theta : d ln r = -k : m.
    outwards, around = m / np.hypot(m, k), -k / np.hypot(m, k)
    arm = np.stack([x * outwards - y * around, y * outwards + x * around], axis=-1)
    along = (flow * arm).sum(axis=-1) / radius
    ring = (radius > 16) & (radius < 50)
    along *= np.sign(along[ring].mean())
    assert along[ring].min() > 0.8


def test_stripes_flow_to_the_right_all_over() -> None:
    x, y = grid()
    flow = flow_of(waves(0.6 * (y - 0.3 * x)), 3.0)
    assert (flow[..., 0] > 0.8).all()


def test_a_turned_picture_flows_as_turned() -> None:
    """But for the direction on the whole, which is always to the right."""
    rgb = spirograph(SIDE)
    flow, turned = flow_of(rgb, 2.0), flow_of(np.rot90(rgb), 2.0)
    back = np.rot90(turned, -1)
    back = np.stack([-back[..., 1], back[..., 0]], axis=-1)
    same = (flow * back).sum(axis=-1)
    lengths = np.square(flow).sum(axis=-1)
    assert np.abs(same).sum() > 0.9 * lengths.sum()


def test_the_flow_passes_through_rest_where_no_choice_of_signs_is_right() -> None:
    """A loop, as in a fingerprint, makes half a turn: there is a seam, but no jump."""
    x, y = grid()
    radius = np.hypot(x, y)
    flow = flow_of(waves(0.9 * np.sqrt(2 * np.maximum(radius + x, 0)) * np.sqrt(radius + 9)), 3.0)
    for axis in (0, 1):
        jump = np.linalg.norm(np.diff(flow, axis=axis), axis=-1)
        assert jump.max() < 0.5


def test_a_vortex_of_unsigned_vectors_is_made_whole() -> None:
    x, y = grid()
    planted = np.stack([-y, x], axis=-1)[::4, ::4]
    planted /= np.linalg.norm(planted, axis=-1, keepdims=True)
    random = np.random.default_rng(3).choice([-1.0, 1.0], planted.shape[:2])
    signs = signs_of((planted * random[..., None]).astype(np.float32))
    assert abs((signs * random).sum()) == signs.size


@pytest.mark.parametrize("seed", range(12))
def test_signs_are_nearly_as_good_as_the_best_of_all(seed: int) -> None:
    """By trying all: vectors without any order, where no choice pleases all neighbours."""
    height, width = 3, 4
    vectors = np.random.default_rng(seed).normal(size=(height, width, 2)).astype(np.float32)
    best = max(agreement(vectors, np.array(signs)) for signs in product([-1, 1], repeat=12))
    assert agreement(vectors, signs_of(vectors).ravel()) > 0.9 * best


def agreement(vectors: NDArray[np.float32], signs: NDArray[np.int_] | NDArray[np.float32]) -> float:
    """Of all neighbours, diagonal ones at their distance."""
    cells = [(row, column) for row in range(3) for column in range(4)]
    flat = vectors.reshape(-1, 2) * signs[:, None]
    total = 0.0
    for i, one in enumerate(cells):
        for j, other in enumerate(cells[:i]):
            distance = float(np.hypot(one[0] - other[0], one[1] - other[1]))
            if distance < 2:
                total += float(flat[i] @ flat[j]) / distance
    return total


def test_neighbours_flow_together_on_a_picture() -> None:
    """Where lines are nearly parallel, few neighbours run against each other."""
    rgb = spirograph(320)
    flow = flow_of(rgb, 2.5)
    small = cv2.resize(flow, (80, 80), interpolation=cv2.INTER_AREA)
    fast = np.linalg.norm(small, axis=-1) > 0.5
    against = [
        (one * other).sum(axis=-1)[both] < 0
        for (one, other), both in (
            ((small[1:], small[:-1]), fast[1:] & fast[:-1]),
            ((small[:, 1:], small[:, :-1]), fast[:, 1:] & fast[:, :-1]),
        )
    ]
    assert np.concatenate(against).mean() < 0.02

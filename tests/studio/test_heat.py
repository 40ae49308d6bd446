import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.studio.heat import at_size, decades, heat, nothing, rooted, table
from impasto.studio.theme import Paper


def test_the_colours_are_viridis() -> None:
    np.testing.assert_allclose(table(), mpl.colormaps["viridis"](np.arange(256))[:, :3], atol=0.003)


def test_colours_grow_lighter_all_the_way() -> None:
    linear = np.where(table() <= 0.04045, table() / 12.92, ((table() + 0.055) / 1.055) ** 2.4)
    light = linear @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) > -0.001).all()  # bytes round
    assert (np.diff(light[::8]) > 0).all()


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
def test_larger_maps_are_squares(width: int, height: int, times: int) -> None:
    values = np.arange(width * height, dtype=np.float32).reshape(height, width)
    large = at_size(values, width * times, height * times)
    np.testing.assert_array_equal(large, np.kron(values, np.ones((times, times))))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(2, 5))
def test_smaller_maps_are_means(width: int, height: int, times: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.random((height * times, width * times), np.float32)
    means = values.reshape(height, times, width, times).mean(axis=(1, 3))
    np.testing.assert_allclose(at_size(values, width, height), means, atol=1e-6)


def test_scales_in_closed_form() -> None:
    values = np.array([[0.0, 1.0], [25.0, 100.0]], np.float32)
    np.testing.assert_allclose(rooted(values), [[0, 0.1], [0.5, 1]], atol=1e-6)
    expected = np.array([[0, 0], [1.398 / 3, 2 / 3]])
    np.testing.assert_allclose(decades(values, 1000, 3), expected, atol=1e-3)
    for found in (rooted(0 * values), decades(0 * values, 0, 3)):
        np.testing.assert_allclose(found, 0, atol=1e-6)


@pytest.mark.parametrize("paper", Paper)
def test_nothing_looks_like_no_number(paper: Paper) -> None:
    empty = nothing(20, 10, paper)
    assert empty.shape == (10, 20, 3)
    assert (empty[0] == empty[-1]).all()
    assert (empty[0] != empty[5, 10]).any()
    for colour in (empty[0, 0], empty[5, 10]):
        assert np.abs(table() - colour).max(axis=1).min() > 0.1


def test_heat_runs_through_the_table() -> None:
    values = np.linspace(0, 1, 256, dtype=np.float32)[None]
    np.testing.assert_array_equal(heat(values)[0], table())

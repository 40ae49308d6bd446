import numpy as np
import pytest

from impasto.neural.architecture import layers_at
from impasto.neural.probe import FeatureMaps
from impasto.settings import LAYERS
from impasto.studio.feature_sheet import (
    Seen,
    chosen,
    feature_page,
    filter_page,
    halved,
    short,
    walk_pages,
)
from impasto.studio.gram_sheet import SIDE, gram_colours, gram_page
from impasto.studio.heat import RGB, heat, nothing, rooted, table
from impasto.studio.theme import THEMES, Paper


def made(layer: str, width: int, height: int, count: int, seed: int = 0) -> FeatureMaps:
    """Maps of noise, the second of them silent."""
    values = np.random.default_rng(seed).random((count, height, width), np.float32)
    values[1:2] = 0
    channels = tuple(range(10, 10 + count))
    means, peaks = np.ones(600, np.float32), np.ones(600, np.float32)
    means[10 : 10 + count], peaks[10 : 10 + count] = values.mean((1, 2)), values.max((1, 2))
    return FeatureMaps(layer, channels, values, means, peaks)


def photo(width: int, height: int, name: str = "photo") -> Seen:
    rgb = np.random.default_rng(9).random((height, width, 3), np.float32)
    return Seen(rgb, name)


def where(page: RGB, picture: RGB) -> tuple[int, int]:
    """The top left corner of the only place where a page shows a picture."""
    height, width = picture.shape[:2]
    found = [
        (int(y), int(x))
        for y, x in zip(*np.nonzero((page == picture[0, 0]).all(axis=2)), strict=True)
        if np.array_equal(page[y : y + height, x : x + width], picture)
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("paper", Paper)
def test_every_map_and_the_photo_are_on_the_page(paper: Paper) -> None:
    maps, seen = made("relu1_1", 512, 384, 4), photo(512, 384)
    page = feature_page(seen, maps, "4 of 64 maps", paper)
    places = [where(page, heat(rooted(maps.values[i]))) for i in (0, 2, 3)]
    assert places[0][1] == places[1][1] < places[2][1]  # two columns
    assert places[0][0] < places[1][0] == places[2][0]
    silent = where(page, nothing(512, 384, paper))
    assert silent == (places[0][0], places[2][1])
    assert where(page, seen.rgb)[1] < places[0][1]


def test_deep_maps_are_drawn_as_squares_of_whole_pixels() -> None:
    maps = made("relu3_1", 16, 12, 1)
    page = feature_page(photo(64, 48), maps, "1 of 256 maps", Paper.LIGHT)
    where(page, np.kron(heat(rooted(maps.values[0])), np.ones((32, 32, 1), np.float32)))


@pytest.mark.parametrize("name", ["a" * 300, "日本語の写真.jpg", "العربية", ""])
@pytest.mark.parametrize("count", [1, 7, 512])
def test_pages_have_a_margin_whatever_the_name(name: str, count: int) -> None:
    maps = made("relu5_1", 4, 3, count)
    page = feature_page(photo(64, 48, name), maps, "maps", Paper.LIGHT)
    paper = np.array(THEMES[Paper.LIGHT].paper, np.float32) / np.float32(255)
    for edge in (page[:20], page[-20:], page[:, :20], page[:, -20:]):
        assert (edge == paper).all()


def test_cells_are_halvings_of_the_photo() -> None:
    assert halved((512, 384), 256) == (256, 192)
    assert halved((600, 400), 256) == (300, 200)
    assert halved((64, 43), 512) == (512, 344)
    assert halved((4000, 10), 96) == (125, 1)


def test_numbers_are_short() -> None:
    found = [short(x) for x in (0, 1e-6, 0.0123, 9.994, 12.34, 99.9, 123.4)]
    assert found == ["0.00", "< 0.01", "0.01", "9.99", "12.3", "99.9", "123"]


def test_which_maps_these_are_is_said() -> None:
    maps = made("relu1_1", 4, 4, 3)
    assert chosen(maps, None) == "3 of 64 maps"
    assert chosen(maps, 3) == "the 3 most active of 64 maps"
    assert chosen(made("relu1_1", 4, 4, 1), 1) == "the most active of 64 maps"
    assert chosen(made("relu1_1", 4, 4, 64), None) == "all 64 maps"


def test_filters_have_their_own_colours() -> None:
    """The greatest weight of a filter is as far from grey as can be, 0 is grey."""
    filters = np.zeros((2, 3, 3, 3), np.float32)
    filters[0, 0, 0, 0] = 0.25  # red, top left
    filters[0, 2, 2, 1] = -0.5  # no blue, at the foot in the middle
    filters[1, 1] = 3
    page = filter_page(filters, Paper.LIGHT)
    first = np.full((3, 3, 3), 0.5, np.float32)
    first[0, 0, 0], first[2, 1, 2] = 0.75, 0
    second = np.full((3, 3, 3), 0.5, np.float32)
    second[:, :, 1] = 1
    large = np.ones((32, 32, 1), np.float32)
    assert where(page, np.kron(first, large))[1] < where(page, np.kron(second, large))[1]


def test_the_walk_has_a_page_a_layer_all_of_one_size() -> None:
    found = {x.name: made(x.name, x.width, x.height, 5) for x in layers_at(96, 64)}
    pages = walk_pages(photo(96, 64), found, Paper.DARK)
    assert len(pages) == len(LAYERS)
    assert len({page.shape for page in pages}) == 1
    for page, layer in zip(pages, layers_at(96, 64), strict=True):
        first = heat(rooted(found[layer.name].values[0]))
        times = 192 // layer.width
        if 192 % layer.width == 0 and times * layer.height == 128:
            where(page, np.kron(first, np.ones((times, times, 1), np.float32)))


def test_gram_colours_are_symmetric_and_reach_three_decades() -> None:
    values = np.random.default_rng(0).random((64, 64), np.float32)
    picture = gram_colours(values + values.T, 2.0)
    assert picture.shape == (SIDE, SIDE, 3)
    np.testing.assert_array_equal(picture, picture.transpose(1, 0, 2))
    flat = gram_colours(np.array([[1000, 31.6228], [31.6228, 1]], np.float32), 1000)
    np.testing.assert_array_equal(flat[0, 0], table()[255])
    np.testing.assert_array_equal(flat[0, -1], table()[128])
    np.testing.assert_array_equal(flat[-1, -1], table()[0])


def test_all_rows_have_the_order_and_the_colours_of_the_style() -> None:
    strengths = np.array([1.0, 3.0, 2.0, 4.0], np.float32)
    style, other = np.diag(strengths), np.diag(strengths[::-1]) * 2
    names = "relu1_1", "relu2_1"
    pages = gram_page(
        [photo(64, 64, "style"), photo(64, 64, "art")],
        [dict.fromkeys(names, style), dict.fromkeys(names, other)],
        dict.fromkeys(names, 0.5),
        Paper.LIGHT,
    )
    order = [3, 1, 2, 0]
    for values in (style, other):
        expected = gram_colours(values[np.ix_(order, order)], 8.0)
        left = [
            (y, x)
            for y, x in zip(*np.nonzero((pages == expected[0, 0]).all(axis=2)), strict=True)
            if np.array_equal(pages[y : y + SIDE, x : x + SIDE], expected)
        ]
        assert len(left) == 2

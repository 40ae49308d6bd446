import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.image.samples import photo
from impasto.studio.sheet import RGB, Cell, Sheet, draw, grid
from impasto.studio.theme import THEMES, Colour, Paper

RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def flat(colour: tuple[float, float, float], width: int, height: int) -> RGB:
    return np.tile(np.array(colour, np.float32), (height, width, 1))


def box(page: RGB, colour: tuple[float, float, float]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of a colour, and that all between is of that colour."""
    there = (page == np.array(colour, np.float32)).all(axis=2)
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    assert there[top:bottom, left:right].all()
    return int(left), int(top), int(right), int(bottom)


def luminance(colour: Colour) -> float:
    """WCAG 2's relative luminance."""
    values = np.array(colour) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(one: Colour, other: Colour) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("paper", Paper)
def test_text_is_readable(paper: Paper) -> None:
    theme = THEMES[paper]
    assert contrast(theme.ink, theme.paper) > 12
    assert contrast(theme.faint, theme.paper) > 5


@pytest.mark.parametrize("paper", Paper)
def test_pictures_are_whole_and_do_not_touch(paper: Paper) -> None:
    cells = [[Cell(flat(RED, 200, 100), "red", "a note"), Cell(flat(GREEN, 200, 150), "green")]]
    page = draw(Sheet(cells, "Title", beside=[Cell(flat(BLUE, 120, 200), "blue")]), paper)
    red, green, blue = (box(page, colour) for colour in (RED, GREEN, BLUE))
    assert (red[2] - red[0], red[3] - red[1]) == (200, 100)
    assert (green[2] - green[0], green[3] - green[1]) == (200, 150)
    assert (blue[2] - blue[0], blue[3] - blue[1]) == (120, 200)
    assert red[3] == green[3]  # of a row, feet are level
    assert blue[2] < red[0] - 10
    assert red[2] < green[0] - 10
    assert blue[1] == green[1]


def test_large_pictures_are_shrunk_to_the_side() -> None:
    page = draw(Sheet([[Cell(flat(RED, 600, 300)), Cell(flat(GREEN, 50, 80))]]), side=150)
    left, top, right, bottom = box(page, RED)
    assert (right - left, bottom - top) == (150, 75)
    left, top, right, bottom = box(page, GREEN)
    assert (right - left, bottom - top) == (50, 80)


def test_what_is_beside_may_be_larger_than_the_cells() -> None:
    rows = grid([Cell(flat(RED, 60, 40), "17")] * 4)
    page = draw(Sheet(rows, beside=[Cell(flat(BLUE, 600, 300), "photo")], beside_side=200), side=60)
    left, top, right, bottom = box(page, BLUE)
    assert (right - left, bottom - top) == (200, 100)
    red = np.flatnonzero((page == np.array(RED, np.float32)).all(axis=2).any(axis=0))
    assert len(red) == 2 * 60
    assert 10 < red[0] - right < 60


def ink_in(
    page: RGB, paper: Paper = Paper.LIGHT
) -> "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]":
    away: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    away = np.abs(page - np.array(THEMES[paper].paper, np.float32) / np.float32(255))
    return np.asarray(away.max(axis=2) > 0.02)


@given(
    st.integers(1, 64),
    st.text(max_size=80),
    st.text(max_size=80),
    st.text(max_size=200),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_nothing_leaves_the_page_or_reaches_a_neighbour(
    count: int, title: str, note: str, head: str, beside: bool
) -> None:
    picture = flat(RED, 64, 48)
    rows = grid([Cell(picture, title, note)] * count)
    heads = [head] * len(rows[0]), [head] * len(rows)
    sheet = Sheet(rows, head, title, *heads, beside=[Cell(picture, note)] * beside)
    page = draw(sheet)
    ink = ink_in(page)
    edge = 20  # less than the margin
    for side in (ink[:edge], ink[-edge:], ink[:, :edge], ink[:, -edge:]):
        assert not side.any()
    red = (page == np.array(RED, np.float32)).all(axis=2).sum()
    assert red == (count + beside) * 64 * 48  # no letter lies on a picture


def test_columns_of_labels_stay_apart() -> None:
    long = "a name that is much longer than its picture is wide, and goes on.jpg"
    picture = flat(RED, 120, 90)
    page = draw(Sheet([[Cell(picture, long, long), Cell(picture, long, long)]]))
    columns = np.flatnonzero(~ink_in(page).any(axis=0))
    inner = columns[(columns > 60) & (columns < page.shape[1] - 60)]
    assert len(inner) >= 10  # the gap between both


def test_grids_are_at_least_as_wide_as_high() -> None:
    cell = Cell(flat(RED, 8, 8))
    shapes = {n: (len(grid([cell] * n)), len(grid([cell] * n)[0])) for n in (1, 2, 5, 7, 16, 64)}
    assert shapes == {1: (1, 1), 2: (1, 2), 5: (2, 3), 7: (2, 4), 16: (4, 4), 64: (8, 8)}
    assert sum(one is not None for row in grid([cell] * 7, 3) for one in row) == 7


def test_a_photo_is_drawn_as_it_is() -> None:
    rgb = photo("coffee")[:90, :120].astype(np.float32) / np.float32(255)
    page = draw(Sheet([[Cell(rgb)]]))
    places = np.lib.stride_tricks.sliding_window_view(page[:, :, 0], (90, 120))
    assert (np.abs(places - rgb[:, :, 0]).max(axis=(2, 3)) == 0).sum() == 1


def test_a_sheet_needs_a_picture() -> None:
    with pytest.raises(ValueError, match="without a picture"):
        draw(Sheet([[None]]))

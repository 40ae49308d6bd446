import numpy as np
import pytest
from tests.motion.clips import Known, cover, pan, still
from tests.motion.sequence import noisy

from impasto.image.srgb import to_unit
from impasto.motion.carried import drawn_to, origins


def away(known: Known, at: int = 2) -> np.ndarray:
    """How far origins are from where pixels really lay, px."""
    frames = to_unit(known.frames)
    found = origins(frames[at], frames[at - 1])
    height, width = found.places.shape
    rows, columns = np.divmod(found.places, width)
    y, x = np.mgrid[:height, :width]
    moved = np.stack([columns - x, rows - y], axis=-1)
    return np.asarray(np.linalg.norm(moved - known.back[at - 1], axis=-1))


def test_pixels_are_followed_to_where_they_were() -> None:
    known = pan(4, (192, 144), (5, 2))
    seen = ~known.uncovered[1]
    assert (away(known)[seen] <= 1).mean() > 0.9


def test_nothing_moves_where_nothing_moved() -> None:
    photo = to_unit(still(1, (192, 144)).frames)
    here = np.arange(192 * 144).reshape(144, 192)
    assert (origins(photo[0], photo[0]).places == here).all()
    one, other = noisy(np.repeat(photo, 2, axis=0))
    found = origins(one, other)
    assert (found.places == here).mean() > 0.98
    assert found.seen.mean() > 0.99


def test_what_was_not_to_be_seen_before_is_told() -> None:
    known = cover(4, (192, 144), (20, 0))
    frames = to_unit(known.frames)
    seen = origins(frames[2], frames[1]).seen
    assert seen[~known.uncovered[1]].mean() > 0.9
    known = pan(4, (192, 144), (15, 0))
    frames = to_unit(known.frames)
    assert origins(frames[2], frames[1]).seen[:, -14:].mean() < 0.5


def test_values_are_drawn_in_closed_form() -> None:
    before = np.array([[0, 0, 0], [1, 1, 1], [0, 0, 0]], np.float32)
    goal = np.array([[3, 4, 0], [1, 1.05, 1], [0, 0, 0]], np.float32)
    assert drawn_to(goal, before, 0.1) == pytest.approx(
        np.array([[3 * 0.98, 4 * 0.98, 0], [1, 1, 1], [0, 0, 0]])
    )
    assert (drawn_to(goal, before, np.array([0, 0, 0], np.float32)) == goal).all()


@pytest.mark.parametrize(("width", "height"), [(2, 2), (7, 40), (11, 11), (12, 8), (16, 16)])
def test_tiny_frames_are_followed_too(width: int, height: int) -> None:
    """Half of them would be less than DIS takes, and the smallest are themselves."""
    photo = to_unit(still(1, (width, height)).frames)[0]
    found = origins(photo, photo)
    assert (found.places == np.arange(width * height).reshape(height, width)).all()
    noise = np.random.default_rng(0).random((2, height, width, 3), np.float32)
    places = origins(noise[0], noise[1]).places
    assert ((places >= 0) & (places < width * height)).all()

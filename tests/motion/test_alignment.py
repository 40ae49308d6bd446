import numpy as np
import pytest
from numpy.typing import NDArray
from tests.motion.photos import shaken

from impasto.errors import UsageError
from impasto.image.samples import photo
from impasto.image.srgb import to_unit
from impasto.motion.alignment import Box, common, enlarged, grey, seen_from, view_of

SIZE = 240, 160


def led(view: NDArray[np.float64], size: tuple[int, int] = SIZE) -> NDArray[np.float64]:
    """Where a view leads each pixel, (H * W, 2)."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    ends = np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1) @ view.T
    return np.asarray(ends[:, :2] / ends[:, 2:])


@pytest.mark.parametrize("name", ["coffee", "astronaut", "chelsea", "rocket"])
def test_shake_that_is_known_is_found_to_a_fraction_of_a_pixel(name: str) -> None:
    photos, scene = shaken(5, name)
    reference = grey(to_unit(photos[2]))
    for pixels, place in zip(photos, scene, strict=True):
        view = view_of(reference, grey(to_unit(pixels)))
        assert view is not None
        known = np.linalg.inv(place) @ scene[2]
        assert np.linalg.norm(led(view) - led(known), axis=1).mean() < 0.3


def test_light_does_not_matter() -> None:
    photos, scene = shaken(2)
    darker = to_unit(photos[1]) * np.float32(0.6) + np.float32(0.1)
    view = view_of(grey(to_unit(photos[0])), grey(darker))
    assert view is not None
    known = np.linalg.inv(scene[1]) @ scene[0]
    assert np.linalg.norm(led(view) - led(known), axis=1).mean() < 0.1


def test_photos_of_other_things_are_told() -> None:
    photos = [grey(to_unit(photo(name)[:160, :240])) for name in ("coffee", "astronaut", "rocket")]
    for one in range(3):
        for other in range(3):
            assert one == other or view_of(photos[one], photos[other]) is None


def test_what_shows_too_little_of_the_same_is_told() -> None:
    whole = grey(to_unit(photo("coffee")))
    assert view_of(whole[:160, :240], whole[:160, 80:320]) is not None
    assert view_of(whole[:160, :240], whole[:160, 160:400]) is None


def test_nothing_to_hold_on_to_is_told() -> None:
    flat = np.full((160, 240), 128, np.uint8)
    assert view_of(flat, flat) is None


def test_photos_lie_on_one_another_afterwards() -> None:
    photos, _ = shaken(2, seed=8)
    reference, other = map(to_unit, photos)
    view = view_of(grey(reference), grey(other))
    assert view is not None
    box = common([view], SIZE)
    inner = np.s_[box.top : box.bottom, box.left : box.right]
    before = np.abs(reference - other)[inner].mean()
    after = np.abs(reference - seen_from(other, view))[inner].mean()
    # Noise of 3/255 in both differs by 3.4/255 on average, less where it is resampled.
    assert after < 4 / 255 < before / 2


def test_a_view_holds_at_another_size() -> None:
    """A shift by d is one by 2 d on pictures twice as large, and the middle stays the middle."""
    turn = np.array([[0, -1, 159.5 / 2 + 239 / 2], [1, 0, 159 / 2 - 239 / 2], [0, 0, 1]])
    middle = np.array([239 / 2, 159 / 2])
    turn[:2, 2] = middle - turn[:2, :2] @ middle
    large = enlarged(turn, SIZE, (480, 320))
    assert large[:2, :2] == pytest.approx(turn[:2, :2])
    twice = np.array([479 / 2, 319 / 2])
    assert large[:2, :2] @ twice + large[:2, 2] == pytest.approx(twice)
    shift = np.array([[1.0, 0, 3], [0, 1, -2], [0, 0, 1]])
    assert enlarged(shift, SIZE, (480, 320))[:2, 2] == pytest.approx((6, -4))


def test_the_common_part_of_shifts_in_closed_form() -> None:
    shifts = [(7, 3), (-4, 0), (2.5, -6)]
    views = [np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]]) for x, y in shifts]
    # A pixel p of the reference lies at p + shift, which must be within 0 and 239, 0 and 159.
    assert common(views, SIZE) == Box(4, 6, 240 - 7, 160 - 3)
    assert common([], SIZE) == Box(0, 0, *SIZE)


def test_the_common_part_is_shown_by_all_and_is_the_largest() -> None:
    _, scene = shaken(6)
    views = [np.linalg.inv(place) @ scene[0] for place in scene[1:]]
    box = common(views, SIZE)

    def inside(left: int, top: int, right: int, bottom: int) -> bool:
        corners = np.array([[x, y, 1] for x in (left, right - 1) for y in (top, bottom - 1)])
        ends = [corners @ view.T for view in (np.eye(3), *views)]
        places = np.concatenate([end[:, :2] / end[:, 2:] for end in ends])
        return bool((places >= -0.01).all() and (places <= (239.01, 159.01)).all())

    assert inside(*box)
    area = (box.right - box.left) * (box.bottom - box.top)
    near = range(-4, 5)
    for moved in np.stack(np.meshgrid(near, near, near, near), -1).reshape(-1, 4):
        left, top, right, bottom = np.add(box, moved)
        # To whole pixels inwards, it may lose one on each side.
        larger = (right - left) * (bottom - top) > area + sum(SIZE)
        assert not (larger and inside(left, top, right, bottom))


def test_photos_of_a_pan_that_hardly_share_anything_are_refused() -> None:
    """Each shares half of the picture and more with the one in the middle, all together less."""
    for count in (9, 11):  # the last shares nothing
        shifts = range(-(count // 2), count // 2 + 1)
        views = [np.array([[1.0, 0, 24 * i], [0, 1, 0], [0, 0, 1]]) for i in shifts]
        with pytest.raises(UsageError, match=r"less than 25% .* in all photos.*name fewer photos"):
            common(views, SIZE)
        assert common(views[2:-2], SIZE).right > 0

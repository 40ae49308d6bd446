"""Error diffusion along diagonals against a serial loop in plain Python."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from impasto.image.color import decoded, encoded
from impasto.image.dither import LEVELS, floyd_steinberg, most_error
from impasto.image.histogram import codes_of
from impasto.image.srgb import to_unit

CORNERS = np.stack(np.meshgrid(*[[0, 255]] * 3), axis=-1).reshape(-1, 3).astype(np.uint8)


def serial(
    photo: NDArray[np.uint8], palette: NDArray[np.uint8], visible: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Floyd–Steinberg pixel by pixel; float32 like the program, so that ties fall alike."""
    f = np.float32
    light, colours = decoded(to_unit(photo)), decoded(to_unit(palette))
    limit = most_error(colours)
    steps = encoded(np.arange(LEVELS + 1, dtype=f) / f(LEVELS)) * f(255)
    height, width = photo.shape[:2]
    errors = np.zeros((height + 1, width + 2, 3), f)
    indices = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            up, left = errors[y, x : x + 3], errors[y + 1, x]
            passed = up[0] * f(1 / 16) + up[1] * f(5 / 16) + up[2] * f(3 / 16) + left * f(7 / 16)
            wanted = light[y, x] + passed
            level = (wanted.clip(0, 1) * f(LEVELS) + f(0.5)).astype(int)
            colour = np.rint(steps[level])
            gaps = ((palette.astype(float) - colour) ** 2).sum(axis=1)
            indices[y, x] = gaps.argmin()
            error = wanted - colours[gaps.argmin()]
            length = np.sqrt((error * error).sum())
            if length > limit:
                error *= limit / length
            errors[y + 1, x + 1] = error * visible[y, x]
    return indices


def dithered(photo: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return floyd_steinberg(codes_of(photo), palette, None)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (7, 2), (2, 7), (5, 3), (24, 31)])
def test_diagonals_are_the_serial_loop(size: tuple[int, int], photo: NDArray[np.uint8]) -> None:
    part = np.ascontiguousarray(photo[10 : 10 + size[0], 40 : 40 + size[1]])
    # No two colours of this palette are equally far from any other of whole numbers.
    palette = np.array([[3, 8, 20], [90, 60, 41], [201, 120, 97], [250, 240, 222]], np.uint8)
    visible = np.ones(size, bool)
    visible[1::3, ::2] = False
    assert np.array_equal(
        floyd_steinberg(codes_of(part), palette, visible), serial(part, palette, visible)
    )


def test_light_is_kept_where_the_palette_surrounds_the_picture(photo: NDArray[np.uint8]) -> None:
    shown = CORNERS[dithered(photo, CORNERS)]
    means = decoded(to_unit(photo)).mean(axis=(0, 1)), decoded(to_unit(shown)).mean(axis=(0, 1))
    assert np.abs(means[0] - means[1]).max() < 0.01


@pytest.mark.parametrize("value", [20, 90, 188, 230])
def test_a_grey_becomes_as_many_white_dots_as_it_has_light(value: int) -> None:
    flat = np.full((128, 128, 3), value, np.uint8)
    black_and_white = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    share = dithered(flat, black_and_white).mean()
    assert share == pytest.approx(float(decoded(to_unit(flat[0, 0]))[0]), abs=0.01)


@settings(deadline=None, max_examples=25)
@given(
    arrays.arrays(np.uint8, (5, 3)),
    arrays.arrays(
        np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4)
    ),
)
def test_the_colours_of_the_palette_stay(
    colours: NDArray[np.uint8], indices: NDArray[np.uint8]
) -> None:
    palette = np.unique(colours, axis=0)
    photo = palette[indices % len(palette)]
    assert np.array_equal(palette[dithered(photo, palette)], photo)


def test_errors_outside_the_palette_do_not_smear() -> None:
    """A red that no grey can show leaves the greys after it as they are, but for a few pixels."""
    photo = np.full((40, 200, 3), 128, np.uint8)
    photo[:, :100] = [255, 0, 0]
    greys = np.array([[0, 0, 0], [128, 128, 128], [255, 255, 255]], np.uint8)
    assert (dithered(photo, greys)[:, 116:] == 1).all()


def test_hidden_pixels_pass_nothing_on() -> None:
    photo = np.full((20, 60, 3), 128, np.uint8)
    photo[:, :30] = 60
    visible = np.ones((20, 60), bool)
    visible[:, :30] = False
    greys = np.array([[0, 0, 0], [128, 128, 128], [255, 255, 255]], np.uint8)
    assert (floyd_steinberg(codes_of(photo), greys, visible)[:, 30:] == 1).all()

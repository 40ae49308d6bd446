import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.image.ycbcr import BT709, LUMA, codes, planes, to_rgb


@pytest.mark.parametrize("matrix", LUMA)
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("full", [False, True])
def test_the_corners_are_those_of_the_standard(matrix: int, bits: int, full: bool) -> None:
    """White is the highest luma, and each primary has the farthest colour of its own."""
    forward = codes(matrix, bits, full=full)
    unit = 2 ** (bits - 8)
    black, white = (0, 2**bits - 1) if full else (16 * unit, 235 * unit)
    swing = 2**bits - 1 if full else 224 * unit
    middle = 128 * unit
    assert forward @ [0, 0, 0, 1] == pytest.approx([black, middle, middle])
    assert forward @ [1, 1, 1, 1] == pytest.approx([white, middle, middle])
    assert (forward @ [0, 0, 1, 1])[1] == pytest.approx(middle + swing / 2)
    assert (forward @ [1, 0, 0, 1])[2] == pytest.approx(middle + swing / 2)
    assert (forward @ [1, 1, 0, 1])[1] == pytest.approx(middle - swing / 2)


@given(
    st.sampled_from(list(LUMA)),
    st.sampled_from([8, 10, 12]),
    st.booleans(),
    st.tuples(*[st.floats(0, 1)] * 3),
)
def test_there_and_back_is_the_same(
    matrix: int, bits: int, full: bool, colour: tuple[float, float, float]
) -> None:
    exact = codes(matrix, bits, full=full) @ [*colour, 1]
    stored = (np.rint(exact * 2 ** (16 - bits))).clip(0, 65535).astype(np.uint16)[None, None]
    found = to_rgb(stored, matrix, bits, full=full)[0, 0]
    assert found == pytest.approx(colour, abs=1.5e-4)


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("every_line", [False, True])
def test_planes_are_those_of_ffmpeg(bits: int, every_line: bool) -> None:
    """swscale multiplies by whole numbers, so it is off by a code or two."""
    slope = np.linspace(0, 255, 64)
    picture = np.stack(np.broadcast_arrays(slope, slope[::-1], slope[:32, None]), -1)
    rgb = picture.astype(np.uint8)
    layout = f"yuv42{2 if every_line else 0}p{'10le' if bits == 10 else ''}"
    frame = av.VideoFrame.from_ndarray(rgb).reformat(
        format=layout, dst_colorspace=BT709, dst_color_range=1, interpolation="BICUBIC"
    )
    for ours, plane in zip(planes(rgb, bits, every_line=every_line), frame.planes, strict=True):
        kind = np.uint8 if bits == 8 else np.uint16
        theirs = np.frombuffer(bytes(plane), kind).reshape(plane.height, -1)[:, : plane.width]
        assert ours.shape == theirs.shape
        inner = np.abs(ours.astype(int) - theirs)[2:-2, 2:-2]
        assert inner.max() <= 2 * 2 ** (bits - 8)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_samples_of_every_kind_are_the_same_colours(kind: type) -> None:
    most = 1 if kind is np.float32 else np.iinfo(kind).max
    unit = np.random.default_rng(0).integers(0, 2, (4, 6, 3))
    found = planes((unit * most).astype(kind), 10, every_line=False)
    for one, other in zip(
        found, planes(unit.astype(np.float64), 10, every_line=False), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert [plane.shape for plane in found] == [(4, 6), (2, 3), (2, 3)]

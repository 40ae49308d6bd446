from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.motion.clips import pan, psnr, still
from tests.motion.sequence import change, made, noisy, warp_error

from impasto.filter_settings import QuantizeSettings
from impasto.image.histogram import codes_of
from impasto.image.kmeans import Bins
from impasto.image.metric import points
from impasto.image.palette import quantize
from impasto.image.samples import photo
from impasto.image.srgb import to_unit
from impasto.motion.moving_palette import SLACK, followed, settled
from impasto.motion.quantized import QuantizedFrames

FEW = QuantizeSettings(k=8)


@pytest.mark.parametrize("settings", [FEW, QuantizeSettings(k=40, space="lab"),
                                      QuantizeSettings(k=6, dither="floyd-steinberg")])  # fmt: skip
def test_a_still_clip_gives_the_same_frame_again_and_again(settings: QuantizeSettings) -> None:
    frames = made(QuantizedFrames(settings), to_unit(still(6).frames))
    assert (frames == frames[0]).all()


def test_the_first_frame_is_at_least_as_good_as_a_single_picture() -> None:
    rgb = to_unit(photo("coffee")[:200, :300])
    alone = quantize(rgb, FEW)
    frame = made(QuantizedFrames(FEW), rgb[None])[0]
    assert psnr(frame * 255, rgb * 255) > alone.psnr - 0.1
    assert len(np.unique(codes_of((frame * 255).round().astype(np.uint8)))) == FEW.k


def test_noise_hardly_makes_a_still_clip_flicker() -> None:
    frames = noisy(to_unit(still(6, (192, 144)).frames))
    together = made(QuantizedFrames(FEW), frames)
    alone = made(QuantizedFrames(FEW), frames, alone=True)
    assert change(together) < change(alone) / 10


def test_what_moves_takes_its_colours_along() -> None:
    known = pan(8, (192, 144))
    frames = noisy(to_unit(known.frames))
    together = made(QuantizedFrames(FEW), frames)
    alone = made(QuantizedFrames(FEW), frames, alone=True)
    assert warp_error(together, known) < warp_error(alone, known) / 3
    assert psnr(together[-1], known.frames[-1] / 255, 1) > psnr(alone[-1], frames[-1], 1) - 1


def test_colours_follow_a_slow_change() -> None:
    before, after = to_unit(photo("coffee")[:96, :128]), to_unit(photo("astronaut")[:96, :128])
    shares = np.linspace(0, 1, 20, dtype=np.float32)[:, None, None, None]
    frames = before + shares * (after - before)
    last = made(QuantizedFrames(FEW), frames)[-1]
    alone = made(QuantizedFrames(FEW), frames[-1:])[0]
    # Pixels that hold on to their colour cost something, but a palette that stays costs far more.
    assert psnr(last, frames[-1], 1) > psnr(alone, frames[-1], 1) - 2.5
    first = np.unique((made(QuantizedFrames(FEW), frames[:1]) * 255).reshape(-1, 3), axis=0)
    stuck = quantize(frames[-1], FEW, colours=first.round().astype(np.uint8))
    assert stuck.psnr < psnr(last, frames[-1], 1) - 2


def test_a_new_colour_is_seen_at_once() -> None:
    """A vivid patch comes in while the rest stands still."""
    frames = to_unit(still(3).frames)
    frames[1:, 20:60, 30:80] = (0.1, 0.9, 0.3)
    shown = made(QuantizedFrames(FEW), frames)
    both = np.stack([shown[1, 40, 50] * 255, frames[1, 40, 50] * 255]).round().astype(np.uint8)
    assert np.linalg.norm(np.subtract(*points(both, "oklab"))) < 2 * SLACK["oklab"]
    assert (shown[1, 20:60, 30:80] == shown[1, 40, 50]).all()
    assert (shown[1] == shown[2]).all()


def test_a_picture_of_few_colours_keeps_them() -> None:
    flat = np.zeros((2, 40, 60, 3), np.float32)
    flat[:, :20, :30], flat[:, 20:, 30:] = (1, 0, 0), (0, 0, 1)
    assert (made(QuantizedFrames(FEW), flat) == flat).all()


def test_a_palette_that_is_given_stays() -> None:
    settings = QuantizeSettings(palette=Path("sample:spirograph"), k=5)
    frames = made(QuantizedFrames(settings), to_unit(pan(4).frames))
    model = quantize(to_unit(pan(1).frames[0]), settings.updated({"palette": None}))
    found = np.unique(codes_of((frames * 255).round().astype(np.uint8)))
    assert len(found) <= 256
    assert not np.isin(codes_of(model.palette.colours), found).all()


def blobs(middles: NDArray[np.float64], spread: float = 0.02) -> Bins:
    """A thousand colours around each of a few."""
    random = np.random.default_rng(3)
    means = np.concatenate([random.normal(middle, spread, (1000, 3)) for middle in middles])
    codes = np.arange(len(means), dtype=np.uint32)
    return Bins(codes, means.astype(np.float32), np.ones(len(means)))


MIDDLES = np.array([[0.2, 0, 0], [0.8, 0, 0], [0.5, 0.4, 0]])


def test_the_palette_holds_on_within_its_slack() -> None:
    """The block soft threshold in closed form: what moves by d is followed by d - slack."""
    slack, bins = 0.01, blobs(MIDDLES)
    first = settled(bins, MIDDLES.astype(np.float32), slack)
    assert (followed(bins, first, slack) == first).all()
    exact = np.stack([bins.means[i : i + 1000].mean(axis=0) for i in (0, 1000, 2000)])
    assert np.abs(first - exact).max() <= slack / 2
    near = Bins(bins.codes, bins.means + np.array([0.004, 0, 0], np.float32), bins.weights)
    assert (followed(near, first, slack) == first).all()
    far = Bins(bins.codes, bins.means + np.array([0.05, 0, 0], np.float32), bins.weights)
    moved = followed(far, first, slack)
    way = exact + np.array([0.05, 0, 0]) - first
    expected = first + way * (1 - slack / np.linalg.norm(way, axis=1, keepdims=True))
    assert moved == pytest.approx(expected, abs=slack / 2 + 1e-6)


def test_a_colour_of_no_use_goes_where_it_is_missed() -> None:
    first = settled(blobs(MIDDLES), MIDDLES.astype(np.float32), 0.01)
    # The third blob is gone, and the second is two now.
    new = np.array([[0.2, 0, 0], [0.8, -0.2, 0], [0.8, 0.2, 0]])
    found = followed(blobs(new), first, 0.01)
    apart = np.linalg.norm(found[:, None] - new, axis=-1)
    assert (apart.min(axis=0) < 0.02).all()

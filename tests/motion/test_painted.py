from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.motion import clips

from impasto.events import Step
from impasto.image.samples import style
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.effect import RGB, NewFrame, Past
from impasto.motion.flow import warped
from impasto.motion.painted import MovingStyle, PaintedFrames
from impasto.neural.shared import Shared
from impasto.neural.weights import Weights, load_weights
from impasto.settings import PaintSettings

SETTINGS = PaintSettings(precision="float32", steps=14, coarse_steps=12, levels=2)


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights()


@pytest.fixture(scope="module")
def shared() -> Shared:
    return Shared(2**26)


def photos(frames: NDArray[np.uint8]) -> list[RGB]:
    return list(frames.astype(np.float32) / np.float32(255))


def mosaic(begins: float = 100, ends: float = 100) -> MovingStyle:
    pixels = style("mosaic", 128).astype(np.float32) / np.float32(255)
    return MovingStyle("mosaic", pixels, begins, ends, sha256="of the mosaic")


def effect(weights: Weights, shared: Shared, *styles: MovingStyle, **how: float) -> PaintedFrames:
    coherence = CoherenceSettings.checked(how)
    return PaintedFrames(styles or [mosaic()], SETTINGS, coherence, weights, shared)


def painted(paints: PaintedFrames, frames: Sequence[RGB]) -> list[NewFrame]:
    made: list[NewFrame] = []
    for i, photo in enumerate(frames):
        past = {
            back: Past(frames[i - back], made[i - back].picture, made[i - back].kept)
            for back in paints.reach
            if back <= i
        }
        *_, last = paints.frame(photo, past, i / max(1, len(frames) - 1))
        assert isinstance(last, NewFrame)
        made.append(last)
    return made


def style_loss(frame: NewFrame) -> float:
    return sum(value for name, value in frame.losses.items() if name.startswith("style/"))


def test_what_stands_still_stays_as_it_is(weights: Weights, shared: Shared) -> None:
    """One evaluation shows that nothing needs to be done; noise of a camera changes nothing."""
    frames = photos(clips.still(3, (96, 72)).frames)
    random = np.random.default_rng(0)
    noisy = [(frame + random.normal(0, 0.01, frame.shape)).clip(0, 1) for frame in frames]
    first, *others = painted(effect(weights, shared), [frame.astype(np.float32) for frame in noisy])
    for frame in others:
        assert frame.steps == 1
        assert np.abs(frame.picture - first.picture).mean() < 1 / 255


def test_frames_follow_what_moves_and_keep_the_style(weights: Weights, shared: Shared) -> None:
    """Against the known motion they flicker less than half as much as frames painted alone."""
    clip = clips.pan(3, (96, 72), (3, 1))
    frames = photos(clip.frames)
    paints = effect(weights, shared, frame_steps=12)
    alone = [painted(paints, [frame])[0] for frame in frames]
    together = painted(paints, frames)

    def flicker(made: list[NewFrame]) -> float:
        apart = [
            np.abs(after.picture - warped(before.picture, back)).mean(-1)[~uncovered].mean()
            for before, after, back, uncovered in zip(
                made[:-1], made[1:], clip.back, clip.uncovered, strict=True
            )
        ]
        return float(np.mean(apart))

    assert flicker(together) < flicker(alone) / 2
    for own, other in zip(together[1:], alone[1:], strict=True):
        assert own.steps < other.steps / 2
        assert style_loss(own) < 1.3 * style_loss(other)


def test_the_temporal_loss_holds_frames_to_those_before(weights: Weights, shared: Shared) -> None:
    clip = clips.pan(2, (96, 72), (3, 1))
    frames = photos(clip.frames)
    apart = []
    for coherence in (0, 1e4):
        before, after = painted(effect(weights, shared, coherence=coherence), frames)
        seen = ~clip.uncovered[0]
        moved = warped(before.picture, clip.back[0])
        apart.append(np.abs(after.picture - moved).mean(-1)[seen].mean())
        assert ("temporal" in after.losses) == (coherence > 0)
    assert apart[1] < 0.7 * apart[0]


def test_a_frame_is_the_same_whenever_it_is_made(weights: Weights, shared: Shared) -> None:
    frames = photos(clips.cover(3, (96, 72)).frames)
    one = painted(effect(weights, shared), frames)
    other = painted(effect(weights, Shared()), frames)
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.picture, b.picture)
        assert a.losses == b.losses


def spirograph(begins: float, ends: float) -> MovingStyle:
    pixels = style("spirograph", 128).astype(np.float32) / np.float32(255)
    return MovingStyle("spirograph", pixels, begins, ends, sha256="of the spirograph")


def test_one_style_turns_into_another(weights: Weights, shared: Shared) -> None:
    """Also where nothing moves, to the end: it is nearly as close to that style as one alone."""
    frames = photos(clips.still(8, (80, 64)).frames)
    *_, middle, _, _, last = painted(
        effect(weights, shared, mosaic(100, 0), spirograph(0, 100)), frames
    )
    (alone,) = painted(effect(weights, shared, spirograph(100, 100)), frames[:1])
    changes = np.abs(last.picture - middle.picture).mean()
    assert np.abs(last.picture - alone.picture).mean() < 3 * changes
    assert style_loss(last) < 1.5 * style_loss(alone)


def test_a_style_may_go_to_nothing(weights: Weights, shared: Shared) -> None:
    """A frame without any is painted by its content, and what is new in it too."""
    frames = photos(clips.cover(4, (80, 64)).frames)
    *_, last = painted(effect(weights, shared, mosaic(100, 0)), frames)
    assert style_loss(last) == 0
    assert np.isfinite(last.picture).all()


def test_black_frames_are_painted(weights: Weights, shared: Shared) -> None:
    frames = [np.zeros((48, 64, 3), np.float32)] * 2
    for frame in painted(effect(weights, shared), frames):
        assert np.isfinite(frame.picture).all()
        assert all(np.isfinite(value) for value in frame.losses.values())


def test_what_is_too_small_to_work_on_is_not_forgotten(weights: Weights, shared: Shared) -> None:
    """A spot that appears is not in the style yet, so it is not held as if it were."""
    before, after = photos(clips.still(2, (96, 72)).frames)
    after = after.copy()
    after[30:34, 40:44] = 1
    _, second = painted(effect(weights, shared), [before, after])
    ripe = second.kept["ripe"]
    assert ripe[31:33, 41:43].max() < 128
    assert np.median(ripe) == 255


def test_the_chains_events_come_before_the_frame(weights: Weights, shared: Shared) -> None:
    paints = effect(weights, shared)
    (photo,) = photos(clips.still(1, (64, 48)).frames)
    *events, last = paints.frame(photo, {}, 0)
    assert isinstance(last, NewFrame)
    assert last.steps == sum(isinstance(event, Step) for event in events) == 14
    assert last.kept["curvature"].shape == (3, 8)

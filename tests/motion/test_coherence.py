from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.motion import clips

from impasto.motion.coherence import filled, found_again, known, start, still, sure
from impasto.motion.effect import RGB, Past
from impasto.motion.flow import estimate, warped

SIZE = 192, 144


def photos(frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    return frames.astype(np.float32) / np.float32(255)


@pytest.mark.parametrize("width", [96, 128, 192, 320, 480, 640])
@pytest.mark.parametrize("step", [None, (4, 0), (7, 3)])
def test_uncovered_pixels_are_not_trusted_and_nearly_all_others_are(
    width: int, step: tuple[int, int] | None
) -> None:
    """Behind a disk that moves by so much a frame, and at the borders of a pan."""
    size = width, width * 3 // 4
    clip = clips.cover(5, size, step) if step else clips.pan(5, size)
    frames = photos(clip.frames)
    found, kept = [], []
    for before, photo, uncovered in zip(frames[:-1], frames[1:], clip.uncovered, strict=True):
        _, seen = found_again(photo, before, "dis")
        found.append((seen == 0)[uncovered].mean())
        kept.append((seen > 0)[~uncovered].mean())
    assert np.mean(found) >= 0.9
    assert np.mean(kept) >= 0.9


def test_what_only_comes_nearer_is_trusted() -> None:
    clip = clips.zoom(3, (320, 240))
    frames = photos(clip.frames)
    back, seen = found_again(frames[2], frames[1], "dis")
    assert seen.mean() > 0.95
    assert np.linalg.norm(back - clip.back[1], axis=-1).mean() < 0.2


def test_true_flow_is_trusted_where_nothing_was_covered() -> None:
    clip = clips.pan(2, SIZE, (3, 1))
    assert np.array_equal(sure(clip.flow[0], clip.back[0]) > 0, ~clip.uncovered[0])


def test_edges_of_motion_are_not_trusted() -> None:
    """Two halves that move apart: the columns where the flow jumps."""
    back = np.zeros((20, 30, 2), np.float32)
    back[:, 15:, 1] = 3
    trusted = sure(-back, back)[:16] > 0
    assert not trusted[:, 14:16].any()
    assert trusted[:, :12].all()
    assert trusted[:, 18:].all()


def marked(frames: Iterable[RGB]) -> list[Past]:
    """Photos with pictures that are their negatives."""
    return [Past(photo, 1 - photo, {}) for photo in frames]


def test_the_noise_of_a_camera_is_no_motion_but_a_nudge_is() -> None:
    frames = photos(clips.still(2, SIZE).frames)
    noise = np.random.default_rng(0).normal(0, 0.01, frames.shape)
    before, photo = (frames + noise).clip(0, 1).astype(np.float32)
    assert still(photo, before, estimate(photo, before)).mean() > 0.97
    shifted = np.full((*photo.shape[:2], 2), np.float32(0.5))
    nudged = warped(before, shifted)
    assert still(nudged, before, estimate(nudged, before)).mean() < 0.1


def test_what_frames_before_show_is_known() -> None:
    clip = clips.pan(3, SIZE, (4, 2))
    *before, photo = photos(clip.frames)
    found = known(photo, [marked(before)[1]], "dis")
    seen = found.visible > 0
    assert np.abs(found.picture - (1 - photo))[seen].mean() < 0.01
    assert np.array_equal(found.picture[~seen], photo[~seen])
    assert seen[~clip.uncovered[1]].mean() > 0.95


def test_what_comes_back_is_known_from_further_back() -> None:
    """A disk that has passed by: the ground behind it was last seen some frames ago."""
    clip = clips.cover(5, SIZE, (24, 0))
    frames = photos(clip.frames)
    past = marked(frames)
    near, both = (
        known(frames[4], [past[4 - back] for back in reach], "dis") for reach in ([1], [1, 4])
    )
    back = clip.uncovered[3]
    assert near.visible[back].mean() < 0.1
    assert both.visible[back].mean() > 0.6
    again = back & (both.visible > 0)
    assert np.abs(both.picture - (1 - frames[4]))[again].mean() < 0.02
    assert both.visible.max() <= 1


def test_another_scene_is_not_known() -> None:
    frames = photos(clips.cut(4, SIZE, 2))
    found = known(frames[2], [Past(frames[1], frames[1], {})], "dis")
    assert found.visible.mean() < 0.1


def test_holes_are_filled_from_around() -> None:
    """A constant stays one; a hole between two values lies between them, nearer to the nearer."""
    visible = np.ones((40, 60), np.float32)
    visible[:, 20:40] = 0
    whole = np.full((40, 60, 3), np.float32(0.25))
    np.testing.assert_allclose(filled(whole, visible), 0.25, atol=1e-5)
    step = np.zeros((40, 60, 3), np.float32)
    step[:, 40:] = 1
    found = filled(step, visible)[20, :, 0]
    assert np.array_equal(found[:19], step[20, :19, 0])
    assert np.array_equal(found[41:], step[20, 41:, 0])
    assert (np.diff(found[19:41]) >= -1e-3).all()
    assert found[22] < 0.4 < 0.6 < found[37]


def test_the_start_is_what_is_known_and_the_photo_in_its_colours_elsewhere() -> None:
    clip = clips.pan(2, SIZE, (16, 0))
    before, photo = photos(clip.frames)
    found = known(photo, [Past(before, (before * 0.5).astype(np.float32), {})], "dis")
    begun = start(photo, found)
    known_there = found.visible == 1
    np.testing.assert_allclose(begun[known_there], found.picture[known_there], atol=1e-6)
    new = clip.uncovered[0]
    assert begun[new].mean() < 0.75 * photo[new].mean()
    assert (begun >= 0).all()
    assert (begun <= 1).all()

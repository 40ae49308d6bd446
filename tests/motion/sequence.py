"""Effects on arrays of frames, and how calm the result is."""

import numpy as np
from numpy.typing import NDArray
from tests.motion.clips import Known

from impasto.image.srgb import to_bits, to_unit
from impasto.motion.effect import RGB, Effect, NewFrame, Past
from impasto.motion.flow import warped


def made(effect: Effect, photos: RGB, *, alone: bool = False) -> RGB:
    """Frames of a shot, (N, H, W, 3), as the store keeps them; `alone`: each as the first of one.

    As in a job, pictures pass through 8 bits and photos through 16 on their way to the next frame.
    """
    past: dict[int, Past] = {}
    frames = []
    for number, photo in enumerate(photos):
        moment = number / max(1, len(photos) - 1)
        *_, new = effect.frame(photo, {} if alone else past, moment)
        assert isinstance(new, NewFrame)
        picture = to_unit(to_bits(new.picture, 8))
        frames.append(picture)
        past = {1: Past(to_unit(to_bits(photo, 16)), picture, dict(new.kept))}
    return np.stack(frames)


def noisy(frames: RGB, sigma: float = 4 / 255) -> RGB:
    """The noise of a camera, another in each frame."""
    noise = np.random.default_rng(1).normal(0, sigma, frames.shape)
    return (frames + noise).clip(0, 1).astype(np.float32)


def change(frames: RGB) -> float:
    """Mean absolute difference from frame to frame."""
    return float(np.abs(np.diff(frames, axis=0)).mean())


def warp_error(frames: RGB, known: Known) -> float:
    """The same along the known motion, where both frames show the same."""
    errors: list[NDArray[np.float32]] = []
    for before, after, back, hidden in zip(
        frames, frames[1:], known.back, known.uncovered, strict=False
    ):
        errors.append(np.abs(after - warped(before, back))[~hidden])
    return float(np.concatenate(errors).mean())

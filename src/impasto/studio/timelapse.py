"""A film of a painting's growth."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from impasto.checkpoint import checkpoint_of
from impasto.errors import BadRecipe
from impasto.events import Array, Event, Painted, Started, Step
from impasto.image.animation import write_animation
from impasto.image.atomic import replacing
from impasto.image.histogram import bits
from impasto.image.resize import fit
from impasto.neural.pyramid import Size, level_sizes, level_steps
from impasto.recipe import PaintRecipe, recipe_of
from impasto.settings import PaintSettings
from impasto.state_file import read_arrays, write_arrays
from impasto.studio.growth import MOST, Frame, Growth, Moment

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

DAMAGED = OSError, SafetensorError, KeyError, ValueError, BadRecipe
"""What is raised of a file that is missing, damaged or not its own."""

AT_HAND = 48
"""Bytes a pixel of the film that are held beside its frames: four pictures of floats."""


class Timelapse:
    """Takes the events of a painting and makes a film of them.

    What was stopped keeps its frames beside the film, and goes on from them with `resume`.
    """

    def __init__(self, output: Path, size: int, seconds: float, *, resume: bool) -> None:
        """The output has been checked; `size` is the long side, px."""
        self.output = output
        self.recipe: PaintRecipe | None = None
        """Of the painting, if it is known; frames of another one are not gone on from."""
        self._size, self._seconds, self._resume = size, seconds, resume
        self._kept = checkpoint_of(output)
        self._growth = Growth()
        self._canvas: _Canvas | None = None
        self.bytes = 0
        """Of the film; 0 until it is written."""

    def __call__(self, event: Event) -> None:
        """Keep a frame of a step."""
        if isinstance(event, Started):
            self._begin(event)
        elif isinstance(event, Step) and self._canvas is not None:
            self._growth.add(Moment(self._canvas.after(event), event.taken))
        elif isinstance(event, Painted):
            self.end(event.picture)

    @property
    def has_begun(self) -> bool:
        """Whether there is a frame to show."""
        return bool(self._growth.moments)

    def end(self, picture: RGB) -> None:
        """Show a picture (H, W, 3) at the end; the painted one is shown without being told."""
        if self._canvas is not None:
            self._growth.add(Moment(self._canvas.shrunk(picture), self._growth.moments[-1].taken))

    def write(self) -> None:
        """Write the film, which has begun; raises UnwritableOutput."""
        times = self._growth.durations(self._seconds)
        shown = [
            (moment.frame, time)
            for moment, time in zip(self._growth.moments, times, strict=True)
            if time
        ]
        frames, durations = zip(*shown, strict=True)
        self.bytes = write_animation(frames, self.output, durations)

    def settle(self, *, going_on: bool) -> None:
        """Keep the frames for a run that goes on, or remove those that are kept.

        Raises UnwritableOutput. Of a painting that has not begun, there are none to keep.
        """
        if not going_on:
            self._forget()
        elif self.has_begun:
            keep(self._growth.moments, self.recipe, self._kept)

    def facts(self) -> dict[str, object]:
        """What came of it, for programs."""
        shown = [time for time in self._growth.durations(self._seconds) if time]
        return {
            "output": str(self.output),
            "frames": len(shown),
            "seconds": round(sum(shown), 2),
            "bytes": self.bytes,
        }

    def _begin(self, started: Started) -> None:
        self._canvas = _Canvas(started, self._size)
        if self._resume:
            for moment in kept(self._kept, self._canvas.size, self.recipe):
                self._growth.add(moment)
        else:
            self._forget()
        if not self._growth.moments:
            self._growth.add(Moment(self._canvas.first, 0))

    def _forget(self) -> None:
        """Remove the frames of a run that is over, which a later one would take for its own."""
        with suppress(OSError):
            self._kept.unlink(missing_ok=True)


class _Canvas:
    """The canvas of each level as frames of one size.

    A level smaller than the film is shown as the start with what the level changed, enlarged: so a
    level is handed to the next one, and so the picture stays sharp from the first frame on.
    """

    def __init__(self, started: Started, long_side: int) -> None:
        self._started = started
        self.size = film_size(started.size, long_side)
        start = started.start(self.size)
        self.first = bits(start)
        self._bright = start * np.float32(255)
        self._level, self._level_start = 0, start

    def after(self, step: Step) -> Frame:
        """The canvas after a step."""
        size = self._started.levels[step.level - 1]
        if size == self._started.size:
            return self.shrunk(step.whole())  # the canvas itself, which may be too large for a copy
        if max(size) >= max(self.size):
            return self.shrunk(step.picture())
        if step.level != self._level:
            self._level, self._level_start = step.level, self._started.start(size)
        change = (step.picture() - self._level_start) * np.float32(255)
        enlarged = cv2.resize(change, self.size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.add(self._bright, enlarged, dtype=cv2.CV_8U))  # rounded, cut off

    def shrunk(self, picture: RGB) -> Frame:
        """A picture that is at least as large."""
        if (picture.shape[1], picture.shape[0]) == self.size:
            return bits(picture)
        smaller = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
        return bits(np.asarray(smaller, np.float32))


def film_size(size: Size, long_side: int) -> Size:
    """(width, height) of the film of a picture, px: never larger than the picture."""
    return fit(*size, min(long_side, max(size)))


def film_memory(size: Size, long_side: int, settings: PaintSettings) -> int:
    """Bytes that a film of a painting of (width, height) px takes at most while that is painted."""
    width, height = film_size(size, long_side)
    steps = sum(level_steps(level_sizes(*size, settings), settings))
    frames = min(MOST, 1 + steps) + 1
    return width * height * (3 * frames + AT_HAND)


def keep(moments: Sequence[Moment], recipe: PaintRecipe | None, path: Path) -> None:
    """Write the frames of a painting; raises UnwritableOutput."""
    taken = np.array([moment.taken for moment in moments], np.int64)
    shape = (len(moments), *moments[0].frame.shape)
    arrays = {
        "frames": Array("uint8", shape, lambda: (moment.frame[None] for moment in moments)),
        "taken": Array("int64", taken.shape, lambda: iter([taken])),
    }
    with replacing(path) as temporary:
        write_arrays(temporary, arrays, {"recipe": recipe.to_json() if recipe else ""})


def kept(path: Path, size: Size, recipe: PaintRecipe | None) -> list[Moment]:
    """The frames in such a file; none where it is missing, damaged or another film's."""
    with suppress(*DAMAGED):
        arrays, facts = read_arrays(path)
        frames, (taken,) = arrays["frames"], arrays["taken"].pieces()
        own = is_of(recipe, facts["recipe"], path)
        if own and frames.dtype == "uint8" and frames.shape[1:] == (size[1], size[0], 3):
            found = (frame for piece in frames.pieces() for frame in piece)
            return [Moment(frame, int(count)) for frame, count in zip(found, taken, strict=True)]
    return []


def is_of(recipe: PaintRecipe | None, told: str, path: Path) -> bool:
    """Whether a file with this recipe is of that painting; raises BadRecipe for what is none."""
    if recipe is None or not told:
        return recipe is None and not told
    found = recipe_of(told, str(path))
    return isinstance(found, PaintRecipe) and not recipe.differences(found)

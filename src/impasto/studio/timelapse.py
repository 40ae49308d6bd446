"""A film of a painting's growth."""

import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.checkpoint import checkpoint_of
from impasto.events import Event, Painted, Started, Step
from impasto.image.animation import write_animation
from impasto.image.atomic import replacing
from impasto.image.histogram import bits
from impasto.image.resize import fit
from impasto.studio.growth import Frame, Growth, Moment

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

DAMAGED = OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile
"""What NumPy raises of a file that is missing, damaged or not its own."""


class Timelapse:
    """Takes the events of a painting and makes a film of them.

    What was stopped keeps its frames beside the film, and goes on from them with `resume`.
    """

    def __init__(self, output: Path, size: int, seconds: float, *, resume: bool) -> None:
        """The output has been checked; `size` is the long side, px."""
        self.output = output
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

    def end(self, picture: RGB) -> None:
        """Show a picture (H, W, 3) at the end; the painted one is shown without being told."""
        if self._canvas is not None:
            self._growth.add(Moment(self._canvas.shrunk(picture), self._growth.moments[-1].taken))

    def write(self, *, stopped: bool) -> None:
        """Write the film; raises UnwritableOutput.

        That of a painting that was `stopped` is kept as frames too, to go on with. Of one that has
        not begun, there is none.
        """
        if not self._growth.moments:
            return
        times = self._growth.durations(self._seconds)
        shown = [
            (moment.frame, time)
            for moment, time in zip(self._growth.moments, times, strict=True)
            if time
        ]
        frames, durations = zip(*shown, strict=True)
        self.bytes = write_animation(frames, self.output, durations)
        if stopped:
            keep(self._growth.moments, self._kept)
        else:
            with suppress(OSError):
                self._kept.unlink(missing_ok=True)

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
            for moment in kept(self._kept, self._canvas.size):
                self._growth.add(moment)
        if not self._growth.moments:
            self._growth.add(Moment(self._canvas.first, 0))


class _Canvas:
    """The canvas of each level as frames of one size.

    A level smaller than the film is shown as the start with what the level changed, enlarged: so a
    level is handed to the next one, and so the picture stays sharp from the first frame on.
    """

    def __init__(self, started: Started, long_side: int) -> None:
        self._started = started
        self.size = fit(*started.size, min(long_side, max(started.size)))
        start = started.start(self.size)
        self.first = bits(start)
        self._bright = start * np.float32(255)
        self._level, self._level_start = 0, start

    def after(self, step: Step) -> Frame:
        """The canvas after a step."""
        size = self._started.levels[step.level - 1]
        if max(size) >= max(self.size):
            return self.shrunk(step.picture())
        if step.level != self._level:
            self._level, self._level_start = step.level, self._started.start(size)
        change = (step.picture() - self._level_start) * np.float32(255)
        enlarged = cv2.resize(change, self.size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(cv2.add(self._bright, enlarged, dtype=cv2.CV_8U))  # rounded, cut off

    def shrunk(self, picture: RGB) -> Frame:
        """A picture that is at least as large."""
        frame = bits(picture)
        if (frame.shape[1], frame.shape[0]) == self.size:
            return frame
        return np.asarray(cv2.resize(frame, self.size, interpolation=cv2.INTER_AREA))


def keep(moments: Sequence[Moment], path: Path) -> None:
    """Write frames to a file of NumPy's; raises UnwritableOutput."""
    frames, taken = zip(*moments, strict=True)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, frames=np.stack(frames), taken=np.array(taken))


def kept(path: Path, size: tuple[int, int]) -> list[Moment]:
    """The frames in such a file; none where it is missing, damaged or another film's."""
    with suppress(*DAMAGED), np.load(path) as file:
        frames, taken = file["frames"], file["taken"]
        if frames.dtype == np.uint8 and frames.shape[1:] == (size[1], size[0], 3):
            return [Moment(frame, int(count)) for frame, count in zip(frames, taken, strict=True)]
    return []

"""Moving pictures: GIF, WebP and MP4, by the ending of the output."""

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import UsageError
from impasto.image import animated_gif, film
from impasto.image.atomic import replacing
from impasto.image.picture import STANDARD_STREAM
from impasto.image.write import check_file
from impasto.image.xmp import with_recipe

Frame = NDArray[np.uint8]
"""(H, W, 3), sRGB."""

TICKS = {".gif": 100, ".webp": 1000, ".mp4": film.TICKS}
"""{ending: in how many parts of a second times are told}."""

SHORTEST = 0.02
"""Seconds a frame: what is shorter, browsers show for 0.1."""

SIDES = {".gif": 65_535, ".webp": 16_383, ".mp4": 16_384}
"""{ending: how long a side may be}, px: of the screen in a GIF, of WebP, of x264."""

WEBP_QUALITY = 80


def check_animation(output: str | Path, inputs: Iterable[str | Path], *, force: bool) -> None:
    """Refuse an output that cannot or must not be written, before any work is done for it.

    `UsageError` for what was asked, `UnwritableOutput` for what the disk says, `MissingExtra` for a
    film where PyAV is not installed. Not even `force` lets an output replace an input.
    """
    if _ending(output) == ".mp4":
        film.require()
    check_file(Path(output), inputs, force=force)


def check_size(output: str | Path, size: tuple[int, int]) -> None:
    """UsageError where frames of (width, height) px are larger than the file can show."""
    ending = _ending(output)
    if max(size) > SIDES[ending]:
        width, height = size
        others = [other for other, most in SIDES.items() if max(size) <= most]
        choice = f", or an output that ends in {' or '.join(others)}" if others else ""
        raise UsageError(
            f"cannot write {output} with {width}×{height} px: sides have at most {SIDES[ending]}; "
            f"choose a smaller size{choice}"
        )


def write_animation(
    frames: Sequence[Frame],
    output: str | Path,
    durations: Sequence[float],
    recipe: str | None = None,
) -> int:
    """Write frames, all of one size, each shown for so many seconds, at least 0.02.

    Frames are asked for one at a time, a GIF's several times over, so they need not all lie in
    memory.
    GIF and WebP begin again at the end, for ever; a GIF has one palette of 255 colours for all its
    frames; an MP4 is H.264, for any player. Times are rounded to the format's parts of a second, so
    that their sums stay right. recipe: text that the file is to carry, a GIF and a WebP in their
    XMP, where `read_recipe` finds it, an MP4 where `recipe_text` does. The same frames and recipe
    give the same bytes; returns how many. Raises UnwritableOutput.
    """
    ending = _ending(output)
    if not frames:
        raise ValueError("an animation needs a frame")
    if len(durations) != len(frames):
        raise ValueError(f"{len(frames)} frames need a time each, not {len(durations)} times")
    if round(min(durations), 6) < SHORTEST:
        raise ValueError(f"frames are shown for {SHORTEST} s at least, not {min(durations)}")
    frames, ticks = _Alike(frames), _ticks(durations, TICKS[ending])
    packet = None if recipe is None else with_recipe(None, recipe)
    with replacing(Path(output)) as temporary:
        match ending:
            case ".gif":
                with temporary.open("wb") as file:
                    file.writelines(animated_gif.encoded(frames, ticks, packet))
            case ".webp":
                _write_webp(frames, ticks, temporary, packet)
            case _:
                film.encode(frames, ticks, temporary, recipe)
        return temporary.stat().st_size


def _ending(output: str | Path) -> str:
    """`.gif`, `.webp` or `.mp4`."""
    suffix = Path(output).suffix
    if str(output) == STANDARD_STREAM:
        fault = "an animation goes to a file"
    elif suffix.lower() in TICKS:
        return suffix.lower()
    else:
        fault = f"the ending {suffix!r} is no animation's" if suffix else "it has no ending"
    raise UsageError(f"cannot write {output}: {fault}; use one of {', '.join(TICKS)}")


def _ticks(durations: Sequence[float], parts: int) -> list[int]:
    """Durations in parts of a second; each end is rounded, so errors do not add up.

    >>> _ticks([0.125, 0.125, 0.125, 0.125], 100)
    [12, 13, 13, 12]
    """
    ends = [round(parts * end) for end in accumulate(durations, initial=0.0)]
    return [end - start for start, end in pairwise(ends)]


class _Alike(Sequence[Frame]):
    """Frames as they are asked for; ValueError for one that has another size than those before."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._frames = frames
        self._shape: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Frame]: ...
    def __getitem__(self, index: int | slice) -> Frame | Sequence[Frame]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        frame = self._frames[index]
        self._shape = self._shape or frame.shape
        if frame.shape != self._shape:
            raise ValueError("an animation needs frames of one size")
        return frame


class _Strip(Image.Image):
    """Frames as Pillow sees those of a file: it asks for one after the other."""

    format = None

    def __init__(self, frames: Sequence[Frame]) -> None:
        super().__init__()
        self._frames = frames
        self.n_frames = len(frames)
        self.seek(0)

    def seek(self, frame: int) -> None:
        """Become one of the frames."""
        shown = Image.fromarray(self._frames[frame])
        self.im, self._mode, self._size = shown.im, shown.mode, shown.size
        self._frame = frame

    def tell(self) -> int:
        """Which one it is."""
        return self._frame


def _write_webp(
    frames: Sequence[Frame], ticks: Sequence[int], path: Path, packet: bytes | None
) -> None:
    """As fast as libwebp can: more effort takes twice as long for a tenth less.

    No frame but the first stands for itself (kmax), so all of them are coded only once.
    """
    _Strip(frames).save(
        path,
        "WebP",
        save_all=True,
        duration=list(ticks),
        loop=0,
        quality=WEBP_QUALITY,
        method=0,
        kmax=0,
        xmp=packet or b"",
    )

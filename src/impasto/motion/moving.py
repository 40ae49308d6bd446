"""A still picture set in motion along its own strokes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import cv2
import numpy as np

from impasto.errors import UnreadableImage, UsageError
from impasto.events import Event, Stage
from impasto.image.animation import check_animation, write_animation
from impasto.image.picture import Picture, Source
from impasto.image.read import read
from impasto.image.resize import fit, resize
from impasto.motion.advection import COPIES, RGB, STILL, Bits, Field, Loop, Plane, kept_inside
from impasto.motion.moving_settings import MovingSettings
from impasto.motion.strokes import flow_of
from impasto.sizes import FULL, fitted

SIDE = 640
"""Strokes are found on a picture whose longer side has so many px, or fewer: so pictures of all
sizes move alike, and paths take little memory."""

LIFE = 0.06
"""How far paint gets, about, before it fades, as a share of the longer side: further than strokes
are long, so that one sees where they go, but not so far that they go out of shape."""

FEW = 0.001
"""Share of the pixels that must move, for a picture to have strokes."""

LONGEST = 16_383
"""WebP has no longer sides, and H.264 hardly any, px."""

ASPECT = 0.01
"""How much a mask's shape may differ, as a share: sides are rounded."""


@dataclass(frozen=True)
class MovingPicture:
    """A loop, whose frames are made when they are asked for."""

    frames: Sequence[Bits]
    """Each (H, W, 3), sRGB; after the last comes the first."""
    settings: MovingSettings
    moving: float
    """Share of the pixels that move."""

    def save(
        self,
        output: str | Path,
        *,
        force: bool = False,
        show: Callable[[Event], None] | None = None,
    ) -> int:
        """Write .webp, .gif or .mp4, by the ending; returns how many bytes.

        Raises UsageError, UnwritableOutput and MissingExtra.
        """
        check_animation(output, [], force=force)
        frames = _Shown(self.frames, show or (lambda _: None))
        times = [self.settings.seconds / len(frames)] * len(frames)
        return write_animation(frames, output, times)

    def facts(self) -> dict[str, Any]:
        """What there is, for programs."""
        height, width = self.frames[0].shape[:2]
        return {
            "width": width,
            "height": height,
            "frames": len(self.frames),
            "seconds": self.settings.seconds,
            "moving": round(self.moving, 3),
        }


def moving(
    picture: Source,
    *,
    mask: Source | None = None,
    output: str | Path | None = None,
    force: bool = False,
    show: Callable[[Event], None] | None = None,
    **settings: Any,
) -> MovingPicture:
    """Set a still picture in motion along its own strokes, as a loop without an end.

    picture, mask: as in `paint`; where the mask is white the picture moves, where it is black it
    keeps still, and grey is slower. What is transparent becomes white, and keeps still.
    output, force: a file to write as well, .webp, .gif or .mp4, and whether to replace it.
    show: takes every event, for progress. settings: the fields of `MovingSettings`.

    >>> loop = impasto.moving("starry.jpg", output="loop.webp")
    >>> loop.frames[0]

    Raises UnreadableImage for a picture that has no strokes and for a mask of another shape, and
    the other errors of `impasto.errors`.
    """
    chosen, tell = MovingSettings.checked(settings), show or (lambda _: None)
    if output is not None:
        files = [source for source in (picture, mask) if isinstance(source, str | Path)]
        check_animation(output, files, force=force)
    tell(Stage("reading", 0.0))
    made = _set_in_motion(read(picture), None if mask is None else read(mask), chosen, tell)
    if output is not None:
        made.save(output, force=True, show=tell)
    return made


def _set_in_motion(
    picture: Picture,
    mask: Picture | None,
    settings: MovingSettings,
    tell: Callable[[Event], None],
) -> MovingPicture:
    """The loop of a picture."""
    free = _free(picture, mask)
    enlarges = max(fitted(*picture.size, settings.size)) > max(picture.size)
    width, height = fitted(*picture.size, FULL if enlarges else settings.size)
    if max(width, height) > LONGEST:
        raise UsageError(
            f"a loop has sides of at most {LONGEST} px, not {width}×{height}; "
            "choose a smaller --size"
        )
    rgb, free = resize(_opaque(picture), width, height), _resized(free, width, height)
    tell(Stage("finding the strokes", 0.02))
    flow, moves = _flow(rgb, free, settings, picture.name)
    turns = max(1, round(COPIES * settings.distance / LIFE))
    length = COPIES * settings.distance / turns * max(flow.shape)
    return MovingPicture(
        frames=Loop(rgb, flow, free, settings.frames, length=length, turns=turns),
        settings=settings,
        moving=moves,
    )


def _flow(rgb: RGB, free: Plane, settings: MovingSettings, name: str) -> tuple[Field, float]:
    """Along the strokes, (h, w, 2), where they are free to move; and which share of them moves."""
    height, width = rgb.shape[:2]
    small = fit(width, height, min(SIDE, max(width, height)))
    side = max(small)
    flow = flow_of(resize(rgb, *small), settings.scale * side)
    if _share(flow) < FEW:
        raise UnreadableImage(
            f"cannot set {name} in motion: it has no strokes to move along; "
            "choose a painting, or paint the picture first"
        )
    flow *= _resized(free, *small)[..., None]
    share = _share(flow)
    if share == 0:
        raise UnreadableImage("the mask keeps all strokes still; paint white what is to move")
    return kept_inside(flow, LIFE * side), share


def _share(flow: Field) -> float:
    """Of the pixels, those that move at more than a quarter of the full speed."""
    return float(np.mean(np.hypot(flow[..., 0], flow[..., 1]) > STILL))


def _free(picture: Picture, mask: Picture | None) -> Plane:
    """How much each pixel may move, 0 to 1, at the picture's own size."""
    width, height = picture.size
    free = np.ones((height, width), np.float32)
    if mask is not None:
        across, down = mask.size
        if abs(across * height / (down * width) - 1) > ASPECT + 1 / min(across, down):
            raise UnreadableImage(
                f"the mask has {across}×{down} px, another shape than the picture, "
                f"{width}×{height} px; draw it on a copy of the picture"
            )
        white = mask.rgb.mean(axis=-1) * (1 if mask.alpha is None else mask.alpha)
        free = _resized(white, width, height)
    return free if picture.alpha is None else free * picture.alpha


def _resized(plane: Plane, width: int, height: int) -> Plane:
    """Without overshoot: what is black stays black, and no halo of it moves."""
    how = cv2.INTER_AREA if width <= plane.shape[1] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, (width, height), interpolation=how), np.float32)


def _opaque(picture: Picture) -> RGB:
    """On white."""
    if picture.alpha is None:
        return picture.rgb
    return 1 + (picture.rgb - np.float32(1)) * picture.alpha[..., None]


class _Shown(Sequence[Bits]):
    """Frames that tell when they are made."""

    def __init__(self, frames: Sequence[Bits], show: Callable[[Event], None]) -> None:
        self._frames, self._show = frames, show

    def __len__(self) -> int:
        return len(self._frames)

    @overload
    def __getitem__(self, index: int) -> Bits: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Bits]: ...
    def __getitem__(self, index: int | slice) -> Bits | Sequence[Bits]:
        if isinstance(index, int):
            share = index % len(self) / len(self)
            self._show(Stage(f"frame {index % len(self) + 1} of {len(self)}", share))
        return self._frames[index]

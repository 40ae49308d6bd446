"""A picture carried along a flow in a loop that has no end.

Paint that is carried for ever goes out of shape; so it lives for a while only. Several copies of
the picture are carried, at different ages, and each fades in and out over its life (Max & Becker,
Flow visualization using moving textures, 1995; van Wijk, Image based flow visualization, 2002).
Every copy is a sample of the picture itself, at the end of a path through the flow, so nothing
becomes soft by being resampled again and again.
"""

from collections.abc import Iterator, Sequence
from typing import overload

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.image.histogram import bits

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

Plane = NDArray[np.float32]
"""(H, W)."""

Field = NDArray[np.float32]
"""(H, W, 2): x to the right, y downwards, px."""

Bits = NDArray[np.uint8]
"""(H, W, 3), sRGB."""

COPIES = 3
"""The fewest whose weights, 1 - cos, have squares that sum up to the same at all times."""

STEP = 2.0
"""Of a path at full speed, px, at most."""

STILL = 0.25
"""Speed below which a part fades into the still picture, as a share of the full speed."""

WINDOW = 1 / 64
"""Standard deviation of the window in which contrast is measured, of the longer side."""

FINE = 1 / 400
"""Standard deviation of the Gaussian that tells bristles from strokes, of the longer side."""

SHRUNK = 4
"""How much smaller the pictures are on which that is done, a side."""

LEAST = 1e-4
"""Contrast that is none."""

MOST = 1.6
"""Contrast is raised so many times at most; noise is not to be blown up."""


class Paths:
    """Where the paint at each pixel comes from and goes to, along the flow."""

    def __init__(self, flow: Field, length: float) -> None:
        """flow: of at most 1. length: of a life at full speed, px; half of it lies in the past."""
        steps = max(1, int(np.ceil(length / 2 / STEP)))
        step = length / 2 / steps
        back, forth = list(_walk(flow, -step, steps)), list(_walk(flow, step, steps))
        self._knots = [*reversed(back), np.zeros_like(flow), *forth]

    def source(self, age: float) -> Field:
        """How far from each pixel its paint lies in the picture, at an age of 0 to 1, px.

        At an age of 0.5 all paint is in its place. Straight between knots.
        """
        place = (1 - age) * (len(self._knots) - 1)
        knot = min(int(place), len(self._knots) - 2)
        share = np.float32(place - knot)
        before, after = self._knots[knot], self._knots[knot + 1]
        return np.asarray(before + share * (after - before), np.float32)


def kept_inside(flow: Field, margin: float) -> Field:
    """A flow that crosses no border: what it has of that direction fades within a margin, px."""
    height, width = flow.shape[:2]
    across, down = (
        np.clip(np.minimum(np.arange(side), np.arange(side)[::-1]) / np.float32(margin), 0, 1)
        for side in (width, height)
    )
    inside = np.stack(np.broadcast_arrays(across, down[:, None]), axis=-1)
    return np.asarray(flow * inside, np.float32)


def _walk(flow: Field, step: float, steps: int) -> Iterator[Field]:
    """Displacements after each step along the flow, by the Runge-Kutta method of 4th order."""
    moved = np.zeros_like(flow)
    for _ in range(steps):
        first = sampled(flow, moved)
        second = sampled(flow, moved + np.float32(step / 2) * first)
        third = sampled(flow, moved + np.float32(step / 2) * second)
        fourth = sampled(flow, moved + np.float32(step) * third)
        moved = moved + np.float32(step / 6) * (first + 2 * (second + third) + fourth)
        yield moved


def sampled(picture: NDArray[np.float32], moved: Field, how: int = cv2.INTER_LINEAR) -> RGB:
    """What lies at a displacement from each pixel; the border is repeated outside."""
    height, width = moved.shape[:2]
    across = moved[..., 0] + np.arange(width, dtype=np.float32)
    down = moved[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(picture, across, down, how, borderMode=cv2.BORDER_REPLICATE))


class Loop(Sequence[Bits]):
    """The frames of a picture in motion, each made when it is asked for; after the last, the first.

    With copies of weights w_k, which sum up to 1, only the mean is right: what differs from copy to
    copy averages out, up to a factor of sqrt(sum w_k^2) where they have nothing in common. Contrast
    is therefore raised to that of the still picture, place by place, after Heitz & Neyret
    (High-performance by-example noise using a histogram-preserving blending operator, 2018), but as
    measured, for along a stroke copies have much in common.
    """

    def __init__(
        self, picture: RGB, flow: Field, mask: Plane, frames: int, *, length: float, turns: int
    ) -> None:
        """mask: (H, W), as much as each pixel may move, 0 to 1; at 0 it is the picture's own.

        flow: (h, w, 2), of at most 1, of the picture or a smaller one; it keeps to the mask.
        length: how far paint at full speed gets in a life, px of the flow's. turns: how often, in a
        loop, each copy takes the place of the one before; all is then as it was.
        """
        self._picture, self._frames, self._turns = picture, frames, turns
        height, width = picture.shape[:2]
        self._paths = Paths(flow, length)
        self._enlarged = np.array([width / flow.shape[1], height / flow.shape[0]], np.float32)
        speed = cv2.resize(np.hypot(flow[..., 0], flow[..., 1]), (width, height))
        self._moves = np.clip(np.minimum(mask, speed) / np.float32(STILL), 0, 1)[..., None]
        self._contrasts = [self._contrast(band) for band in self._bands(picture)[1:]]

    def __len__(self) -> int:
        return self._frames

    @overload
    def __getitem__(self, index: int) -> Bits: ...
    @overload
    def __getitem__(self, index: slice) -> list[Bits]: ...
    def __getitem__(self, index: int | slice) -> Bits | list[Bits]:
        """A frame."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        return self.at(index / len(self))

    def at(self, moment: float) -> Bits:
        """The picture at any time, in loops since the beginning."""
        blend = np.zeros_like(self._picture)
        for copy in range(COPIES):
            age = (moment * self._turns % 1 + copy) / COPIES
            blend += np.float32((1 - np.cos(2 * np.pi * age)) / COPIES) * self._carried(age)
        moved = self._gained(blend)
        return bits(self._picture + self._moves * (moved - self._picture))

    def _carried(self, age: float) -> RGB:
        """The copy of an age."""
        source = self._paths.source(age)
        size = self._picture.shape[1], self._picture.shape[0]
        if source.shape[:2] != self._picture.shape[:2]:
            source = cv2.resize(source, size) * self._enlarged
        return sampled(self._picture, source, cv2.INTER_CUBIC)

    def _gained(self, blend: RGB) -> RGB:
        """The blended copies with the contrast of the still picture."""
        size = blend.shape[1], blend.shape[0]
        mean, *bands = self._bands(blend)
        for band, wanted in zip(bands, self._contrasts, strict=True):
            gain = np.clip(wanted / np.maximum(self._contrast(band), LEAST), 1, MOST)
            mean += cv2.resize(gain, size)[..., None] * band
        return mean

    def _bands(self, picture: RGB) -> tuple[RGB, RGB, RGB]:
        """Local mean, what strokes add to it, and what bristles add to them."""
        height, width = picture.shape[:2]
        mean = np.asarray(cv2.resize(self._windowed(picture), (width, height)), np.float32)
        soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), max(height, width) * FINE), np.float32)
        return mean, soft - mean, picture - soft

    def _contrast(self, band: RGB) -> Plane:
        """Local standard deviation, of all channels together, on a smaller picture."""
        return np.sqrt(np.maximum(self._windowed((band * band).sum(axis=-1)), 0))

    def _windowed(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """Local mean, on a smaller picture."""
        height, width = picture.shape[:2]
        small = max(1, width // SHRUNK), max(1, height // SHRUNK)
        shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        sigma = max(height, width) * WINDOW / SHRUNK
        return np.asarray(cv2.GaussianBlur(shrunk, (0, 0), sigma))

"""What frames before it say of a frame: where they show the same, and how it looked there."""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.motion.coherence_settings import Method
from impasto.motion.effect import RGB, Past
from impasto.motion.flow import Flow, Picture, carried, estimate, inside, warped

Mask = NDArray[np.float32]
"""(H, W), 0 to 1."""

APART, APART_SHARE = 0.25, 0.01
"""Square px, and share of the squared motions: how far forth and back may miss each other."""

EDGE, EDGE_SHARE = 0.02, 0.01
"""The same for how steep a flow may be, in px a px squared."""

CONVERGING, SPREAD, RIM = 0.05, 5, 7
"""Px a px by which flow converges on what has come into sight, on average over a square of so many
px, and how wide the disk is by which that grows, px."""

UNLIKE = 0.05
"""Mean absolute difference of colours, 0 to 1, from which a place shows something else."""

NUDGE, NOISE, PATCH = 2.0, 1.2, 9
"""Px of motion, that is taken for noise where without it a square of so many px differs by no more
than so many times as much."""

SMALL = 0.002
"""Share of a frame that may stay unknown; frames that lie further back are asked about more."""


@dataclass(frozen=True)
class Known:
    """What is known of a frame.

    picture: how it should look, (H, W, 3). visible: how surely, (H, W); 0 where nothing is known.
    ripe: how far what is known has come into the style, (H, W), 0 to 1.
    """

    picture: RGB
    visible: Mask
    ripe: Mask


def known(photo: RGB, past: Iterable[Past], method: Method) -> Known:
    """Join what earlier frames show, nearest first; those that are not needed are not drawn.

    A frame that lies further back is asked about what nearer ones do not show: the long-term
    consistency of Ruder et al. 2016, eq. 8. Their losses for several frames are equal, but for a
    constant, to one for the mean picture, so that is what is returned.
    """
    height, width = photo.shape[:2]
    picture = photo.copy()
    visible, ripe = np.zeros((2, height, width), np.float32)
    for frame in past:
        back, seen = found_again(photo, frame.photo, method)
        more = np.maximum(seen - visible, 0)
        share = more / np.maximum(visible + more, np.float32(1e-6))
        picture += share[..., None] * (carried(frame.picture, back).clip(0, 1) - picture)
        ripe += share * (warped(ripeness(frame), back).clip(0, 1) - ripe)
        visible += more
        if 1 - visible.mean() < SMALL:
            break
    return Known(picture, visible, ripe)


def found_again(photo: RGB, before: RGB, method: Method) -> tuple[Flow, Mask]:
    """The flow back to an earlier frame, and where that shows the same, (H, W), 1 or 0."""
    back, there = estimate(photo, before, method), estimate(before, photo, method)
    resting = still(photo, before, back)
    seen = np.maximum(sure(there, back), resting.astype(np.float32))
    back[resting] = 0
    return back, seen * alike(photo, warped(before, back))


def ripeness(frame: Past) -> Mask:
    """How far each pixel of a frame has come into the style; all of the first of a shot has."""
    kept = frame.kept.get("ripe")
    if kept is None:
        return np.ones(frame.photo.shape[:2], np.float32)
    return np.asarray(kept / np.float32(255), np.float32)


def sure(there: Flow, back: Flow) -> Mask:
    """Where a flow back to an earlier frame can be trusted, given the one from there.

    Not where it leads outside, where following both does not lead home (the pixel was covered), nor
    at edges of motion, where flow is smeared: Sundaram et al. 2010, as in Ruder et al. 2016,
    eqs. 4 to 6, with half of their tolerance for misses, since the flow is finer, and ten times
    that for edges, for the noise of a camera is none. Nor right beside what was covered and has
    come into sight, which is where the flow back converges (Sand & Teller 2008).
    """
    home = warped(there, back)
    missed = np.square(home + back).sum(-1)
    lengths = np.square(home).sum(-1) + np.square(back).sum(-1)
    astray = missed > APART_SHARE * lengths + APART
    edge = _steepness(back) > EDGE_SHARE * np.square(back).sum(-1) + EDGE
    # Flow is smeared over the rim of what has come into sight, forth and back alike.
    new = (astray & (_divergence(back) < -CONVERGING)).astype(np.uint8)
    rim = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (RIM, RIM))
    doubtful = cv2.dilate(new, rim, borderValue=0) > 0
    return np.asarray(inside(back) & ~astray & ~doubtful & ~edge, np.float32)


def still(photo: RGB, before: RGB, back: Flow) -> NDArray[np.bool_]:
    """Where nothing moves but the noise of a camera, (H, W).

    Flow that follows noise would make what stands still swim, and softer from frame to frame.
    """
    moved = np.square(back).sum(-1) > NUDGE**2
    resting = _apart(photo, before, PATCH) <= NOISE * _apart(photo, warped(before, back), PATCH)
    return np.asarray(~moved & resting)


def alike(photo: RGB, before: RGB) -> Mask:
    """Where two photos agree that should show the same."""
    return np.asarray(_apart(photo, before, 3) < UNLIKE, np.float32)


def _apart(photo: RGB, before: RGB, patch: int) -> Picture:
    """Mean absolute difference of colours in the square of so many px around each pixel, (H, W)."""
    difference = np.abs(photo - before).mean(-1)
    return np.asarray(cv2.blur(difference, (patch, patch), borderType=cv2.BORDER_REPLICATE))


def _steepness(flow: Flow) -> Picture:
    """Squared gradient of both components."""
    slopes = [np.gradient(flow[..., part], axis=axis) for part in (0, 1) for axis in (0, 1)]
    return np.asarray(sum(map(np.square, slopes)), np.float32)


def _divergence(flow: Flow) -> Picture:
    """Of what is around each pixel, px a px."""
    found = np.gradient(flow[..., 0], axis=1) + np.gradient(flow[..., 1], axis=0)
    return np.asarray(cv2.blur(found, (SPREAD, SPREAD), borderType=cv2.BORDER_REPLICATE))


def filled(change: RGB, visible: Mask) -> RGB:
    """A picture known in places, (H, W, 3), with the rest filled in from around, smoothly.

    By normalized convolution (Knutsson & Westin 1993) at coarser and coarser scales.
    """
    pyramid: list[tuple[Picture, ...]] = [(change * visible[..., None], visible)]
    whole = max(float(visible.sum()), 1e-6)
    while min(pyramid[-1][1].shape) > 1:
        pyramid.append(_halved(*pyramid[-1]))
    found = np.asarray(pyramid[0][0].sum((0, 1), np.float64) / whole, np.float32).reshape(1, 1, 3)
    for weighted, weights in reversed(pyramid):
        height, width = weights.shape
        coarse = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
        share = weights[..., None].clip(0, 1)
        mean = weighted / np.maximum(weights[..., None], np.float32(1e-6))
        found = np.asarray(coarse.reshape(height, width, 3) * (1 - share) + mean * share)
    return found


def _halved(*planes: Picture) -> tuple[Picture, ...]:
    return tuple(np.asarray(cv2.pyrDown(plane), np.float32) for plane in planes)


def start(photo: RGB, found: Known) -> RGB:
    """Where painting a frame starts: from what is known, and where nothing is, from the photo.

    There it has the colours that painting gave to what is around it.
    """
    change = filled(found.picture - photo, found.visible)
    visible = found.visible[..., None]
    return np.asarray(visible * found.picture + (1 - visible) * (photo + change).clip(0, 1))

"""Photos of a hand-held burst laid onto one another: how the camera moved, and what all show.

A view is the homography, (3, 3) float64, that takes the pixels of the reference (x to the right, y
down, whole numbers at the middles of pixels) to the places in another photo that show the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, minimize

from impasto.errors import UsageError
from impasto.image.resize import fit, resize
from impasto.image.srgb import to_bits

RGB = NDArray[np.float32]
"""(H, W, 3), sRGB in [0, 1]."""

Grey = NDArray[np.uint8]
"""(H, W), luma."""

View = NDArray[np.float64]

LONG_SIDE = 1024
"""Of the pictures that are compared, px at most: a tenth of their pixel is less than half of one of
a photo of 24 megapixels."""

FEATURES, CONTRAST = 4000, 5
"""Corners looked for in each photo, and how far FAST's have to stand out, of 255."""

RATIO = 0.8
"""Of the distances to the nearest and the next descriptor: Lowe 2004, section 7.1."""

MISS, LEAST = 3.0, 12
"""How far a match may lie from where a view leads, px, and how many must not."""

ITERATIONS, SMALLEST_GAIN, SMOOTHING = 100, 1e-6, 5
"""Of the refinement: how often, until the correlation grows by less; the blur before it, px."""

ALIKE = 0.7
"""Correlation from which two photos show the same; those of other things reach 0.3."""

OVERLAP = 0.5
"""Share of the picture that a photo must have in common with the reference."""

LEFT = 0.25
"""Share of the picture that must be left where all photos are cropped to what they share."""


class Box(NamedTuple):
    """A part of a picture, px; it ends before `right` and `bottom`."""

    left: int
    top: int
    right: int
    bottom: int


def grey(rgb: RGB) -> Grey:
    """A photo as it is compared with others: small, and without colour."""
    height, width = rgb.shape[:2]
    if max(width, height) > LONG_SIDE:
        rgb = resize(rgb, *fit(width, height, LONG_SIDE))
    return np.asarray(cv2.cvtColor(to_bits(rgb, 8).astype(np.uint8), cv2.COLOR_RGB2GRAY))


def view_of(reference: Grey, other: Grey) -> View | None:
    """How the camera moved from one photo to another of the same size; None where nothing tells.

    Corners that both show (ORB, Rublee et al. 2011) give a homography that most agree with
    (MAGSAC++, Barath et al. 2020); it is refined on all pixels by the enhanced correlation
    coefficient (Evangelidis and Psarakis 2008), which the light does not matter to.
    """
    start = _by_corners(reference, other)
    if start is None:
        start = np.eye(3)
    criteria = (
        cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT,
        ITERATIONS,
        SMALLEST_GAIN,
    )
    try:
        correlation, found = cv2.findTransformECC(
            reference,
            other,
            start.astype(np.float32),
            cv2.MOTION_HOMOGRAPHY,
            criteria,
            np.full(other.shape, 255, np.uint8),
            SMOOTHING,
        )
    except cv2.error:  # it does not converge, or they do not overlap
        return None
    height, width = reference.shape
    view = np.asarray(found, np.float64)
    return view if correlation >= ALIKE and _overlap(view, (width, height)) >= OVERLAP else None


def enlarged(view: View, small: tuple[int, int], size: tuple[int, int]) -> View:
    """The same view of photos of another size, (width, height), px."""
    across, down = size[0] / small[0], size[1] / small[1]
    # The middle of the first pixel lies half a pixel from the edge, at any size.
    scale = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    return np.asarray(scale @ view @ np.linalg.inv(scale))


def seen_from(photo: RGB, view: View) -> RGB:
    """A photo as the reference's camera would have taken it; what it does not show is black."""
    height, width = photo.shape[:2]
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpPerspective(photo, view, (width, height), flags=how)).clip(0, 1)


def common(views: Sequence[View], size: tuple[int, int]) -> Box:
    """The largest upright box that all photos show, of photos of (width, height) px.

    The logarithm of its area is concave, and what a photo shows is convex, so there is one maximum.
    UsageError where it is less than `LEFT` of the picture.
    """
    width, height = size
    planes = np.concatenate([_halfplanes(view, size) for view in (np.eye(3), *views)])
    a, b, c = planes.T
    # Of a box's corners, the one that lies furthest in the direction (a, b) decides.
    matrix = np.stack(
        [np.minimum(a, 0), np.minimum(b, 0), np.maximum(a, 0), np.maximum(b, 0)], axis=1
    )
    middle = np.array([width - 1, height - 1]) / 2
    scale = np.array([width, height, width, height], float)
    start = np.array([*(middle - 1), *(middle + 1)]) / scale
    found = minimize(
        lambda box: -np.log(np.maximum(box[2:] - box[:2], 1e-9)).sum(),
        start,
        constraints=LinearConstraint(matrix * scale, ub=c),
        method="SLSQP",
    )
    left, top, right, bottom = found.x * scale
    box = Box(
        int(np.ceil(left - 1e-3)),
        int(np.ceil(top - 1e-3)),
        int(np.floor(right + 1e-3)) + 1,
        int(np.floor(bottom + 1e-3)) + 1,
    )
    across, down = max(0, box.right - box.left), max(0, box.bottom - box.top)
    if not found.success or across * down < LEFT * width * height:
        raise UsageError(
            f"less than {LEFT:.0%} of the picture is in all photos, so they cannot be cropped to "
            "what they share; name fewer photos, or leave --align out"
        )
    return box


def _by_corners(reference: Grey, other: Grey) -> View | None:
    finder = cv2.ORB.create(FEATURES, fastThreshold=CONTRAST)
    (here, ours), (there, theirs) = (
        finder.detectAndCompute(picture, None) for picture in (reference, other)
    )
    if ours is None or theirs is None or len(theirs) < 2:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(ours, theirs, k=2)
    good = [best for best, next_ in pairs if best.distance < RATIO * next_.distance]
    if len(good) < LEAST:
        return None
    found, agree = cv2.findHomography(
        np.array([here[match.queryIdx].pt for match in good]),
        np.array([there[match.trainIdx].pt for match in good]),
        cv2.USAC_MAGSAC,
        MISS,
    )
    return None if found is None or agree.sum() < LEAST else np.asarray(found, np.float64)


def _overlap(view: View, size: tuple[int, int]) -> float:
    """Share of the reference that another photo shows; 0 where the view turns it over."""
    corners = _corners(size)
    if np.linalg.det(view[:2, :2]) <= 0 or (_leading(view, corners)[1] <= 0).any():
        return 0
    shown, _ = _leading(_inverse(view), corners)
    shared, _ = cv2.intersectConvexConvex(corners.astype(np.float32), shown.astype(np.float32))
    return float(shared) / ((size[0] - 1) * (size[1] - 1))


def _halfplanes(view: View, size: tuple[int, int]) -> NDArray[np.float64]:
    """What a photo shows, on the reference: (4, 3), a x + b y <= c with (a, b) of length 1."""
    corners, _ = _leading(_inverse(view), _corners(size))
    along = np.roll(corners, -1, axis=0) - corners
    outward = np.stack([along[:, 1], -along[:, 0]], axis=1)
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    return np.concatenate([outward, (outward * corners).sum(axis=1, keepdims=True)], axis=1)


def _inverse(view: View) -> View:
    return np.asarray(np.linalg.inv(view), np.float64)


def _corners(size: tuple[int, int]) -> NDArray[np.float64]:
    """The middles of a picture's corner pixels, clockwise from the upper left, (4, 2)."""
    right, bottom = size[0] - 1, size[1] - 1
    return np.array([[0, 0], [right, 0], [right, bottom], [0, bottom]], float)


def _leading(
    view: View, places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a view leads places to, (N, 2), and the depths they are divided by, (N,)."""
    ends = np.column_stack([places, np.ones(len(places))]) @ view.T
    return ends[:, :2] / ends[:, 2:], ends[:, 2]

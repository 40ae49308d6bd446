"""Superpixels: connected groups of similar pixels, exactly as many as wanted.

One of OpenCV's methods groups the pixels of a reduced picture more finely than wanted. The groups
are merged down to the number, and their borders follow the picture up to its full size. All three
go by the distance of SLIC, so the compactness has one meaning.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.errors import UsageError
from impasto.filter_settings import SuperpixelSettings
from impasto.image.borders import Canvas, Features, finer
from impasto.image.color import Colours
from impasto.image.lines import drawn
from impasto.image.merging import merged
from impasto.image.picture import over_grey
from impasto.image.regions import Pairs, adjacency, areas_of, connected, halved, mean_colours
from impasto.image.segmentation import METHODS, Bytes, Labels, Method, grouped, lab_bytes

SMALLEST = 4
"""Pixels of a region on average, at least."""

SMALL = 2**18
"""Pixels of a picture that is not reduced: there is little time to be won."""

COARSE_PASSES, FINE_PASSES = 8, 3
"""Over the borders: from where a method left them, and after each doubling of the size."""


@dataclass(frozen=True, slots=True, eq=False)
class Superpixels:
    """Regions that cover a picture: each is 4-connected, none is empty."""

    labels: Labels
    """(H, W): the region of each pixel, 0 to count - 1."""
    means: NDArray[np.float32]
    """(count, 3): mean colours, sRGB-coded, in [0, 1]."""
    areas: NDArray[np.int64]
    """(count,), px."""
    adjacency: Pairs
    """(edges, 2): pairs i < j that share the side of a pixel, sorted."""

    @property
    def count(self) -> int:
        """Number of regions."""
        return len(self.areas)

    def picture(self, borders: str | None = None, out: Colours | None = None) -> Colours:
        """Each region in its mean colour, (H, W, 3) sRGB-coded.

        `borders` draws lines between them, as COLOR or COLOR:WIDTH in px. `out` is memory to use;
        new memory takes four times as long.
        """
        painted = np.take(self.means, self.labels, axis=0, out=out, mode="clip")
        return painted if borders is None else drawn(painted, self.labels, borders)


def segment(
    rgb: Colours, settings: SuperpixelSettings, *, alpha: NDArray[np.float32] | None = None
) -> Superpixels:
    """Group the pixels of a picture, (H, W, 3) sRGB-coded in [0, 1], into `settings.n` regions.

    With alpha, (H, W) in [0, 1], transparent pixels look grey whatever colour they hide, and
    colours count for the means by their alpha.
    """
    height, width = rgb.shape[:2]
    check_number(settings.n, (width, height))
    labels = divided(
        lab_bytes(over_grey(rgb, alpha)), settings.n, settings.method, settings.compactness
    )
    means = mean_colours(rgb, labels, settings.n, settings.mean, alpha)
    areas = areas_of(labels, settings.n)
    return Superpixels(labels, means, areas, adjacency(labels, settings.n))


def check_number(n: int, size: tuple[int, int]) -> None:
    """UsageError where a picture of (width, height) px is too small for so many regions."""
    width, height = size
    most = max(1, height * width // SMALLEST)
    if n > most:
        raise UsageError(
            f"{n} superpixels do not fit into {width}×{height} px:"
            f" a superpixel has {SMALLEST} px or more on average; ask for {most} at most"
        )


def divided(pixels: Bytes, count: int, method: Method, compactness: float) -> Labels:
    """Divide a picture into `count` regions, (H, W, 3) of L*a*b* -> (H, W)."""
    height, width = pixels.shape[:2]
    grouping = METHODS[method]
    groups = round(grouping.finer * count)
    sizes = [pixels]
    while _area(sizes[-1]) >= max(SMALL, (2 * grouping.side) ** 2 * groups):
        sizes.append(halved_size(sizes[-1]))
    coarse = sizes.pop()
    features = Features(
        compactness * grouping.roundness,
        side=(height * width / count) ** 0.5,
        step=2 ** len(sizes),
    )
    labels = regrouped(grouped(coarse, groups, method, compactness), coarse, count, features)
    canvas = Canvas(coarse, labels, features.moments(coarse, labels, count), features)
    canvas.settle(COARSE_PASSES)
    while sizes:
        features = features.finer()
        canvas = finer(canvas, sizes.pop(), features)
        canvas.settle(FINE_PASSES)
    return np.ascontiguousarray(canvas.labels)


def regrouped(labels: Labels, pixels: Bytes, count: int, features: Features) -> Labels:
    """Make `count` connected regions of the parts of others, whose numbers are not kept, (H, W)."""
    labels, parts = connected(labels)
    labels, parts = halved(labels, parts, count)
    numbers = merged(features.moments(pixels, labels, parts), adjacency(labels, parts), count)
    return numbers[labels]


def _area(pixels: Bytes) -> int:
    return int(pixels.shape[0] * pixels.shape[1])


def halved_size(pixels: Bytes) -> Bytes:
    """Means of 2 x 2 pixels; an odd last row or column counts twice."""
    height, width = pixels.shape[:2]
    even = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = (even.shape[1] // 2, even.shape[0] // 2)
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8)

"""Photos that follow one another, as frames: all of one size, laid onto one another if wanted."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from impasto.image.picture import over_grey
from impasto.image.read import read
from impasto.image.resize import resize
from impasto.motion.alignment import RGB, Box, View, seen_from
from impasto.motion.animate_settings import Fit
from impasto.motion.clip import Frame, Known


@dataclass(frozen=True)
class Burst:
    """Photos in their order; nothing of them is in memory, so it can go to other processes."""

    photos: tuple[str, ...]
    size: tuple[int, int]
    """(width, height) that they all have or are fitted to, px."""
    fit: Fit | None = None
    views: tuple[View, ...] | None = None
    """Of each photo, where they are laid onto one another."""
    box: Box | None = None
    """The part that all of them show then."""

    @property
    def frame_size(self) -> tuple[int, int]:
        """(width, height) of the frames, px."""
        if self.box is None:
            return self.size
        return self.box.right - self.box.left, self.box.bottom - self.box.top

    def frames(self, first: int = 0, known: Known | None = None) -> Iterator[Frame]:
        """Read the photos from one on; each is shown for one unit of time.

        Nothing that is known of them finds them sooner. Raises UnreadableImage.
        """
        for index, name in enumerate(self.photos[first:], first):
            rgb = fitted_photo(name, self.size, self.fit)
            if self.views is not None and self.box is not None:
                left, top, right, bottom = self.box
                rgb = seen_from(rgb, self.views[index])[top:bottom, left:right]
            yield Frame(index, Fraction(index), np.ascontiguousarray(rgb), damaged=False)


def fitted_photo(name: str, size: tuple[int, int], fit: Fit | None) -> RGB:
    """A photo at a size, (width, height), px; one without alpha, for what is hidden is grey."""
    picture = read(name)
    return fitted_to(over_grey(picture.rgb, picture.alpha), size, fit)


def fitted_to(rgb: RGB, size: tuple[int, int], fit: Fit | None) -> RGB:
    """A picture at a size: cropped around its middle, padded with black, or stretched."""
    (width, height), own = size, rgb.shape[1::-1]
    if own == size:
        return rgb
    if fit is None:
        raise ValueError(f"a photo of {own} px is among others of {size}")
    if fit == "stretch":
        return resize(rgb, width, height)
    scales = width / own[0], height / own[1]
    scale = max(scales) if fit == "crop" else min(scales)
    across, down = (max(1, round(side * scale)) for side in own)
    scaled = resize(rgb, across, down)
    left, top = (across - width) // 2, (down - height) // 2
    if fit == "crop":
        return scaled[top : top + height, left : left + width]
    framed = np.zeros((height, width, 3), np.float32)
    framed[-top : down - top, -left : across - left] = scaled
    return framed

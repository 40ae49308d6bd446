"""A picture of superpixels, and the superpixels themselves."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from impasto.filter_settings import SuperpixelSettings
from impasto.filters.job import Filtered, FilterJob
from impasto.image.labels import check_labels_output, write_labels
from impasto.image.picture import Picture
from impasto.image.superpixels import Superpixels, segment
from impasto.recipe import SuperpixelsRecipe


@dataclass(frozen=True)
class SuperpixelPicture(Filtered):
    """A picture in which each superpixel has its mean colour, and what they are."""

    superpixels: Superpixels

    @property
    def labels(self) -> NDArray[np.int32]:
        """(H, W): the superpixel of each pixel, from 0 to count - 1."""
        return self.superpixels.labels

    @property
    def means(self) -> NDArray[np.float32]:
        """(count, 3): mean colours, sRGB in [0, 1]."""
        return self.superpixels.means

    @property
    def adjacency(self) -> NDArray[np.int32]:
        """(edges, 2): pairs of superpixels that touch, the lower label first."""
        return self.superpixels.adjacency

    @property
    def areas(self) -> NDArray[np.int64]:
        """(count,), px."""
        return self.superpixels.areas

    def summary(self) -> str:
        """What came of the work, in a few words for people."""
        mean = float(self.areas.mean())
        return f"{len(self.areas)} superpixels of {mean:.0f} px on average"

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        return {**super().facts(), "superpixels": len(self.areas)}

    def save_labels(self, path: str | Path, *, force: bool = False) -> None:
        """Write the labels as a 16-bit .png or as .npy; `force` replaces a file."""
        check_labels_output(path, len(self.areas), (), force=force)
        write_labels(self.labels, path)


class SuperpixelsJob(FilterJob[SuperpixelSettings, SuperpixelPicture]):
    """Superpixels in their mean colours."""

    doing = "grouping pixels"
    recipe_type = SuperpixelsRecipe

    def _made(self, photo: Picture) -> SuperpixelPicture:
        found = segment(photo.rgb, self.settings, alpha=photo.alpha)
        return SuperpixelPicture(
            picture=replace(photo, rgb=found.picture(self.settings.borders, out=photo.rgb)),
            superpixels=found,
            **self._facts(photo, self.settings),
        )

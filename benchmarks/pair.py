"""A photo and a style at one size, as everyone who takes part gets them, and the judge of both."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks import reference
from impasto.image import samples


@dataclass(frozen=True)
class Pair:
    """Two upright RGB files without profiles, and the long side of the picture to come, px."""

    photo: Path
    style: Path
    size: int

    @classmethod
    def prepared(cls, photo: str, style: str, size: int, folder: Path) -> Self:
        """Copies in a folder, of files or of samples."""
        return cls(prepared(photo, folder), prepared(style, folder), size)

    @property
    def name(self) -> str:
        """What its traces are called."""
        return f"{self.photo.stem}-{self.style.stem}-{self.size}"


def prepared(source: str, folder: Path) -> Path:
    """A copy that every program reads alike."""
    path = folder / f"{Path(source).stem}.png"
    if source in samples.PHOTOS:
        image = Image.fromarray(samples.photo(source))
    elif source in samples.STYLES:
        image = Image.fromarray(samples.style(source))
    else:
        with Image.open(source) as file:
            image = ImageOps.exif_transpose(file).convert("RGB")
    image.info.clear()
    image.save(path)
    return path


class Judge:
    """The reference's total loss in float32 at the final size, of pictures as they were saved."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.layers = reference.network()
        self.content = reference.load(pair.photo, pair.size)
        style = reference.load(pair.style, pair.size)
        self.target = reference.targets(self.layers, self.content, style)

    def file(self, path: Path) -> float:
        """The loss of a picture file."""
        return self._total(reference.load(path, self.pair.size))

    def pixels(self, picture: NDArray[np.uint8]) -> float:
        """The loss of a picture (H, W, 3)."""
        planes = torch.from_numpy(np.moveaxis(picture, 2, 0).astype(np.float32) / 255)
        return self._total(planes[None])

    def terms(self, canvas: torch.Tensor) -> dict[str, float]:
        """The weighted losses by name of a canvas (1, 3, H, W) in [0, 1]."""
        with torch.no_grad():
            terms = reference.losses(self.layers, canvas, self.target)
        return {name: float(term) for name, term in terms.items()}

    def _total(self, canvas: torch.Tensor) -> float:
        return reference.total_loss(self.layers, canvas, self.target)

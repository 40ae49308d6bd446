"""Pictures of what layers keep of a photo, and the sheet that shows them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from impasto.studio.drawn import Page
from impasto.studio.reconstruct_settings import LayerSet, ReconstructSettings
from impasto.studio.sheet import RGB, Cell, Sheet, draw
from impasto.studio.theme import Paper

Term = Literal["content", "style"]


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A picture that differs from the photo as little as some layers can tell."""

    term: Term
    layers: LayerSet
    rgb: RGB
    distance: float
    """That is left: |F - F_c|² / |F_c|² or |G - A|² / |A|², the mean of its layers, float32."""
    psnr: float
    """Of its pixels beside the photo's, dB."""
    complete: bool
    """False where values stopped being finite and this is the best picture so far."""

    @property
    def title(self) -> str:
        """Its layers, in short."""
        first, *rest = self.layers
        return ", ".join([first, *(name.removeprefix("relu") for name in rest)])

    @property
    def note(self) -> str:
        """How close it is; by pixels only where these are meant to be alike."""
        incomplete = "" if self.complete else "incomplete, "
        pixels = f", PSNR {self.psnr:.1f} dB" if self.term == "content" else ""
        return f"{incomplete}distance {self.distance:.2g}{pixels}"

    def facts(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "term": self.term,
            "layers": self.layers,
            "distance": self.distance if math.isfinite(self.distance) else None,
            "psnr": round(self.psnr, 2) if math.isfinite(self.psnr) else None,
            "complete": self.complete,
        }


@dataclass(frozen=True, eq=False)
class Reconstructions(Page):
    """A photo and what layers keep of it."""

    name: str
    photo: RGB
    """At the size of the reconstructions."""
    pictures: Sequence[Reconstruction]
    """Content first, then style."""
    settings: ReconstructSettings
    seconds: float
    """That this run took."""

    @property
    def complete(self) -> bool:
        """False where the values of a picture stopped being finite."""
        return all(each.complete for each in self.pictures)

    def page(self, paper: Paper = Paper.LIGHT) -> RGB:
        """A sheet with a row of content and one of style, and the photo beside, (H, W, 3)."""
        rows, heads, aims = [], [], []
        for term, aim in (("content", "feature maps"), ("style", "Gram matrices")):
            found = [each for each in self.pictures if each.term == term]
            if found:
                rows.append([Cell(each.rgb, each.title, each.note) for each in found])
                heads.append(term.capitalize())
                aims.append(aim)
        height, width = self.photo.shape[:2]
        sheet = Sheet(
            rows=rows,
            title=f"What the layers keep of {self.name}",
            subtitle=f"From faint noise to the same {' or '.join(aims)}, "
            f"{self.settings.steps} steps at each size",
            row_heads=heads,
            beside=[Cell(self.photo, self.name, f"{width} × {height} px")],
        )
        return draw(sheet, paper)

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs."""
        height, width = self.photo.shape[:2]
        return {
            "size": (width, height),
            "seconds": round(self.seconds, 1),
            "complete": self.complete,
            "reconstructions": [each.facts() for each in self.pictures],
        }


def psnr(rgb: RGB, other: RGB) -> float:
    """Peak signal-to-noise ratio of pictures in [0, 1], dB; infinite where they are the same."""
    error = float(np.square(rgb - other, dtype=np.float64).mean())
    return -10 * math.log10(error) if error else math.inf

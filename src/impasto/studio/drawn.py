"""What can be looked at as a page: drawn, shown, saved."""

from abc import ABC, abstractmethod
from pathlib import Path

from PIL import Image

from impasto.image.srgb import to_bits
from impasto.image.write import check_output
from impasto.settings import OutputSettings
from impasto.studio.sheet import RGB, save
from impasto.studio.theme import Paper


class Page(ABC):
    """Something that is known how to draw, on light or dark paper."""

    @abstractmethod
    def page(self, paper: Paper = Paper.LIGHT) -> RGB:
        """Draw it, (H, W, 3) in [0, 1]."""

    @property
    def image(self) -> Image.Image:
        """The page as Pillow has it, on light paper."""
        return Image.fromarray(to_bits(self.page(), 8))

    def save(
        self, output: str | Path, *, paper: Paper | str = Paper.LIGHT, force: bool = False
    ) -> int:
        """Write the page; `force` replaces an existing file. Returns the number of bytes."""
        paper = Paper(paper)
        check_output(output, (), force=force, settings=OutputSettings())
        return save(self.page(paper), output)

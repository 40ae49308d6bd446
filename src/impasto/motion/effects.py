"""Effects, built from settings and paths in whatever process makes frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.filter_settings import QuantizeSettings, SuperpixelSettings
from impasto.motion.coherence_settings import REACH, CoherenceSettings
from impasto.motion.effect import BEFORE, Effect
from impasto.motion.place import Place
from impasto.settings import PaintSettings


@dataclass(frozen=True)
class PaintedStyle:
    """A style picture that can be read in any process, with its betas."""

    path: str
    begins: float
    ends: float


@dataclass(frozen=True)
class Painting:
    """Frames painted in styles."""

    styles: Sequence[PaintedStyle]
    settings: PaintSettings
    coherence: CoherenceSettings
    weights: Path | None
    reach: Sequence[int] = REACH

    def __call__(self, place: Place) -> Effect:
        """Read styles and weights."""
        from impasto.artwork import distinct
        from impasto.image.read import read
        from impasto.motion.painted import MovingStyle, PaintedFrames
        from impasto.neural.shared import MOST, Shared

        pictures = [read(place.path(style.path)) for style in self.styles]
        names = distinct([picture.name for picture in pictures])
        moving = [
            MovingStyle(name, picture.rgb, style.begins, style.ends, picture.sha256)
            for name, picture, style in zip(names, pictures, self.styles, strict=True)
        ]
        own = None if self.weights is None else Path(place.path(self.weights))
        settings, shared = self.settings, Shared(MOST)
        if settings.memory == "auto" and place.memory is not None:
            settings = settings.updated({"memory": place.memory()})  # changes no pixel
        return PaintedFrames(moving, settings, self.coherence, shared.weights(own), shared)


@dataclass(frozen=True)
class Quantizing:
    """Frames in few colours."""

    settings: QuantizeSettings
    reach: Sequence[int] = BEFORE

    def __call__(self, place: Place) -> Effect:
        """Read the palette, if one is given."""
        from impasto.motion.quantized import QuantizedFrames

        settings = self.settings
        if settings.palette is not None:
            settings = settings.updated({"palette": place.path(settings.palette)})
        return QuantizedFrames(settings)


@dataclass(frozen=True)
class Superpixelling:
    """Frames of superpixels."""

    settings: SuperpixelSettings
    reach: Sequence[int] = BEFORE

    def __call__(self, place: Place) -> Effect:
        """There is nothing to read."""
        from impasto.motion.superpixelled import SuperpixelledFrames

        return SuperpixelledFrames(self.settings)

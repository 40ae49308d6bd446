"""Effects, built from settings and paths in whatever process makes frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.filter_settings import QuantizeSettings, SuperpixelSettings
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.effect import Effect
from impasto.settings import PaintSettings


@dataclass(frozen=True)
class PaintedStyle:
    """A style picture that can be read in any process, with its betas."""

    path: str
    begins: float
    ends: float


def painted(
    styles: Sequence[PaintedStyle],
    settings: PaintSettings,
    coherence: CoherenceSettings,
    weights: Path | None,
) -> Effect:
    """Frames painted in the styles."""
    from impasto.artwork import distinct
    from impasto.image.read import read
    from impasto.motion.painted import MovingStyle, PaintedFrames
    from impasto.neural.shared import MOST, Shared

    pictures = [read(style.path) for style in styles]
    names = distinct([picture.name for picture in pictures])
    moving = [
        MovingStyle(name, picture.rgb, style.begins, style.ends, picture.sha256)
        for name, picture, style in zip(names, pictures, styles, strict=True)
    ]
    shared = Shared(MOST)
    return PaintedFrames(moving, settings, coherence, shared.weights(weights), shared)


def quantized(settings: QuantizeSettings) -> Effect:
    """Frames in few colours."""
    from impasto.motion.quantized import QuantizedFrames

    return QuantizedFrames(settings)


def superpixelled(settings: SuperpixelSettings) -> Effect:
    """Frames of superpixels."""
    from impasto.motion.superpixelled import SuperpixelledFrames

    return SuperpixelledFrames(settings)

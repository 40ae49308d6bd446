"""Impasto turns photographs into artwork on your own machine.

>>> import impasto
>>> artwork = impasto.paint("photo.jpg", ["painting.jpg"], size=800)
>>> artwork.save("art.png")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.api import paint, painting
    from impasto.artwork import Artwork
    from impasto.collection.batch import Collection, batch
    from impasto.filter_api import enhance, quantize, superpixels
    from impasto.filter_settings import EnhanceSettings, QuantizeSettings, SuperpixelSettings
    from impasto.motion.animate import Animation, animate
    from impasto.motion.moving import MovingPicture, moving
    from impasto.motion.moving_settings import MovingSettings
    from impasto.motion.status import status
    from impasto.motion.video import Film, video
    from impasto.neural.architecture import layers
    from impasto.settings import OutputSettings, PaintSettings
    from impasto.studio.compare import compare
    from impasto.studio.plots import plot
    from impasto.studio.reconstruct import reconstruct
    from impasto.studio.recording import Recording
    from impasto.studio.seeing import edge_responses, features, first_filters, gram, walk_layers
    from impasto.studio.sweep import sweep

__all__ = [
    "Animation",
    "Artwork",
    "Collection",
    "EnhanceSettings",
    "Film",
    "MovingPicture",
    "MovingSettings",
    "OutputSettings",
    "PaintSettings",
    "QuantizeSettings",
    "Recording",
    "SuperpixelSettings",
    "animate",
    "batch",
    "compare",
    "edge_responses",
    "enhance",
    "features",
    "first_filters",
    "gram",
    "layers",
    "moving",
    "paint",
    "painting",
    "plot",
    "quantize",
    "reconstruct",
    "status",
    "superpixels",
    "sweep",
    "video",
    "walk_layers",
]

_HOMES = {
    "Animation": "impasto.motion.animate",
    "Artwork": "impasto.artwork",
    "Collection": "impasto.collection.batch",
    "EnhanceSettings": "impasto.filter_settings",
    "Film": "impasto.motion.video",
    "MovingPicture": "impasto.motion.moving",
    "MovingSettings": "impasto.motion.moving_settings",
    "OutputSettings": "impasto.settings",
    "PaintSettings": "impasto.settings",
    "QuantizeSettings": "impasto.filter_settings",
    "Recording": "impasto.studio.recording",
    "SuperpixelSettings": "impasto.filter_settings",
    "animate": "impasto.motion.animate",
    "batch": "impasto.collection.batch",
    "compare": "impasto.studio.compare",
    "edge_responses": "impasto.studio.seeing",
    "enhance": "impasto.filter_api",
    "features": "impasto.studio.seeing",
    "first_filters": "impasto.studio.seeing",
    "gram": "impasto.studio.seeing",
    "layers": "impasto.neural.architecture",
    "moving": "impasto.motion.moving",
    "paint": "impasto.api",
    "painting": "impasto.api",
    "plot": "impasto.studio.plots",
    "quantize": "impasto.filter_api",
    "reconstruct": "impasto.studio.reconstruct",
    "status": "impasto.motion.status",
    "superpixels": "impasto.filter_api",
    "sweep": "impasto.studio.sweep",
    "video": "impasto.motion.video",
    "walk_layers": "impasto.studio.seeing",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is: PyTorch takes a second that not all need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

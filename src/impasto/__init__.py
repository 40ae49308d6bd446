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
    from impasto.settings import OutputSettings, PaintSettings

__all__ = ["Artwork", "OutputSettings", "PaintSettings", "paint", "painting"]

_HOMES = {
    "Artwork": "impasto.artwork",
    "OutputSettings": "impasto.settings",
    "PaintSettings": "impasto.settings",
    "paint": "impasto.api",
    "painting": "impasto.api",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is: PyTorch takes a second that not all need."""
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

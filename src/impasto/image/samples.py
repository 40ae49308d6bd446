"""The pictures that come with Impasto, so that a first painting needs neither a file nor a network.

The photos lie in scikit-image's wheel and are free of rights (public domain or CC0); the styles
are drawn by code. Nothing is loaded or drawn, nor what that needs imported, before it is asked for.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from impasto.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
STYLES = ("mosaic", "spirograph")

PREFIX = "sample:"
"""`sample:chelsea` stands for a file wherever a picture is read."""


def is_sample(source: object) -> bool:
    """Whether a source names a sample instead of a file."""
    return isinstance(source, str) and source.startswith(PREFIX)


def sample(source: str) -> "NDArray[np.uint8]":
    """The photo or style that `sample:NAME` names, (H, W, 3), sRGB."""
    name = source.removeprefix(PREFIX)
    known("picture", name, (*PHOTOS, *STYLES))
    return photo(name) if name in PHOTOS else style(name)


def photo(name: str) -> "NDArray[np.uint8]":
    """One of `PHOTOS`, (H, W, 3), sRGB; 300 to 512 px high."""
    known("photo", name, PHOTOS)
    from skimage import data

    picture: NDArray[np.uint8] = getattr(data, name)()
    return picture


def style(name: str, size: int = 768) -> "NDArray[np.uint8]":
    """One of `STYLES`, (size, size, 3), sRGB; the same every time and at every size.

    The drawing itself has 1536 px a side; larger pictures hold no more detail.
    """
    known("style", name, STYLES)
    if size < 1:
        raise UsageError(f"a style of {size} px cannot be drawn; ask for a size of 1 px or more")
    from impasto.image.mosaic import mosaic
    from impasto.image.spirograph import spirograph

    return {"mosaic": mosaic, "spirograph": spirograph}[name](size)


def known(kind: str, name: str, names: Sequence[str]) -> None:
    """Refuse a sample that does not exist."""
    if name not in names:
        raise UsageError(f"no sample {kind} {name!r}; the sample {kind}s are {', '.join(names)}")

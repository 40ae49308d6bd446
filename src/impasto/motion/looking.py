"""Photos looked at before they are animated: which can be read, how large they are, when taken."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from impasto.errors import UnreadableImage, UsageError
from impasto.events import Event, Notice, Stage
from impasto.image.listing import natural
from impasto.image.read import read
from impasto.motion.alignment import View, common, enlarged, grey, view_of
from impasto.motion.animate_settings import Fit, Order
from impasto.motion.burst import Burst, fitted_photo
from impasto.motion.gathering import taken
from impasto.recipe import Input
from impasto.settings import as_text
from impasto.threads import limited

Show = Callable[[Event], object]

NAMED = 3
"""Files that a message names before it only counts them."""


@dataclass(frozen=True)
class Photo:
    """A photo that can be read."""

    path: str
    source: Input
    """The same for the recipe, which is text."""
    size: tuple[int, int]
    """(width, height), upright, px."""
    taken: datetime | None


@dataclass(frozen=True)
class Looked:
    """What was found."""

    photos: tuple[Photo, ...]
    left_out: tuple[str, ...]
    """Photos that take no part."""


def look(names: Sequence[str], show: Show) -> Looked:
    """Read every photo once; those that cannot be read are said and left out."""
    photos, left_out = [], []
    for number, name in enumerate(names):
        show(Stage(f"looking at {Path(name).name}", number / len(names)))
        try:
            picture = read(name)
        except UnreadableImage as error:
            show(Notice(f"{error}; it is left out"))
            left_out.append(name)
            continue
        moment = taken(picture.metadata.exif)
        source = Input(path=as_text(name), sha256=picture.sha256)
        photos.append(Photo(name, source, picture.size, moment))
    return Looked(tuple(photos), tuple(left_out))


def in_order(photos: Sequence[Photo], order: Order) -> tuple[Photo, ...]:
    """UsageError where photos that are to be in the order of time do not tell theirs."""
    if order == "given":
        return tuple(photos)
    if order == "name":
        return tuple(sorted(photos, key=lambda photo: natural(photo.path)))
    timeless = [photo.path for photo in photos if photo.taken is None]
    if timeless:
        raise UsageError(
            f"{some(timeless)} {'does' if len(timeless) == 1 else 'do'} not say when taken; "
            "use --order name or given"
        )
    # Of photos taken at the same moment, the name decides.
    return tuple(sorted(photos, key=lambda photo: (photo.taken, natural(photo.path))))


def usual_size(photos: Sequence[Photo], fit: Fit | None) -> tuple[int, int]:
    """The size that most photos have; UsageError where others are not to be fitted to it."""
    size = Counter(photo.size for photo in photos).most_common(1)[0][0]
    others = [photo.path for photo in photos if photo.size != size]
    if others and fit is None:
        width, height = size
        verb = "is" if len(others) == 1 else "are"
        raise UsageError(
            f"{some(others)} {verb} not {width}×{height} px as the others; add --fit crop, pad or "
            "stretch, or leave such photos out"
        )
    return size


def aligned(burst: Burst, show: Show) -> Burst:
    """Lay the photos onto the one in the middle; those that do not show the same are left out.

    UsageError where less than half of them do, or where all together share too little.
    """
    middle = len(burst.photos) // 2
    show(Stage("aligning the photos", 0.0))
    with limited(1):  # sums over threads round differently for another count
        reference = grey(fitted_photo(burst.photos[middle], burst.size, burst.fit))
        small = reference.shape[1], reference.shape[0]
        views: list[View | None] = []
        for number, name in enumerate(burst.photos):
            show(Stage(f"aligning {Path(name).name}", number / len(burst.photos)))
            if number == middle:
                views.append(np.eye(3))
            else:
                photo = fitted_photo(name, burst.size, burst.fit)
                views.append(view_of(reference, grey(photo)))
    found = [
        (name, enlarged(view, small, burst.size))
        for name, view in zip(burst.photos, views, strict=True)
        if view is not None
    ]
    if 2 * len(found) < len(burst.photos):
        raise UsageError(
            f"most photos do not show the same as {burst.photos[middle]}, so they cannot be "
            "aligned; leave --align out"
        )
    for name, view in zip(burst.photos, views, strict=True):
        if view is None:
            show(Notice(f"{name} does not show the same as the others; it is left out"))
    names, large = zip(*found, strict=True)
    return Burst(names, burst.size, burst.fit, large, common(large, burst.size))


def some(names: Sequence[str]) -> str:
    """The first few, and how many there are.

    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 others'
    """
    more = len(names) - NAMED
    if more > 0:
        return f"{', '.join(names[:NAMED])} and {more} other{'s' if more > 1 else ''}"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

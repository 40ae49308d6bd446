"""Regions of a label image: their parts, areas, mean colours and neighbours."""

from typing import Literal

import numpy as np
import skimage.measure
from numpy.typing import NDArray

from impasto.image.color import Colours, decoded, encoded
from impasto.image.segmentation import Labels

Pairs = NDArray[np.int32]
"""(edges, 2): labels i < j of two regions that share the side of a pixel; sorted, each once."""

Mean = Literal["linear", "srgb"]

PIXELS = 2**20
"""That are summed together, about; what is made of them needs little memory."""


def connected(labels: Labels) -> tuple[Labels, int]:
    """Number the 4-connected parts of equal labels, in the order of their first pixels -> count."""
    parts, count = skimage.measure.label(  # type: ignore[no-untyped-call]
        labels, connectivity=1, background=-1, return_num=True
    )
    return np.asarray(parts - 1, np.int32), int(count)


def adjacency(labels: Labels, count: int) -> Pairs:
    """Which regions touch."""
    keys = []
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        differ = one != other
        i, j = one[differ], other[differ]
        keys.append(np.minimum(i, j).astype(np.int64) * count + np.maximum(i, j))
    return unkeyed(np.concatenate(keys), count)


def unkeyed(keys: NDArray[np.int64], count: int) -> Pairs:
    """Sorted pairs of numbers i * count + j, which may come more than once."""
    keys = np.sort(keys)  # as np.unique, but that hashes, which takes three times as long
    keys = keys[np.append(True, keys[1:] != keys[:-1])] if len(keys) else keys
    return np.stack(np.divmod(keys, count), axis=1).astype(np.int32)


def areas_of(labels: Labels, count: int) -> NDArray[np.int64]:
    """Pixels of each region, (count,)."""
    return np.bincount(labels.ravel(), minlength=count).astype(np.int64)


def mean_colours(
    rgb: Colours, labels: Labels, count: int, mean: Mean, alpha: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Mean of each region, (H, W, 3) sRGB-coded -> (count, 3) sRGB-coded.

    `linear` averages light, `srgb` the values as they are coded. Pixels count by their alpha,
    (H, W); where a whole region is transparent, they all count the same.
    """
    if alpha is not None:
        weights = sums(alpha[..., None], labels, count)[:, 0]
        hidden = weights == 0
        if hidden.any():
            alpha = np.where(hidden[labels], np.float32(1), alpha)
            weights = sums(alpha[..., None], labels, count)[:, 0]
    else:
        weights = areas_of(labels, count).astype(np.float64)
    total = np.zeros((count, 3))
    rows = max(1, PIXELS // labels.shape[1])
    for top in range(0, len(labels), rows):
        strip = slice(top, top + rows)
        values = decoded(rgb[strip]) if mean == "linear" else rgb[strip]
        if alpha is not None:
            values = values * alpha[strip, :, None]
        total += sums(values, labels[strip], count)
    means = (total / weights[:, None]).astype(np.float32)
    return encoded(means) if mean == "linear" else means


def sums(values: NDArray[np.float32], labels: Labels, count: int) -> NDArray[np.float64]:
    """Sum over each region, (H, W, C) or (N, C) and as many labels -> (count, C)."""
    flat = labels.ravel()
    channels = np.moveaxis(values, -1, 0)
    return np.stack([np.bincount(flat, c.ravel(), minlength=count) for c in channels], axis=1)


def halved(labels: Labels, count: int, wanted: int) -> tuple[Labels, int]:
    """Halve the largest regions across their longer side until there are enough -> count.

    A half may be in parts, each of which becomes a region; so there may be more than wanted.
    """
    height, width = labels.shape
    places = np.indices((height, width), np.float32)
    while count < wanted:
        areas = areas_of(labels, count)
        centres = np.stack([sums(p[..., None], labels, count)[:, 0] for p in places]) / areas
        spread = np.stack([sums(p[..., None] ** 2, labels, count)[:, 0] for p in places]) / areas
        spread -= centres**2
        large = np.argsort(-areas, kind="stable")[: wanted - count]
        chosen = np.zeros(count, bool)
        chosen[large] = True
        tall = (spread[0] >= spread[1])[labels]
        beyond = np.where(tall, places[0] > centres[0][labels], places[1] > centres[1][labels])
        labels, count = connected(2 * labels + (beyond & chosen[labels]))
    return labels, count

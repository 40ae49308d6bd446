"""Impasto's superpixels beside scikit-image's SLIC and OpenCV's four methods.

    python -m benchmarks.superpixels PHOTO…

On photos: seconds and explained variance of each, and Impasto's at the same number of regions. On
scenes of known regions: how much of the true borders is found.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import skimage.segmentation
from numpy.typing import NDArray

from benchmarks.machine import warning
from benchmarks.scenes import recall, scene
from impasto.doctor import processor
from impasto.filter_settings import SuperpixelSettings
from impasto.image.color import SPACES, Colours
from impasto.image.read import read
from impasto.image.regions import areas_of, sums
from impasto.image.segmentation import METHODS, Labels
from impasto.image.srgb import to_bits, to_unit
from impasto.image.superpixels import segment

COUNTS = (500, 3000, 10_000)
SCENE_COUNTS = (200, 500, 2000)
SCENES = 5

Bytes = NDArray[np.uint8]
Method = Callable[[Bytes, int], Labels]


def side(pixels: Bytes, count: int) -> int:
    return round(float((pixels.shape[0] * pixels.shape[1] / count) ** 0.5))


def scikit(pixels: Bytes, count: int) -> Labels:
    labels = skimage.segmentation.slic(pixels, n_segments=count, start_label=0, channel_axis=-1)
    return np.asarray(labels, np.int32)


def prepared(pixels: Bytes) -> Bytes:
    """As OpenCV's manual advises: a small blur, and L*a*b*."""
    blurred = cv2.GaussianBlur(pixels, (3, 3), 0)
    return np.asarray(cv2.cvtColor(blurred, cv2.COLOR_RGB2LAB), np.uint8)


def opencv_slic(pixels: Bytes, count: int) -> Labels:
    return _slic(pixels, count, cv2.ximgproc.SLIC)


def opencv_slico(pixels: Bytes, count: int) -> Labels:
    return _slic(pixels, count, cv2.ximgproc.SLICO)


def _slic(pixels: Bytes, count: int, variant: int) -> Labels:
    found = cv2.ximgproc.createSuperpixelSLIC(prepared(pixels), variant, side(pixels, count))
    found.iterate()
    found.enforceLabelConnectivity()
    return np.asarray(found.getLabels(), np.int32)


def opencv_lsc(pixels: Bytes, count: int) -> Labels:
    found = cv2.ximgproc.createSuperpixelLSC(prepared(pixels), side(pixels, count))
    found.iterate()
    found.enforceLabelConnectivity()
    return np.asarray(found.getLabels(), np.int32)


def opencv_seeds(pixels: Bytes, count: int) -> Labels:
    height, width = pixels.shape[:2]
    found = cv2.ximgproc.createSuperpixelSEEDS(width, height, 3, count, 4)
    found.iterate(prepared(pixels), 4)
    return np.asarray(found.getLabels(), np.int32)


PEERS: dict[str, Method] = {
    "scikit-image SLIC": scikit,
    "OpenCV SLIC": opencv_slic,
    "OpenCV SLICO": opencv_slico,
    "OpenCV LSC": opencv_lsc,
    "OpenCV SEEDS": opencv_seeds,
}


def ours(rgb: Colours, count: int, method: str) -> tuple[Labels, float]:
    """Labels and seconds, with the means, areas and neighbours that Impasto finds too."""
    settings = SuperpixelSettings.model_validate({"n": count, "method": method})
    began = time.perf_counter()
    labels = segment(rgb, settings).labels
    return labels, time.perf_counter() - began


def explained(colours: Colours, labels: Labels) -> float:
    """Share of the variance that lies between the regions, not within them."""
    count = int(labels.max()) + 1
    areas = np.maximum(areas_of(labels, count), 1)
    flat = colours.reshape(-1, 3) - colours.reshape(-1, 3).mean(axis=0, dtype=np.float64)
    between = (sums(flat, labels, count) ** 2 / areas[:, None]).sum()
    return float(between / (flat**2).sum(dtype=np.float64))


@dataclass(frozen=True)
class Row:
    """One method on one picture."""

    name: str
    regions: int
    seconds: float
    share: float
    """Of scikit-image's time."""
    srgb: float
    lab: float


def on_photo(rgb: Colours, wanted: int) -> Iterator[Row]:
    """Each peer, and Impasto's default at the peer's number; then all of Impasto's at the first."""
    pixels = to_bits(rgb, 8).astype(np.uint8)
    lab = SPACES["lab"].of(rgb)
    whole, first = 0.0, 0

    def row(name: str, labels: Labels, seconds: float) -> Row:
        regions = len(np.unique(labels))
        quality = explained(rgb, labels), explained(lab, labels)
        return Row(name, regions, seconds, seconds / whole, *quality)

    for name, method in PEERS.items():
        began = time.perf_counter()
        labels = method(pixels, wanted)
        seconds = time.perf_counter() - began
        whole = whole or seconds
        peer = row(name, labels, seconds)
        first = first or peer.regions
        yield peer
        yield row("· Impasto slic", *ours(rgb, peer.regions, "slic"))
    for own in METHODS:
        if own != "slic":
            yield row(f"Impasto {own}", *ours(rgb, first, own))


def photos(paths: list[str]) -> None:
    for path in paths:
        rgb = read(path).rgb
        size = rgb.shape[0] * rgb.shape[1] / 1e6
        for wanted in COUNTS:
            print(f"\n{Path(path).stem}, {size:.1f} MP, {wanted} asked for:\n")
            print("| method | regions | seconds | of scikit-image's | sRGB, % | L\\*a\\*b\\*, % |")
            print("| --- | ---: | ---: | ---: | ---: | ---: |")
            for r in on_photo(rgb, wanted):
                print(
                    f"| {r.name} | {r.regions} | {r.seconds:.2f} | {r.share:.2f}"
                    f" | {100 * r.srgb:.2f} | {100 * r.lab:.2f} |",
                    flush=True,
                )


def scenes() -> None:
    """Boundary recall at 2 px, mean of all scenes."""
    print(
        "\n| method | asked for | regions | recall, % | Impasto slic at as many, % | least lead |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    drawn = [scene(seed) for seed in range(SCENES)]
    for wanted in SCENE_COUNTS:
        for name, method in (
            PEERS | {f"Impasto {own}": own_method(own) for own in METHODS}
        ).items():
            found = []
            for truth, pixels in drawn:
                labels = method(pixels, wanted)
                regions = len(np.unique(labels))
                best, _ = ours(to_unit(pixels), regions, "slic")
                found.append((regions, recall(labels, truth), recall(best, truth)))
            regions, theirs, own = np.mean(found, axis=0)
            least = min(o - t for _, t, o in found)
            print(
                f"| {name} | {wanted} | {regions:.0f} | {100 * theirs:.2f} | {100 * own:.2f}"
                f" | {100 * least:+.2f} |",
                flush=True,
            )


def own_method(name: str) -> Method:
    return lambda pixels, count: ours(to_unit(pixels), count, name)[0]


if __name__ == "__main__":
    print(f"{processor()}; {warning() or 'nothing else runs'}")
    cv2.setRNGSeed(0)
    scenes()
    photos(sys.argv[1:])

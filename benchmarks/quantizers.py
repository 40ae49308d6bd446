"""Impasto's colour quantization beside Pillow's, libimagequant's and scikit-learn's K-means.

    python -m benchmarks.quantizers [--quick] PHOTO…

No one dithers. Times are from pixels in memory to a palette and an index for each pixel: medians of
rounds in which all take turns, fewer of what takes seconds; scikit-learn's is measured once.
`--quick` leaves scikit-learn out above two megapixels.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import imagequant
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features
from sklearn.cluster import KMeans

from benchmarks.machine import warning
from impasto.doctor import processor
from impasto.filter_settings import QuantizeSettings
from impasto.image.difference import Difference, difference
from impasto.image.histogram import codes_of, colours_of
from impasto.image.palette import photo_of, quantize, reduced
from impasto.image.read import read
from impasto.image.srgb import to_bits

COUNTS = (8, 16, 64, 256)
ROUNDS = 5
LONG = 4.0
"""Seconds after which a method has had its turns."""

QUICK_PIXELS = 2_000_000

Bytes = NDArray[np.uint8]

OURS, DEFAULT = "Impasto, `srgb`", "Impasto, `oklab` (default)"
MEDIAN_CUT, SCIKIT = "Pillow, median cut", "scikit-learn, all pixels"
METHODS = {
    MEDIAN_CUT: Image.Quantize.MEDIANCUT,
    "Pillow, maximum coverage": Image.Quantize.MAXCOVERAGE,
    "Pillow, fast octree": Image.Quantize.FASTOCTREE,
    "Pillow, libimagequant": Image.Quantize.LIBIMAGEQUANT,
}


class Ran(NamedTuple):
    """One method on one picture."""

    seconds: float
    found: Difference


def pillow(image: Image.Image, k: int, method: Image.Quantize, kmeans: int) -> Image.Image:
    return image.quantize(k, method, kmeans, dither=Image.Dither.NONE)


def impasto(rgb: NDArray[np.float32], k: int, space: str) -> tuple[Bytes, Bytes]:
    settings = QuantizeSettings.model_validate({"k": k, "space": space})
    palette, indices = reduced(photo_of(rgb, None), settings, None)
    return palette.colours, indices


def scikit(rgb: NDArray[np.float32], k: int) -> tuple[Bytes, Bytes]:
    """Its defaults but one start, in sRGB."""
    found = KMeans(k, n_init=1, random_state=0).fit(rgb.reshape(-1, 3))
    palette = to_bits(found.cluster_centers_, 8).astype(np.uint8)
    return palette, found.labels_.reshape(rgb.shape[:2])


def peers(rgb: NDArray[np.float32], k: int) -> dict[str, Callable[[], object]]:
    """What takes part, by name; each gives a Pillow image, or a palette and indices."""
    image = Image.fromarray(to_bits(rgb, 8).astype(np.uint8))
    named: dict[str, Callable[[], object]] = {
        OURS: lambda: impasto(rgb, k, "srgb"),
        DEFAULT: lambda: impasto(rgb, k, "oklab"),
    }
    for name, method in METHODS.items():
        if method == Image.Quantize.LIBIMAGEQUANT and not features.check("libimagequant"):
            continue
        for kmeans in (0, 1):
            ending = ", `kmeans=1`" if kmeans else ""
            named[name + ending] = partial(pillow, image, k, method, kmeans)
    named["libimagequant"] = lambda: imagequant.quantize_pil_image(
        image, dithering_level=0.0, max_colors=k
    )
    return named


def pixels_of(result: object) -> Bytes:
    if isinstance(result, Image.Image):
        return np.asarray(result.convert("RGB"), np.uint8)
    palette, indices = result  # type: ignore[misc]
    return np.asarray(palette[indices], np.uint8)  # type: ignore[has-type]


def likeness(rgb: NDArray[np.float32], shown: Bytes) -> Difference:
    """Over all pixels; equal pairs of colours are compared once."""
    pairs = codes_of(to_bits(rgb, 8).astype(np.uint8)).astype(np.uint64) << np.uint64(24)
    distinct, counts = np.unique(pairs | codes_of(shown), return_counts=True)
    sides = [colours_of((distinct >> np.uint64(shift)).astype(np.uint32)) for shift in (24, 0)]
    return difference(sides[0], sides[1], counts.astype(np.float64))


def timed(run: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    result = run()
    return time.perf_counter() - began, result


def measured(rgb: NDArray[np.float32], k: int, with_scikit: bool) -> dict[str, Ran]:
    named = peers(rgb, k)
    seconds: dict[str, list[float]] = {name: [] for name in named}
    found: dict[str, Difference] = {}
    for number in range(ROUNDS):
        for name, run in named.items():
            if number and sum(seconds[name]) > LONG:
                continue
            took, result = timed(run)
            seconds[name].append(took)
            if number == 0:
                found[name] = likeness(rgb, pixels_of(result))
    table = {name: Ran(statistics.median(seconds[name]), found[name]) for name in named}
    if with_scikit:
        took, result = timed(lambda: scikit(rgb, k))
        table[SCIKIT] = Ran(took, likeness(rgb, pixels_of(result)))
    return table


def rows(table: dict[str, Ran]) -> Iterator[str]:
    """A line of Markdown for each, beside Impasto's time in the same space as the others."""
    own = table[OURS].seconds
    for name, (seconds, found) in table.items():
        yield (
            f"| {name} | {seconds:.3f} | {seconds / own:.1f} | {found.psnr:.2f} "
            f"| {found.ciede2000:.2f} |"
        )


def failures(table: dict[str, Ran], megapixels: float) -> Iterator[str]:
    """What is promised and did not come out so."""
    own = table[OURS]
    for name, ran in table.items():
        if name.startswith("Pillow") and ran.found.psnr >= own.found.psnr:
            yield f"{name} is closer"
    if megapixels >= 12 and table[MEDIAN_CUT].seconds < own.seconds:
        yield "median cut is faster"
    if SCIKIT in table:
        if table[SCIKIT].found.psnr > own.found.psnr + 0.15:
            yield "scikit-learn is more than 0.15 dB closer"
        if own.seconds > table[SCIKIT].seconds / 10:
            yield "more than a tenth of scikit-learn's time"


def dithering(rgb: NDArray[np.float32], k: int) -> str:
    """The whole function with Floyd and Steinberg's dithering, likeness and all."""
    settings = QuantizeSettings(k=k, dither="floyd-steinberg")
    seconds, _ = timed(lambda: quantize(rgb, settings))
    return f"Dithered, with its likeness: {seconds:.2f} s"


def main(arguments: list[str]) -> None:
    quick = "--quick" in arguments
    busy = warning()
    print(processor(), *([f"\n{busy}"] if busy else []))
    wrong: list[str] = []
    for path in (Path(argument) for argument in arguments if argument != "--quick"):
        rgb = read(str(path)).rgb
        megapixels = rgb.shape[0] * rgb.shape[1] / 1e6
        for k in COUNTS:
            print(f"\n`{path.stem}`, {megapixels:.1f} megapixels, K = {k}\n")
            print("| method | seconds | times Impasto's | PSNR, dB | mean CIEDE2000 |")
            print("| --- | ---: | ---: | ---: | ---: |")
            table = measured(rgb, k, not quick or megapixels * 1e6 <= QUICK_PIXELS)
            print("\n".join(rows(table)))
            print(f"\n{dithering(rgb, k)}", flush=True)
            wrong += [f"{path.stem}, K = {k}: {what}" for what in failures(table, megapixels)]
    print("\nAll promises are kept." if not wrong else "\n" + "\n".join(wrong))


if __name__ == "__main__":
    main(sys.argv[1:])

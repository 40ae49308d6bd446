"""Which space makes quantized photos look closest.

    python -m benchmarks.quantizer_spaces PHOTO…

Each photo is reduced to 600 px. Means over the photos: of CIEDE2000; of CIEDE2000 behind a blur of
1.5 px in linear light, as from farther away; and of the structural dissimilarity of lightness.
`oklab-plain` is OKLab without Impasto's weight of chroma.
"""

import sys

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import deltaE_ciede2000
from skimage.metrics import structural_similarity

from impasto.filter_settings import QuantizeSettings
from impasto.image import metric
from impasto.image.color import Colours, decoded, light_to_lab
from impasto.image.palette import photo_of, reduced
from impasto.image.read import read
from impasto.image.srgb import to_bits, to_unit

COUNTS = (8, 16, 64, 256)
SPACES = ("srgb", "linear", "lab", "oklab-plain", "oklab")
SIDE, BLUR = 600, 1.5
WEIGHTED, PLAIN = metric.CHROMA.copy(), np.ones(3, np.float32)


def small(path: str) -> NDArray[np.float32]:
    image = Image.fromarray(to_bits(read(path).rgb, 8).astype(np.uint8))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return to_unit(np.asarray(image, np.uint8))


def quantized(rgb: NDArray[np.float32], k: int, space: str) -> NDArray[np.float32]:
    metric.CHROMA[:] = PLAIN if space == "oklab-plain" else WEIGHTED
    name = space.removesuffix("-plain")
    settings = QuantizeSettings.model_validate({"k": k, "space": name})
    palette, indices = reduced(photo_of(rgb, None), settings, None)
    return to_unit(palette.colours[indices])


def lab(rgb: NDArray[np.float32], blurred: bool) -> Colours:
    light = decoded(rgb)
    if blurred:
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), BLUR), np.float32)
    return light_to_lab(light)


def judged(rgb: NDArray[np.float32], shown: NDArray[np.float32]) -> tuple[float, float, float]:
    near, far = (
        float(deltaE_ciede2000(lab(rgb, blur), lab(shown, blur)).mean())  # type: ignore[no-untyped-call]
        for blur in (False, True)
    )
    sides = (lab(side, False)[..., 0] for side in (rgb, shown))
    return near, far, 1 - float(structural_similarity(*sides, data_range=100))  # type: ignore[no-untyped-call]


def main(paths: list[str]) -> None:
    photos = [small(path) for path in paths]
    print("| K | space | CIEDE2000 | behind a blur | 1 - SSIM of lightness |")
    print("| ---: | --- | ---: | ---: | ---: |")
    for k in COUNTS:
        for space in SPACES:
            means = np.mean([judged(rgb, quantized(rgb, k, space)) for rgb in photos], axis=0)
            print(f"| {k} | {space} | {means[0]:.2f} | {means[1]:.2f} | {means[2]:.3f} |")


if __name__ == "__main__":
    main(sys.argv[1:])

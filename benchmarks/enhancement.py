"""What enhancement restores, and how long it takes: the tables of docs/enhance.md.

    python -m benchmarks.enhancement [PHOTO]

Without a photo, times are those of a sample enlarged to 24 megapixels. The chart is the one that
the tests restore.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.restoration import denoise_nl_means

from benchmarks.machine import described, warning
from impasto.filter_settings import EnhanceSettings
from impasto.image.adjust import enhance
from impasto.image.auto import auto
from impasto.image.denoise import denoised
from impasto.image.read import read
from impasto.image.samples import photo
from impasto.image.srgb import to_unit

Picture = NDArray[np.float32]

SIZE = 6000, 4000
SIGMAS = 0.02, 0.06
NOISY = "astronaut", "coffee", "chelsea"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.enhancement")
    parser.add_argument("photo", type=Path, nargs="?", help="whose times are taken")
    chosen = parser.parse_args().photo
    print(described())
    if busy := warning():
        print(busy)
    noise_table()
    times(read(chosen).rgb if chosen else enlarged())


def enlarged() -> Picture:
    """24 megapixels of a sample, (4000, 6000, 3)."""
    big = cv2.resize(to_unit(photo("coffee")), SIZE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(big, 0, 1), np.float32)


def noise_table() -> None:
    """PSNR of each denoiser on photos with known noise, and its time a megapixel."""
    ways: dict[str, Callable[[Picture, float], Picture]] = {
        "noisy": lambda rgb, _: rgb,
        "impasto": lambda rgb, _: denoised(rgb, 1),
        "bilateral (OpenCV)": bilateral,
        "guided (OpenCV)": guided,
        "non-local means (scikit-image)": means,
        "non-local means, 8 bits (OpenCV)": means_of_bytes,
    }
    for name, way in ways.items():
        row, seconds, pixels = [], 0.0, 0
        for sigma in SIGMAS:
            for sample in NOISY:
                clean = to_unit(photo(sample))[:288, :400]
                grain = np.random.default_rng(1).normal(0, sigma, clean.shape)
                rgb = np.clip(clean + grain, 0, 1).astype(np.float32)
                began = time.perf_counter()
                out = way(rgb, sigma)
                seconds += time.perf_counter() - began
                pixels += rgb.shape[0] * rgb.shape[1]
                row.append(psnr(clean, out))
        cells = np.reshape(row, (len(SIGMAS), -1)).mean(axis=1)
        levels = "  ".join(f"{cell:5.2f} dB" for cell in cells)
        print(f"{name:34} {levels}  {seconds / pixels * 1e6:6.3f} s a megapixel")


def psnr(clean: Picture, out: Picture) -> float:
    return float(-10 * np.log10(((np.clip(out, 0, 1) - clean) ** 2).mean()))


def bilateral(rgb: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.bilateralFilter(rgb, 7, 3 * sigma, 2.0), np.float32)


def guided(rgb: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.ximgproc.guidedFilter(rgb, rgb, 3, (2 * sigma) ** 2), np.float32)


def means(rgb: Picture, sigma: float) -> Picture:
    out = denoise_nl_means(
        rgb, patch_size=5, patch_distance=6, h=0.6 * sigma, sigma=sigma, channel_axis=2
    )
    return np.asarray(out, np.float32)


def means_of_bytes(rgb: Picture, sigma: float) -> Picture:
    strength = 255 * 0.8 * sigma
    whole = np.rint(rgb * 255).astype(np.uint8)
    out = cv2.fastNlMeansDenoisingColored(whole, None, strength, strength, 7, 21)
    return np.asarray(np.asarray(out) / 255, np.float32)


def times(rgb: Picture) -> None:
    """Seconds of auto, of what it chose, and of each step alone."""
    print(f"{rgb.shape[1]}×{rgb.shape[0]} px")
    began = time.perf_counter()
    chosen = auto(rgb)
    print(f"{'choosing':34} {time.perf_counter() - began:6.2f} s")
    steps = {"auto, as chosen": chosen} | {
        name: EnhanceSettings.model_validate({name: 1})
        for name in ("white_balance", "levels", "local_contrast", "vibrance", "sharpen", "denoise")
    }
    for name, settings in steps.items():
        began = time.perf_counter()
        enhance(rgb, settings)
        print(f"{name:34} {time.perf_counter() - began:6.2f} s")


if __name__ == "__main__":
    main()

"""Photos on disk as cameras leave them: bursts with known shake, times, other sizes."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.image.samples import photo

Bytes = NDArray[np.uint8]
View = NDArray[np.float64]

TAKEN, FRACTION = 0x9003, 0x9291


def shaken(
    count: int, name: str = "coffee", size: tuple[int, int] = (240, 160), seed: int = 4
) -> tuple[list[Bytes], list[View]]:
    """A photo taken again and again with hands that are not quite still, and camera noise.

    Turned by about 0.7°, nearer by 0.8 %, moved by 5 px, tilted a little. Also returned: where each
    pixel of a photo lies in the scene, (3, 3).
    """
    random, whole, (width, height) = np.random.default_rng(seed), photo(name), size
    left, top = (whole.shape[1] - width) / 2, (whole.shape[0] - height) / 2
    middle = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1]])
    photos, views = [], []
    for _ in range(count):
        angle, nearer = random.normal(0, 0.012), 1 + random.normal(0, 0.008)
        cos, sin = nearer * np.cos(angle), nearer * np.sin(angle)
        (right, down), tilt = random.normal(0, 5, 2), random.normal(0, 1e-5, 2)
        hand = np.array([[cos, -sin, right], [sin, cos, down], [*tilt, 1]])
        view = np.array([[1, 0, left], [0, 1, top], [0, 0, 1]]) @ middle @ hand
        view = view @ np.linalg.inv(middle)
        seen = cv2.warpPerspective(whole, view, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        noise = random.normal(0, 3, seen.shape)
        photos.append(np.rint(seen + noise).clip(0, 255).astype(np.uint8))
        views.append(view)
    return photos, views


def written(
    folder: Path, photos: Sequence[Bytes], names: Sequence[str] | None = None
) -> list[Path]:
    """Write photos as PNG; img_1.png and so on, if they have no names."""
    folder.mkdir(exist_ok=True)
    paths = [folder / name for name in names or [f"img_{i + 1}.png" for i in range(len(photos))]]
    for pixels, path in zip(photos, paths, strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def timed(path: Path, colour: int, moment: str, fraction: str = "") -> Path:
    """A JPEG that says when it was taken, as 2024:06:30 12:00:00 and the digits of a fraction."""
    image = Image.new("RGB", (32, 24), (colour, colour, colour))
    exif = Image.Exif()
    capture = {TAKEN: moment} | ({FRACTION: fraction} if fraction else {})
    exif[0x8769] = capture
    image.save(path, exif=exif)
    return path

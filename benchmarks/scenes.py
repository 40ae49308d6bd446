"""Pictures of known regions, and how much of their borders a segmentation finds."""

import cv2
import numpy as np
from numpy.typing import NDArray

from impasto.image.segmentation import Labels

SHAPES = 60
HEIGHT, WIDTH = 480, 720


def scene(seed: int) -> tuple[Labels, NDArray[np.uint8]]:
    """Draw polygons and ellipses with stripes, shading, blurred borders and noise.

    Returns which shape each pixel shows, (H, W), and the picture, (H, W, 3) sRGB.
    """
    random = np.random.default_rng(seed)
    truth = np.zeros((HEIGHT, WIDTH), np.int32)
    for shape in range(1, SHAPES):
        _draw(truth, shape, random)
    y, x = np.mgrid[:HEIGHT, :WIDTH] / WIDTH - 0.5
    picture = random.uniform(0.1, 0.9, (SHAPES, 3))[truth]
    angle = random.uniform(0, np.pi, SHAPES)[truth]
    waves = random.uniform(30, 600, SHAPES)[truth]
    striped = (random.uniform(0, 0.08, SHAPES) * (random.random(SHAPES) < 0.5))[truth]
    stripes = striped * np.sin(waves * (x * np.cos(angle) + y * np.sin(angle)))
    slopes = random.uniform(-0.1, 0.1, (2, SHAPES, 3))[:, truth]
    picture += stripes[..., None] + slopes[0] * x[..., None] + slopes[1] * y[..., None]
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.6), np.float64)
    picture += random.normal(0, 0.03, (HEIGHT, WIDTH, 1))
    picture += random.normal(0, 0.015, (HEIGHT, WIDTH, 3))
    return truth, np.rint(picture.clip(0, 1) * 255).astype(np.uint8)


def _draw(truth: Labels, shape: int, random: np.random.Generator) -> None:
    """Put one shape over the others."""
    centre = random.uniform(0, 1, 2) * (WIDTH, HEIGHT)
    radius = random.uniform(0.03, 0.2) * WIDTH
    if random.random() < 0.5:
        axes = (int(radius), int(radius * random.uniform(0.3, 1)))
        middle = (int(centre[0]), int(centre[1]))
        cv2.ellipse(truth, middle, axes, random.uniform(0, 180), 0, 360, shape, -1)
        return
    corners = int(random.integers(3, 8))
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    radii = radius * random.uniform(0.5, 1.2, corners)
    places = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    cv2.fillPoly(truth, [places.astype(np.int32)], shape)


def recall(labels: Labels, truth: Labels, within: int = 2) -> float:
    """Share of the true borders' pixels that have one of the labels' borders within some px."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * within + 1, 2 * within + 1))
    near = cv2.dilate(_borders(labels).astype(np.uint8), disc) > 0
    return float(near[_borders(truth)].mean())


def _borders(labels: Labels) -> NDArray[np.bool_]:
    """Pixels that differ from the next one to the right or below."""
    found = np.zeros(labels.shape, bool)
    found[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    found[:-1] |= labels[1:] != labels[:-1]
    return found

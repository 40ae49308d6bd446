"""Colours of a high dynamic range or a wide gamut, as sRGB shows them."""

import numpy as np
from numpy.typing import NDArray

from impasto.image.color import decoded, encoded

RGB = NDArray[np.float32]
"""(H, W, 3), in [0, 1]."""

PQ, HLG = 16, 18
"""ITU-T H.273's numbers of the transfers of BT.2100."""

WIDE = {
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
"""{primaries, as ITU-T H.273 numbers them: x and y of red, green and blue}: BT.2020, Display P3.

The white of both is that of sRGB.
"""

SRGB = (0.640, 0.330), (0.300, 0.600), (0.150, 0.060)
WHITE = 0.3127, 0.3290

REFERENCE_WHITE = 203.0
"""cd/m² of paper in a graded picture (BT.2408, section 2.1), and of the screen's white here."""

PEAK = 1000.0
"""cd/m² of the brightest that is told apart: HLG's nominal peak, and what most films keep to."""


def to_screen(rgb: RGB, transfer: int, primaries: int) -> RGB:
    """R′G′B′ as a file has it -> sRGB, which is all that a usual screen shows.

    High dynamic range (PQ, HLG) is brought to the screen's by the curve of BT.2390, which leaves
    the dark alone and bends the bright; it bends the brightest of the three colours and takes the
    others along, so that no hue turns. What is outside the gamut is cut.
    """
    light = bent(light_of(rgb, transfer)) if transfer in (PQ, HLG) else decoded(rgb)
    if primaries in WIDE:
        matrix = np.linalg.solve(to_xyz(SRGB), to_xyz(WIDE[primaries]))
        light = light @ matrix.T.astype(np.float32)
    return encoded(light.clip(0, 1))


def light_of(signal: RGB, transfer: int) -> RGB:
    """Light on the display, cd/m², of a PQ or HLG signal (BT.2100-2, tables 4 and 5)."""
    if transfer == PQ:
        return pq_light(signal)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    low = signal**2 / 3
    high = (np.exp((signal - np.float32(c)) / np.float32(a)) + np.float32(b)) / 12
    scene = np.where(signal <= 0.5, low, high)
    luma = scene @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    # The OOTF of a display of 1000 cd/m²: its gamma is 1.2.
    return np.asarray(PEAK * luma[..., None] ** np.float32(0.2) * scene, np.float32)


M1, M2 = 2610 / 16384, 2523 / 4096 * 128
C1, C2, C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def pq_light(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """cd/m² of a PQ signal in [0, 1] (BT.2100-2, table 4)."""
    power = signal ** np.float32(1 / M2)
    ratio = np.maximum(power - np.float32(C1), 0) / (np.float32(C2) - np.float32(C3) * power)
    return np.asarray(10_000 * ratio ** np.float32(1 / M1), np.float32)


def pq_signal(light: NDArray[np.float32]) -> NDArray[np.float32]:
    """PQ signal in [0, 1] of cd/m², the inverse."""
    power = (light / np.float32(10_000)) ** np.float32(M1)
    ratio = (np.float32(C1) + np.float32(C2) * power) / (1 + np.float32(C3) * power)
    return np.asarray(ratio ** np.float32(M2), np.float32)


def bent(light: RGB) -> RGB:
    """Light from 0 to `PEAK` cd/m² -> light on a screen, 1 its white (BT.2390-11, 5.4.1).

    The curve is a Hermite spline in the steps that the eye sees, PQ's; black stays black.
    """
    brightest = np.maximum(light.max(2, keepdims=True), np.float32(1e-4))
    peak, white = pq_signal(np.array([PEAK, REFERENCE_WHITE], np.float32))
    seen = np.minimum(pq_signal(brightest) / peak, 1)
    most = white / peak
    knee = 1.5 * most - 0.5
    along = (seen - knee) / (1 - knee)
    spline = (
        (2 * along**3 - 3 * along**2 + 1) * knee
        + (along**3 - 2 * along**2 + along) * (1 - knee)
        + (3 * along**2 - 2 * along**3) * most
    )
    target = pq_light(np.where(seen < knee, seen, spline) * peak) / np.float32(REFERENCE_WHITE)
    return np.asarray(light * (target / brightest), np.float32)


def to_xyz(primaries: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """From linear RGB of given primaries to XYZ, (3, 3), white D65."""
    x, y = np.array([*primaries, WHITE]).T
    columns = np.stack([x / y, np.ones(4), (1 - x - y) / y])
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3])

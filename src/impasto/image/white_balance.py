"""White balance: a cast is taken out by a gain for each channel in linear light (von Kries 1902).

**Departure**: the gains act on linear sRGB instead of cone responses, for there they can never push
a colour below black.
"""

import numpy as np
from numpy.typing import NDArray

from impasto.image.color import TO_XYZ, Colours, decoded

Gains = NDArray[np.float32]
"""(3,), linear light; a grey of the cast's colour keeps its luminance."""

HARDNESS = 8
"""Of the shoulder below white."""

DARKEST = 1e-4
"""Linear light of the darkest channel that can still say what is neutral."""

LARGEST = 8.0
"""Of a channel's gain."""


def gains_against(cast: NDArray[np.floating]) -> Gains:
    """Gains that turn a linear colour (3,) grey without changing its luminance."""
    light = np.maximum(np.asarray(cast, np.float64), DARKEST)
    white = light / (TO_XYZ[1] @ light / TO_XYZ[1].sum())
    return np.asarray(1 / np.clip(white, 1 / LARGEST, LARGEST), np.float32)


def gains_for(neutral: tuple[int, int, int]) -> Gains:
    """Gains that turn a colour of 8 bits a channel, sRGB-encoded, grey."""
    return gains_against(decoded(np.array(neutral, np.float32) / np.float32(255)))


def weakened(gains: Gains, strength: float) -> Gains:
    """Gains of a part of a cast's removal, 0 to 1, in equal steps to the eye (powers)."""
    return np.asarray(gains ** np.float32(strength))


def balanced(light: Colours, gains: Gains) -> Colours:
    """Multiply linear sRGB (..., 3) by gains, with a shoulder that keeps white white.

    g x / (1 + (g^p - 1) m^p)^(1/p): nearly g x in the midtones. For gains above 1, m is the
    channel itself, so that nothing inside [0, 1] reaches 1. For gains below 1, m is the darkest
    channel: only what is bright in all of them, and so was burnt out, keeps its white.
    """
    if (gains == 1).all():
        return light
    darkest = np.minimum(np.minimum(light[..., 0], light[..., 1]), light[..., 2])
    planes = []
    for channel, gain in enumerate(gains):
        plane = light[..., channel]
        bright = (plane if gain > 1 else darkest) ** HARDNESS
        under = (1 + (gain**HARDNESS - 1) * bright) ** np.float32(1 / HARDNESS)
        planes.append(gain * plane / under)
    return np.stack(planes, axis=-1)

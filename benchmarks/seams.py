"""Whether tiles leave seams: how steep a painted picture is across their borders and elsewhere.

    python -m benchmarks.seams [--photo PHOTO] [--style STYLE] [--size 2048] [--picture FILE]

Paints (or reads what was painted at that size) and compares the mean absolute difference from row
to row at the borders of tiles with that of the rows around them, and of all rows. The pictures
themselves are uneven, so as many rows elsewhere are drawn a thousand times to tell chance apart.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import impasto
from impasto.image.read import read
from impasto.neural.device import choose_device, choose_precision, keep_freed_memory
from impasto.neural.tiles import segments, tile_rows
from impasto.neural.vgg import halvings

NEAR = 16
"""Rows on either side of a border that it is compared with."""


def borders(
    width: int, height: int, dtype: torch.dtype, device: torch.device
) -> dict[str, list[int]]:
    """{segment: rows of the picture at which its tiles begin}, the first row left out."""
    rows = tile_rows(width, dtype, device)
    found = {}
    for segment in segments("relu5_1"):
        halved = halvings(segment.layers[0])
        tiles = segment.tiles(height >> halved, rows)
        found[f"{segment.layers[0]} to {segment.layers[-1]}"] = [t.top << halved for t in tiles[1:]]
    return found


def steepness(rgb: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean absolute difference of each row from the one before, (H,); 0 for the first."""
    differences = np.abs(np.diff(rgb.astype(np.float64), axis=0)).mean(axis=(1, 2))
    return np.concatenate([[0.0], differences])


def compared(steep: NDArray[np.float64], tops: list[int]) -> tuple[float, float, float]:
    """At borders over near them, over everywhere, and how far chance alone strays from 1."""
    at = np.array(tops)
    near = np.unique(
        np.concatenate([np.r_[top - NEAR : top, top + 1 : top + NEAR + 1] for top in at])
    )
    near = near[(near > 0) & (near < len(steep)) & ~np.isin(near, at)]
    rng = np.random.default_rng(0)
    shifts = rng.integers(-NEAR, NEAR + 1, (1000, len(at)))
    drawn = steep[np.clip(at + shifts, 1, len(steep) - 1)].mean(axis=1) / steep[near].mean()
    return (
        steep[at].mean() / steep[near].mean(),
        steep[at].mean() / steep[1:].mean(),
        float(drawn.std()),
    )


def main() -> None:
    """Paint and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photo", default="sample:coffee")
    parser.add_argument("--style", default="sample:spirograph")
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--picture", type=Path, help="a picture that was painted before")
    given = parser.parse_args()
    keep_freed_memory()
    if given.picture is not None:
        rgb = read(given.picture).rgb
    else:
        rgb = impasto.paint(given.photo, given.style, size=given.size).picture.rgb
    height, width = rgb.shape[:2]
    device = choose_device("auto")
    steep = steepness(rgb)
    print(f"{width}x{height} px; steepness at borders of tiles over that of")
    print("| tiles of | borders | rows near them | all rows | chance (1 sigma) |")
    print("| --- | ---: | ---: | ---: | ---: |")
    found = borders(width, height, choose_precision("auto", device), device)
    everything = sorted({top for tops in found.values() for top in tops})
    for name, tops in (*found.items(), ("all", everything)):
        if tops:
            near, overall, chance = compared(steep, tops)
            print(f"| {name} | {len(tops)} | {near:.4f} | {overall:.4f} | {chance:.4f} |")


if __name__ == "__main__":
    main()

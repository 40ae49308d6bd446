"""A few steps of the recipe in a process of its own; prints the seconds of each."""

import argparse
import json
from itertools import islice
from pathlib import Path

from benchmarks import reference


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photo", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    args = parser.parse_args()
    layers = reference.network()
    content, style = (reference.load(path, args.size) for path in (args.photo, args.style))
    target = reference.targets(layers, content, style)
    for _, _, seconds in islice(reference.steps(layers, content, target), args.steps):
        print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()

"""A collection beside separate paintings, and whether it survives: 8 photos × 5 styles at 128 px.

    python -m benchmarks.batches [--size 128] [--rounds 1] [--kills 10] [--seed 0]

The collection is painted by one `impasto batch` and by 40 times `impasto paint`, by turns, and the
files are compared. With `--kills` it is painted once more by a run that is killed with SIGKILL at
random moments, as often as is asked for, each time followed by the same command: its files have to
be those of the run in peace, and what the manifest held has to stay as it was. It also counts how
often targets were computed.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import product
from pathlib import Path
from statistics import median

from PIL import Image, ImageOps
from rich.console import Console

from benchmarks import machine
from benchmarks.process import run
from impasto.image.samples import PHOTOS, photo, style

PROGRAM = (sys.executable, "-m", "impasto.cli")
LONGEST = 6.0
"""Seconds that a run lives on at most after it has begun to paint."""

console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batches", description=__doc__)
    parser.add_argument("--size", type=int, default=128, help="default: 128")
    parser.add_argument("--rounds", type=int, default=1, help="of the comparison (default: 1)")
    parser.add_argument("--kills", type=int, default=0, help="default: 0")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    args = parser.parse_args()
    console.print(machine.described())
    console.print(machine.warning() or "nothing else is running")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        provide(folder)
        same = compare(folder, args.size, args.rounds)
        if args.kills:
            same &= survive(folder, args.size, args.kills, args.seed)
    sys.exit(0 if same else 1)


def provide(folder: Path) -> None:
    """Make 8 photos and 5 styles, of those that come with Impasto."""
    photos, styles = folder / "photos", folder / "styles"
    photos.mkdir()
    styles.mkdir()
    for name in PHOTOS:
        whole = Image.fromarray(photo(name))
        whole.save(photos / f"{name}.png")
        width, height = whole.size
        ImageOps.mirror(whole.crop((0, 0, width * 3 // 4, height))).save(photos / f"{name}-2.png")
    tiles, rings = (Image.fromarray(style(name, 512)) for name in ("mosaic", "spirograph"))
    tiles.save(styles / "tiles.png")
    tiles.crop((0, 0, 256, 256)).save(styles / "large.png")
    rings.save(styles / "rings.png")
    ImageOps.invert(rings).save(styles / "dark.png")
    rings.crop((128, 128, 384, 384)).save(styles / "knot.png")


def batch(folder: Path, size: int, output: Path) -> list[str]:
    """The command that paints all."""
    inputs = (str(folder / "photos"), str(folder / "styles"))
    return [*PROGRAM, "batch", *inputs, "-o", str(output), "--size", str(size), "-q", "--json"]


def compare(folder: Path, size: int, rounds: int) -> bool:
    """Time both ways by turns; whether their files are the same."""
    pairs = list(product(*(sorted((folder / name).iterdir()) for name in ("photos", "styles"))))
    together, apart, same = [], [], True
    for number in range(rounds):
        output, alone = folder / f"art-{number}", folder / f"alone-{number}"
        done = run(batch(folder, size, output))
        facts = done.lines[0]
        together.append(done.seconds)
        alone.mkdir()
        seconds = 0.0
        for own, after in pairs:
            file = alone / f"{own.stem}--{after.stem}.png"
            words = (str(own), "--style", str(after), "--size", str(size), "-q", "-o", str(file))
            seconds += run([*PROGRAM, "paint", *words]).seconds
        apart.append(seconds)
        same &= pictures(output) == pictures(alone)
        rates = [f"{60 * len(pairs) / each[-1]:.1f}" for each in (together, apart)]
        console.print(
            f"{len(pairs)} pictures of {size} px: {rates[0]} a minute by batch, {rates[1]} by "
            f"paint; {facts['targets']} targets computed"
        )
    console.print(
        f"batch is {median(apart) / median(together):.2f} times as fast; "
        f"{'the same files' if same else 'OTHER FILES'}"
    )
    return same


def survive(folder: Path, size: int, kills: int, seed: int) -> bool:
    """Kill runs at random moments; whether the last one ends with the pictures of one in peace."""
    moments, output, untouched = random.Random(seed), folder / "hunted", True
    manifest, known = output / "manifest.jsonl", dict[str, int]()
    killed = 0
    while killed < kills:
        process = subprocess.Popen(batch(folder, size, output), stdout=subprocess.DEVNULL)
        lines = count(manifest)
        while process.poll() is None and count(manifest) == lines and lines < 40:
            time.sleep(0.01)
        time.sleep(moments.uniform(0, LONGEST) / kills)
        if process.poll() is not None:
            console.print("all was done before the last kill")
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed += 1
        found = recorded(manifest)
        untouched &= all((output / name).stat().st_mtime_ns == at for name, at in known.items())
        known = {name: (output / name).stat().st_mtime_ns for name in found}
    subprocess.run(batch(folder, size, output), stdout=subprocess.DEVNULL, check=True)
    untouched &= all((output / name).stat().st_mtime_ns == at for name, at in known.items())
    twice = [name for name, times in Counter(recorded(manifest)).items() if times > 1]
    same = pictures(output) == pictures(folder / "art-0")
    console.print(
        f"killed {killed} times: {'the same pictures' if same else 'OTHER PICTURES'}; what was "
        f"recorded is {'untouched' if untouched else 'PAINTED AGAIN'}, and {len(twice)} are twice"
    )
    return same and untouched and not twice and killed == kills


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def count(manifest: Path) -> int:
    return manifest.read_bytes().count(b"\n") if manifest.exists() else 0


def recorded(manifest: Path) -> list[str]:
    """Names in whole lines; a run that was killed may have left the beginning of another."""
    if not manifest.exists():
        return []
    lines = manifest.read_bytes().split(b"\n")[:-1]
    return [json.loads(line)["name"] for line in lines]


if __name__ == "__main__":
    main()

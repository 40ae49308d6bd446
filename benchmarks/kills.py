"""Whether a film survives: `python -m benchmarks.kills`.

A film is made once in peace. Then it is made again by a run that is killed at random moments, as
often as is asked for, each time followed by the same command; at the end both files are compared,
byte for byte.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from impasto.motion.job_folder import folder_of
from impasto.motion.store import numbered

SETTLED = 60
"""Seconds that the last run may take."""

console = Console(highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kills", description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--kills", type=int, default=20, help="default: 20")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    parser.add_argument("options", nargs="+", help="of impasto video, after --")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        calm, hunted = (Path(folder, f"{name}.mp4") for name in ("calm", "hunted"))
        began = time.perf_counter()
        subprocess.run(command(args.clip, calm, args.options), check=True)
        peace = time.perf_counter() - began
        console.print(f"in peace: {peace:.1f} s, {calm.stat().st_size:,} bytes")
        told = kill(args.clip, hunted, args.options, args.kills, args.seed, peace)
        same = hunted.read_bytes() == calm.read_bytes()
        left = sorted(path.name for path in Path(folder).iterdir())
    console.print(
        f"killed {told} times: {'the same file' if same else 'ANOTHER FILE'}; left: {left}"
    )
    sys.exit(0 if same and told == args.kills and left == ["calm.mp4", "hunted.mp4"] else 1)


def command(clip: Path, output: Path, options: Sequence[str]) -> list[str]:
    return [
        *(sys.executable, "-m", "impasto.cli", "video", str(clip)),
        *("-o", str(output), "--quiet", *options),
    ]


def kill(
    clip: Path, output: Path, options: Sequence[str], times: int, seed: int, peace: float
) -> int:
    """Kill a run and start it again, and let the last one end; how often it was killed.

    A run lives for a share of what the whole takes; one that has ended before does not count.
    """
    moments, killed = random.Random(seed), 0
    while killed < times:
        process = subprocess.Popen(command(clip, output, options))
        try:
            process.wait(moments.uniform(0, 2.2 * peace / times + 0.3 * peace))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
            folder = folder_of(output)
            frames = len(numbered(folder)) if folder.exists() else 0
            console.print(f"killed with {frames} frames" + (", written" if output.exists() else ""))
        else:
            console.print(f"ended with status {process.returncode}: once more")
            output.unlink(missing_ok=True)
    subprocess.run(command(clip, output, options), check=True, timeout=SETTLED + 10 * peace)
    return killed


if __name__ == "__main__":
    main()

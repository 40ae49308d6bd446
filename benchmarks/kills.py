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
from contextlib import suppress
from pathlib import Path

from rich.console import Console

from impasto.motion.job_folder import folder_of
from impasto.motion.store import numbered

MOST_NEW = 3
"""Frames that a run may make before it is killed."""

LONGEST = 0.2
"""Seconds that it may live on then."""

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
        told = kill(args.clip, hunted, args.options, args.kills, args.seed)
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


def kill(clip: Path, output: Path, options: Sequence[str], times: int, seed: int) -> int:
    """Kill a run and start it again, and let the last one end; how often it was killed.

    A run dies a moment after it has made a few frames, or while it writes the film. One that has
    ended before does not count, and all begins anew.
    """
    moments, killed = random.Random(seed), 0
    while killed < times:
        process = subprocess.Popen(command(clip, output, options))
        wait_for(process, output, there(output) + moments.randint(0, MOST_NEW))
        with suppress(subprocess.TimeoutExpired):
            process.wait(moments.uniform(0, LONGEST))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if output.exists() and not folder_of(output).exists():
            console.print("all was done: once more")
            output.unlink()
        else:
            killed += 1
            console.print(f"killed with {there(output)} frames{state(output)}")
    subprocess.run(command(clip, output, options), check=True)
    return killed


def there(output: Path) -> int:
    """Frames that are finished."""
    return len(numbered(folder_of(output)))


def wait_for(process: "subprocess.Popen[bytes]", output: Path, frames: int) -> None:
    """Until so many frames are finished, or all of them, or the run has ended."""
    while process.poll() is None and there(output) < frames and not written(output):
        time.sleep(0.005)


def state(output: Path) -> str:
    """How far the film itself was."""
    if output.exists():
        return ", which are a film already"
    return ", which were being written" if written(output) else ""


def written(output: Path) -> bool:
    """Whether the film is being written."""
    return any(folder_of(output).glob(".impasto-*.mp4"))


if __name__ == "__main__":
    main()

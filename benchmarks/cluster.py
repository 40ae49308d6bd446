"""A collection on a Ray cluster of this machine: 8 photos × 5 styles, by two workers and by one.

    python -m benchmarks.cluster [--size 128] [--rounds 1] [--workers 2]

Each worker computes with one thread. Both paint the same files. Throughput is that between the
first artwork and the last: a cluster is started once, and each worker loads its network once,
whatever the collection's size. The driver's seconds are those of its processor: reading, sending,
receiving, writing, thumbnails, manifest, gallery.
"""

import argparse
import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks import machine
from benchmarks.batches import batch, pictures, provide

HEAD = """
import ray, sys
ray.init(num_cpus=int(sys.argv[1]), include_dashboard=False, log_to_driver=False)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""

console = Console(highlight=False)


@dataclass(frozen=True)
class Run:
    """What a run took."""

    pictures: int
    seconds: float
    """Between the first artwork and the last."""
    driver: float
    """Seconds of the processor that the driver took beside those of a run with nothing to paint."""
    sent: int
    """Bytes of all inputs."""
    received: int
    """Bytes of all artworks."""

    @property
    def rate(self) -> float:
        """Artworks a minute."""
        return 60 * (self.pictures - 1) / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--size", type=int, default=128, help="default: 128")
    parser.add_argument("--rounds", type=int, default=1, help="default: 1")
    parser.add_argument("--workers", type=int, default=2, help="beside one (default: 2)")
    args = parser.parse_args()
    console.print(machine.described())
    console.print(machine.warning() or "nothing else is running")
    with tempfile.TemporaryDirectory() as name, cluster(args.workers) as address:
        folder = Path(name)
        provide(folder)
        ratios, same = [], True
        for number in range(args.rounds):
            outputs = [folder / f"{count}-{number}" for count in (1, args.workers)]
            one, many = (
                painted(folder, args.size, output, address, count)
                for output, count in zip(outputs, (1, args.workers), strict=True)
            )
            same &= pictures(outputs[0]) == pictures(outputs[1])
            ratios.append(many.rate / one.rate)
            told(1, one)
            told(args.workers, many)
    console.print(
        f"{args.workers} workers paint {median(ratios):.2f} times as much as one; "
        f"{'the same files' if same else 'OTHER FILES'}"
    )
    sys.exit(0 if same else 1)


@contextmanager
def cluster(processors: int) -> Iterator[str]:
    """A cluster of this machine, whose token programs inherit; yields its address."""
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    head = subprocess.Popen(
        [sys.executable, "-c", HEAD, str(processors)],
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert head.stdout is not None
    try:
        yield head.stdout.readline().strip()
    finally:
        head.communicate()


def painted(folder: Path, size: int, output: Path, address: str, workers: int) -> Run:
    """Paint the collection by so many workers."""
    command = [*batch(folder, size, output), "--cluster", address, "--workers", str(workers)]
    work, nothing = (processor_seconds(command) for _ in range(2))
    lines = (output / "manifest.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    times = sorted(datetime.fromisoformat(record["finished"]) for record in records)
    inputs = [*(folder / "photos").iterdir(), *(folder / "styles").iterdir()]
    return Run(
        len(records),
        (times[-1] - times[0]).total_seconds(),
        work - nothing,
        sum(path.stat().st_size for path in inputs),
        sum(record["bytes"] for record in records),
    )


def processor_seconds(command: list[str]) -> float:
    """That a command takes itself; the cluster is none of its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def told(workers: int, run: Run) -> None:
    console.print(
        f"{workers} worker{'s' if workers > 1 else ''}: {run.rate:.1f} artworks a minute; "
        f"{run.sent / 1e6:.2f} MB of pictures sent, {run.received / run.pictures / 1e3:.0f} kB an "
        f"artwork received; the driver computes {1e3 * run.driver / run.pictures:.0f} ms an artwork"
    )


if __name__ == "__main__":
    main()

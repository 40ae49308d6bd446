"""Freed memory: where it stays with the process, the system clears fewer pages, and no more piles
up with every evaluation."""

import gc
import json
import subprocess
import sys

import pytest

import impasto
from impasto.image.samples import photo, style
from impasto.neural.vgg import VGG19

PROGRAM = """
import json, resource, sys, torch
from impasto.neural.budget import resident_memory
from impasto.neural.device import keep_freed_memory
from impasto.neural.objective import Objective, Style, Targets
from impasto.neural.tiles import Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import load_weights
from impasto.settings import PaintSettings

keep_freed_memory()
place, chosen = torch.device("cpu"), PaintSettings()
network = VGG19(load_weights(), torch.float32, place)
photo, style = torch.rand((2, 1, 3, 144, 192), generator=torch.Generator().manual_seed(0))
faults, held = {}, {}
for roomy in (False, True):
    tiling = Tiling(kept=4, roomy=roomy)
    targets = Targets.of(network, photo, [Style("style", 100.0, style)], chosen, tiling)
    objective = Objective(network, targets, chosen, tiling)
    for turn in range(16):
        objective.evaluate(photo)
        if turn == 3:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            first = resident_memory(place)
    faults[roomy] = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    held[roomy] = resident_memory(place) - first
print(json.dumps([faults[False], faults[True], held[True]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library is another")
def test_fewer_pages_are_cleared_where_freed_memory_stays() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    returned, stayed, more = json.loads(done.stdout)
    assert stayed < returned / 2
    assert more < 10e6


def test_a_painting_that_is_done_leaves_no_network() -> None:
    """A collection paints thousands, and the garbage collector comes by when it pleases."""

    def networks() -> int:
        return sum(type(thing) is VGG19 for thing in gc.get_objects())

    gc.collect()
    before = networks()
    gc.disable()
    try:
        impasto.paint(photo("chelsea"), style("mosaic", 64), size=64, steps=2)
        after = networks()
    finally:
        gc.enable()
    assert after == before

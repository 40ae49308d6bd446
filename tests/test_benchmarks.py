"""What the benchmarks' figures rest on."""

from pathlib import Path

import pytest
import torch
from benchmarks import reference
from benchmarks.pair import Judge, Pair
from benchmarks.pastiche_match import deviations, match
from torch.utils.flop_counter import FlopCounterMode

from impasto.neural.speed import operations


def test_operations_of_an_evaluation_are_those_that_pytorch_counts() -> None:
    image = torch.rand((1, 3, 48, 80)).requires_grad_()
    counter = FlopCounterMode(display=False)
    with counter:
        deepest = reference.features(reference.network(), image)["5_1"]
        torch.autograd.backward(deepest.sum())
    assert operations((80, 48)) == counter.get_total_flops()


@pytest.mark.filterwarnings("ignore")  # pastiche's own
def test_pastiche_minimises_the_reference_s_loss(tmp_path: Path) -> None:
    judge = Judge(Pair.prepared("coffee", "mosaic", 64, tmp_path))
    found = deviations(judge, match(judge, tmp_path))
    assert set(found) == {"content", "relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"}
    assert max(map(abs, found.values())) < 0.01

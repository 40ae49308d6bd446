import numpy as np
import pytest
import torch

from impasto.errors import ran_out


def test_running_out_is_recognised_on_the_processor() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(10**15)
    assert ran_out(caught.value)
    with pytest.raises(MemoryError) as refused:
        np.empty(10**15)
    assert ran_out(refused.value)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough "
            "memory: you tried to allocate 4000000000000 bytes."
        ),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1 GB)"),
        MemoryError(),
    ],
)
def test_running_out_is_recognised_elsewhere(error: BaseException) -> None:
    assert ran_out(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("5 px of memory")])
def test_other_errors_are_not_taken_for_it(error: BaseException) -> None:
    assert not ran_out(error)

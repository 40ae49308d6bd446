"""How much memory a job may use, and how much it does."""

import sys

import psutil
import torch

from impasto.limits import container_memory, process_memory, process_status

SHARE = 0.8
"""Of what is free, what a job takes unless it is told otherwise."""

REST = 300_000_000
"""Bytes that it leaves free at least, for what other programs and the system come to need."""


def free_memory(device: torch.device) -> int:
    """Bytes that a job may still use.

    Of the card on CUDA, with what PyTorch keeps of it for tensors to come; elsewhere of the system,
    as far as containers' limits and the process's own let it have them.
    """
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    limits = [container_memory(), process_memory()]
    if device.type == "mps":  # shares the system's memory, but the driver does not give it all
        limits.append(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    available = int(psutil.virtual_memory().available)
    return max(0, min([available, *(limit for limit in limits if limit is not None)]))


def default_budget(device: torch.device) -> int:
    """Bytes that the process (on CUDA: its tensors on the card) may hold at its peak by default.

    What it holds already and `SHARE` of what is free, or less where `REST` would not stay free.
    """
    free = free_memory(device)
    return resident_memory(device) + max(0, min(int(SHARE * free), free - REST))


def resident_memory(device: torch.device) -> int:
    """Bytes that the process holds now; on CUDA: its tensors on the card."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def peak_memory(device: torch.device) -> int:
    """The most bytes that the process has held so far; on CUDA: its tensors on the card."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    # On Linux `getrusage` hands on what it says from the process that started this one.
    peak = process_status("VmHWM")
    if peak is not None:
        return peak
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024

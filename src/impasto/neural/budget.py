"""How much memory a job may use, and how much it does."""

import sys

import psutil
import torch

from impasto.limits import container_memory, process_memory, process_status

SHARE = 0.8
"""Of what everybody's memory has free, what a job takes unless it is told otherwise."""

REST = 300_000_000
"""Bytes of it that stay free at least, for what other programs and the system come to need."""

OWN_SHARE = 0.95
"""Of what a limit leaves that was set for this job: nobody waits for the rest."""


def free_memory(device: torch.device) -> int:
    """Bytes that a job may still use.

    Of the card on CUDA, with what PyTorch keeps of it for tensors to come; elsewhere of the system,
    as far as containers' limits and the process's own let it have them.
    """
    return max(0, min([everybody_s_memory(device), *own_limits(device)]))


def default_budget(device: torch.device) -> int:
    """Bytes that the process (on CUDA: its tensors on the card) may hold at its peak by default.

    What it holds already and `SHARE` of what everybody's memory has free, or less where `REST`
    would not stay free; of a limit of its own `OWN_SHARE`.
    """
    free = everybody_s_memory(device)
    shares = [int(SHARE * free), free - REST]
    shares += [int(OWN_SHARE * left) for left in own_limits(device)]
    return resident_memory(device) + max(0, min(shares))


def everybody_s_memory(device: torch.device) -> int:
    """Bytes that are free for whoever asks first."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + kept
    available = int(psutil.virtual_memory().available)
    if device.type == "mps":  # shares the system's memory, but the driver does not give it all
        driver = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return min(available, driver)
    return available


def own_limits(device: torch.device) -> list[int]:
    """Bytes that each limit leaves which holds for this process or its container alone."""
    if device.type == "cuda":
        return []
    return [limit for limit in (container_memory(), process_memory()) if limit is not None]


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

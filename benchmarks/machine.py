"""What is measured on, and whether it is free to be measured."""

import psutil
import torch

from impasto.doctor import BUSY, processor


def described() -> str:
    """Processor, cores, threads, PyTorch."""
    found = f"{processor()}, {psutil.cpu_count(logical=False) or psutil.cpu_count()} cores"
    return f"{found}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"


def has_amx() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in tiles."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def warning() -> str | None:
    """What a reader must know of figures measured now."""
    busy = psutil.cpu_percent(interval=1.0)
    if busy < BUSY:
        return None
    return f"other programs use {busy:.0f} % of the processor: all times will be too long"

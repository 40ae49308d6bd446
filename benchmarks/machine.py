"""What is measured on, and whether it is free to be measured."""

import platform
from pathlib import Path

import psutil
import torch

BUSY = 10
"""Percent of the processor that other programs may use before figures are doubtful."""


def described() -> str:
    """Processor, cores, threads, PyTorch."""
    found = f"{processor()}, {psutil.cpu_count(logical=False) or psutil.cpu_count()} cores"
    return f"{found}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}"


def processor() -> str:
    """The processor's own name, where the system tells."""
    file = Path("/proc/cpuinfo")
    if file.exists():
        for line in file.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def has_amx() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in tiles."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16"))


def warning() -> str | None:
    """What a reader must know of figures measured now."""
    busy = psutil.cpu_percent(interval=1.0)
    if busy < BUSY:
        return None
    return f"other programs use {busy:.0f} % of the processor: all times will be too long"

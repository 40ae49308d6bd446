"""What the machine computes on: device, precision."""

import ctypes
from collections.abc import Mapping
from functools import cache

import torch

from impasto.errors import UsageError


def present_devices() -> list[str]:
    """What there is to compute on, the one that `auto` takes first."""
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    return [name for name, here in present.items() if here]


def choose_device(wanted: str) -> torch.device:
    """`auto` is CUDA, then Apple's GPU, then the processor; one that is not there is refused."""
    present = present_devices()
    if wanted == "auto":
        wanted = present[0]
    if wanted not in present:
        here = ", ".join(present)
        raise UsageError(f"--device {wanted}: this machine has none; it has: {here}")
    return torch.device(wanted)


def choose_precision(wanted: str, device: torch.device) -> torch.dtype:
    """`auto` is bfloat16 where the hardware multiplies it natively, float32 elsewhere."""
    if wanted == "auto":
        wanted = "bfloat16" if has_bfloat16(device) else "float32"
    return {"float32": torch.float32, "bfloat16": torch.bfloat16}[wanted]


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 products run in hardware, and faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        # Older versions of PyTorch can't say.
        found: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        if found.get("amx_bf16") or found.get("bf16"):
            return True
        # AMD's AVX-512 multiplies bfloat16 twice as fast as float32, Intel's at half that rate.
        return bool(found.get("avx512_bf16")) and "Intel" not in str(found.get("cpu_name"))
    return False


def compute_in_float32() -> None:
    """Let float32 be float32 on CUDA too, in convolutions and in products of matrices.

    For convolutions cuDNN takes TF32 by default, which keeps 10 of a fraction's 23 bits; for
    matrices other code of the process may have asked for it.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")


def keep_freed_memory() -> None:
    """Let the C library keep what it frees: every tile asks for the same blocks again.

    glibc returns large blocks to the system at once, and the kernel has to clear the pages anew
    each time, which costs up to a quarter of an evaluation. What is larger than a tile's maps, at
    32 MiB, still goes back, so that it leaves no gaps. For programs that own their process; does
    nothing where the C library is another.
    """
    mmap_threshold, trim_threshold = -3, -1  # from glibc's malloc.h
    if library := _glibc():
        library.mallopt(mmap_threshold, 2**25)
        library.mallopt(trim_threshold, 2**31 - 1)


def return_freed_memory() -> None:
    """Give the system back what the C library kept.

    The next part of a job asks for blocks of other sizes, which do not fit into the gaps and would
    come on top of them. Takes milliseconds.
    """
    if library := _glibc():
        library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    """GNU's C library, if the process has it; others have no such functions."""
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") else None

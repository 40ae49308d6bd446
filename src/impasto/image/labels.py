"""Files that hold which region each pixel belongs to: 16-bit PNG, or NumPy's own format."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray

from impasto.errors import UsageError
from impasto.image.atomic import replacing
from impasto.image.write import check_file

MOST = 65_536
"""Labels that 16 bits can tell apart."""


def check_labels_output(
    path: str | Path, count: int, inputs: Iterable[str | Path], *, force: bool
) -> None:
    """Refuse a file of labels that cannot or must not be written, before any work."""
    ending = Path(path).suffix.lower()
    if ending not in {".png", ".npy"}:
        raise UsageError(f"cannot write {path}: labels are written as .png (16 bits) or .npy")
    if ending == ".png" and count > MOST:
        raise UsageError(
            f"cannot write {path}: 16 bits tell {MOST} superpixels apart, not {count}; choose .npy"
        )
    check_file(Path(path), inputs, force=force)


def write_labels(labels: NDArray[np.int32], path: str | Path) -> None:
    """Write labels (H, W), replacing a file."""
    with replacing(Path(path)) as temporary:
        if temporary.suffix.lower() == ".npy":
            with temporary.open("wb") as file:
                np.save(file, labels)
        else:
            image = pyvips.Image.new_from_array(labels.astype(np.uint16))
            image = image.copy(interpretation="grey16")
            temporary.write_bytes(image.write_to_buffer(".png", keep=0))

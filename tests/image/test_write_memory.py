"""Writing needs little memory beside the picture."""

import subprocess
import sys
from pathlib import Path

import pytest

from impasto.sizes import MAX_PIXELS

WIDTH, HEIGHT = 4000, 3000
WHOLE_COPY = WIDTH * HEIGHT * 3 * 2 / 2**20
"""Of 16 bits, MiB."""

CLASSIC_TIFF = 2**32
"""Bytes that its offsets reach."""

WRITING = f"""
import sys
from pathlib import Path
import numpy as np
from impasto.image.picture import Metadata, Picture
from impasto.image.write import write
from impasto.settings import OutputSettings

def memory(name):
    status = Path("/proc/self/status").read_text()
    return int(status.partition(name + ":")[2].split()[0]) / 1024

noise = np.random.default_rng(0).random((100, {WIDTH}, 3), np.float32)
rgb = np.tile(noise, ({HEIGHT} // 100, 1, 1))
tags = Metadata(iptc=bytes([28, 2, 5, 0, 1, 120]), dpi=(300, 300))
settings = OutputSettings(depth=16)
write(Picture(noise, None, tags, "a", ""), sys.argv[1], settings, "{{}}")
Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
before = memory("VmRSS")
write(Picture(rgb, None, tags, "a", ""), sys.argv[1], settings, "{{}}")
print(memory("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_no_second_copy_of_the_picture(environment: dict[str, str], out: Path, suffix: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITING, out / f"a{suffix}"],
        env={**environment, "VIPS_CONCURRENCY": "32"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < WHOLE_COPY / 2


def test_no_picture_outgrows_tiff() -> None:
    """Deflate adds a thousandth to what it cannot shrink, and metadata is short."""
    assert MAX_PIXELS * 4 * 2 * 1.01 < CLASSIC_TIFF

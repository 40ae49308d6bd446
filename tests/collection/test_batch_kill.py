"""Collections that are killed or stopped, and go on by the same command to the same pictures."""

import csv
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.collection.conftest import SMALL

from impasto.image.atomic import HOST

Impasto = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]
Lines = Callable[[Path], list[dict[str, Any]]]

ART, WHOLE = Path("art"), Path("whole")
COMMAND = ("batch", "photos", "styles", "-o", "art", *SMALL)

pytestmark = [
    pytest.mark.usefixtures("place"),
    pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX"),
]


def wait_for(process: "subprocess.Popen[str]", path: Path, lines: int = 1) -> None:
    """Until a file has so many lines."""
    for _ in range(24_000):
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    pytest.fail(f"no {path} within two minutes")


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


def test_killed_twice_it_ends_with_the_same_pictures(
    impasto: Impasto, start: Start, lines: Lines
) -> None:
    moments = random.Random(8)
    for before in (1, 2):
        process = start(*COMMAND)
        wait_for(process, ART / "manifest.jsonl", before)
        time.sleep(0.3 * moments.random())
        process.kill()
        process.communicate()
    known = [record["name"] for record in lines(ART)]
    at_work = {path: path.stat().st_mtime_ns for path in ART.glob("*.png")}
    assert impasto(*COMMAND) == (0, "", "")
    for name in known:  # what the manifest held was not touched again
        assert (ART / name).stat().st_mtime_ns == at_work[ART / name]
    assert set(Counter(record["name"] for record in lines(ART)).values()) == {1}
    assert impasto(*COMMAND[:4], "whole", *SMALL) == (0, "", "")
    assert pictures(ART) == pictures(WHOLE)
    assert len(pictures(ART)) == 4
    assert not list(ART.glob("*.unfinished")) + list(ART.rglob(".impasto*"))


def test_what_a_killed_run_left_half_written_goes_away(impasto: Impasto) -> None:
    names = ("--name", "{style}/{photo}.png", *SMALL)
    inner = ART / ".impasto"
    left = [ART, inner, ART / "rings", ART / "thumbnails" / "rings", ART / "thumbnails" / "inputs"]
    for folder in left:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f".impasto-{HOST}-999999999-0123456789abcdef.png").write_bytes(b"half")
    (inner / "begun.json").write_text('{"rings/img_2.png": ""}')
    mine = ART / ".impasto-mine.png"
    mine.write_bytes(b"whole")
    command = ("batch", "photos/img_2.png", "styles/rings.png", "-o", "art", *names)
    assert impasto(*command) == (0, "", "")
    assert list(ART.rglob(".impasto*")) == [mine]


def test_ctrl_c_keeps_the_state_of_the_work(impasto: Impasto, start: Start, lines: Lines) -> None:
    long = ("--steps", "16", *(word for word in SMALL if word not in ("--steps", "3")))
    process = start("batch", "photos", "styles", "-o", "art", *long)
    wait_for(process, ART / "manifest.jsonl")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    recorded = [record["name"] for record in lines(ART)]
    with (ART / "manifest.csv").open(newline="") as table:
        assert [row["name"] for row in csv.DictReader(table)] == recorded
    shown = (ART / "gallery-data.js").read_text()
    assert shown.count('"losses":[0,') == shown.count('"thumbnail":true') == len(recorded)
    made = len(recorded)
    assert f"stopped; {made} of 4 artworks are there; to go on, give the same command" in err
    assert err.count("\n") == 1
    unfinished = list(ART.glob("*.unfinished"))
    assert len(unfinished) <= 1  # one that it was stopped in, if not between two
    assert not [path for path in unfinished if path.with_suffix("").exists()]
    assert impasto("batch", "photos", "styles", "-o", "art", *long)[0] == 0
    assert impasto("batch", "photos", "styles", "-o", "whole", *long)[0] == 0
    assert pictures(ART) == pictures(WHOLE)
    assert not list(ART.glob("*.unfinished"))

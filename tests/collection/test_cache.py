"""Targets are computed once, in memory or on the disk, and pictures are the same without."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from impasto import batch
from impasto.collection.here import Here
from impasto.collection.jobs_file import Asked, Jobs
from impasto.collection.painter import Painter, Pictures, bytes_of, decoded, from_disk
from impasto.collection.plan import Plan, plan_of
from impasto.collection.task import Finished, Material
from impasto.neural.objective import content_of, grams_of
from impasto.neural.rows import Rows
from impasto.neural.target_files import Target, TargetFiles
from impasto.neural.tiles import Tiles
from impasto.neural.vgg import VGG19
from impasto.neural.weights import Weights, load_weights
from impasto.recipe import Input
from impasto.replay import digest_of
from impasto.settings import OutputSettings

pytestmark = pytest.mark.usefixtures("place", "one_thread")

INPUTS = ("photos/img_2.png", "photos/img_10.jpg", "styles/rings.png", "styles/tiles.png")

OPTIONS: dict[str, Any] = {"size": 64, "steps": 2, "levels": 2, "coarse_steps": 1}


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights()


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each picture that went through the network for its maps alone."""
    found: list[int] = []
    forward = Tiles.forward

    def counted(self: Tiles, image: torch.Tensor, visit: Any) -> None:
        found.append(image.shape[3])
        forward(self, image, visit)

    monkeypatch.setattr(Tiles, "forward", counted)
    return found


def planned(weights: Weights, folder: str = "art") -> Plan:
    Path(folder).mkdir(exist_ok=True)
    named = Input(path=weights.source, sha256=weights.sha256)
    asked = Asked(Jobs(photos=("photos",), styles=("styles",)))
    return plan_of(asked, OPTIONS, Path(folder), name=None, output=OutputSettings(), weights=named)


def painted(plan: Plan, painter: Painter) -> Iterator[Finished]:
    for outcome in Here(painter, 1).run(plan.tasks, plan.folder, lambda _: None):
        assert isinstance(outcome, Finished)
        yield outcome


def test_each_photo_and_each_style_is_computed_once_for_the_whole_run(passed: list[int]) -> None:
    made = batch("photos", "styles", output="art", threads=1, **OPTIONS)
    # At each of two sizes; at one the photo that would be less than 32 px high at the other.
    assert {name: made.targets[digest_of(Path(name))] for name in INPUTS} == {
        "photos/img_2.png": 2,
        "photos/img_10.jpg": 1,
        "styles/rings.png": 2,
        "styles/tiles.png": 2,
    }
    assert len(made.targets) == 4
    # And as often through the network; the last losses of each picture come on top.
    assert len(passed) == 7 + 4


def test_bits_are_those_of_a_run_without_a_cache(weights: Weights) -> None:
    kept = planned(weights)
    files = TargetFiles(Path("targets"), 10**9)
    together = {
        each.task.name: each.sha256 for each in painted(kept, Painter(None, weights, files))
    }
    again = planned(weights, "again")
    from_disk = list(painted(again, Painter(None, weights, files)))
    assert [each.made for each in from_disk] == [{}] * 4
    assert together == {each.task.name: each.sha256 for each in from_disk}
    alone = Plan(Path("alone"), planned(weights, "alone").tasks[-1:], kept.weights)
    (last,) = painted(alone, Painter(None, weights))
    assert last.sha256 == together[last.task.name]


def test_a_killed_run_finds_what_it_had_computed(passed: list[int]) -> None:
    class Killed(Exception):
        pass

    def kill(event: Any) -> None:
        if type(event).__name__ == "ArtworkDone":
            raise Killed

    with pytest.raises(Killed):
        batch("photos", "styles", output="art", threads=1, show=kill, **OPTIONS)
    before = len(passed)
    made = batch("photos", "styles", output="art", threads=1, **OPTIONS)
    assert made.made == 3
    # Photo and style of the picture that was there are found; the others, and the last losses.
    assert len(passed) - before == 3 + 3
    assert not Path("art/.impasto").exists()


@pytest.fixture
def target(weights: Weights) -> Target:
    network = VGG19(weights, torch.float32, torch.device("cpu"))
    return Target(grams_of, network, 0, "of a picture", (8, 8), ("relu1_1",))


def grams(value: float, side: int = 4) -> dict[str, torch.Tensor]:
    return {"relu1_1": torch.full((side, side), float(value))}


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_what_is_read_is_what_was_written(target: Target, kind: torch.dtype) -> None:
    files, generator = TargetFiles(Path("targets"), 10**6), torch.Generator().manual_seed(1)
    values = torch.randn((1, 6, 5, 7), generator=generator).to(kind)
    rows = Rows(values.shape, kind, torch.device("cpu"))  # type: ignore[arg-type]
    rows[:] = values
    maps: dict[str, Rows | torch.Tensor] = {
        "relu1_1": rows,
        "relu2_1": torch.randn((3, 3), generator=generator),
    }
    assert files.load(target) is None
    files.keep(target, maps, 1000)
    found = files.load(target)
    assert found is not None
    assert list(found) == list(maps)
    assert isinstance(found["relu1_1"], Rows)
    assert found["relu1_1"].dtype == kind
    assert torch.equal(found["relu1_1"][:], rows[:])
    assert found["relu1_1"][:].is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(found["relu2_1"], maps["relu2_1"])  # type: ignore[arg-type]


def test_every_part_of_a_target_counts(target: Target, weights: Weights) -> None:
    cpu = torch.device("cpu")
    others = [
        replace(target, take=content_of),
        replace(target, network=VGG19(weights, torch.bfloat16, cpu)),
        replace(target, network=VGG19(weights, torch.float32, cpu, "average")),
        replace(target, network=VGG19(replace(weights, sha256="other"), torch.float32, cpu)),
        replace(target, halved=1),
        replace(target, sha256="of another"),
        replace(target, size=(8, 9)),
        replace(target, layers=("relu1_1", "relu2_1")),
    ]
    names = {each.name for each in (target, *others)}
    assert len(names) == 9
    torch.set_num_threads(2)
    assert target.name not in names
    torch.set_num_threads(1)
    same = VGG19(weights, torch.float32, cpu)
    assert replace(target, network=same).name == target.name


@pytest.mark.parametrize("spoil", ["cut", "flip", "empty"])
def test_a_damaged_file_is_as_none(target: Target, spoil: str) -> None:
    files = TargetFiles(Path("targets"), 10**6)
    files.keep(target, grams(1.5), 64)
    (path,) = Path("targets").iterdir()
    data = path.read_bytes()
    flipped = data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]
    path.write_bytes({"cut": data[:-5], "flip": flipped, "empty": b""}[spoil])
    assert files.load(target) is None
    files.keep(target, grams(2.5), 64)
    found = files.load(target)
    assert found is not None
    assert torch.equal(found["relu1_1"], grams(2.5)["relu1_1"])


def test_the_longest_unused_goes_when_the_bound_is_reached(target: Target) -> None:
    targets = [replace(target, sha256=str(number)) for number in range(4)]
    size = 64 * 64 * 4
    files = TargetFiles(Path("targets"), 3 * size + 9000)
    for number, each in enumerate(targets[:3]):
        files.keep(each, grams(number, 64), size)
        path = Path("targets") / f"{each.name}.safetensors"
        os.utime(path, ns=(number, number))
    assert files.load(targets[0]) is not None  # used last by this
    files.keep(targets[3], grams(3, 64), size)
    assert [files.load(each) is not None for each in targets] == [True, False, True, True]
    assert sum(path.stat().st_size for path in Path("targets").iterdir()) <= 3 * size + 9000
    files.keep(target, grams(9, 64), 10**7)  # larger than all that may be kept
    assert files.load(target) is None


def test_a_disk_that_takes_nothing_only_keeps_nothing(
    target: Target, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("targets").write_text("no folder")
    files = TargetFiles(Path("targets"), 10**6)
    files.keep(target, grams(1), 64)
    assert files.load(target) is None
    outcomes = list(painted(planned(weights), Painter(None, weights, files)))
    assert len(outcomes) == 4


def test_only_so_many_decoded_pictures_are_kept() -> None:
    read: list[str] = []

    def source(material: Material) -> bytes:
        read.append(material.path)
        return from_disk(material)

    materials = [Material(name, digest_of(Path(name))) for name in INPUTS]
    sizes = {
        name: bytes_of(decoded(each, from_disk))
        for name, each in zip(INPUTS, materials, strict=True)
    }
    pictures = Pictures(sizes[INPUTS[0]] + sizes[INPUTS[2]])
    first, photo, style, _ = materials
    for each in (first, style, first, style):
        assert pictures.opened(each, source).picture.sha256 == each.sha256
    assert read == [first.path, style.path]
    pictures.opened(photo, source)  # first, not asked for longest, goes
    pictures.opened(style, source)
    assert read == [first.path, style.path, photo.path]
    pictures.opened(first, source)
    assert read[3:] == [first.path]
    assert pictures.keep_only([first])
    assert not pictures.keep_only([first])

"""Finished frames on disk: whole or not at all, and never taken for good when they are not."""

import os
import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import UnwritableOutput
from impasto.image.atomic import HOST, replacing, sweep
from impasto.image.samples import photo
from impasto.motion import store as module
from impasto.motion.effect import Arrays, NewFrame
from impasto.motion.frame_file import DamagedFrame, Facts, FrameFile, facts_at, verified
from impasto.motion.production import PACKED
from impasto.motion.store import Store, clear, glimpsed

KEPT: Arrays = {
    "age": np.asarray(3.0),
    "map": np.arange(12, dtype=np.int16).reshape(3, 4),
    "none": np.zeros((0, 2)),
}


def frame(height: int = 24, width: int = 32) -> NewFrame:
    picture = photo("coffee")[40 : 40 + height, 60 : 60 + width] / np.float32(255)
    return NewFrame(
        np.asarray(picture, np.float32), {"content": 0.25, "style/a/relu1_1": float("nan")}, 7, KEPT
    )


@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_put_comes_back_bit_for_bit(tmp_path: Path, depth: int) -> None:
    store, new = Store(tmp_path, "job", depth), frame()
    new.picture[0, 0] = 1 / 3, 1.7, -0.2
    store.put(5, new, 1.23456789)
    picture, kept = store.past(5)
    steps = 2**depth - 1
    assert picture.dtype == np.float32
    np.testing.assert_array_equal(
        picture, np.rint(new.picture.clip(0, 1) * np.float32(steps)) / np.float32(steps)
    )
    assert kept.keys() == KEPT.keys()
    for name, array in KEPT.items():
        assert (kept[name].dtype, kept[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(kept[name], array)
    facts = store.facts()[5]
    assert (facts.job, facts.steps, facts.seconds, facts.bridged) == ("job", 7, 1.2346, False)
    assert facts.losses["content"] == 0.25
    assert np.isnan(facts.losses["style/a/relu1_1"])


def test_anybody_can_look_at_a_frame(tmp_path: Path) -> None:
    Store(tmp_path, "job", 8).put(0, frame(), 1)
    with Image.open(tmp_path / "000000.png") as image:
        image.verify()
    with Image.open(tmp_path / "000000.png") as image:
        np.testing.assert_array_equal(np.asarray(image), photo("coffee")[40:64, 60:92])


def test_no_changed_byte_and_no_missing_end_passes(tmp_path: Path) -> None:
    store = Store(tmp_path, "job", 8)
    store.put(0, frame(4, 5), 1)
    data = (tmp_path / "000000.png").read_bytes()
    verified(data)
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]
        for torn in (changed, data[:at], data[:at] + bytes(len(data) - at)):
            if torn != data:
                with pytest.raises(DamagedFrame):
                    verified(torn)


def test_damaged_frames_and_those_of_other_jobs_are_to_be_made_again(tmp_path: Path) -> None:
    store, other = Store(tmp_path, "job", 8), Store(tmp_path, "other", 8)
    for index in range(4):
        (other if index == 2 else store).put(index, frame(), 1)
    torn = tmp_path / "000001.png"
    os.truncate(torn, 500)
    (tmp_path / "000009.png").write_bytes(b"")
    (tmp_path / "holiday.png").write_bytes(b"somebody else's")
    assert set(store.facts()) == {0, 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000000.png",
        "000003.png",
        "holiday.png",
    ]


def test_a_frame_that_is_damaged_later_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path, "job", 8)
    store.put(0, frame(), 1)
    os.truncate(tmp_path / "000000.png", 800)
    with pytest.raises(
        UnwritableOutput, match=r"000000.png again: it ends too early; give the same"
    ):
        list(store.pictures(1))


def test_a_disk_that_is_full_keeps_what_it_has(tmp_path: Path) -> None:
    store = Store(tmp_path, "job", 8)
    store.put(0, frame(), 1)
    before, limits = (
        (tmp_path / "000000.png").read_bytes(),
        resource.getrlimit(resource.RLIMIT_FSIZE),
    )
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(UnwritableOutput, match="no space left on its disk"):
            store.put(1, frame(), 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in tmp_path.iterdir()] == ["000000.png"]
    assert (tmp_path / "000000.png").read_bytes() == before


def test_some_of_the_disk_is_left_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "free_disk", lambda _: 50_000_000)
    with pytest.raises(UnwritableOutput, match="less than 50 MB are left"):
        Store(tmp_path, "job", 8).put(0, frame(), 1)
    assert not list(tmp_path.iterdir())


DEAD = f".impasto-{HOST}-999999999-0123456789abcdef.png"
"""Of a process that no system has."""

FOREIGN = f".impasto-{(int(HOST, 16) ^ 1):08x}-999999999-0123456789abcdef.png"
"""Of another machine."""

BEFORE = f".impasto-{HOST}-{os.getpid()}-0123456789abcdef.png"
"""Of a process that had our number, where it is old."""


def test_what_a_killed_process_left_goes_away_and_nothing_else(tmp_path: Path) -> None:
    left, others = tmp_path / DEAD, tmp_path / ".impasto-mine.png"
    for path in (left, others):
        path.touch()
    with replacing(tmp_path / "film.mp4") as unfinished:
        sweep(tmp_path)
        assert set(tmp_path.iterdir()) == {others, unfinished}
    (tmp_path / "film.mp4").unlink()
    for name in (FOREIGN, BEFORE):
        (tmp_path / name).touch()
        sweep(tmp_path)
        assert (tmp_path / name).exists()
        os.utime(tmp_path / name, (0, 0))
        sweep(tmp_path)
        assert not (tmp_path / name).exists()
    Store(tmp_path, "job", 8).put(0, frame(), 1)
    clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [others.name]


def test_facts_can_be_glimpsed_without_the_rest(tmp_path: Path) -> None:
    store = Store(tmp_path, "job", 8)
    store.put(0, frame(), 1)
    store.put(1, frame(), 2)
    os.truncate(tmp_path / "000001.png", 20)
    state = (tmp_path / "000000.png").stat()
    (seen,) = glimpsed(tmp_path).values()
    assert seen == (store.facts()[0], state.st_size, state.st_mtime_ns)
    with pytest.raises(DamagedFrame, match="how it was made"):
        plain = tmp_path / "plain.png"
        Image.new("RGB", (8, 8)).save(plain)
        facts_at(plain.read_bytes())


def test_what_is_no_folder_holds_no_frames(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not glimpsed(tmp_path / "file")
    assert not glimpsed(tmp_path / "nothing")


def test_rough_pictures_take_no_more_than_is_reckoned() -> None:
    """A photo with noise that no painting has."""
    rough = np.random.default_rng(0).normal(photo("coffee"), 12).clip(0, 255).astype(np.uint8)
    size = len(FrameFile(rough, {}, Facts("job", {}, 0, 0.0, False)).encoded())
    assert 0.7 * rough.nbytes < size < PACKED * rough.nbytes

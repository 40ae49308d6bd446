"""The state of an unfinished run: what is kept, what is refused, and that nothing changes."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from impasto.artwork import Artwork, Job
from impasto.checkpoint import (
    Checkpoint,
    check_place,
    checkpoint_of,
    load_checkpoint,
    save_checkpoint,
)
from impasto.errors import BadRecipe, Interrupted, UnwritableOutput, UsageError
from impasto.events import Array, Event, Notice, Snapshot, Step
from impasto.settings import OutputSettings, PaintSettings
from impasto.work import carry_out

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = PaintSettings(size=96, levels=2, steps=6, coarse_steps=4, precision="float32")
CANVAS = np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 2, 3)
STATE = Snapshot(2, 3, {"canvas": Array("float32", CANVAS.shape, lambda: iter([CANVAS]))})


@pytest.fixture
def job(pictures: Path) -> Callable[..., Job]:
    def make(settings: PaintSettings = SETTINGS, style: str = "starry.png") -> Job:
        return Job(pictures / "photo.jpg", [(pictures / style, None)], settings)

    return make


def stop_at(level: int, step: int) -> Callable[[Event], None]:
    """Ctrl-C as it comes to the one who shows events."""

    def show(event: Event) -> None:
        if isinstance(event, Step) and (event.level, event.step) == (level, step):
            raise KeyboardInterrupt

    return show


def ignore(event: Event) -> None:
    pass


def test_the_state_comes_back_as_it_was(job: Callable[..., Job], tmp_path: Path) -> None:
    path, recipe = tmp_path / "a.png.unfinished", job().recipe
    save_checkpoint(path, recipe, STATE)
    found = load_checkpoint(path, recipe)
    assert (found.level, found.step) == (2, 3)
    np.testing.assert_array_equal(np.concatenate(list(found.arrays["canvas"].pieces())), CANVAS)


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.99])
def test_a_damaged_state_is_refused(job: Callable[..., Job], tmp_path: Path, share: float) -> None:
    path, recipe = tmp_path / "a.png.unfinished", job().recipe
    save_checkpoint(path, recipe, STATE)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(BadRecipe, match=r"cannot resume from .*: it is damaged; start anew"):
        load_checkpoint(path, recipe)


def step_of(snapshot: Callable[[], Snapshot]) -> Step:
    return Step(2, 3, 7, 0.5, {}, lambda: CANVAS, lambda: CANVAS, snapshot)


@pytest.mark.parametrize(("took", "fails"), [(0.125, False), (30.0, False), (30.0, True)])
def test_writing_takes_a_twentieth_of_the_time_at_most(
    job: Callable[..., Job],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    took: float,
    fails: bool,
) -> None:
    """And happens as often as asked for where it takes less, whether it succeeds or not."""
    now, written = 0.0, []
    monkeypatch.setattr("impasto.checkpoint.time", SimpleNamespace(monotonic=lambda: now))

    def snapshot() -> Snapshot:
        nonlocal now
        written.append(now)
        now += took
        if fails:
            raise UnwritableOutput("the disk is full")
        return STATE

    checkpoint = Checkpoint(tmp_path / "a.png", job().recipe, 60)
    while now < 5000:
        with suppress(UnwritableOutput):
            checkpoint.keep(step_of(snapshot))
        now += 1
    assert 60 <= written[0] < 61.5
    between = max(60, 20 * took) + took
    assert all(between <= b - a < between + 2 for a, b in pairwise(written))
    assert len(written) == 1 + int((5000 - written[0]) / between)
    assert checkpoint.is_there() != fails


def test_a_state_is_written_at_once_where_that_is_asked_for(
    job: Callable[..., Job], tmp_path: Path
) -> None:
    checkpoint = Checkpoint(tmp_path / "a.png", job().recipe, 1000)
    checkpoint.keep(step_of(lambda: STATE))
    assert not checkpoint.is_there()
    assert checkpoint.load() is None
    checkpoint.write(step_of(lambda: STATE))
    found = checkpoint.load()
    assert found is not None
    assert (found.level, found.step) == (2, 3)
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


def test_another_job_s_state_is_refused(job: Callable[..., Job], tmp_path: Path) -> None:
    path = tmp_path / "a.png.unfinished"
    save_checkpoint(path, job().recipe, STATE)
    others = {
        "beta, steps": job(SETTINGS.updated({"beta": 1, "steps": 7})),
        "styles": job(style="wave.png"),
        "precision": job(SETTINGS.updated({"precision": "bfloat16"})),
    }
    for names, other in others.items():
        with pytest.raises(BadRecipe, match=f"it was made with other {names}; give the same"):
            load_checkpoint(path, other.recipe)


def test_a_state_of_other_versions_is_refused(job: Callable[..., Job], tmp_path: Path) -> None:
    path, recipe = tmp_path / "a.png.unfinished", job().recipe
    old = recipe.model_copy(update={"versions": {**recipe.versions, "torch": "1"}})
    save_checkpoint(path, old, STATE)
    with pytest.raises(BadRecipe, match="other versions"):
        load_checkpoint(path, recipe)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_resumed_is_uninterrupted(job: Callable[..., Job], tmp_path: Path, optimizer: str) -> None:
    """Stopped three times: the state that is kept is the one of the step before."""
    settings = SETTINGS.updated({"optimizer": optimizer})
    whole, output = tmp_path / "whole.png", tmp_path / "art.png"
    carry_out(job(settings), whole, ignore)
    for place in ((1, 3), (2, 1), (2, 5)):
        with pytest.raises(Interrupted):
            carry_out(job(settings), output, stop_at(*place), resume=True)
    notices: list[Event] = []
    carry_out(job(settings), output, notices.append, resume=True)
    assert notices[0] == Notice("going on after step 4 of level 2")
    assert output.read_bytes() == whole.read_bytes()
    assert not checkpoint_of(output).exists()


def test_the_interrupted_picture_has_its_final_size(
    job: Callable[..., Job], tmp_path: Path, pixels: Callable[[Path], np.ndarray]
) -> None:
    output = tmp_path / "art.png"
    with pytest.raises(Interrupted, match=r"stopped after step 1 of level 1; the picture so far is in .*art.png; to go on, give the same command with --resume"):  # fmt: skip  # noqa: E501
        carry_out(job(), output, stop_at(1, 2))
    assert pixels(output).shape == (72, 96, 3)
    assert checkpoint_of(output).exists()


def test_stopped_before_the_first_step(job: Callable[..., Job], tmp_path: Path) -> None:
    with pytest.raises(Interrupted) as caught:
        carry_out(job(), tmp_path / "art.png", stop_at(1, 1))
    assert str(caught.value) == "stopped; nothing was written"
    assert list(tmp_path.iterdir()) == []


def test_stopped_before_the_first_step_after_a_stop(
    job: Callable[..., Job], tmp_path: Path
) -> None:
    output = tmp_path / "art.png"
    with pytest.raises(Interrupted):
        carry_out(job(), output, stop_at(2, 2))
    kept = checkpoint_of(output).read_bytes()
    with pytest.raises(Interrupted, match="to go on, give the same command with --resume"):
        carry_out(job(), output, stop_at(2, 2), resume=True)
    assert checkpoint_of(output).read_bytes() == kept


def test_nothing_to_resume(job: Callable[..., Job], tmp_path: Path) -> None:
    events: list[Event] = []
    carry_out(job(), tmp_path / "art.png", events.append, resume=True)
    assert events[0] == Notice("nothing to resume: painting from the start")
    assert [path.name for path in tmp_path.iterdir()] == ["art.png"]


def test_a_state_that_cannot_be_kept_does_not_stop_the_work(
    job: Callable[..., Job], tmp_path: Path
) -> None:
    output = tmp_path / "art.png"
    checkpoint_of(output).mkdir()
    (checkpoint_of(output) / "x").touch()
    events: list[Event] = []
    carry_out(job(), output, events.append, checkpoint_seconds=0)
    assert output.exists()
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert notices
    assert all("the state of the work is not kept: cannot write" in text for text in notices)


def test_a_picture_that_cannot_be_written_keeps_the_state(
    job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, output = tmp_path / "whole.png", tmp_path / "art.png"
    carry_out(job(), whole, ignore)

    def full(*_: object, **__: object) -> None:
        raise UnwritableOutput("cannot write art.png: no space left on its disk")

    with monkeypatch.context() as patch:
        patch.setattr(Artwork, "save", full)
        with pytest.raises(UnwritableOutput, match="no space left on its disk; to go on, give the"):
            carry_out(job(), output, ignore)
    assert not output.exists()
    carry_out(job(), output, ignore, resume=True)
    assert output.read_bytes() == whole.read_bytes()


def test_a_state_survives_its_photo_s_move(job: Callable[..., Job], tmp_path: Path) -> None:
    """The same bytes at another place are the same job."""
    path, own = tmp_path / "a.png.unfinished", job()
    save_checkpoint(path, own.recipe, STATE)
    moved = own.recipe.model_copy(
        update={"photo": own.recipe.photo.model_copy(update={"path": "elsewhere.jpg"})}
    )
    assert load_checkpoint(path, moved).step == STATE.step


def test_a_kept_state_is_not_lost_by_mistake(tmp_path: Path) -> None:
    output = tmp_path / "art.png"
    checkpoint_of(output).write_bytes(b"state")
    with pytest.raises(UsageError, match="stopped is kept for it; add --resume to go on, or --fo"):
        check_place(output, [], settings=OutputSettings(), force=False, resume=False)
    check_place(output, [], settings=OutputSettings(), force=True, resume=False)
    output.write_bytes(b"the picture so far")
    check_place(output, [], settings=OutputSettings(), force=False, resume=True)


def test_resume_alone_replaces_no_finished_picture(tmp_path: Path) -> None:
    output = tmp_path / "art.png"
    output.write_bytes(b"finished")
    with pytest.raises(UsageError, match="exists already"):
        check_place(output, [], settings=OutputSettings(), force=False, resume=True)


@pytest.mark.parametrize("output", ["", "."])
def test_an_output_without_a_name_is_refused(output: str) -> None:
    with pytest.raises((UsageError, UnwritableOutput)):
        check_place(output, [], settings=OutputSettings(), force=False, resume=True)


def test_standard_input_holds_one_picture(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="standard input holds one picture"):
        check_place(
            tmp_path / "a.png", ["-", "-"], settings=OutputSettings(), force=False, resume=False
        )


def test_a_stopped_picture_says_so_and_has_its_final_size(
    job: Callable[..., Job], tmp_path: Path
) -> None:
    made = job()
    for event in made.events():
        if isinstance(event, Step) and event.level == 1:
            unfinished = made.unfinished(event)
            break
    assert max(unfinished.picture.size) == 96
    assert not unfinished.recipe.complete
    assert unfinished.steps == 1
    assert made.recipe.complete

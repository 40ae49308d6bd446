"""A film made by a small effect: what is kept when it is stopped, refused, or damaged."""

import os
import signal
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from tests.motion.trail import Footage, Taken, Trail, Trailing, expected

from impasto.errors import Interrupted, UnwritableOutput, UsageError
from impasto.events import Event, FrameDone, FrameStep, Notice, Stage
from impasto.lock import Lock
from impasto.motion import production as module
from impasto.motion.alone import Alone
from impasto.motion.crew import Crew
from impasto.motion.film_recipe import FilmRecipe
from impasto.motion.frame_file import Bits
from impasto.motion.job_folder import JobFolder, folder_of, was_written
from impasto.motion.production import Produced, Production, produce, runs
from impasto.motion.status import status
from impasto.motion.store import RESERVE, Pictures
from impasto.motion.survey import Survey
from impasto.recipe import Input

COUNT, CUT = 12, 7
posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def write(frames: Pictures, survey: Survey, path: Path) -> None:
    """The film's stand-in: all bytes of all frames, in order."""
    path.write_bytes(b"".join(frame.tobytes() for frame in frames))


def recipe(k: object = 1, **changes: object) -> FilmRecipe:
    return FilmRecipe.model_validate(
        {
            "kind": "video",
            "sources": (Input(path="clip.mp4", sha256="0" * 64),),
            "effect": "trail",
            "settings": {"k": k, "from_": None},
            "depth": 8,
            "versions": {},
            **changes,
        }
    )


def film(output: Path, footage: Footage, trail: Trail, **changes: object) -> Production:
    survey = Survey.model_validate(
        {"time_base": "1/25", "times": tuple(range(COUNT + 1)), "cuts": (0, CUT)}
        | {"damaged": footage.damaged}
    )
    return Production(
        output=output,
        recipe=recipe(**changes),
        size=footage.size,
        look=lambda _: survey,
        source=Taken(footage),
        effect=Trailing(trail),
        write=write,
    )


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def right() -> bytes:
    return b"".join(frame.tobytes() for frame in expected(Footage(COUNT, CUT).photos(), (0, CUT)))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "film.mp4"


def made(production: Production, show: Callable[[Event], None] = print, **how: bool) -> Produced:
    return produce(production, Alone(1), show, **how)


def stopping(after: int, error: type[BaseException] = KeyboardInterrupt) -> Callable[[Event], None]:
    """Ctrl-C once so many frames are done."""

    def show(event: Event) -> None:
        if isinstance(event, FrameDone) and event.made == after:
            raise error

    return show


def test_a_film_is_all_that_stays(output: Path) -> None:
    told: list[Event] = []
    found = made(film(output, Footage(COUNT, CUT), Trail()), told.append)
    assert output.read_bytes() == right()
    assert (found.made, found.bytes) == (COUNT, len(right()))
    assert names_in(output.parent) == ["film.mp4"]
    done = [event.done for event in told if isinstance(event, FrameStep | Stage)]
    assert done == sorted(done)
    frames = [event for event in told if isinstance(event, FrameDone)]
    assert [(each.frame, each.made) for each in frames] == [(i, i) for i in range(1, COUNT + 1)]
    assert [each.shot for each in frames] == [1] * CUT + [2] * (COUNT - CUT)
    assert {(each.frames, each.shots) for each in frames} == {(COUNT, 2)}
    assert all(each.left is not None and each.left >= 0 for each in frames)
    first = next(event for event in told if isinstance(event, Notice))
    assert first.message == (
        "12 frames of 48×32 px in 2 shots; until they are a film they take about 49.8 kB of disk"
    )


@pytest.mark.parametrize("after", [1, CUT, COUNT])
def test_a_stopped_run_goes_on_where_it_was(output: Path, after: int) -> None:
    production = film(output, Footage(COUNT, CUT), Trail())
    with pytest.raises(Interrupted, match=rf"stopped; {after} of 12 frames are in .*frames"):
        made(production, stopping(after))
    assert not output.exists()
    found = status(output)
    assert (found.made, found.frames, found.process) == (after, COUNT, None)
    assert found.shots_done == (0 if after < CUT else 1 if after < COUNT else 2)
    assert made(production).made == COUNT - after
    assert output.read_bytes() == right()
    assert names_in(output.parent) == ["film.mp4"]


def test_nothing_stays_of_a_run_that_was_stopped_before_its_first_frame(output: Path) -> None:
    def look(show: object) -> Survey:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match=r"^stopped; nothing was written$"):
        made(replace(film(output, Footage(COUNT, CUT), Trail()), look=look))
    assert not list(output.parent.iterdir())
    with pytest.raises(UsageError, match=r"nobody is making .*film\.mp4: there is no .*frames"):
        status(output)


def test_a_run_that_goes_on_does_not_look_through_the_clip_again(output: Path) -> None:
    production = film(output, Footage(COUNT, CUT), Trail())
    with pytest.raises(Interrupted):
        made(production, stopping(3))

    def look(show: object) -> Survey:
        raise AssertionError("it was looked through before")

    made(replace(production, look=look))
    assert output.read_bytes() == right()


def test_frames_of_another_recipe_are_not_lost_by_mistake(output: Path) -> None:
    first, other = (film(output, Footage(COUNT, CUT), Trail(), k=k) for k in (1, 2))
    with pytest.raises(Interrupted):
        made(first, stopping(3))
    with pytest.raises(UsageError, match="made with other k; give the same as then to go on"):
        made(other)
    names = names_in(folder_of(output))
    assert names == ["000000.png", "000001.png", "000002.png", "job.json", "lock"]
    assert made(other, force=True).made == COUNT
    assert output.read_bytes() == right()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"k": 2, "effect": "paint"}, "other effect; give"),
        (
            {"k": 2, "versions": {"torch": "3", "av": "2"}},
            r"other k, versions \(torch 2, now 3; av",
        ),
    ],
)
def test_what_frames_were_made_with_is_said(
    output: Path, changes: dict[str, object], said: str
) -> None:
    versions = {"torch": "2", "numpy": "1"}
    with pytest.raises(Interrupted):
        made(film(output, Footage(COUNT, CUT), Trail(), versions=versions), stopping(3))
    with pytest.raises(UsageError, match=said):
        made(film(output, Footage(COUNT, CUT), Trail(), **changes))


def test_frames_of_another_recipe_are_not_promised_to_be_gone_on_with(output: Path) -> None:
    first, other = (film(output, Footage(COUNT, CUT), Trail(), k=k) for k in (1, 2))
    with pytest.raises(Interrupted):
        made(first, stopping(3))

    def look(show: object) -> Survey:
        raise KeyboardInterrupt

    said = r"^stopped; nothing was written; 3 of 12 frames of another recipe are still in .*frames$"
    with pytest.raises(Interrupted, match=said):
        made(replace(other, look=look), force=True)
    assert made(first).made == COUNT - 3


def test_how_the_film_is_written_does_not_decide_its_frames(output: Path) -> None:
    with pytest.raises(Interrupted):
        made(film(output, Footage(COUNT, CUT), Trail(), film={"quality": 10}), stopping(3))
    other = film(output, Footage(COUNT, CUT), Trail(), film={"quality": 90})
    deep = film(output, Footage(COUNT, CUT), Trail(), film={"codec": "prores"}, depth=16)
    with pytest.raises(UsageError, match="made with other depth"):
        made(deep)
    assert made(other).made == COUNT - 3


def test_damaged_frames_on_disk_are_made_again(output: Path) -> None:
    production = film(output, Footage(COUNT, CUT), Trail())
    with pytest.raises(Interrupted):
        made(production, stopping(10))
    for number, size in ((2, 100), (5, 0), (8, 1500)):
        os.truncate(folder_of(output) / f"{number:06}.png", size)
    assert made(production).made == 3 + 2
    assert output.read_bytes() == right()


def test_damaged_frames_of_the_clip_are_told_with_their_time(output: Path) -> None:
    told: list[Event] = []
    made(film(output, Footage(COUNT, CUT, damaged=(2, 3, 9)), Trail()), told.append)
    said = [event.message for event in told if isinstance(event, Notice)]
    assert any("frames 3–4 are damaged in the source, at 0.08 s" in text for text in said)
    assert any("frame 10 is damaged in the source, at 0.36 s" in text for text in said)


def test_kept_frames_are_not_made_twice(output: Path) -> None:
    production = film(output, Footage(COUNT, CUT), Trail())
    made(production, keep_frames=True)
    frames = folder_of(output)
    assert len(list(frames.glob("*.png"))) == COUNT
    assert was_written(output)
    output.unlink()
    assert made(production, keep_frames=True).made == 0
    written = output.stat()
    assert made(production).made == 0
    assert output.stat() == written
    assert not frames.exists()
    assert output.read_bytes() == right()


def test_the_film_of_other_settings_is_not_taken_for_the_new_one(output: Path) -> None:
    made(film(output, Footage(COUNT, CUT), Trail(), film={"quality": 10}), keep_frames=True)

    def write_other(frames: Pictures, survey: Survey, path: Path) -> None:
        path.write_bytes(b"other")

    def stop(frames: Pictures, survey: Survey, path: Path) -> None:
        raise KeyboardInterrupt

    other = film(output, Footage(COUNT, CUT), Trail(), film={"quality": 90})
    with pytest.raises(Interrupted, match="12 of 12 frames are in"):
        made(replace(other, write=stop), force=True)
    assert output.read_bytes() == right()
    assert not was_written(output)
    found = made(replace(other, write=write_other), force=True)
    assert (found.made, output.read_bytes()) == (0, b"other")
    assert names_in(output.parent) == ["film.mp4"]


@posix
def test_frames_stay_until_the_name_of_the_film_is_on_the_disk(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[tuple[Path, int]] = []

    def flush(descriptor: int) -> None:
        found = os.fstat(descriptor)
        if output.exists():
            frames = len(list(folder_of(output).glob("*.png")))
            folders = (output.parent, folder_of(output))
            flushed.extend((it, frames) for it in folders if os.path.samestat(found, it.stat()))

    monkeypatch.setattr(os, "fsync", flush)
    made(film(output, Footage(COUNT, CUT), Trail()))
    assert flushed == [(output.parent, COUNT), (folder_of(output), COUNT)]


def test_another_file_in_the_place_of_the_film_is_not_taken_for_it(output: Path) -> None:
    made(film(output, Footage(COUNT, CUT), Trail()), keep_frames=True)
    output.write_bytes(right())
    assert not was_written(output)


def test_what_comes_to_lie_in_the_place_of_the_film_is_not_replaced(output: Path) -> None:
    production = film(output, Footage(COUNT, CUT), Trail())

    def show(event: Event) -> None:
        if isinstance(event, FrameDone) and event.made == 3:
            output.write_bytes(b"mine")

    for _ in ("when it is written", "when it goes on"):
        refusal = r"it is there by now; .* add --force .*; 12 of 12 frames are in"
        with pytest.raises(UnwritableOutput, match=refusal):
            made(production, show)
        assert output.read_bytes() == b"mine"
    assert made(production, force=True).made == 0
    assert output.read_bytes() == right()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs another disk")
def test_the_frames_may_lie_on_another_disk(output: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        assert Path(other).stat().st_dev != output.parent.stat().st_dev
        folder_of(output).symlink_to(other)
        production = film(output, Footage(COUNT, CUT), Trail())
        made(production, keep_frames=True)
        assert output.read_bytes() == right()
        assert names_in(Path(other)) == [*(f"{i:06}.png" for i in range(COUNT)), "job.json"]
        assert was_written(output)
        made(production)
        assert not list(Path(other).iterdir())
    assert output.read_bytes() == right()


def test_two_runs_of_one_output_refuse_each_other(output: Path) -> None:
    production = film(output, Footage(COUNT, CUT), Trail())
    refusals: list[str] = []

    def show(event: Event) -> None:
        if isinstance(event, FrameDone) and event.made == 2:
            assert status(output).process == os.getpid()
            with pytest.raises(UsageError, match="is making it") as caught:
                made(production)
            refusals.append(str(caught.value))

    made(production, show)
    assert output.read_bytes() == right()
    (refusal,) = refusals
    assert f"process {os.getpid()} is making it; see with --status" in refusal


def test_the_lock_of_a_killed_run_holds_nobody_up(output: Path) -> None:
    folder = JobFolder(output)
    child = os.fork()
    if child == 0:
        try:
            with folder.held():
                (folder.path / "000000.png").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert (folder.path / "lock").exists()
    made(film(output, Footage(COUNT, CUT), Trail()), force=True)
    assert output.read_bytes() == right()


@posix
@pytest.mark.parametrize("done", [False, True], ids=["not begun", "done"])
def test_who_leaves_takes_nobody_elses_lock(
    output: Path, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    """Another run takes the lock at the very moment that it is free."""
    first, second, third = (JobFolder(output) for _ in range(3))
    release, held = Lock.release, ExitStack()

    def release_to_another(lock: Lock) -> None:
        monkeypatch.setattr(Lock, "release", release)
        lock.release()
        if done:  # the folder goes with it
            first.path.rmdir()
        held.enter_context(second.held())

    with held:
        monkeypatch.setattr(Lock, "release", release_to_another)
        with first.held():
            if done:
                first.close(keep_frames=False)
        with pytest.raises(UsageError, match="is making it"), third.held():
            pass
    assert not list(output.parent.iterdir())


def test_a_folder_that_goes_away_before_it_is_locked_is_made_again(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire = Lock.acquire
    gone: list[Path] = []

    def late(lock: Lock, workers: int) -> bool:
        if not gone:
            gone.append(lock.path.parent)
            gone[0].rmdir()
        return acquire(lock, workers)

    monkeypatch.setattr(Lock, "acquire", late)
    made(film(output, Footage(COUNT, CUT), Trail()))
    assert gone
    assert output.read_bytes() == right()


def test_frames_without_a_job_are_not_lost_by_mistake(output: Path) -> None:
    folder_of(output).mkdir()
    (folder_of(output) / "000000.png").write_bytes(b"a picture of mine")
    with pytest.raises(UsageError, match="holds frames and does not say of what"):
        made(film(output, Footage(COUNT, CUT), Trail()))
    assert (folder_of(output) / "000000.png").read_bytes() == b"a picture of mine"


def test_what_will_not_fit_on_the_disk_is_refused(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "free_disk", lambda _: 50_040_000)
    with pytest.raises(UnwritableOutput, match=r"they take about 49\.8 kB and 40\.0 kB are free"):
        made(film(output, Footage(COUNT, CUT), Trail()))


def test_a_smaller_size_is_begun_anew_where_the_disk_had_no_room(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = RESERVE + 20_000
    monkeypatch.setattr(module, "free_disk", lambda _: free)
    large, small = Footage(COUNT, CUT), Footage(COUNT, CUT, (24, 16))
    with pytest.raises(UnwritableOutput, match="or a smaller --size; 0 of 12 frames are in"):
        made(film(output, large, Trail(), settings={"size": "large"}))
    found = made(film(output, small, Trail(), settings={"size": "small"}))
    assert found.made == COUNT
    want = expected(small.photos(), (0, CUT))
    assert output.read_bytes() == b"".join(frame.tobytes() for frame in want)


@posix
def test_a_disk_that_fills_up_keeps_what_is_done(output: Path) -> None:
    import resource

    production = film(output, Footage(COUNT, CUT), Trail())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def show(event: Event) -> None:
        if isinstance(event, FrameDone) and event.made == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))

    try:
        with pytest.raises(UnwritableOutput, match=r"no space left .*; 4 of 12 frames are in "):
            made(production, show)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert made(production).made == COUNT - 4
    assert output.read_bytes() == right()


@posix
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(output: Path) -> None:
    output.parent.chmod(0o500)
    try:
        with pytest.raises(UnwritableOutput, match="cannot write"):
            made(film(output, Footage(COUNT, CUT), Trail()))
    finally:
        output.parent.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
def test_a_folder_that_cannot_be_listed_is_refused() -> None:
    with tempfile.TemporaryDirectory() as name:
        output, user = Path(name, "film.mp4"), os.geteuid()
        output.parent.chmod(0o777)
        folder_of(output).mkdir()
        folder_of(output).chmod(0o333)
        try:
            if user == 0:  # the superuser may look everywhere
                os.seteuid(65534)
            with pytest.raises(UnwritableOutput, match=r"film\.mp4\.frames: Permission"):
                made(film(output, Footage(COUNT, CUT), Trail()))
        finally:
            os.seteuid(user)
            folder_of(output).chmod(0o700)


def test_workers_make_the_same_film(output: Path) -> None:
    found = produce(film(output, Footage(COUNT, CUT), Trail()), Crew(2, 1), print)
    assert output.read_bytes() == right()
    assert found.made == COUNT


def test_the_number_of_pictures_in_memory_does_not_grow(output: Path) -> None:
    """A frame that waited to be written is gone when the next one is drawn."""
    seen: list[weakref.ref[Bits]] = []
    alive: list[int] = []

    def count(frames: Pictures, survey: Survey, path: Path) -> None:
        for frame in frames:
            alive.append(sum(each() is not None for each in seen))
            seen.append(weakref.ref(frame))
            del frame
        path.touch()

    made(replace(film(output, Footage(COUNT, CUT), Trail()), write=count))
    assert len(alive) == COUNT
    assert max(alive) <= 1


def test_runs_of_frames() -> None:
    assert list(runs((3, 4, 5, 9))) == [(3, 5), (9, 9)]
    assert list(runs(())) == []


def test_runs_of_very_many_frames_are_found_at_once() -> None:
    """Each compared with each, they take 20 s."""
    frames, began = tuple(range(0, 80_000, 2)), time.perf_counter()
    assert list(runs(frames)) == [(frame, frame) for frame in frames]
    assert time.perf_counter() - began < 2


def test_the_state_is_seen_from_elsewhere_while_the_run_goes_on(output: Path) -> None:
    seen = []
    thread = threading.Thread(
        target=made, args=(film(output, Footage(COUNT, CUT), Trail(0.05)), lambda _: None)
    )
    thread.start()
    while thread.is_alive():
        try:
            seen.append(status(output))
        except UsageError:
            continue
    thread.join()
    counts = [each.made for each in seen]
    assert counts == sorted(counts)
    assert {each.frames for each in seen} == {COUNT}
    middle = [each for each in seen if 2 <= each.made < COUNT]
    assert all(each.process == os.getpid() for each in middle)
    assert all(each.pace is not None and 0.04 < each.pace < 1 for each in middle)
    assert all(f"{each.made} of 12 frames" in each.sentence() for each in middle)
    assert middle

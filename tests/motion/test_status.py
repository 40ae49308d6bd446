"""How far a film is, by the files that are there."""

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from impasto.errors import UsageError
from impasto.motion import status as module
from impasto.motion.effect import NewFrame
from impasto.motion.film_recipe import FilmRecipe
from impasto.motion.job_folder import JobFile, JobFolder, folder_of
from impasto.motion.status import status
from impasto.motion.store import Store
from impasto.motion.survey import Survey

RECIPE = FilmRecipe(
    kind="video", sources=(), effect="trail", settings={}, film={}, depth=8, versions={}
)
SURVEY = Survey(time_base=Fraction(1, 25), times=tuple(range(13)), cuts=(0, 4, 8))


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    """Of a film of three shots, of 4 frames each, that somebody has begun."""
    begun = JobFolder(tmp_path / "film.mp4")
    begun.path.mkdir()
    begun.write(JobFile(recipe=RECIPE, survey=SURVEY, size=(2, 2)))
    return begun


def put(folder: JobFolder, frames: dict[int, float]) -> None:
    """Frames in the order in which they are made, with the seconds that each took."""
    store = Store(folder.path, RECIPE.job, 8)
    for time, (frame, seconds) in enumerate(frames.items()):
        store.put(frame, NewFrame(np.zeros((2, 2, 3), np.float32), {}), seconds)
        os.utime(folder.path / f"{frame:06}.png", (time, time))


def test_the_pace_is_that_of_the_frames_made_last(
    folder: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last shot, being the longest, was begun first."""
    monkeypatch.setattr(module, "RECENT", 3)
    put(folder, {8: 90, 9: 90, 10: 90, 0: 2, 1: 3, 2: 4})
    found = status(folder.path.with_suffix(""))
    assert (found.pace, found.left) == (3, 18)


@pytest.mark.parametrize(("there", "at_work"), [(1, 3), (4, 2), (8, 1), (12, 1)])
def test_workers_without_a_shot_speed_nothing_up(
    folder: JobFolder, there: int, at_work: int
) -> None:
    with folder.held():
        folder.note(5)
        put(folder, dict.fromkeys(range(there), 6.0))
        found = status(folder.path.with_suffix(""))
    assert (found.made, found.process) == (there, os.getpid())
    assert found.pace == 6 / at_work


def test_a_file_in_the_place_of_the_folder_is_no_work(tmp_path: Path) -> None:
    folder_of(tmp_path / "film.mp4").touch()
    with pytest.raises(UsageError, match=r"nobody is making .*mp4: there is no folder .*frames"):
        status(tmp_path / "film.mp4")


def test_a_run_that_looks_through_its_clip_is_seen(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "film.mp4")
    said = rf"process {os.getpid()} is about to begin with .*film\.mp4 or has just ended; look"
    with folder.held(), pytest.raises(UsageError, match=said):
        status(tmp_path / "film.mp4")


def test_a_folder_that_does_not_say_of_what_it_is_is_there(folder: JobFolder) -> None:
    (folder.path / "job.json").write_text("{")
    with pytest.raises(UsageError, match=r"nobody .*: .*film\.mp4\.frames does not say of what"):
        status(folder.path.with_suffix(""))


def test_a_folder_that_may_not_be_read_is_refused(
    folder: JobFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UsageError, match=r"cannot look into .*frames: Permission denied; do so as"):
        status(folder.path.with_suffix(""))

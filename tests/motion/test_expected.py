"""How long painted frames take, said before any is made."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from tests.motion.test_production import COUNT, CUT, film, made
from tests.motion.trail import Footage, Trail

from impasto.events import Event, Notice
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.expected import SOON, expected_seconds
from impasto.neural.duration import Pace, level_seconds
from impasto.neural.plan import Work, plan_for
from impasto.neural.weights import Weights, load_weights
from impasto.settings import PaintSettings

SETTINGS = PaintSettings(precision="float32", steps=40, coarse_steps=40, levels=2, size="full")
WORK = Work((320, 240), [(320, 320)], SETTINGS, torch.float32, torch.device("cpu"))
Seconds = Callable[[int, int], float | None]


@pytest.fixture(scope="module")
def weights() -> Weights:
    return load_weights()


@pytest.fixture
def seconds(weights: Weights, monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """On a machine that does 100 billion operations a second."""
    monkeypatch.setattr(Pace, "measured", lambda *_: Pace(1e11, 1e11))
    return partial(expected_seconds, WORK, CoherenceSettings(frame_steps=8), weights)


def test_first_frames_are_whole_paintings_and_others_have_their_evaluations(
    seconds: Seconds,
) -> None:
    pace = Pace(1e11, 1e11)
    whole = sum(level_seconds(WORK, plan_for(WORK), pace))
    once = replace(WORK, settings=SETTINGS.updated({"levels": 1, "steps": 8}))
    follows = sum(level_seconds(once, plan_for(once), pace))
    assert seconds(3, 200) == pytest.approx(3 * whole + 200 * follows)
    assert follows < whole / 3


def test_what_is_soon_done_needs_no_trial(
    seconds: Seconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Pace, "measured")
    assert seconds(1, 2) is None
    with pytest.raises(AttributeError):
        seconds(3, 200)


@pytest.mark.parametrize(("told", "said"), [(7200.0, True), (SOON / 2, False), (None, False)])
def test_it_is_said_before_the_first_frame(tmp_path: Path, told: float | None, said: bool) -> None:
    """Of the frames that are still to be made."""
    asked: list[tuple[int, int]] = []
    events: list[Event] = []

    def seconds(firsts: int, others: int) -> float | None:
        asked.append((firsts, others))
        return told

    production = film(tmp_path / "film.mp4", Footage(COUNT, CUT), Trail())
    made(replace(production, seconds=seconds), events.append)
    assert asked == [(2, COUNT - 2)]
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert (f"about 2.0 h at most for {COUNT} frames, as a trial tells" in notices) == said

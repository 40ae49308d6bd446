"""How long painting frames will take, worked out before any is made."""

from dataclasses import replace

from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.painted import following_settings
from impasto.neural.duration import Pace, level_seconds
from impasto.neural.plan import Work, plan_for
from impasto.neural.weights import Weights

TRIAL = 2.0
"""Seconds, about, of finding out how fast this machine is."""

USUAL = 2e11
"""Operations a second of a machine with few processors."""

SOON = 60.0
"""Seconds; what a usual machine does sooner is not worth a trial."""


def expected_seconds(
    work: Work, coherence: CoherenceSettings, weights: Weights, firsts: int, others: int
) -> float | None:
    """Seconds for so many frames that begin shots and so many that follow others, at most.

    Calm frames take fewer evaluations than they may. None where it is soon done.
    """
    following = replace(work, settings=following_settings(work.settings, coherence))
    works = [(work, firsts), (following, others)]
    plans = [plan_for(each) for each, _ in works]

    def at(pace: Pace) -> float:
        return sum(
            count * sum(level_seconds(each, plan, pace))
            for (each, count), plan in zip(works, plans, strict=True)
        )

    if at(Pace(USUAL, USUAL)) < SOON:
        return None
    return at(Pace.measured(work, weights, TRIAL))

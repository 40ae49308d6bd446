"""One quick look at a whole clip, before any work: its times, its faults, its shots."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from pydantic import Field

from impasto.errors import UsageError
from impasto.events import Event, Notice, Stage
from impasto.motion.clip import RGB, Clip
from impasto.motion.cuts import changes, cuts
from impasto.settings import Settings

SMALL = 64
"""Long side of the pictures that tell shots apart, px."""

HELD = 1.0
"""Seconds that a last frame is believed to be held where only the file as a whole tells."""


SLACK = 3
"""Frames by which files often say that they last longer than they do."""


class Survey(Settings):
    """What there is to do; the same on every run over the same file."""

    time_base: Fraction
    """Seconds a tick."""
    begins: int = 0
    """Ticks from the file's first frame to the first one asked for."""
    times: tuple[int, ...] = Field(min_length=2)
    """Ticks from the first frame at which each is shown, and at which the last one ends."""
    damaged: tuple[int, ...] = ()
    """Frames that are damaged or missing in the file, and bridged."""
    cuts: tuple[int, ...] = (0,)
    """Frames that begin a shot; the first is one."""
    missing: float = 0.0
    """Seconds at the end that the file says it has, and has not: it was cut short."""

    @property
    def frames(self) -> int:
        """How many there are."""
        return len(self.times) - 1

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return float(self.times[-1] * self.time_base)

    def seconds_at(self, frame: int) -> float:
        """When a frame is shown, from the first one on."""
        return float(self.times[frame] * self.time_base)


class _Seen(NamedTuple):
    """What stays of a frame that was looked at."""

    frame: int
    taken: bool
    ticks: int
    damaged: bool
    lasts: int


def survey(clip: Clip, show: Callable[[Event], object]) -> Survey:
    """Go through the clip once.

    show: gets a Stage for each part in a hundred, and a Notice of what is not kept. Raises
    UsageError where no frame lies between the times asked for.
    """
    for notice in _left(clip):
        show(Notice(notice))
    seen: list[_Seen] = []
    changed = list(changes(_small(clip, seen, show)))
    if not seen:
        raise UsageError(
            f"no frame of {clip.path} is shown from {float(clip.start):g} s on; begin earlier"
        )
    taken = [frame for frame in seen if frame.taken]
    base, origin, end = clip.facts.time_base, seen[0].ticks, _end(clip, seen)
    starts = [frame.ticks - origin for frame in taken]
    return Survey(
        time_base=base,
        begins=origin,
        times=(*starts, end - origin),
        damaged=tuple(frame.frame for frame in taken if frame.damaged),
        cuts=tuple(cuts(changed, [float(start * base) for start in starts])),
        missing=_missing(clip, end),
    )


def _left(clip: Clip) -> Iterator[str]:
    """What frames do not keep, and the film does not."""
    name, facts = clip.path.name, clip.facts
    if facts.dynamic_range:
        yield (
            f"{name} has a high dynamic range ({facts.dynamic_range}); its light is brought to "
            "that of usual screens"
        )
    elif facts.wide:
        yield f"{name} has a wide gamut; its colours are brought to those of usual screens, sRGB"
    if facts.others:
        yield f"what {name} has beside pictures and sound is left out: {', '.join(facts.others)}"


def _small(clip: Clip, seen: list[_Seen], show: Callable[[Event], object]) -> Iterator[RGB]:
    """Small pictures of the frames asked for; every frame is noted."""
    facts, told = clip.facts, -1
    whole = facts.lasts or 0
    if clip.end is not None:
        whole = min(whole, round(clip.end / facts.time_base)) if whole else 0
    for shown in clip.shown():
        seen.append(_Seen(shown.index, shown.taken, shown.ticks, shown.damaged, shown.lasts))
        done = min(shown.ticks / whole, 1.0) if whole else 0.0
        if int(100 * done) > told:
            told = int(100 * done)
            show(Stage(f"looking through {clip.path.name}", done))
        if shown.taken:
            yield clip.developed(shown, SMALL)


def _end(clip: Clip, seen: Sequence[_Seen]) -> int:
    """When the last frame ends, ticks from the file's first; by `clip.end` at the latest.

    Matroska doesn't say how long a frame lasts, and FFmpeg takes what is usual; but most such files
    say how long all frames do. What others say of all of them follows the order of coding.
    """
    facts, last = clip.facts, seen[-1].ticks
    lasts = seen[-1].lasts or max(1, round(1 / (facts.rate * facts.time_base)))
    if facts.container.startswith("matroska") and facts.lasts is not None:
        held = facts.lasts - last
        lasts = held if 0 < held * facts.time_base <= HELD else lasts
    if clip.end is not None:
        lasts = min(lasts, max(1, round(clip.end / facts.time_base) - last))
    return last + lasts


def _missing(clip: Clip, end: int) -> float:
    """Seconds that the file says come after its last frame, if more than a few frames' worth."""
    facts = clip.facts
    if facts.lasts is None:
        return 0.0
    seconds = (facts.lasts - end) * facts.time_base
    if clip.end is not None:
        seconds = min(seconds, clip.end - end * facts.time_base)
    return float(seconds) if seconds > SLACK / facts.rate else 0.0

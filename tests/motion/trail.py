"""A real effect whose frames depend on all that an effect may look at, and its closed form."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.motion.clips import cut, pan

from impasto.events import Event, Notice
from impasto.motion.clip import Frame
from impasto.motion.effect import RGB, NewFrame, Past
from impasto.motion.place import Place
from impasto.motion.survey import Survey

REACH = 1, 3


@dataclass(frozen=True)
class Trail:
    """What moves leaves a trail: each frame is mixed with those before it and darkens in time."""

    seconds: float = 0.0
    """That a frame takes at least."""
    marks: Path | None = None
    """A folder in which each frame that is begun leaves a file."""
    reach: Sequence[int] = REACH

    def frame(
        self, photo: RGB, past: Mapping[int, Past], moment: float
    ) -> Iterator[Event | NewFrame]:
        age = float(past[1].kept["age"]) + 1 if 1 in past else 0.0
        if self.marks is not None:
            (self.marks / f"{time.monotonic_ns()}").write_text(f"{age} {moment}")
        time.sleep(self.seconds)
        if age == 2:
            yield Notice("the third frame of a shot")
        picture = photo * np.float32(1 - 0.3 * moment)
        for back in sorted(past):
            seen = past[back]
            picture = 0.6 * picture + 0.3 * seen.picture + 0.1 * seen.photo
        yield NewFrame(
            np.asarray(picture, np.float32).clip(0, 1),
            {"content": age / 10, "style/a/relu1_1": moment},
            steps=int(age),
            kept={"age": np.asarray(age), "corner": picture[:2, :2]},
        )


@dataclass(frozen=True)
class Trailing:
    """Builds it, wherever that is."""

    trail: Trail = Trail()

    @property
    def reach(self) -> Sequence[int]:
        return self.trail.reach

    def __call__(self, place: Place) -> Trail:
        return self.trail


def expected(photos: NDArray[np.uint8], cuts: Sequence[int]) -> list[NDArray[np.uint8]]:
    """The frames by a plain loop over the whole film."""
    made: list[NDArray[np.uint8]] = []
    for number, photo in enumerate(photos):
        start = max(cut for cut in cuts if cut <= number)
        picture = (photo / np.float32(255)) * np.float32(1 - 0.3 * number / (len(photos) - 1))
        for back in REACH:
            if number - back >= start:
                seen, own = made[number - back], photos[number - back]
                # 16 bits hold bytes exactly: 65535 is 257 times 255.
                picture = (
                    0.6 * picture + 0.3 * (seen / np.float32(255)) + 0.1 * (own / np.float32(255))
                )
        made.append(
            np.rint(np.asarray(picture, np.float32).clip(0, 1) * np.float32(255)).astype(np.uint8)
        )
    return made


@dataclass(frozen=True)
class Footage:
    """The frames of `cut`, of 96×64 px unless they are made otherwise, without a file."""

    count: int = 12
    at: int = 7
    size: tuple[int, int] = (48, 32)
    damaged: tuple[int, ...] = ()

    def photos(self) -> NDArray[np.uint8]:
        return cut(self.count, self.size, self.at) if self.at else pan(self.count, self.size).frames

    def frames(self, first: int = 0, known: Survey | None = None) -> Iterator[Frame]:
        photos = self.photos()
        for index in range(self.count):
            good = index
            while good in self.damaged and good > 0:
                good -= 1
            if index >= first:
                rgb = photos[good] / np.float32(255)
                yield Frame(index, Fraction(index, 25), rgb, index in self.damaged)

    @property
    def survey(self) -> Survey:
        return Survey(time_base=Fraction(1, 25), times=tuple(range(self.count + 1)))


@dataclass(frozen=True)
class Taken:
    """Opens footage, wherever that is."""

    footage: Footage

    def __call__(self, place: Place) -> Footage:
        return self.footage

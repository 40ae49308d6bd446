"""How calm painted films are, how close to the style, and what a frame costs.

    python -m benchmarks.coherence [--clip clip.mp4] [--size 256] [--frames 6] [--cost]

The first table compares optical flow with motion that is known. The second paints clips whose
motion is known, and as many frames of a film if one is given, together and each frame by itself:
mean error along the motion of pixels that both frames show, and the style's loss over that of
frames painted alone, judged in float32. `--cost` takes the film at its own size: a frame that
follows others beside 2000 plain steps of Adam in float32 on the same machine.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import mean, median
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from tests.motion import clips

from benchmarks import machine
from impasto.image.resize import fit, resize
from impasto.image.samples import style
from impasto.motion.clip import Clip
from impasto.motion.coherence import found_again, sure
from impasto.motion.coherence_settings import CoherenceSettings, Method
from impasto.motion.effect import RGB, NewFrame, Past
from impasto.motion.flow import estimate, warped
from impasto.motion.painted import MovingStyle, PaintedFrames
from impasto.neural.device import choose_device, keep_freed_memory
from impasto.neural.judge import Judge
from impasto.neural.paint import Inputs
from impasto.neural.shared import Shared
from impasto.neural.speed import evaluation, timed
from impasto.settings import PaintSettings

RECIPE = 2000
"""Steps of the article's recipe."""

CLIPS: dict[str, Callable[..., clips.Known]] = {
    "pan": clips.pan,
    "zoom": clips.zoom,
    "cover": clips.cover,
    "still": clips.still,
}


@dataclass(frozen=True)
class Scene:
    """Photos, and where the pixels of each lie in the one before, which doesn't show some."""

    photos: list[RGB]
    back: Sequence[NDArray[np.float32]]
    hidden: Sequence[NDArray[np.bool_]]

    @classmethod
    def known(cls, clip: clips.Known) -> "Scene":
        """With its known motion."""
        return cls(floats(clip.frames), list(clip.back), list(clip.uncovered))

    @classmethod
    def of(cls, file: Path, long_side: int | None, frames: int) -> "Scene":
        """The first frames of a film, with the motion that is estimated."""
        shown = [frame.rgb for frame, _ in zip(Clip(file).frames(), range(frames), strict=False)]
        height, width = shown[0].shape[:2]
        size = fit(width, height, long_side) if long_side else (width, height)
        photos = [resize(photo, *size) for photo in shown]
        pairs = list(pairwise(photos))
        back = [estimate(after, before) for before, after in pairs]
        there = [estimate(before, after) for before, after in pairs]
        hidden = [sure(one, other) < 1 for one, other in zip(there, back, strict=True)]
        return cls(photos, back, hidden)

    def flicker(self, pictures: Sequence[RGB]) -> float:
        """Mean error along the motion of pixels that both frames show, 0 to 1."""
        return mean(
            float(np.abs(after - warped(before, back)).mean(-1)[~hidden].mean())
            for before, after, back, hidden in zip(
                pictures[:-1], pictures[1:], self.back, self.hidden, strict=True
            )
        )


class Painter:
    """Paints frames in one style, and judges them."""

    def __init__(self) -> None:
        self._shared = Shared(2**28)
        self._weights = self._shared.weights(None)
        self._settings = PaintSettings()
        pixels = style("mosaic", 640).astype(np.float32) / np.float32(255)
        self._style = MovingStyle("mosaic", pixels, 100, 100, sha256="mosaic")
        self._effect = PaintedFrames(
            [self._style], self._settings, CoherenceSettings(), self._weights, self._shared
        )

    def together(self, photos: Sequence[RGB]) -> tuple[list[NewFrame], list[float]]:
        """Frames that follow one another, and the seconds of each; rounded as on disk."""
        made: list[NewFrame] = []
        pictures: list[RGB] = []
        seconds = []
        for i, photo in enumerate(photos):
            past = {
                back: Past(photos[i - back], pictures[i - back], made[i - back].kept)
                for back in self._effect.reach
                if back <= i
            }
            began = time.perf_counter()
            *_, last = self._effect.frame(photo, past, 0)
            seconds.append(time.perf_counter() - began)
            assert isinstance(last, NewFrame)
            made.append(last)
            pictures.append((last.picture * np.float32(255)).round() / np.float32(255))
        return made, seconds

    def alone(self, photos: Sequence[RGB]) -> list[NewFrame]:
        """Each painted in full."""
        return [self.together([photo])[0][0] for photo in photos]

    def style_loss(self, photo: RGB, picture: RGB) -> float:
        """In float32."""
        inputs = Inputs(photo, [self._style.at(0)])
        size = photo.shape[1], photo.shape[0]
        judge = Judge(inputs, self._settings, self._weights, size)
        losses = judge.distances(picture).losses(self._settings, {"mosaic": 100})
        return losses["total"] - losses["content"]

    def adam_step(self, size: tuple[int, int]) -> float:
        """Seconds of a float32 evaluation; what Adam does with it is little beside."""
        work = evaluation(self._weights, choose_device("auto"), torch.float32, size)
        times = [timed(work, choose_device("auto")) for _ in range(4)]
        return median(times[1:])


def floats(frames: NDArray[np.uint8]) -> list[RGB]:
    return list(frames.astype(np.float32) / np.float32(255))


def flows(size: tuple[int, int]) -> None:
    """Print how far estimated flow is from the known one, and what of the uncovered it finds."""
    print("| clip | method | end-point error, px | uncovered found | others trusted | ", end="")
    print("seconds a frame |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, clip in CLIPS.items():
        known = clip(6, size)
        photos = floats(known.frames)
        for method in get_args(Method):
            print(f"| {name} | {method} | {flow_row(known, photos, method)} |", flush=True)


def flow_row(known: clips.Known, photos: Sequence[RGB], method: Method) -> str:
    """The figures of one method on one clip."""
    errors, found, trusted, began = [], [], [], time.perf_counter()
    for i, hidden in enumerate(known.uncovered):
        back, seen = found_again(photos[i + 1], photos[i], method)
        safe = seen > 0
        errors.append(np.linalg.norm(back - known.back[i], axis=-1)[~hidden].mean())
        trusted.append(safe[~hidden].mean())
        found += [(~safe)[hidden].mean()] if hidden.any() else []
    seconds = (time.perf_counter() - began) / len(errors)
    share = f"{100 * mean(map(float, found)):.0f} %" if found else "none to find"
    safe_share = 100 * mean(map(float, trusted))
    error = mean(map(float, errors))
    return f"{error:.3f} | {share} | {safe_share:.0f} % | {seconds:.3f}"


def flickers(scenes: dict[str, Scene], painter: Painter) -> None:
    """Print how calm films are beside frames painted alone."""
    print(
        "\n| clip | error along the motion, 255ths | alone | ratio | style loss over alone's",
        end="",
    )
    print(" | evaluations a frame | seconds a frame |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, scene in scenes.items():
        made, seconds = painter.together(scene.photos)
        alone = painter.alone(scene.photos)
        calm, wild = (scene.flicker([frame.picture for frame in x]) for x in (made, alone))
        ratios = [
            painter.style_loss(photo, one.picture) / painter.style_loss(photo, other.picture)
            for photo, one, other in zip(scene.photos[1:], made[1:], alone[1:], strict=True)
        ]
        steps = mean(frame.steps for frame in made[1:])
        ratio = f"{calm / wild:.2f}" if wild else "–"
        print(
            f"| {name} | {255 * calm:.2f} | {255 * wild:.2f} | {ratio} | {mean(ratios):.2f} "
            f"(most {max(ratios):.2f}) | {steps:.1f} | {median(seconds[1:]):.2f} |",
            flush=True,
        )


def cost(file: Path, painter: Painter, frames: int) -> None:
    """Print what a frame takes beside the recipe, at the film's own size."""
    scene = Scene.of(file, None, frames)
    height, width = scene.photos[0].shape[:2]
    step = painter.adam_step((width, height))
    made, seconds = painter.together(scene.photos)
    whole = painter.alone(scene.photos[-1:])[0]
    last = scene.photos[-1]
    ratio = painter.style_loss(last, made[-1].picture) / painter.style_loss(last, whole.picture)
    took = median(seconds[1:])
    print(
        f"\n{width}x{height}: a frame takes {took:.1f} s, a step of the recipe {step:.2f} s, "
        f"so {RECIPE} take {RECIPE * step / took:.0f} times as long; "
        f"style loss {ratio:.2f} of a whole painting's"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clip", type=Path, help="a film, of which the first frames are taken")
    parser.add_argument("--size", type=int, default=256, help="long side, px (default: 256)")
    parser.add_argument("--frames", type=int, default=6, help="of each clip (default: 6)")
    parser.add_argument("--cost", action="store_true", help="measure the film at its own size too")
    given = parser.parse_args()
    keep_freed_memory()
    print(f"{machine.described()}; {machine.warning() or 'nothing else runs'}\n")
    size = given.size, round(given.size * 3 / 4)
    flows(size)
    painter = Painter()
    scenes = {name: Scene.known(clip(given.frames, size)) for name, clip in CLIPS.items()}
    if given.clip is not None:
        scenes[given.clip.name] = Scene.of(given.clip, given.size, given.frames)
    flickers(scenes, painter)
    if given.clip is not None and given.cost:
        cost(given.clip, painter, given.frames)


if __name__ == "__main__":
    main()

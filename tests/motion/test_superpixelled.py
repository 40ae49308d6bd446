import numpy as np
import pytest
from tests.motion.clips import cover, pan, psnr, still
from tests.motion.sequence import change, made, noisy, warp_error

from impasto.errors import UsageError
from impasto.filter_settings import QuantizeSettings, SuperpixelSettings
from impasto.image.regions import connected
from impasto.image.segmentation import Method
from impasto.image.srgb import to_unit
from impasto.motion.effect import Effect, NewFrame, Past
from impasto.motion.quantized import QuantizedFrames
from impasto.motion.superpixelled import SLACK, SuperpixelledFrames
from impasto.threads import limited

SETTINGS = SuperpixelSettings(n=120)


@pytest.mark.parametrize("method", ["slic", "slico", "lsc", "seeds"])
def test_a_still_clip_gives_the_same_frame_again_and_again(method: Method) -> None:
    effect = SuperpixelledFrames(SETTINGS.updated({"method": method, "borders": "white"}))
    frames = made(effect, to_unit(still(5).frames))
    assert (frames == frames[0]).all()


def test_noise_hardly_makes_a_still_clip_flicker() -> None:
    frames = noisy(to_unit(still(6, (192, 144)).frames))
    together = made(SuperpixelledFrames(SETTINGS), frames)
    alone = made(SuperpixelledFrames(SETTINGS), frames, alone=True)
    assert change(together) < change(alone) / 20


def test_regions_go_along_with_what_they_show() -> None:
    known = pan(10, (192, 144), (6, 2))
    frames = noisy(to_unit(known.frames))
    together = made(SuperpixelledFrames(SETTINGS), frames)
    alone = made(SuperpixelledFrames(SETTINGS), frames, alone=True)
    assert warp_error(together, known) < warp_error(alone, known) / 4
    # And they show it as well as regions that are found anew.
    assert psnr(together[-1], frames[-1], 1) > psnr(alone[-1], frames[-1], 1) - 0.7


def test_there_are_always_as_many_regions_each_in_one_piece() -> None:
    effect, past = SuperpixelledFrames(SETTINGS), dict[int, Past]()
    for rgb in to_unit(cover(6, (160, 120), (9, 0)).frames):
        *_, new = effect.frame(rgb, past, 0)
        assert isinstance(new, NewFrame)
        labels = new.kept["labels"]
        assert (np.unique(labels) == np.arange(SETTINGS.n)).all()
        assert connected(labels)[1] == SETTINGS.n
        assert (new.picture == new.kept["colours"][labels]).all()
        past = {1: Past(rgb, new.picture, new.kept)}


def test_colours_follow_the_light() -> None:
    """A still clip that becomes brighter: each region is within the slack of its mean."""
    photo = to_unit(still(1).frames[0])
    frames = np.stack([photo * np.float32(0.6 + 0.03 * i) for i in range(12)])
    shown = made(SuperpixelledFrames(SETTINGS.updated({"mean": "srgb"})), frames)
    for frame, picture in zip(frames, shown, strict=True):
        # 8 bits round by half a step in each channel.
        assert np.abs((picture - frame).mean(axis=(0, 1))).max() < SLACK + 0.5 / 255


@pytest.mark.parametrize(
    "effect", [SuperpixelledFrames(SETTINGS), QuantizedFrames(QuantizeSettings(k=12))]
)
def test_frames_do_not_depend_on_the_number_of_threads(effect: Effect) -> None:
    photos = to_unit(pan(4, (400, 300)).frames)
    found = []
    for threads in (1, 3):
        with limited(threads):
            found.append(made(effect, photos))
    assert (found[0] == found[1]).all()


def test_too_many_regions_are_refused() -> None:
    with pytest.raises(UsageError, match="3072 at most"):
        made(SuperpixelledFrames(SETTINGS.updated({"n": 4000})), to_unit(still(1).frames))

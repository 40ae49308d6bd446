import json
import math
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

import impasto
from impasto.errors import Interrupted, NotEnoughMemory, UnwritableOutput, UsageError
from impasto.events import Event, Notice, Stage
from impasto.image.resize import resize
from impasto.image.samples import photo
from impasto.neural.objective import Evaluation, Objective
from impasto.neural.tiles import Tiles, Tiling
from impasto.neural.vgg import VGG19
from impasto.neural.weights import load_weights
from impasto.studio.reconstruct import start
from impasto.studio.reconstruct_settings import CONTENT_SETS, STYLE_SETS, ReconstructSettings
from impasto.studio.reconstruction import Reconstructions, psnr

Outcome = tuple[int, str, str]


@pytest.fixture(scope="module")
def kept() -> Reconstructions:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    made = impasto.reconstruct(
        photo("coffee"),
        content_layer="relu1_2,relu4_2",
        style_layer="relu2_1+relu1_1",
        size=96,
        steps=40,
    )
    torch.set_num_threads(threads)
    return made


def test_shallow_layers_keep_the_pixels_and_deep_ones_do_not(kept: Reconstructions) -> None:
    shallow, deep, style = (each.psnr for each in kept.pictures)
    assert shallow > 28
    assert deep < 22
    assert style < 15
    for each in kept.pictures:
        judged = peak_signal_noise_ratio(kept.photo, each.rgb, data_range=1)  # type: ignore[no-untyped-call]
        assert each.psnr == pytest.approx(judged, abs=1e-3)


def test_deep_layers_keep_what_is_seen(kept: Reconstructions) -> None:
    """What is left is far below what the start was away, and below what a blur would be."""
    network = VGG19(load_weights(), torch.float32, torch.device("cpu"))

    def maps(rgb: np.ndarray[tuple[int, ...], np.dtype[np.float32]], layer: str) -> torch.Tensor:
        found: list[torch.Tensor] = []
        image = torch.from_numpy(rgb).permute(2, 0, 1)[None]
        tiles = Tiles(network, [layer], Tiling(rows=10**6), image.shape[3])
        tiles.forward(image, lambda _, features, __: found.append(features.clone()))
        return found[0]

    for each, layer in zip(kept.pictures[:2], ["relu1_2", "relu4_2"], strict=True):
        wanted = maps(kept.photo, layer)

        def far(
            rgb: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
            wanted: torch.Tensor = wanted,
            layer: str = layer,
        ) -> float:
            return ((maps(rgb, layer) - wanted).square().sum() / wanted.square().sum()).item()

        assert each.distance == pytest.approx(far(each.rgb), rel=1e-3)
        height, width = kept.photo.shape[:2]
        blurred = resize(resize(kept.photo, width // 2, height // 2), width, height)
        assert each.distance < 0.3 * far(blurred)


def test_style_keeps_colours_but_not_places(kept: Reconstructions) -> None:
    style = kept.pictures[2]
    assert style.layers == ("relu1_1", "relu2_1")
    assert style.distance < 0.01
    flat = kept.photo.reshape(-1, 3)
    made = style.rgb.reshape(-1, 3)
    assert np.abs(made.mean(0) - flat.mean(0)).max() < 0.06
    places = np.corrcoef(made[:, 0], flat[:, 0])[0, 1]
    assert abs(places) < 0.6


def test_the_start_is_faint_noise_of_the_seed() -> None:
    noise = start((200, 100), 3)
    assert noise.shape == (100, 200, 3)
    assert noise.mean() == pytest.approx(0.5, abs=1e-3)
    assert 0.45 <= noise.min() < 0.46
    assert 0.54 < noise.max() <= 0.55
    np.testing.assert_array_equal(noise, start((200, 100), 3))
    assert np.abs(noise - start((200, 100), 4)).mean() > 0.02


def test_psnr_in_closed_form() -> None:
    black = np.zeros((4, 5, 3), np.float32)
    assert psnr(black, black + np.float32(0.1)) == pytest.approx(20, abs=1e-5)
    assert psnr(black, black) == float("inf")


def test_layers_are_those_of_the_paper_unless_some_are_named() -> None:
    assert ReconstructSettings().sets == (CONTENT_SETS, STYLE_SETS)
    assert CONTENT_SETS[3] == ("relu4_2",)
    assert STYLE_SETS[1] == ("relu1_1", "relu2_1")
    only = ReconstructSettings.checked({"content_layer": "relu3_3, relu1_1+relu5_4"})
    assert only.sets == ((("relu3_3",), ("relu1_1", "relu5_4")), ())
    style = ReconstructSettings.checked({"style_layer": [["relu2_2"]]})
    assert style.sets == ((), (("relu2_2",),))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("conv1_1", "has no layer 'conv1_1'; the layers are relu1_1"),
        ("relu1_1+relu6_1", "has no layer 'relu6_1'"),
        ("", "needs at least one layer"),
        ("relu1_1+", "has no layer ''"),
    ],
)
def test_unknown_layers_are_refused(value: str, said: str) -> None:
    with pytest.raises(UsageError, match="content-layer") as caught:
        impasto.reconstruct("sample:coffee", content_layer=value)
    assert said in str(caught.value)


def test_a_paper_that_there_is_not_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="blue"):
        impasto.reconstruct("missing.jpg", output=tmp_path / "kept.png", paper="blue")


def test_the_sheet_has_every_picture_as_it_is(kept: Reconstructions) -> None:
    page = kept.page()
    assert len(kept.pictures) == 3
    for rgb in (kept.photo, *(each.rgb for each in kept.pictures)):
        corners = np.argwhere((page == rgb[0, 0]).all(axis=2))
        height, width = rgb.shape[:2]
        assert any(np.array_equal(page[y : y + height, x : x + width], rgb) for y, x in corners)


def test_progress_runs_over_all_pictures() -> None:
    seen: list[Event] = []
    impasto.reconstruct(
        "sample:chelsea", content_layer="relu1_1,relu2_1", size=32, steps=3, show=seen.append
    )
    stages = [event for event in seen if isinstance(event, Stage)]
    shares = [stage.done for stage in stages]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert stages[1].name == "1 of 2, content of relu1_1, step 1"
    assert sum(stage.name.startswith("2 of 2") for stage in stages) == 3


def test_the_command(impasto: Callable[..., Outcome], folder: Path) -> None:
    arguments = ["photo.jpg", "--size", "48", "--steps", "2", "--style-layer", "relu1_1", "-o"]
    status, out, err = impasto("reconstruct", *arguments, "kept.png", "--paper", "dark", "--json")
    assert status == 0, err
    facts = json.loads(out)
    assert facts["output"] == "kept.png"
    assert facts["size"] == [48, 36]
    (only,) = facts["reconstructions"]
    assert (only["term"], only["layers"]) == ("style", ["relu1_1"])
    with Image.open("kept.png") as sheet:
        assert sheet.convert("L").getpixel((2, 2)) < 60  # type: ignore[operator]
    assert impasto("reconstruct", *arguments, "kept.png")[0] == 2
    assert impasto("reconstruct", *arguments, "photo.jpg", "--force")[0] == 2
    assert impasto("reconstruct", *arguments, "kept.gif")[0] == 2
    assert impasto("reconstruct", "missing.jpg", "-o", "a.png")[0] == 3
    assert impasto("reconstruct", *arguments, "a.png", "--memory", "10MB")[0] == 4
    assert not Path("a.png").exists()


TWO: dict[str, Any] = {"content_layer": "relu1_1,relu2_1", "size": 32, "steps": 2}


def at_the_second(error: BaseException) -> Callable[[Event], None]:
    """Raises an error when the second picture is begun."""

    def show(event: Event) -> None:
        if isinstance(event, Stage) and event.name.startswith("2 of 2"):
            raise error

    return show


@pytest.fixture(scope="module")
def undisturbed_sheet(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    output = tmp_path_factory.mktemp("whole") / "kept.png"
    impasto.reconstruct("sample:chelsea", output=output, **TWO)
    assert [file.name for file in output.parent.iterdir()] == ["kept.png"]
    return output.read_bytes()


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (KeyboardInterrupt(), Interrupted, "stopped after 1 of 2 reconstructions; these are in"),
        (NotEnoughMemory("memory ran out"), NotEnoughMemory, "^memory ran out; to go on, give the"),
        (RuntimeError("a defect"), RuntimeError, "^a defect$"),
    ],
)
def test_what_is_finished_outlives_every_end_of_a_run(
    tmp_path: Path,
    undisturbed_sheet: bytes,
    error: BaseException,
    raised: type[BaseException],
    said: str,
) -> None:
    output = tmp_path / "kept.png"
    with pytest.raises(raised, match=said) as caught:
        impasto.reconstruct("sample:chelsea", output=output, show=at_the_second(error), **TWO)
    if not isinstance(error, RuntimeError):
        assert str(caught.value).endswith("; to go on, give the same command again")
    assert output.exists() == isinstance(error, KeyboardInterrupt)
    seen: list[Event] = []
    impasto.reconstruct("sample:chelsea", output=output, show=seen.append, **TWO)
    assert Notice("1 of 2 reconstructions are there already") in seen
    stages = [event.name for event in seen if isinstance(event, Stage)]
    assert stages[1] == "2 of 2, content of relu2_1, step 1"
    assert output.read_bytes() == undisturbed_sheet
    assert [file.name for file in tmp_path.iterdir()] == ["kept.png"]


def test_a_sheet_that_cannot_be_written_costs_no_reconstruction(
    tmp_path: Path, undisturbed_sheet: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "kept.png"

    def full(*_: object, **__: object) -> int:
        raise UnwritableOutput(f"cannot write {output}: no space left on its disk")

    with monkeypatch.context() as patched:
        patched.setattr(Reconstructions, "save", full)
        with pytest.raises(UnwritableOutput, match=r"no space left on its disk; to go on, give"):
            impasto.reconstruct("sample:chelsea", output=output, **TWO)
    seen: list[Event] = []
    impasto.reconstruct("sample:chelsea", output=output, show=seen.append, **TWO)
    assert [event for event in seen if isinstance(event, Stage)] == [Stage("reading", 0.0)]
    assert output.read_bytes() == undisturbed_sheet


def test_a_state_that_cannot_be_kept_stops_nothing(
    tmp_path: Path, undisturbed_sheet: bytes
) -> None:
    output = tmp_path / "kept.png"
    (tmp_path / "kept.png.unfinished").mkdir()
    with pytest.raises(UsageError, match="it is damaged, or of another command; give the same"):
        impasto.reconstruct("sample:chelsea", output=output, **TWO)
    seen: list[Event] = []
    impasto.reconstruct("sample:chelsea", output=output, show=seen.append, force=True, **TWO)
    told = [event.message for event in seen if isinstance(event, Notice)]
    assert sum(message.startswith("what is finished is not kept: cannot") for message in told) == 2
    assert output.read_bytes() == undisturbed_sheet


def test_what_is_kept_of_other_settings_is_not_lost_by_mistake(tmp_path: Path) -> None:
    output, state = tmp_path / "kept.png", tmp_path / "kept.png.unfinished"
    with pytest.raises(Interrupted):
        impasto.reconstruct(
            "sample:chelsea", output=output, show=at_the_second(KeyboardInterrupt()), **TWO
        )
    before = state.read_bytes()
    for photo_file, changes in (("sample:chelsea", {"seed": 1}), ("sample:coffee", {})):
        with pytest.raises(UsageError, match="it is of another photo or other settings; give"):
            impasto.reconstruct(photo_file, output=output, **TWO | changes)
        assert state.read_bytes() == before
    state.write_bytes(before[:-7])
    with pytest.raises(UsageError, match="it is damaged, or of another command"):
        impasto.reconstruct("sample:chelsea", output=output, **TWO)
    other = impasto.reconstruct("sample:coffee", output=output, force=True, **TWO)
    assert len(other.pictures) == 2
    assert not state.exists()


def test_a_picture_whose_values_stop_being_finite_is_shown_as_what_it_is(
    impasto: Callable[..., Outcome], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The descent of the second one is spoiled from its third evaluation on."""
    evaluate, count = Objective.evaluate, iter(range(1, 100))

    def spoiled(self: Objective, canvas: torch.Tensor) -> Evaluation:
        found = evaluate(self, canvas)
        if next(count) < 5 + 3:
            return found
        return Evaluation(dict.fromkeys(found.losses, math.nan), found.gradient)

    monkeypatch.setattr(Objective, "evaluate", spoiled)
    words = ("reconstruct", "photo.jpg", "--size", "48", "--steps", "5", "-o", "kept.png")
    status, out, err = impasto(*words, "--style-layer", "relu1_1,relu2_1", "--json")
    assert status == 5
    assert "stopped being finite; those are the best up to there, try --precision float32" in err
    assert "style of relu2_1: incomplete, distance " in err
    facts = json.loads(out)
    assert not facts["complete"]
    assert [each["complete"] for each in facts["reconstructions"]] == [True, False]


def test_stopped_as_a_process(
    start: Callable[..., "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    output = tmp_path / "kept.png"
    process = start(
        "reconstruct", "sample:chelsea", "--size", "64", "--steps", "20",
        "--content-layer", "relu1_1,relu5_4", "-o", output,
    )  # fmt: skip
    assert process.stderr is not None
    assert any("content of relu1_1" in line for line in iter(process.stderr.readline, ""))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped after 1 of 2 reconstructions" in err
    assert err.endswith("; to go on, give the same command again\n")
    assert output.is_file()
    assert (tmp_path / "kept.png.unfinished").is_file()

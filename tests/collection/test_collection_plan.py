"""Plans: all artworks in their order, within seconds, with the recipes that they come to have."""

import pickle
import time
from pathlib import Path

import pytest
from PIL import Image

from impasto.collection.batch import asked_for
from impasto.collection.forecast import evaluations, forecast_of, works_of
from impasto.collection.jobs_file import Asked, Jobs
from impasto.collection.plan import Plan, plan_of
from impasto.collection.progress import Progress
from impasto.collection.standing import standing
from impasto.errors import UsageError
from impasto.events import ArtworkDone
from impasto.image.read import size_of
from impasto.neural.duration import Pace
from impasto.neural.weights import load_weights
from impasto.recipe import USUAL_WEIGHTS, Input
from impasto.replay import digest_of
from impasto.settings import OutputSettings

pytestmark = pytest.mark.usefixtures("place")

WEIGHTS = Input(path=USUAL_WEIGHTS, sha256="of the weights")


def planned(asked: Asked, folder: str = "art") -> Plan:
    output = OutputSettings()
    return plan_of(asked, {"size": 256}, Path(folder), name=None, output=output, weights=WEIGHTS)


def test_63_photos_in_40_styles_are_2520_jobs_within_five_seconds() -> None:
    for kind, count in (("many", 63), ("ways", 40)):
        Path(kind).mkdir()
        Image.effect_noise((1200, 900), 90).convert("RGB").save("noise.jpg", quality=95)
        data = Path("noise.jpg").read_bytes()
        for number in range(1, count + 1):
            Path(kind, f"{kind}_{number}.jpg").write_bytes(data + bytes([number]))
    began = time.process_time()
    plan = planned(asked_for("many", "ways"))
    found = standing(plan, [], {}, retry_failed=False, force=False)
    works = works_of(plan.tasks)
    assert time.process_time() - began < 5
    assert len(plan.tasks) == len(found.missing) == len(works) == 2520
    names = [task.name for task in plan.tasks]
    assert names[:3] == [f"many_1--ways_{number}.png" for number in (1, 2, 3)]
    assert names[40] == "many_2--ways_1.png"
    assert names[-1] == "many_63--ways_40.png"
    assert works[names[0]].size == (256, 192)
    assert evaluations(works[names[0]]) == 256 * 192 * 35 + 128 * 96 * 30
    assert pickle.loads(pickle.dumps(plan.tasks[7])) == plan.tasks[7]


def test_recipes_are_those_that_come_to_be() -> None:
    plan = planned(asked_for("photos", "styles=30"))
    recipe = plan.recipes["img_10--tiles.png"]
    assert recipe.photo == Input(
        path="photos/img_10.jpg", sha256=digest_of(Path("photos/img_10.jpg"))
    )
    (style,) = recipe.styles
    assert (style.path, style.beta) == ("styles/tiles.png", 30)
    assert recipe.settings.size == 256
    others = [other for name, other in plan.recipes.items() if name != "img_10--tiles.png"]
    assert all(recipe.asked() != other.asked() for other in others)


def test_what_cannot_be_read_is_planned_all_the_same() -> None:
    Path("photos/img_3.png").write_text("no picture")
    plan = planned(asked_for("photos", "styles"))
    assert len(plan.tasks) == 6
    assert sorted(works_of(plan.tasks)) == sorted(
        f"{photo}--{style}.png" for photo in ("img_2", "img_10") for style in ("rings", "tiles")
    )


def test_the_forecast_counts_the_pictures_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "measured", lambda *_: Pace(1e9, 1e9))
    Path("large").mkdir()
    for number in range(4):
        Image.new("RGB", (1000, 800), (number, 0, 0)).save(f"large/{number}.png")
    weights, taken = load_weights(), []
    for styles in ("large/0.png", "large"):
        plan = planned(asked_for("photos/img_2.png", styles))
        found = standing(plan, [], {}, retry_failed=False, force=False)
        taken.append(forecast_of(plan, found, weights).memory)
    assert taken[1] - taken[0] == pytest.approx(3 * 12 * 1000 * 800, rel=0.1)


@pytest.mark.parametrize("folder", ["photos", ".", "photos/../photos"])
def test_no_artwork_may_lie_among_its_inputs(folder: str) -> None:
    with pytest.raises(UsageError, match="lies in it, and is an input; choose another folder"):
        planned(asked_for("photos", "styles"), folder)


def test_links_do_not_hide_it() -> None:
    Path("link").symlink_to("photos")
    with pytest.raises(UsageError, match="is an input"):
        planned(asked_for("photos", "styles"), "link")


def test_init_is_an_input_too() -> None:
    asked = Asked(Jobs(photos=("photos",), styles=("styles",), settings={"init": "start.png"}))
    Path("photos/img_2.png").rename("start.png")
    task = planned(asked).tasks[0]
    assert task.init is not None
    assert task.init.sha256 == digest_of(Path("start.png"))
    assert [material.path for material in task.materials()] == [
        "photos/img_10.jpg",
        "styles/rings.png",
        "start.png",
    ]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sizes_are_those_of_upright_pictures(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (60, 40)).save("turned.jpg", exif=exif)
    assert size_of("turned.jpg") == ((60, 40) if orientation < 5 else (40, 60))


def test_progress_goes_by_the_work_of_each() -> None:
    progress = Progress({"small": 1.0, "large": 3.0, "bad": 6.0}, there=2, artworks=5)
    assert progress.working("large", 0.5).done == 1.5 / 10
    progress.left_out("bad")
    event = progress.finished("small")
    assert isinstance(event, ArtworkDone)
    assert (event.made, event.artworks, event.done) == (3, 5, (1 + 1.5) / 4)
    last = progress.finished("large")
    assert (last.made, last.done, last.left) == (4, 1.0, 0.0)


def test_progress_of_a_hundred_thousand_artworks_is_told_in_seconds() -> None:
    names = [str(number) for number in range(100_000)]
    progress, began = Progress(dict.fromkeys(names, 0.1), 0, len(names)), time.perf_counter()
    for name in names:
        progress.working(name, 0.5)
        last = progress.finished(name)
    assert time.perf_counter() - began < 10
    assert last.done == pytest.approx(1)

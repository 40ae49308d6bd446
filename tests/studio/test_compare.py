import json
import math
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.errors import BadRecipe, UsageError
from impasto.image.samples import photo
from impasto.settings import OutputSettings
from impasto.studio.comparison import Comparison, letters
from impasto.studio.table import Row, Section, Table, put_below
from impasto.studio.theme import Paper

Outcome = tuple[int, str, str]


@pytest.fixture(scope="module")
def painted(
    pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, "impasto.Artwork"]]:
    """Three paintings of one photo: as exact as a file can be, lossy, and larger."""
    folder, threads = tmp_path_factory.mktemp("painted"), torch.get_num_threads()
    shutil.copytree(pictures, folder, dirs_exist_ok=True)
    torch.set_num_threads(1)
    made = {}
    for name, beta, size, depth in (
        ("exact.tif", 100, 64, 16),
        ("calm.png", 3, 64, 8),
        ("large.png", 30, 96, 8),
    ):
        with chdir(folder):
            made[name] = impasto.paint(
                "photo.jpg",
                [("starry.png", beta), "wave.png=7"],
                size=size,
                steps=4,
                levels=1,
                content_layers="relu3_1=0.4,relu4_2",
                output=name,
                save=OutputSettings(depth=depth),
            )
    torch.set_num_threads(threads)
    return folder, made


@pytest.fixture
def paintings(
    painted: tuple[Path, dict[str, "impasto.Artwork"]], folder: Path, one_thread: None
) -> dict[str, "impasto.Artwork"]:
    """The same, in files in the working folder beside their inputs."""
    source, made = painted
    for name in made:
        shutil.copy(source / name, folder)
    return made


def losses_of(found: Comparison, number: int) -> dict[str, float]:
    return dict(found.pictures[number].losses)


def test_losses_are_those_that_painting_reported(
    paintings: dict[str, "impasto.Artwork"],
) -> None:
    """But for the rounding of files: to 16 bits nothing to speak of, to 8 bits a little."""
    found = impasto.compare(["exact.tif", "exact.tif", "calm.png"])
    assert losses_of(found, 0) == pytest.approx(dict(paintings["exact.tif"].losses), rel=1e-4)
    assert losses_of(found, 1) == losses_of(found, 0)
    alone = impasto.compare("calm.png")
    assert losses_of(alone, 0) == pytest.approx(dict(paintings["calm.png"].losses), rel=0.02)
    # By the first one's recipe, the second's style weighs more.
    weights = {"starry": 100.0, "wave": 7.0}
    assert found.betas == weights
    for name in ("relu1_1", "relu5_1"):
        key = f"style/starry/{name}"
        assert losses_of(found, 2)[key] == pytest.approx(
            losses_of(alone, 0)[key] * 100 / 3, rel=1e-5
        )


def test_losses_are_the_distances_with_their_weights(
    paintings: dict[str, "impasto.Artwork"],
) -> None:
    (judged,) = impasto.compare("exact.tif").pictures
    far = judged.distances
    assert list(far.content) == ["relu3_1", "relu4_2"]
    content = 0.4 * far.content["relu3_1"] + far.content["relu4_2"]
    assert judged.losses["content"] == pytest.approx(content)
    assert judged.losses["style/wave/relu2_1"] == pytest.approx(
        7 * 0.8 * far.styles["wave"]["relu2_1"]
    )
    named = [value for name, value in judged.losses.items() if name != "total"]
    assert judged.losses["total"] == pytest.approx(math.fsum(named))


def test_the_photo_has_all_content_and_the_style_all_style() -> None:
    rgb, other = photo("coffee")[:96, :128], photo("rocket")[:96, :128]
    grey = np.full_like(rgb, 0)
    found = impasto.compare([rgb, other, grey], photo=rgb, styles=[(other, 5)])
    first, second, black = found.pictures
    assert set(first.distances.content.values()) == {0.0}
    assert first.losses["content"] == 0
    assert set(second.distances.styles["array"].values()) == {0.0}
    assert second.losses["total"] == second.losses["content"] > 0.1
    assert first.losses["total"] > 0.1
    # But for biases, black has maps of 0, which are at 1 from everything.
    assert black.distances.styles["array"]["relu1_1"] == pytest.approx(1, abs=0.2)


def test_pictures_of_other_sizes_are_judged_at_the_smallest(
    paintings: dict[str, "impasto.Artwork"],
) -> None:
    found = impasto.compare(["large.png", "calm.png"])
    assert found.size == (64, 48)
    assert [judged.size for judged in found.pictures] == [(96, 72), (64, 48)]
    with Image.open("large.png") as image:
        small = image.resize((64, 48), Image.Resampling.LANCZOS)
    beside = impasto.compare(
        small, photo="photo.jpg", styles=[("starry.png", 30), ("wave.png", 7)], size=64
    )
    assert found.pictures[0].distances.content["relu4_2"] == pytest.approx(
        beside.pictures[0].distances.content["relu4_2"], rel=0.02
    )
    assert impasto.compare(["large.png", "calm.png"], size=80).size == (80, 60)


def test_what_is_named_wins_over_the_recipe(paintings: dict[str, "impasto.Artwork"]) -> None:
    found = impasto.compare("calm.png", styles="wave.png")
    assert found.betas == {"wave": 100.0}
    assert list(found.settings.content_layers) == ["relu3_1", "relu4_2"]
    Path("starry.png").unlink()
    assert impasto.compare("calm.png", styles="wave.png=2").betas == {"wave": 2.0}
    with pytest.raises(
        BadRecipe, match=r"cannot compare calm.png: its input starry.png is.*with --style"
    ):
        impasto.compare("calm.png")
    Path("photo.jpg").write_bytes(Path("calm.png").read_bytes())
    with pytest.raises(
        BadRecipe, match=r"cannot compare: photo.jpg has changed since.*with --photo"
    ):
        impasto.compare("calm.png", styles="wave.png")


def test_what_cannot_be_compared_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="no picture to compare"):
        impasto.compare([])
    with pytest.raises(UsageError, match="none of the pictures carries the recipe of a painting"):
        impasto.compare(["wave.png", "sample:coffee"])
    with pytest.raises(UsageError, match="with --photo and --style"):
        impasto.compare("wave.png", photo="photo.jpg")
    with pytest.raises(UsageError, match=r"wave.png is 96×96 px, another shape than the photo"):
        impasto.compare("wave.png", photo="photo.jpg", styles="starry.png")
    impasto.enhance("photo.jpg", levels=1, output="enhanced.png")  # a recipe, but of no painting
    with pytest.raises(UsageError, match="none of the pictures"):
        impasto.compare("enhanced.png")


def test_sides_that_were_rounded_are_fitted(folder: Path, one_thread: None) -> None:
    with Image.open("photo.jpg") as image:  # 128×96
        image.resize((112, 85)).save("other.png")
    found = impasto.compare("other.png", photo="photo.jpg", styles="starry.png")
    assert found.size == (112, 85)


def test_paintings_of_long_panoramas_are_compared(folder: Path, one_thread: None) -> None:
    """Their short side is 16 px, the least there may be, whatever the photo's shape."""
    wide, high = np.tile(photo("coffee")[:40, :150], (1, 4, 1)), "high.png"
    Image.fromarray((wide.transpose(1, 0, 2) * 255).astype(np.uint8)).save(high)
    for panorama, size in ((wide, (80, 16)), (high, (16, 80))):
        art = impasto.paint(panorama, "starry.png", size=80, steps=1, levels=1)
        assert art.picture.size == size
        found = impasto.compare(art.image, photo=panorama, styles="starry.png", size=80)
        assert found.size == size
        assert losses_of(found, 0) == pytest.approx(dict(art.losses), rel=0.05, abs=1e-3)
        found.save("sheet.png", force=True)
        turned = art.image.transpose(Image.Transpose.ROTATE_90)
        with pytest.raises(UsageError, match="another shape than the photo"):
            impasto.compare(turned, photo=panorama, styles="starry.png")


def test_numbers_of_a_row_have_the_decimals_that_its_smallest_needs() -> None:
    assert Row("", [12.953, 3.0214, 0.5]).figures() == ["12.953", "3.021", "0.500"]
    assert Row("", [0.0392877, 1.0]).figures() == ["0.0393", "1.0000"]
    assert Row("", [0.0, 250.4]).figures() == ["0", "250"]
    assert Row("", [0.0, 0.0]).figures() == ["0.00", "0.00"]
    assert Row("", [1e-9]).figures() == ["0.000000"]


def test_the_least_is_the_best_unless_all_are_alike() -> None:
    assert Row("", [2.0, 1.0, 1.0]).best() == [False, True, True]
    assert Row("", [1.0, 1.0]).best() == [False, False]
    assert Row("", [1.0]).best() == [False]


def test_pictures_are_lettered_like_columns() -> None:
    found = [letters(number) for number in (0, 25, 26, 27, 701, 702)]
    assert found == ["A", "Z", "AA", "AB", "ZZ", "AAA"]


def test_a_table_widens_a_narrow_page_and_keeps_to_its_margins() -> None:
    row = Row("a name that is much too long " * 3, [1.5e3] * 12)
    heads = [letters(number) for number in range(12)]
    table = Table(heads, [Section("日本語", "what it means " * 20, [row])])
    page = np.broadcast_to(
        np.array([252, 251, 249], np.float32) / np.float32(255), (50, 90, 3)
    ).copy()
    drawn = put_below(page, table, Paper.LIGHT, 12)
    ink = (np.abs(drawn - page[0, 0]) > 0.02).any(axis=2)
    assert drawn.shape[1] > 600
    assert not ink[:50].any()
    for side in (ink[:, :28], ink[:, -28:], ink[-28:]):
        assert not side.any()


def test_the_command(
    impasto: Callable[..., Outcome], paintings: dict[str, "impasto.Artwork"]
) -> None:
    status, out, err = impasto("compare", "exact.tif", "calm.png", "--json")
    assert status == 0, err
    facts = json.loads(out)
    assert facts["size"] == [64, 48]
    assert facts["betas"] == {"starry": 100, "wave": 7}
    first, second = facts["pictures"]
    assert first["path"] == "exact.tif"
    assert first["losses"] == pytest.approx(dict(paintings["exact.tif"].losses), rel=1e-4)
    assert set(first["distances"]) >= {"content/relu3_1", "style/wave/relu5_1"}

    status, out, err = impasto("compare", "exact.tif", "calm.png", "-o", "sheet.png")
    assert status == 0, err
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert rows["A:"][0] == "exact.tif,"
    totals = [first["losses"]["total"], second["losses"]["total"]]
    assert [value.endswith("*") for value in rows["total"]] == [
        total == min(totals) for total in totals
    ]
    with Image.open("sheet.png") as sheet:
        assert sheet.width > 3 * 64

    assert impasto("compare", "exact.tif", "-o", "sheet.png")[0] == 2
    assert impasto("compare", "exact.tif", "-o", "-")[0] == 2
    assert impasto("compare", "exact.tif", "-o", "starry.png", "--force")[0] == 2
    assert impasto("compare")[0] == 2
    assert impasto("compare", "missing.png")[0] == 3
    assert impasto("compare", "exact.tif", "--size", "3")[0] == 2

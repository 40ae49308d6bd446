"""Lists of jobs: what they ask for, and what is said of their faults."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from impasto.collection.jobs_file import Asked, Jobs, read_jobs, wishes
from impasto.collection.wish import Wish
from impasto.errors import UnreadableImage, UsageError
from impasto.settings import PRESETS, Preset

pytestmark = pytest.mark.usefixtures("place")

LIST = """
photos = ["photos"]
styles = ["styles/*.png=40", ["styles/rings.png=30", "styles/tiles.png"]]
name = "{style}/{photo}-{alpha}.jpg"
[settings]
size = 512
style-scale = 0.5
[vary]
alpha = [1, 2.5]
[[jobs]]
photo = "photos/img_2.png"
styles = ["styles/tiles.png=7"]
settings = { preset = "article", alpha = 9, init = "photos/img_10.jpg" }
"""


def asked(text: str, name: str = "jobs.toml", **options: Any) -> list[Wish]:
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return wishes(read_jobs(path), options, Path("art"))


def test_the_matrix_and_the_listed_jobs() -> None:
    found = asked(LIST)
    photos, styles = ("photos/img_2.png", "photos/img_10.jpg"), ("rings", "tiles")
    matrix = [
        (photo, pair, alpha)
        for photo in photos
        for pair in (
            *(((f"styles/{name}.png", 40.0),) for name in styles),
            (("styles/rings.png", 30.0), ("styles/tiles.png", None)),
        )
        for alpha in (1, 2.5)
    ]
    assert [(each.photo, each.styles, each.settings.alpha) for each in found[:-1]] == matrix
    assert {(each.settings.size, each.settings.style_scale) for each in found} == {(512, 0.5)}
    assert found[4].betas == [30, 100]
    last = found[-1]
    assert (last.photo, last.styles) == ("photos/img_2.png", (("styles/tiles.png", 7.0),))
    assert last.settings == PRESETS[Preset.ARTICLE].updated(
        {"alpha": 9, "size": 512, "style_scale": 0.5, "init": Path("photos/img_10.jpg")}
    )


def test_json_of_the_same_shape_asks_for_the_same() -> None:
    assert asked(json.dumps(tomllib.loads(LIST)), "jobs.json") == asked(LIST)


def test_paths_lie_beside_the_list() -> None:
    Path("lists").mkdir()
    for name in ("photos", "styles"):
        Path(name).rename(f"lists/{name}")
    found = asked(LIST, "lists/jobs.toml")
    assert found[0].photo == "lists/photos/img_2.png"
    assert found[0].styles == (("lists/styles/rings.png", 40.0),)
    assert found[-1].settings.init == Path("lists/photos/img_10.jpg")
    sample = 'photos = ["sample:coffee"]\nstyles = ["sample:mosaic=3"]\n'
    (found_sample,) = asked(sample, "lists/more.toml")
    assert found_sample.photo == "sample:coffee"
    assert found_sample.styles == (("sample:mosaic", 3.0),)


def test_options_hold_instead_of_common_settings_alone() -> None:
    found = asked(LIST, size=64, alpha=100, init="img.png")
    assert {each.settings.size for each in found} == {64}
    assert [each.settings.alpha for each in found[:2]] == [1, 2.5]
    assert found[-1].settings.alpha == 9
    assert found[0].settings.init == Path("img.png")  # as the command line means it


def test_csv() -> None:
    text = (
        "\ufeffphoto,style,size,style-scale\n"
        "photos/img_2.png,styles/rings.png=30; styles/tiles.png,256,\n"
        '\n"photos/img_10.jpg", styles/rings.png ,,2\n'
    )
    first, second = asked(text, "jobs.csv")
    assert first.styles == (("styles/rings.png", 30.0), ("styles/tiles.png", None))
    assert (first.settings.size, first.settings.style_scale) == (256, 1)
    assert second.photo == "photos/img_10.jpg"
    assert (second.settings.size, second.settings.style_scale) == (800, 2)


def test_presets_vary() -> None:
    text = 'photos = ["photos/img_2.png"]\nstyles = ["styles/tiles.png"]\n'
    found = asked(text + '[vary]\npreset = ["default", "article"]\n')
    assert [each.preset for each in found] == ["default", "article"]
    assert [each.settings for each in found] == [PRESETS[Preset.DEFAULT], PRESETS[Preset.ARTICLE]]


ONE = "[[jobs]]\nphoto = 'photos/img_2.png'\nstyles = ['styles/rings.png']\n"
BOTH = 'photos = ["photos"]\nstyles = ["styles"]\n'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("jobs.txt", "", "a list of jobs ends in .toml, .json, .csv"),
        ("jobs.toml", "photos = [", "cannot read jobs.toml: Invalid value (at end of document)"),
        ("jobs.toml", "", "jobs.toml: photos: there are none"),
        ("jobs.toml", 'photos = ["photos"]', "jobs.toml: styles: there are none"),
        ("jobs.toml", 'photo = ["photos"]', "jobs.toml: it has no place for photo; there are"),
        ("jobs.toml", "photos = [1]", "jobs.toml: photos[1]: input should be a valid string"),
        ("jobs.toml", 'photos = "photos"', "jobs.toml: photos: input should be a valid tuple"),
        ("jobs.toml", BOTH + "[settings]\nbeta = -1", "jobs.toml: settings: beta must be at least"),
        ("jobs.toml", BOTH + "[settings]\ncolour = 1", "jobs.toml: settings: no setting 'colour'"),
        ("jobs.toml", BOTH + "[vary]\nbeta = [1, -1]", "jobs.toml: vary: beta must be at least 0"),
        (
            "jobs.toml",
            BOTH + "[settings]\nstyle-scale = 1\nstyle_scale = 2",
            "jobs.toml: settings: style_scale is given twice",
        ),
        (
            "jobs.toml",
            BOTH + "[vary]\nstyle-scale = [1]\nstyle_scale = [2]",
            "jobs.toml: vary: style_scale is given twice",
        ),
        ("jobs.toml", BOTH + "[vary]\nbeta = []", "jobs.toml: vary: beta has no value"),
        (
            "jobs.toml",
            BOTH + "[settings]\nbeta = -1\n[vary]\nalpha = [1, 2]",
            "jobs.toml: settings: beta must be at least 0",
        ),
        ("jobs.toml", 'photos = ["photos"]\n' + ONE, "jobs.toml: styles: there are none; list"),
        ("jobs.toml", 'styles = ["styles"]\n' + ONE, "jobs.toml: photos: there are none; list"),
        ("jobs.toml", "[vary]\nalpha = [1, 2]\n" + ONE, "jobs.toml: vary: what varies does so for"),
        (
            "jobs.toml",
            "[[jobs]]\nstyles = ['a']",
            "jobs.toml: jobs[1].photo: field required",
        ),
        (
            "jobs.toml",
            "[[jobs]]\nphoto = 'photos'\nstyles = ['styles/rings.png']",
            "jobs.toml: job 1: photos is 2 pictures; name one",
        ),
        (
            "jobs.toml",
            "photos = ['photos']\nstyles = [['styles', 'styles/rings.png']]",
            "jobs.toml: styles[1]: styles is 2 pictures; name one where styles are mixed",
        ),
        ("jobs.json", "{", "cannot read jobs.json: Expecting property name"),
        ("jobs.json", "[" * 100_000, "cannot read jobs.json: it is nested too deeply"),
        ("jobs.json", "[]", "cannot use jobs.json: the whole: input should be"),
        ("jobs.csv", "photo,size\na,3\n", "has to name the columns photo and style"),
        ("jobs.csv", "photo,style\n,\n", "jobs.csv: it has no line with a job"),
        ("jobs.csv", "photo,style,beta,beta\na,b,5,7\n", "its first line names beta twice"),
        (
            "jobs.csv",
            "photo,style,style-scale,style_scale\na,b,1,2\n",
            "its first line names style_scale twice",
        ),
        (
            "jobs.toml",
            ONE + "settings = {style-scale = 1, style_scale = 2}",
            "jobs.toml: job 1: style_scale is given twice",
        ),
        ("jobs.csv", "photo,style,\na,b,c,d\n", "line 2 has more columns than the first line"),
        ("jobs.csv", "photo,style\na,b,c\n", "line 2 has more columns than the first line"),
        ("jobs.csv", "photo,style\na,\n", "line 2 names no style"),
        ("jobs.csv", 'photo,style\na,b\n"c"d,e\n', "jobs.csv: line 3 is no CSV: ',' expected"),
        ("jobs.csv", 'photo,"st"yle\n', "jobs.csv: line 1 is no CSV: ',' expected after"),
        ("jobs.json", '{"jobs": 5}', "cannot use jobs.json: jobs: input should be a valid tuple"),
        ("jobs.toml", "jobs = 5", "cannot use jobs.toml: jobs: input should be a valid tuple"),
        (
            "jobs.csv",
            "photo,style,beta\nphotos/img_2.png,styles/rings.png,x\n",
            "jobs.csv: line 2: beta must be a number, not x",
        ),
    ],
)
def test_faults_are_told_with_their_place(name: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        asked(text, name)
    assert message in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "spot"),
    [
        ("jobs.toml", 'photos = ["photos", "gone.png"]\nstyles = ["styles"]', "photos[2]"),
        ("jobs.toml", 'photos = ["photos"]\nstyles = ["gone.png=3"]', "styles[1]"),
        ("jobs.csv", "photo,style\nphotos/img_2.png,styles/rings.png\ngone.png,x\n", "line 3"),
    ],
)
def test_a_picture_that_is_not_there_is_told_with_its_place(
    name: str, text: str, spot: str
) -> None:
    with pytest.raises(UnreadableImage) as caught:
        asked(text, name)
    assert f"cannot use {name}: {spot}: cannot read gone.png: there is no such" in str(caught.value)


def test_a_fault_of_an_option_is_not_blamed_on_the_list() -> None:
    with pytest.raises(UsageError, match=r"^size must be at least 16 px"):
        asked(BOTH, size=3)
    with pytest.raises(UsageError, match=r"^size must be at least 16 px"):
        asked(BOTH + "[vary]\nalpha = [1, 2]", size=3)


def test_patterns_lie_beside_a_list_in_a_folder_that_looks_like_one() -> None:
    Path("q[1]").mkdir()
    Path("photos").rename("q[1]/photos")
    Path("styles").rename("q[1]/styles")
    Path("q[1]/styles/tiles.png").rename("q[1]/styles/[tiles].png")
    text = 'photos = ["photos/*.png"]\nstyles = ["styles/r*.png=3", "styles/[tiles].png=4"]'
    rings, tiles = asked(text, "q[1]/jobs.toml")
    assert rings.photo == "q[1]/photos/img_2.png"
    assert (rings.styles, tiles.styles) == (
        (("q[1]/styles/rings.png", 3.0),),
        (("q[1]/styles/[tiles].png", 4.0),),
    )
    Path("q[1]/styles").rename("q[1]/st[2]")
    found = asked('photos = ["photos"]\nstyles = ["st[2]=3"]', "q[1]/jobs.toml")
    assert [style for each in found for style, _ in each.styles][:2] == [
        "q[1]/st[2]/[tiles].png",
        "q[1]/st[2]/rings.png",
    ]
    with pytest.raises(UnreadableImage, match=r"gone\.png: there is no such file"):
        asked('photos = ["gone.png"]\nstyles = ["st[2]"]', "q[1]/jobs.toml")


def test_a_list_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"cannot read gone\.toml: No such file"):
        read_jobs(Path("gone.toml"))


def test_a_list_that_is_no_text() -> None:
    Path("jobs.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"cannot read jobs\.toml: 'utf-8'"):
        read_jobs(Path("jobs.toml"))


def test_without_a_list() -> None:
    both = Asked(Jobs(photos=("photos/img_*",), styles=("styles=5",)))
    found = wishes(both, {"size": 64, "preset": "gatys"}, Path("art"))
    assert [each.photo for each in found][::2] == ["photos/img_2.png", "photos/img_10.jpg"]
    assert {each.betas[0] for each in found} == {5}
    assert found[0].settings == PRESETS[Preset.GATYS].updated({"size": 64})

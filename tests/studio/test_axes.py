from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.errors import UsageError
from impasto.settings import PRESETS, PaintSettings
from impasto.studio.axes import LONGEST, Field, field_of, label_of, plain, split

NAMES = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=250
)


def field(
    styles: tuple[str, ...] = ("starry",), presets: tuple[str, ...] = ("default",), **settings: Any
) -> Field:
    return field_of(styles, presets, settings)


def test_two_settings_make_a_picture_of_each_with_each() -> None:
    found = field(beta=["1", "10", "100"], style_scale=["0.5", "2"], size=["64"])
    values = [[(p.settings.beta, p.settings.style_scale) for p in row] for row in found.rows]
    assert values == [[(1, 0.5), (10, 0.5), (100, 0.5)], [(1, 2), (10, 2), (100, 2)]]
    assert all(point.settings.size == 64 for point in found)
    assert [point.title for point in found.rows[1]] == [
        "beta 1, style-scale 2", "beta 10, style-scale 2", "beta 100, style-scale 2"
    ]  # fmt: skip
    assert [point.stem for point in found.rows[0]] == [
        "beta-1_style-scale-0.5", "beta-10_style-scale-0.5", "beta-100_style-scale-0.5"
    ]  # fmt: skip
    assert found.fixed == ("size 64",)


@pytest.mark.parametrize(
    ("settings", "across", "down"),
    [
        ({"beta": [1, 2, 3], "alpha": [1, 2]}, "beta", "alpha"),
        ({"beta": [1, 2], "alpha": [1, 2, 3]}, "alpha", "beta"),
        ({"init": ["photo", "noise"], "beta": [1, 2]}, "beta", "init"),
        ({"steps": [3, 4]}, "steps", None),
        ({"steps": [3]}, None, None),
        ({}, None, None),
    ],
)
def test_the_longer_axis_runs_across_and_numbers_before_words(
    settings: dict[str, Any], across: str | None, down: str | None
) -> None:
    found = field(**settings)
    assert (found.across and found.across.name, found.down and found.down.name) == (across, down)


def test_styles_and_presets_are_axes_too() -> None:
    found = field(("wave", "starry", "wave"), ("default", "article"), steps=[7])
    assert found.across is not None
    assert found.down is not None
    assert found.across.heads == ["wave", "starry", "wave"]
    assert found.down.heads == ["preset default", "preset article"]
    assert [[p.style for p in row] for row in found.rows] == [[0, 1, 2], [0, 1, 2]]
    first, second = (row[0].settings for row in found.rows)
    assert first == PaintSettings(steps=7)
    assert second == PRESETS["article"].updated({"steps": 7})  # type: ignore[index]
    assert len({point.stem for point in found}) == 6
    assert field(presets=("article",)).fixed == ("preset article",)


def test_names_of_files_do_not_change_when_an_axis_grows() -> None:
    few = field(beta=[1, 2, 3], alpha=[1, 2])
    many = field(beta=[1, 2, 3], alpha=[1, 2, 3, 4])
    assert few.across != many.across
    assert {p.stem: p.settings for p in few}.items() <= {p.stem: p.settings for p in many}.items()


@given(st.lists(NAMES, min_size=2, max_size=4))
def test_files_have_names_of_their_own_that_file_systems_take(names: list[str]) -> None:
    stems = [point.stem for point in field(tuple(names), beta=[1, 2])]
    assert len(set(stems)) == 2 * len(names)
    for stem in stems:
        assert len(stem.encode()) <= LONGEST
        assert not set(stem) & set('/\\:*?"<>|\0\n ')
        assert stem == stem.lower()
        assert not stem.startswith(".")


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=5, unique=True))
def test_numbers_close_together_keep_apart(numbers: list[float]) -> None:
    labels = [label_of(number) for number in numbers]
    assert [float(label) for label in labels] == numbers
    assert len({point.stem for point in field(beta=numbers)}) == len(numbers)


def test_bytes_that_are_no_text_are_spelled_out() -> None:
    assert [point.stem for point in field(("\udcff", "b"))] == ["style--udcff", "style-b"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": ["1", "x"]}, "beta must be a number, not x"),
        ({"beta": ["1", ""]}, "beta must be a number"),
        ({"beta": ["1", "-1"]}, "beta must be at least 0"),
        ({"style_scale": ["1", "9"]}, "style-scale must be at most 8"),
        ({"style_scale": ["1", "2", "1.0"]}, "style-scale has the value 1 twice; give it once"),
        ({"style_scale": []}, "style-scale has no value; give it one"),
        ({"betas": ["1"]}, "no setting 'betas'"),
        (
            {"beta": [1, 2], "alpha": [1, 2], "steps": [1, 2]},
            "a sheet has two axes, but beta, alpha and steps have several values each",
        ),
    ],
)
def test_what_is_wrong_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        field(**settings)
    assert str(caught.value).startswith(message)


def test_unknown_presets_are_refused() -> None:
    with pytest.raises(UsageError, match="no preset 'modern'"):
        field(presets=("default", "modern"))


def test_commas_part_values_but_not_those_that_have_their_own(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert split("beta", "1, 10,100") == ["1", "10", "100"]
    assert split("style_layers", "relu1_1=1,relu2_1") == ["relu1_1=1,relu2_1"]
    assert split("init", "a,b.png") == ["a", "b.png"]
    (tmp_path / "a,b.png").touch()
    assert split("init", "a,b.png") == ["a,b.png"]


def test_layers_may_be_an_axis_of_lists() -> None:
    layers: list[Any] = [{"relu1_1": 1.0}, "relu1_1,relu2_1=0.5"]
    found = field(style_layers=layers)
    assert [list(point.settings.style_layers) for point in found] == [
        ["relu1_1"], ["relu1_1", "relu2_1"]
    ]  # fmt: skip
    assert [point.stem for point in found] == [
        "style-layers-relu1_1=1", "style-layers-relu1_1=1-relu2_1=0.5"
    ]  # fmt: skip


def test_plain_keeps_letters_of_any_script() -> None:
    assert plain("神奈川沖浪裏 (1831)") == "神奈川沖浪裏-1831-"
    assert plain("हिन्दी Größe") == "हिन्दी-größe"

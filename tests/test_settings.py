"""Settings are values: what is allowed, what is refused, and in which words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from impasto.errors import ExitStatus, UsageError
from impasto.settings import (
    LAYERS,
    PRESETS,
    OutputSettings,
    PaintSettings,
    Preset,
    StyleChoice,
    preset_settings,
)

SIZES = "pixels as 800 or 1200x800, 2K, 4K, 8K, 16K, 'full', or paper as 60x40cm@300dpi"


def complaint(**values: object) -> str:
    with pytest.raises(UsageError) as caught:
        PaintSettings.checked(values)
    assert caught.value.status == ExitStatus.USAGE
    return str(caught.value)


def test_layers_are_those_of_the_paper() -> None:
    assert len(LAYERS) == 16
    assert LAYERS[0] == "relu1_1"
    assert LAYERS[-1] == "relu5_4"
    assert {"relu2_2", "relu3_4", "relu4_2"} <= set(LAYERS)
    assert "relu2_3" not in LAYERS


def test_defaults_are_those_of_the_article() -> None:
    settings = PaintSettings()
    assert (settings.alpha, settings.beta) == (1, 100)
    assert settings.content_layers == {"relu4_2": 1}
    weights = {"relu1_1": 1, "relu2_1": 0.8, "relu3_1": 0.5, "relu4_1": 0.3, "relu5_1": 0.1}
    assert settings.style_layers == weights


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        PaintSettings().size = 3  # type: ignore[misc]


def test_text_is_converted() -> None:
    typed = {"size": "64", "beta": "1e2", "steps": "7", "init": "noise", "levels": "2"}
    settings = PaintSettings.checked(typed)
    assert (settings.size, settings.beta, settings.steps, settings.levels) == (64, 100.0, 7, 2)
    assert PaintSettings.checked({"size": "full", "levels": "auto"}).size == "full"
    assert PaintSettings.checked({"steps": "auto", "coarse_steps": "8"}).coarse_steps == 8
    assert PaintSettings.checked({"memory": "1.5GB"}).memory == 1_500_000_000
    assert PaintSettings.checked({"memory": "auto"}).memory == "auto"
    assert PaintSettings.checked({"init": "a.png"}).init == Path("a.png")
    assert OutputSettings.checked({"depth": "16"}).depth == 16


def test_layers_as_text() -> None:
    settings = PaintSettings.checked({"style_layers": "relu4_1=0.5, relu1_2,relu2_1=2"})
    assert settings.style_layers == {"relu1_2": 1, "relu2_1": 2, "relu4_1": 0.5}
    assert list(settings.style_layers) == ["relu1_2", "relu2_1", "relu4_1"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": "15"}, "size must be at least 16 px a side, not 15"),
        ({"size": "big"}, f"size must be {SIZES}, not big"),
        ({"size": 64.5}, "size must be whole pixels, not 64.5"),
        ({"beta": "-1"}, "beta must be at least 0, not -1"),
        ({"beta": "nan"}, "beta must be a finite number, not nan"),
        ({"alpha": "inf"}, "alpha must be a finite number, not inf"),
        ({"alpha": "much"}, "alpha must be a number, not much"),
        ({"alpha": None}, "alpha must be a number, not None"),
        ({"steps": "1.5"}, "steps must be a whole number or 'auto', not 1.5"),
        ({"steps": 0}, "steps must be at least 1 or 'auto', not 0"),
        ({"style_scale": 9}, "style-scale must be at most 8, not 9"),
        ({"style_scale": "nan"}, "style-scale must be at most 8, not nan"),
        ({"learning_rate": 0}, "learning-rate must be above 0, not 0"),
        ({"memory": "4 pounds"}, "memory must be an amount of memory such as 4GB or 512MB, not 4"),
        ({"memory": "4"}, "memory must be at least 1MB, not 4"),
        ({"levels": 17}, "levels must be at most 16 or 'auto', not 17"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"pooling": "min"}, "pooling must be 'max' or 'average', not min"),
        ({"style_layers": "relu9_9"}, "style-layers has no layer 'relu9_9'; the layers are"),
        ({"style_layers": "relu1_1,relu1_1=2"}, "style-layers names a layer twice: relu1_1,relu"),
        ({"style_layers": "relu1_1=0"}, "style-layers needs at least one layer with a weight"),
        ({"content_layers": ""}, "content-layers needs at least one layer with a weight above 0"),
        ({"content_layers": "relu4_2=x"}, "content-layers relu4_2 must be a number, not x"),
        ({"content_layers": {"relu4_2": -1}}, "content-layers relu4_2 must be at least 0, not -1"),
        ({"stepz": 3}, "no setting 'stepz'; there are size, alpha, beta, content_layers"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_in_a_sentence(values: dict[str, object], words: str) -> None:
    assert complaint(**values).startswith(words)


def test_updated_checks_too() -> None:
    changed = PaintSettings().updated({"size": 64})
    assert changed == PaintSettings(size=64)
    with pytest.raises(UsageError, match="size must be"):
        changed.updated({"size": 1})


def test_presets_are_settings() -> None:
    assert set(PRESETS) == set(Preset)
    assert preset_settings("default") == PaintSettings()
    article = preset_settings("article")
    assert (article.optimizer, article.learning_rate, article.steps) == ("adam", 0.003, 2000)
    assert (article.levels, article.init, article.alpha, article.beta) == (1, "photo", 1, 100)
    assert preset_settings("gatys").init == "noise"
    with pytest.raises(UsageError, match="no preset 'cubist'; the presets are default, article"):
        preset_settings("cubist")


@pytest.mark.parametrize(
    ("text", "path", "beta"),
    [
        ("starry.jpg", "starry.jpg", None),
        ("starry.jpg=45", "starry.jpg", 45.0),
        ("starry.jpg=0", "starry.jpg", 0.0),
        ("a=b.jpg", "a=b.jpg", None),
        ("a=b.jpg=1.5e2", "a=b.jpg", 150.0),
        ("sample:mosaic=3", "sample:mosaic", 3.0),
        ("starry.jpg=", "starry.jpg=", None),
    ],
)
def test_a_style_and_its_beta(text: str, path: str, beta: float | None) -> None:
    assert StyleChoice.parse(text) == StyleChoice(path=path, beta=beta)


def test_a_file_named_like_a_beta_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x=45").touch()
    assert StyleChoice.parse("x=45") == StyleChoice(path="x=45")
    assert StyleChoice.parse("x=45=3") == StyleChoice(path="x=45", beta=3)


@pytest.mark.parametrize("beta", ["-1", "nan", "inf", "-inf", "1e999"])
def test_a_style_s_beta_is_a_number_from_0_up(beta: str) -> None:
    with pytest.raises(UsageError, match=f"beta of s.jpg must be a number from 0 up, not {beta}"):
        StyleChoice.parse(f"s.jpg={beta}")


@given(st.floats(0, 1e30), st.integers(16, 10_000), st.sampled_from(LAYERS))
def test_settings_survive_json(beta: float, size: int, layer: str) -> None:
    settings = PaintSettings(beta=beta, size=size, style_layers={layer: 0.1})
    assert PaintSettings.model_validate_json(settings.model_dump_json()) == settings

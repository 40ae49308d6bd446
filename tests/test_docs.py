"""The documentation says what the program does: options, defaults, commands and examples."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from cyclopts.argument import Argument
from PIL import Image
from tests.motion.clips import How, film, pan

from impasto.cli import app
from impasto.errors import ExitStatus
from impasto.filter_settings import EnhanceSettings, QuantizeSettings, SuperpixelSettings
from impasto.motion.animate_settings import AnimateSettings
from impasto.motion.coherence_settings import CoherenceSettings
from impasto.motion.film_settings import FilmSettings
from impasto.motion.moving_settings import MovingSettings
from impasto.motion.video_settings import VideoSettings, WorkSettings
from impasto.neural import shared, weights
from impasto.options import given, option_name, shown
from impasto.settings import PRESETS, OutputSettings, PaintSettings, Preset, Settings
from impasto.studio.axes import split
from impasto.studio.reconstruct_settings import ReconstructSettings
from impasto.studio.seeing_settings import FeatureSettings, GramSettings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CLI, PYTHON = ROOT / "docs" / "cli.md", ROOT / "docs" / "python.md"
COMMANDS = sorted(name for name in app if not name.startswith("-"))
SETTINGS: dict[str, type[Settings]] = {
    "paint": PaintSettings,
    "sweep": PaintSettings,
    "batch": PaintSettings,
    "quantize": QuantizeSettings,
    "superpixels": SuperpixelSettings,
    "enhance": EnhanceSettings,
    "features": FeatureSettings,
    "gram": GramSettings,
    "reconstruct": ReconstructSettings,
    "video": VideoSettings,
    "animate": AnimateSettings,
    "moving": MovingSettings,
}
MORE: list[tuple[str, type[Settings]]] = [
    ("video", WorkSettings),
    ("video", CoherenceSettings),
    ("video", FilmSettings),
    ("animate", CoherenceSettings),
]
"""Of commands whose options come from several settings."""
BORROWED = {
    "batch": ("paint",),
    "video": ("paint", "quantize", "superpixels"),
    "animate": ("video", "paint", "quantize", "superpixels"),
}
"""Sections that tell of options of other commands too."""
FLAG = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-z])(?![\w-])")
ALWAYS = {"--help", "-h", "--version"}
SMALL = {
    "--size": "32",
    "--steps": "2",
    "--coarse-steps": "1",
    "--frame-steps": "1",
    "--checkpoint-every": "30",
    "-n": "40",
}
QUICK = {"--seconds": "0"}
PICTURE = re.compile(r"[\w/.-]+\.(jpe?g|png|webp|tiff?)")
CLIP = re.compile(r"clip\.(mp4|mkv)")


def arguments(command: str) -> list[Argument]:
    return list(app[command].assemble_argument_collection(default_parameter=app.default_parameter))


def flags(command: str) -> set[str]:
    return {name for argument in arguments(command) for name in argument.names if name[0] == "-"}


def section(command: str) -> str:
    """What docs/cli.md says of a command."""
    found = re.search(rf"^## impasto {command}\n(.*?)(?=^## |\Z)", CLI.read_text(), re.M | re.S)
    assert found is not None, f"docs/cli.md has no section on {command}"
    return found[1]


def rows(command: str) -> dict[str, tuple[set[str], str]]:
    """{first name: (all names, default)} of a command's options, the shared ones included."""
    found = {}
    shared = CLI.read_text().partition("## What all commands share")[2].partition("\n## ")[0]
    text = section(command) + (shared if "--lossless" in flags(command) else "")
    if command == "sweep":  # its options are those of paint
        text += section("paint").partition("What is painted:\n\n")[2].partition("\n\n")[0]
    for names, default in table_rows(text):
        found[names[0]] = set(names), default
    for other in BORROWED.get(command, ()):
        for names, default in table_rows(section(other)):
            if names[0] in flags(command):
                found.setdefault(names[0], (set(names), default))
    return found


def table_rows(text: str) -> Iterator[tuple[list[str], str]]:
    """All names of each option in the tables of a text, and its default."""
    for line in text.splitlines():
        if line.startswith("| `-"):
            names, _, default = (cell.strip() for cell in line.strip("|").split("|"))
            yield FLAG.findall(names), default


def blocks(page: Path, *languages: str) -> list[str]:
    found = re.findall(r"^ *```(\w+)\n(.*?)^ *```", page.read_text(), re.M | re.S)
    return [text for language, text in found if language in languages]


def commands(page: Path) -> Iterator[list[str]]:
    """Every `impasto …` of a page's shell examples, as the shell would split it."""
    for block in blocks(page, "sh", "bash", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
            for i, word in enumerate(words):
                if word == "impasto" or word.endswith("/bin/impasto"):
                    rest = words[i + 1 :]
                    ends = [j for j, w in enumerate(rest) if set(w) <= set("|&;<>()")]
                    yield rest[: ends[0]] if ends else rest


EXAMPLES = [(page.name, command) for page in PAGES for command in commands(page)]


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    sections = re.findall(r"^## impasto (\w+)$", CLI.read_text(), re.M)
    assert sorted(sections) == COMMANDS
    listed = re.findall(r"^\| \[`impasto (\w+)`\]", CLI.read_text(), re.M)
    assert sorted(listed) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_documented_and_exists(command: str) -> None:
    documented = [names for names, _ in rows(command).values()]
    assert set().union(*documented) == flags(command)
    assert sum(map(len, documented)) == len(flags(command))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_names_an_option_that_does_not_exist(page: Path) -> None:
    known = ALWAYS.union(*map(flags, COMMANDS))
    for span in re.findall(r"`([^`\n]+)`", page.read_text()):
        # The page on performance has the benchmarks' options as well.
        ours = ("impasto ",) if page.name == "performance.md" else ("impasto ", "--")
        if span.startswith(ours):
            assert set(FLAG.findall(span)) <= known, span


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_shows_the_documented_defaults(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    app([command, "--help"], exit_on_error=False, result_action="return_value")
    help_lines = capsys.readouterr().out.splitlines()
    for option, (_, default) in rows(command).items():
        (line,) = [text for text in help_lines if re.match(rf"│ \*? *{option} ", text)]
        said = re.search(r"\[default: ([^]]*)\]", line)
        if said is not None:
            assert default.strip("`") == said[1], option
        elif "[required]" in line:
            assert default == "required", option


@pytest.mark.parametrize(
    ("command", "model"),
    [
        *SETTINGS.items(),
        *((name, OutputSettings) for name in SETTINGS if "--lossless" in flags(name)),
        *MORE,
    ],
)
def test_documented_defaults_of_settings_are_theirs(command: str, model: type[Settings]) -> None:
    documented = rows(command)
    for name, field in model.model_fields.items():
        _, default = documented[option_name(name)]
        assert default.strip("`") == shown(field.get_default(call_default_factory=True))


@pytest.mark.parametrize("preset", [preset for preset in Preset if preset != Preset.DEFAULT])
def test_documented_presets_are_theirs(preset: Preset) -> None:
    found = re.search(rf"^\| `{preset}` \| `([^`]+)`", CLI.read_text(), re.M)
    assert found is not None
    words = shlex.split(found[1])
    named = dict(zip(words[::2], words[1::2], strict=True))
    changes = {flag.removeprefix("--").replace("-", "_"): value for flag, value in named.items()}
    assert PaintSettings().updated(changes) == PRESETS[preset]


def test_documented_exit_statuses_are_all_there_are() -> None:
    numbers = re.findall(r"^\| (\d+) \|", CLI.read_text(), re.M)
    assert [int(number) for number in numbers] == list(ExitStatus)


@pytest.mark.parametrize(("page", "words"), EXAMPLES, ids=lambda value: " ".join(value)[:60])
def test_every_example_can_be_parsed(page: str, words: list[str]) -> None:
    if ALWAYS.intersection(words):
        assert not words or words[0] in (*COMMANDS, *ALWAYS)
        return
    _, bound, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    values: dict[str, Any] = bound.arguments
    if "options" in values:
        SETTINGS[words[0]].checked(given(values["options"]))
    if "swept" in values:
        for name, text in given(values["swept"]).items():
            for value in split(name, text):
                PaintSettings.checked({name: value})
    if "writing" in values:
        saving = FilmSettings if words[0] == "video" else OutputSettings
        saving.checked(given(values["writing"]))


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in; the weights are read once for all that happens there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shared, "load_weights", cache(weights.load_weights))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield tmp_path
    torch.set_num_threads(threads)


def small(words: list[str]) -> list[str]:
    """The same command for a tiny picture and few steps, replacing what is there."""
    command, *rest = words
    changes = {**SMALL, **QUICK}
    if "--memory" in rest:  # this process holds more than the program does
        rest[rest.index("--memory") + 1] = "20GB"
    kept: list[str] = []
    for previous, word in zip([command, *rest], rest, strict=False):
        if word not in changes and previous not in changes:
            kept.append(word)
    if {"--filters", "--edges"}.intersection(rest):  # they look at no picture
        changes = {}
    elif command in ("video", "animate"):  # each effect has options of its own
        own: dict[str, dict[str, str]] = {"quantize": {}, "superpixels": {"-n": "40"}}
        effect = rest[rest.index("--effect") + 1] if "--effect" in rest else "paint"
        steps = {name: value for name, value in SMALL.items() if name.endswith("-steps")}
        changes = {"--size": SMALL["--size"]} | own.get(effect, {"--steps": "2", **steps})
    elif command == "moving":
        changes = {"--size": SMALL["--size"], "--seconds": "0.5"}
    for name, value in changes.items():
        if name in flags(command):
            kept += [name, value]
    return [command, *kept, *(["--force"] if "--force" in flags(command) else [])]


def runnable(words: list[str]) -> bool:
    """Whether a command can run anywhere: no pipe, no graphics card, no file but pictures."""
    absent = {"cuda", "mps", "--weights", "-", "--status", "--cluster"}
    return bool(words) and not absent.union(ALWAYS).intersection(words)


def clip(path: Path) -> None:
    """A short clip of 24 seconds: four frames."""
    film(path, pan(4, (48, 32)).frames, How(ticks=(0, 150, 300, 450, 600), sounds=("aac",)))


def burst(where: str) -> None:
    """Photos that follow one another, in a folder as `burst/`, or of a pattern as `img_*.jpg`."""
    for number, pixels in enumerate(pan(3, (96, 64), (1, 0)).frames):
        path = Path(where.replace("*", str(number)) if "*" in where else f"{where}{number}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x8769] = {0x9003: f"2024:06:30 12:00:0{number}"}
        Image.fromarray(pixels).save(path, quality=95, exif=exif)


def inputs_of_batch(word: str) -> None:
    """A picture in a folder as `photos/`, or of a pattern; the list of jobs that is documented."""
    if word == "jobs.toml":
        (listed,) = blocks(ROOT / "docs" / "collections.md", "toml")
        Path(word).write_text(listed)
        for name in re.findall(r'"([^"]+)"', listed):
            inputs_of_batch(name)
    elif re.match(r"(photos|styles)/", word):
        name = word.partition("=")[0].replace("*", "own")
        path = Path(f"{name}own.jpg" if name.endswith("/") else name)
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((48, 40), 60).convert("RGB").save(path)


@pytest.mark.parametrize("page", [p for p in PAGES if any(commands(p))], ids=lambda p: p.name)
def test_every_example_runs(page: Path, workshop: Path) -> None:
    """In order, on small pictures that stand in for the files they name."""
    for words in filter(runnable, commands(page)):
        for word in words:
            if CLIP.fullmatch(word):
                clip(Path(word))
            if words[0] == "animate" and (word.endswith("/") or "*" in word):
                burst(word)
            if words[0] == "batch":
                inputs_of_batch(word)
            found = PICTURE.match(word)
            if found is None or Path(found[0]).exists():
                continue
            if words[0] in (*SETTINGS, "compare"):
                Path(found[0]).parent.mkdir(parents=True, exist_ok=True)
                Image.effect_noise((48, 40), 60).convert("RGB").save(found[0])
        app(small(words), exit_on_error=False, print_error=False, result_action="return_value")


def test_the_python_page_runs_from_top_to_bottom(workshop: Path) -> None:
    names: dict[str, object] = {}
    clip(Path("clip.mp4"))
    for block in blocks(PYTHON, "python"):
        exec(compile(block, str(PYTHON), "exec"), names)
    assert {"art.png", "art.jpg", "coffee.tif"} <= {file.name for file in workshop.iterdir()}


def test_the_python_page_lists_every_error_with_its_status() -> None:
    from impasto import errors

    listed = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", PYTHON.read_text(), re.M))
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.ImpastoError)
    ]
    theirs = {kind.__name__: str(int(kind.status)) for kind in kinds}
    del theirs["ImpastoError"]
    assert listed == theirs


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target

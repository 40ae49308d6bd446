import json
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path as MatplotlibPath
from PIL import Image
from sklearn.isotonic import IsotonicRegression

import impasto as package
from impasto.errors import UsageError
from impasto.studio.course import Course, read_log
from impasto.studio.curves import curves
from impasto.studio.figure import styled
from impasto.studio.plots import apart, figure_of, plot, ticks
from impasto.studio.theme import THEMES, Colour, Paper
from impasto.studio.typeset import ELLIPSIS

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def course(styles: Sequence[str], levels: int = 1, name: str = "run") -> Course:
    """Losses that fall from level to level, and begin anew at each."""
    each = 20
    steps = np.arange(1, levels * each + 1)
    level = (steps - 1) // each + 1
    within = (steps - 1) % each + 1
    losses = {"content": 1 - 0.9 / within}
    for i, style in enumerate(styles):
        for j, layer in enumerate(LAYERS):
            losses[f"style/{style}/{layer}"] = (30 - 4 * j + i) / within ** (1 + 0.1 * j)
    losses["total"] = np.sum(list(losses.values()), axis=0)
    sizes = tuple((64 * 2**k, 48 * 2**k) for k in range(levels))
    return Course(name, sizes, level, steps, np.cumsum(4.0**level) / 50, losses)


CASES = [
    [course(["starry_night"])],
    [course(["starry_night"], 5)],
    [course(["starry_night", "great_wave"], 3)],
    [course([f"style {i}" for i in range(6)], 2)],
    [course(["a name that is much longer than there is room for it", "星月夜", "Ночь $x_1$"], 2)],
    [course(["a"], 1, "one"), course(["b"], 4, "a run with a long name, as paths are, and more")],
]


def figure(courses: Sequence[Course], paper: Paper) -> Figure:
    with styled(paper):
        drawn = figure_of(courses, paper)
        FigureCanvasAgg(drawn).draw()  # type: ignore[no-untyped-call]
    return drawn


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("courses", CASES)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_letters_are_on_the_page_and_apart_from_each_other(
    courses: list[Course], paper: Paper
) -> None:
    drawn = figure(courses, paper)
    page = drawn.bbox
    texts = [*drawn.texts]
    for panel in drawn.axes:
        texts += [*panel.texts, panel.xaxis.label, panel.yaxis.label]
        for axis in (panel.xaxis, panel.yaxis):
            low, high = axis.get_view_interval()
            texts += [
                tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
            ]
    boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
    assert len(boxes) > 12
    for box in boxes:
        assert page.x0 < box.x0 < box.x1 < page.x1
        assert page.y0 < box.y0 < box.y1 < page.y1
    labels = [text.get_window_extent() for text in drawn.axes[1].texts]
    for one, other in combinations(labels, 2):
        assert not one.padded(-1).overlaps(other.padded(-1))


def test_one_run_has_a_line_for_each_loss_and_several_one_each() -> None:
    (two,) = CASES[2]
    lines = curves([two], Paper.LIGHT)
    assert [line.label for line in lines][:4] == [
        "total",
        "content",
        "starry_night relu1_1",
        "starry_night relu2_1",
    ]
    assert len(lines) == 12
    assert len({line.colour for line in lines}) == 12
    for line, (_, values) in zip(lines[2:], list(two.losses.items())[1:-1], strict=True):
        assert line.values is values
    labels = [line.label for line in curves(CASES[5], Paper.LIGHT)]
    assert labels[0] == "one"
    assert ELLIPSIS in labels[1]


@given(st.floats(-30, 30), st.floats(0.31, 20))
def test_the_axis_of_losses_has_round_numbers_however_short_it_is(
    start: float, decades: float
) -> None:
    low, top = 10**start, 10 ** (start + decades)
    found = ticks(low, top)
    assert 3 <= len(found) <= 12
    assert low <= found[0] <= found[-1] <= top
    assert found == sorted(set(found))
    for place in found:  # two digits at most
        assert float(f"{place:.1e}") == pytest.approx(place, rel=1e-9)


def test_numbers_stand_at_rules_where_losses_stay_within_a_decade() -> None:
    values = np.linspace(0.8, 0.4, 20)
    once, steps = np.ones(20, np.intp), np.arange(20)
    calm = Course("calm", ((64, 48),), once, steps, steps / 2, {"total": values})
    axis = figure([calm], Paper.LIGHT).axes[0].yaxis
    low, high = axis.get_view_interval()
    shown = [
        tick.label1.get_text()
        for tick in axis.get_major_ticks()
        if low <= tick.get_loc() <= high and tick.gridline.get_visible()
    ]
    assert shown == ["0.25", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1"]


def luminance(colour: Colour) -> float:
    """WCAG 2's relative luminance."""
    values = np.array(colour) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("paper", Paper)
@pytest.mark.parametrize("courses", CASES[:4])
def test_lines_stand_out_from_the_paper(courses: list[Course], paper: Paper) -> None:
    """WCAG 2 asks for a contrast of 3 of what is needed to understand a graphic."""
    ground = luminance(THEMES[paper].paper)
    for line in curves(courses, paper):
        own = luminance(tuple(bytes.fromhex(line.colour[1:])))  # type: ignore[arg-type]
        low, high = sorted((own, ground))
        assert (high + 0.05) / (low + 0.05) > 3, line.label


def test_levels_are_drawn_apart() -> None:
    (five,) = CASES[1]
    panel = figure([five], Paper.LIGHT).axes[0]
    lengths = [len(np.asarray(line.get_xdata())) for line in panel.lines]
    assert lengths.count(20) == 5 * 7
    assert panel.get_xlim() == (0, 100)
    assert panel.get_yscale() == "log"
    rules = [line for line in panel.lines if len(set(np.asarray(line.get_xdata()))) == 1]
    assert [np.asarray(rule.get_xdata())[0] for rule in rules] == [20.5, 40.5, 60.5, 80.5]
    assert [text.get_text() for text in panel.texts] == [
        "64×48",
        "128×96",
        "256×192",
        "512×384",
        "1024×768",
    ]


@given(st.lists(st.floats(-0.2, 1.2), min_size=1, max_size=12), st.floats(0.001, 0.08))
@settings(max_examples=200, deadline=None)
def test_labels_move_as_little_as_they_must(places: list[float], pitch: float) -> None:
    """Against scikit-learn's isotonic regression within bounds."""
    found = np.array(apart(places, pitch))
    order = np.argsort(places, kind="stable")
    steps = pitch * np.arange(len(places))
    room = 1 - steps[-1]
    fit = IsotonicRegression(y_min=0, y_max=room)
    wanted = fit.fit_transform(np.arange(len(places)), np.array(places)[order] - steps) + steps
    np.testing.assert_allclose(found[order], wanted, atol=1e-9)
    assert np.all(np.diff(found[order]) > pitch - 1e-9)


def log_of(course: Course, path: Path) -> Path:
    lines = [{"event": "started", "seconds": 0, "levels": course.levels}]
    for i, taken in enumerate(course.steps.tolist()):
        losses = {name: float(values[i]) for name, values in course.losses.items()}
        total = losses.pop("total")
        place = {"level": int(course.level[i]), "taken": taken, "seconds": course.seconds[i]}
        lines.append({"event": "step", **place, "losses": losses, "total": total})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize("paper", Paper)
def test_files_are_what_they_say_and_the_same_every_time(tmp_path: Path, paper: Paper) -> None:
    log = log_of(course(["starry"], 2), tmp_path / "run.jsonl")
    vector, pixels = tmp_path / "losses.svg", tmp_path / "losses.png"
    assert plot(log, vector, paper=paper) == vector.stat().st_size
    root = ElementTree.parse(vector).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))  # letters are shapes
    assert plot(log, pixels, paper=paper) == pixels.stat().st_size
    with Image.open(pixels) as image:
        rgb = np.asarray(image.convert("RGB"))
    assert tuple(rgb[3, 3]) == THEMES[paper].paper
    first = vector.read_bytes(), pixels.read_bytes()
    plot(log, vector, paper=paper, force=True)
    plot(log, pixels, paper=paper, force=True)
    assert (vector.read_bytes(), pixels.read_bytes()) == first


def test_logs_of_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    logs = []
    for folder in ("a", "b"):
        Path(folder).mkdir()
        logs.append(log_of(course(["starry"]), Path(folder, "run.jsonl")))
    seen: list[str] = []
    monkeypatch.setattr(
        "impasto.studio.plots.draw", lambda courses, *_: seen.extend(c.name for c in courses)
    )
    package.plot(logs, "compared.svg")
    package.plot(logs[0], "losses.svg")
    assert seen == ["a/run.jsonl", "b/run.jsonl", "run"]


def test_a_plot_replaces_neither_its_log_nor_a_file(tmp_path: Path) -> None:
    log = log_of(course(["starry"]), tmp_path / "run.jsonl")
    with pytest.raises(UsageError, match=r"ends in \.svg or \.png"):
        plot(log, log, force=True)
    (tmp_path / "there.svg").touch()
    with pytest.raises(UsageError, match="it exists already"):
        plot(log, tmp_path / "there.svg")


def test_losses_that_are_not_finite_leave_gaps(tmp_path: Path) -> None:
    broken = course(["starry"], 2)
    for values in broken.losses.values():
        values[5:8] = np.nan
    broken.losses["content"][:] = np.nan
    log = log_of(broken, tmp_path / "run.jsonl")
    log.write_text(log.read_text().replace("NaN", "null"))
    read = read_log(log, "run")
    drawn = figure([read], Paper.LIGHT)
    for panel, along in zip(drawn.axes, (read.steps, read.seconds), strict=True):
        first_level = [line for line in panel.lines if len(np.asarray(line.get_xdata())) == 20]
        strokes = [list(strokes_of(line)) for line in first_level[::2]]
        # The content's line is nowhere; all others end before the gap and begin again behind it.
        whole = [(along[0], along[4]), (along[8], along[19])]
        assert sorted(map(len, strokes)) == [0, *[2] * 6]
        assert all(np.allclose(found, whole) for found in strokes if found)
    names = [text.get_text() for text in drawn.axes[1].texts]
    assert "content" in names and "total" in names
    assert plot(log, tmp_path / "losses.png") > 10_000


def strokes_of(line: Line2D) -> Iterator[tuple[float, float]]:
    """From where to where the pen is on the paper, along the axis."""
    at: list[float] = []
    for place, code in line.get_path().iter_segments(remove_nans=True, simplify=False):
        if code == MatplotlibPath.MOVETO and at:
            yield at[0], at[-1]
            at = []
        at.append(float(place[0]))
    if len(at) > 1:
        yield at[0], at[-1]


Outcome = tuple[int, str, str]


def test_the_command_plots(impasto: Callable[..., Outcome], tmp_path: Path) -> None:
    log = log_of(course(["starry"]), tmp_path / "run.jsonl")
    assert impasto("plot", log, "-o", tmp_path / "losses.svg") == (0, "", "")
    status, _, err = impasto("plot", log, "-o", tmp_path / "losses.svg")
    assert (status, err.count("\n")) == (2, 1)
    status, _, err = impasto("plot", "-o", tmp_path / "other.svg")
    assert (status, err) == (2, "impasto: no log: name one that impasto paint --log has written\n")
    status, _, err = impasto("plot", tmp_path / "missing.jsonl", "-o", tmp_path / "other.svg")
    assert status == 3
    assert "No such file or directory; give a log that impasto paint --log has written" in err

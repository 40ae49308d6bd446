"""The drawing of the network: to scale, marked, and nothing on top of something else."""

from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Polygon
from PIL import Image

from impasto.errors import UsageError
from impasto.neural.architecture import layers_at
from impasto.studio.diagram import CONTENT, STYLE, diagram
from impasto.studio.figure import check_figure, save_figure
from impasto.studio.theme import Paper, hexadecimal

SIZES = [(1200, 800), (800, 1200), (16, 16), (15360, 8640), (4096, 64), (64, 4096)]


def polygons(figure: Figure) -> list[Polygon]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Polygon)]


def sizes(polygon: Polygon) -> tuple[float, float]:
    corners = polygon.get_xy()
    wide, high = corners.max(axis=0) - corners.min(axis=0)
    return float(wide), float(high)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_boxes_are_to_scale(width: int, height: int) -> None:
    layers = layers_at(width, height)
    faces = polygons(diagram(layers))
    assert len(faces) == 3 * (1 + len(layers))  # the image's as well
    fronts, sides = faces[3::3], faces[5::3]
    lengths, heights = np.array([sizes(front) for front in fronts]).T
    np.testing.assert_allclose(lengths / lengths[0], [x.channels / 64 for x in layers])
    np.testing.assert_allclose(heights / heights[0], [x.height / height for x in layers])
    depths = np.array([sizes(side)[0] for side in sides])
    np.testing.assert_allclose(depths / depths[0], [x.width / width for x in layers])
    middles = [(side.get_xy()[:, 1].max() + side.get_xy()[:, 1].min()) / 2 for side in sides]
    np.testing.assert_allclose(middles, 0, atol=1e-9)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_label_leaves_the_page_or_lies_on_another(width: int, height: int) -> None:
    figure = diagram(layers_at(width, height))
    figure.draw_without_rendering()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    for _, box in boxes:
        assert 20 < box.x0 < box.x1 < figure.bbox.x1 - 20
        assert 20 < box.y0 < box.y1 < figure.bbox.y1 - 20
    for (one, first), (other, second) in combinations(boxes, 2):
        apart = first.x1 < second.x0 or second.x1 < first.x0
        assert apart or first.y1 <= second.y0 or second.y1 <= first.y0, (one, other)


@pytest.mark.parametrize("paper", Paper)
def test_the_layers_of_the_losses_are_marked_and_named(paper: Paper) -> None:
    layers = layers_at(1200, 800)
    figure = diagram(layers, paper)
    marks = {"style": hexadecimal(STYLE[paper]), "content": hexadecimal(CONTENT[paper])}
    for layer, front in zip(layers, polygons(figure)[3::3], strict=True):
        colour = np.rint(np.array(front.get_facecolor())[:3] * 255).astype(int)
        found = "#{:02x}{:02x}{:02x}".format(*colour)
        assert (found == marks["style"]) == (layer.style > 0)
        assert (found == marks["content"]) == (layer.content > 0)
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"relu1_1", "relu4_2", "style 0.8", "content 1", "1200 × 800", "156 to 252"} <= texts
    assert "relu1_2" not in texts


@pytest.mark.parametrize("paper", Paper)
def test_figures_are_files_that_are_the_same_every_time(tmp_path: Path, paper: Paper) -> None:
    files = [tmp_path / name for name in ("one.svg", "two.svg", "one.png", "two.png")]
    for file in files:
        assert save_figure(diagram(layers_at(64, 64), paper), file) == file.stat().st_size
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[2].read_bytes() == files[3].read_bytes()
    root = ElementTree.parse(files[0]).getroot()
    assert root.tag.endswith("svg")
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))  # letters are shapes
    with Image.open(files[2]) as image:
        assert image.width == 2400


@pytest.mark.parametrize("name", ["layers.jpg", "layers", "layers.svg.txt"])
def test_other_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"ends in \.svg or \.png"):
        check_figure(tmp_path / name, (), force=True)

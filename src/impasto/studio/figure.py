"""Figures by matplotlib, in the letters and colours of the sheets."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import UsageError
from impasto.extras import extra
from impasto.image.atomic import replacing
from impasto.image.write import check_file
from impasto.studio.theme import THEMES, Paper, hexadecimal
from impasto.studio.typeset import Weight

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENDINGS = (".svg", ".png")

BOLD = "Inter Semi Bold"
"""The family of the bold face, as the font itself names it."""

FALLBACKS = ("NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf", "PingFang.ttc", "msyh.ttc")
"""Files of the system's fonts that have the scripts of East Asia. DejaVu Sans, which comes with
matplotlib, has most others that Inter lacks."""

DPI = 200
"""Of what is written as pixels."""


def check_figure(output: str | Path, inputs: Iterable[str | Path], *, force: bool) -> None:
    """Refuse an output before any work; also where matplotlib is not installed."""
    if Path(output).suffix.lower() not in ENDINGS:
        raise UsageError(f"cannot write {output}: a figure ends in {' or '.join(ENDINGS)}")
    check_file(Path(output), inputs, force=force)
    with extra("plots", "drawing a figure"):
        import matplotlib  # noqa: F401


@contextmanager
def styled(paper: Paper) -> Iterator[None]:
    """While it lasts, matplotlib draws in Inter, in these colours."""
    with extra("plots", "drawing a figure"):
        import matplotlib as mpl
    theme = THEMES[paper]
    ink, rule = hexadecimal(theme.ink), hexadecimal(theme.rule)
    style: Any = {
        "font.family": _families(),
        "figure.facecolor": hexadecimal(theme.paper),
        "axes.facecolor": hexadecimal(theme.paper),
        "axes.edgecolor": rule,
        "text.color": ink,
    }
    with mpl.rc_context(style):
        yield


def save_figure(figure: "Figure", output: str | Path) -> int:
    """Write a figure; the output has been checked before. Returns the number of bytes."""
    kind = Path(output).suffix.lower().removeprefix(".")
    nothing = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    import matplotlib as mpl

    # Letters are shapes, for readers have other fonts; names inside are the same every time.
    same = mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "impasto"})
    with replacing(Path(output)) as temporary, same, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a letter that no font has is drawn as a box
        figure.savefig(temporary, format=kind, metadata=nothing, dpi=DPI)
        return temporary.stat().st_size


@cache
def _families() -> list[str]:
    """Tell matplotlib of the fonts that come with Impasto, once a process; where letters are."""
    from matplotlib.font_manager import FontProperties, findSystemFonts, fontManager

    for weight in Weight:
        fontManager.addfont(weight.file)
    there = {Path(file).name: file for file in findSystemFonts()}
    fallbacks = [there[name] for name in FALLBACKS if name in there]
    for file in fallbacks:
        fontManager.addfont(file)
    return ["Inter", *(FontProperties(fname=file).get_name() for file in fallbacks), "DejaVu Sans"]

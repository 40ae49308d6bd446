"""What a comparison has found: pictures of one photo, judged by one measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from impasto.neural.judge import Distances
from impasto.neural.pyramid import Size
from impasto.settings import PaintSettings
from impasto.studio.drawn import Page
from impasto.studio.sheet import RGB, Cell, Sheet, columns_for, draw, grid, letter_size
from impasto.studio.table import Row, Section, Table, put_below
from impasto.studio.theme import Paper

PAGE, LARGEST, SMALLEST = 2048, 768, 192
"""About how wide all cells are together, and the bounds of one, px."""

BESIDE = 128
"""Photo and styles are half as long as the pictures, but not shorter than that for it, px."""

IN_A_ROW = 4
"""Pictures that stand in one row; more make a square."""


@dataclass(frozen=True, eq=False)
class Judged:
    """A picture and how far it is from what was asked for."""

    path: str
    """As it was given; the name of one that is no file."""
    name: str
    size: Size
    """Its own, px."""
    rgb: RGB
    """At the size that it was judged at."""
    distances: Distances
    losses: Mapping[str, float]
    """Every weighted term by name, and `total`, as `Artwork.losses`."""


@dataclass(frozen=True, eq=False)
class Comparison(Page):
    """Pictures, with the photo and the styles that they were judged by."""

    pictures: Sequence[Judged]
    """In the order they were given."""
    photo: Cell
    styles: Mapping[str, Cell]
    """By the names of their losses."""
    betas: Mapping[str, float]
    settings: PaintSettings
    """Of which alpha, the layers with their weights, style scale and pooling count."""

    @property
    def size(self) -> Size:
        """(width, height) that all were judged at, px."""
        height, width = self.photo.picture.shape[:2]
        return width, height

    def page(self, paper: Paper = Paper.LIGHT) -> RGB:
        """A sheet of the pictures with photo and styles beside, and the table below."""
        cells = [
            Cell(each.rgb, f"{letters(number)}: {each.name}", f"loss {each.losses['total']:.3g}")
            for number, each in enumerate(self.pictures)
        ]
        width, height = self.size
        columns = len(cells) if len(cells) <= IN_A_ROW else columns_for(len(cells))
        side = min(max(self.size), LARGEST, max(SMALLEST, PAGE // columns))
        sheet = Sheet(
            rows=grid(cells, columns),
            title="Comparison",
            subtitle=f"All judged at {width} × {height} px",
            beside_side=max(side // 2, BESIDE),
            beside=[self.photo, *self.styles.values()],
        )
        return put_below(draw(sheet, paper, side), self.table(), paper, letter_size(side))

    def measure(self) -> str:
        """The loss as a formula."""
        betas = [f"{beta:g} × style {name}" for name, beta in self.betas.items()]
        return " + ".join([f"{self.settings.alpha:g} × content", *betas])

    def table(self) -> Table:
        """The losses with their weights, and the distance of every layer without."""
        pictures = self.pictures
        losses = [Row("total", [each.losses["total"] for each in pictures])]
        losses.append(Row("content", [each.losses["content"] for each in pictures]))
        distances = [
            Row(f"content {layer}", [each.distances.content[layer] for each in pictures])
            for layer in pictures[0].distances.content
        ]
        for style, layers in pictures[0].distances.styles.items():
            sums = [sum(each.losses[f"style/{style}/{k}"] for k in layers) for each in pictures]
            losses.append(Row(f"style {style}", sums))
            distances += [
                Row(f"{style} {layer}", [each.distances.styles[style][layer] for each in pictures])
                for layer in layers
            ]
        heads = [letters(number) for number, _ in enumerate(pictures)]
        sections = [
            Section("Loss", f"{self.measure()}; less is closer", losses),
            Section("Distance", "0 is identical, 1 as far away as maps of 0", distances),
        ]
        return Table(heads, sections)

    def legend(self) -> str:
        """Which column is which picture, and the size of all."""
        lines = [
            f"{letters(number)}: {each.path}, {each.size[0]} × {each.size[1]} px"
            for number, each in enumerate(self.pictures)
        ]
        width, height = self.size
        return "\n".join([*lines, f"All judged at {width} × {height} px"])

    def facts(self) -> dict[str, object]:
        """All losses and distances, for programs."""
        chosen = self.settings
        return {
            "size": self.size,
            "alpha": chosen.alpha,
            "betas": dict(self.betas),
            "content_layers": dict(chosen.content_layers),
            "style_layers": dict(chosen.style_layers),
            "pictures": [
                {
                    "path": each.path,
                    "size": each.size,
                    "losses": dict(each.losses),
                    "distances": {
                        **{f"content/{k}": far for k, far in each.distances.content.items()},
                        **{
                            f"style/{style}/{layer}": far
                            for style, layers in each.distances.styles.items()
                            for layer, far in layers.items()
                        },
                    },
                }
                for each in self.pictures
            ],
        }


def letters(number: int) -> str:
    """What a picture is called, counted from 0: A to Z, AA, AB, as columns of a spreadsheet."""
    before, last = divmod(number, len(ascii_uppercase))
    return (letters(before - 1) if before else "") + ascii_uppercase[last]

"""Tables for people, of what is known of the network; they need no PyTorch."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

from impasto.neural.architecture import Layer, ends_block
from impasto.quantities import quantity

if TYPE_CHECKING:
    from impasto.neural.edges import EdgeResponses


def layers_table(layers: Sequence[Layer]) -> Table:
    """A line for each layer, a gap before each pooling, and one for the whole."""
    work, memory = (sum(getattr(x, name) for x in layers) for name in ("multiply_adds", "memory"))
    table = Table(
        box=SIMPLE,
        show_footer=True,
        caption="A value sees a square of the image so many px a side; maps in float32. "
        "Before each block but the first, a pooling halves both sides.",
        caption_justify="left",
    )
    table.add_column("layer", "all", no_wrap=True)
    table.add_column("maps", justify="right", no_wrap=True)
    table.add_column("size, px", justify="right", no_wrap=True)
    table.add_column("sees", justify="right", no_wrap=True)
    table.add_column("multiply-adds", quantity(work), justify="right", no_wrap=True)
    table.add_column("memory", f"{quantity(memory)}B", justify="right", no_wrap=True)
    table.add_column("loss", no_wrap=True)
    for layer in layers:
        table.add_row(
            layer.name,
            str(layer.channels),
            f"{layer.width}×{layer.height}",
            str(layer.receptive_field),
            quantity(layer.multiply_adds),
            f"{quantity(layer.memory)}B",
            ", ".join(roles(layer)),
            end_section=ends_block(layer.name),
        )
    return table


def roles(layer: Layer) -> list[str]:
    """The losses that look at a layer by default, with its weight in them."""
    weights = {"content": layer.content, "style": layer.style}
    return [f"{name} {weight:g}" for name, weight in weights.items() if weight]


def edges_table(found: "EdgeResponses", count: int) -> Table:
    """The maps that answer most to each edge, a line each."""
    table = Table(box=SIMPLE)
    table.add_column("edge", no_wrap=True)
    table.add_column("map", justify="right")
    table.add_column("answer", justify="right")
    table.add_column("to other edges, at most", justify="right")
    for direction, maps in found.ranking(count).items():
        for channel in maps:
            answers = found.of(channel)
            own, others = answers.pop(direction), max(answers.values())
            name = direction if channel == maps[0] else ""
            table.add_row(name, str(channel), f"{own:.0f}", f"{others:.0f}")
        table.add_section()
    return table


def distances_table(distances: Mapping[str, float]) -> Table:
    """How far a picture's Gram matrices are from the style's, a line a layer."""
    table = Table(box=SIMPLE)
    table.add_column("layer")
    table.add_column("|G − A|² / |A|²", justify="right")
    for layer, distance in distances.items():
        table.add_row(layer, f"{distance:.4f}")
    return table

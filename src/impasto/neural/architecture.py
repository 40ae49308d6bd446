"""VGG-19 on paper: what each layer costs and sees at a size; no weights and no PyTorch.

Simonyan and Zisserman 2015, table 1, configuration E, without the fully connected layers.
"""

from dataclasses import dataclass

from impasto.errors import UsageError
from impasto.settings import CONTENT_LAYERS, CONV_COUNTS, LAYERS, STYLE_LAYERS
from impasto.sizes import FULL, MIN_SIDE, measure_of, normal

KERNEL = 3
"""Side of every filter, px of the map it is applied to."""

CHANNELS = (64, 128, 256, 512, 512)
"""Of the maps of each block."""

PHOTO = 3 / 2
"""Width over height of a photo, where a size names its long side alone."""

BYTES = 4
"""Of a value of a map in float32."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A convolution with its ReLU, for an image of one size."""

    name: str
    channels: int
    width: int
    """Of each of its maps, px."""
    height: int
    receptive_field: int
    """Side of the square of the image that one value depends on, px."""
    multiply_adds: int
    """Products of a filter's weight with a value, zero padding included; biases are not counted."""
    memory: int
    """Bytes of its maps in float32."""
    content: float
    """Its weight in the content loss by default; 0 where it has no part in it."""
    style: float
    """The same of the style loss."""

    @property
    def block(self) -> int:
        """Counted from 1; each but the first begins with a pooling."""
        return halvings(self.name) + 1

    def facts(self) -> dict[str, object]:
        """The same for programs."""
        names = ("name", "channels", "width", "height", "receptive_field", "multiply_adds")
        return {name: getattr(self, name) for name in (*names, "memory", "content", "style")}


def layers(size: int | str = "1200x800") -> tuple[Layer, ...]:
    """All layers, shallow to deep, for an image of a size that is written as for paintings.

    `"1200x800"` is width and height; a long side alone, as 800 or `"4K"`, is that of a photo of
    3:2. UsageError where it is none.
    """
    try:
        plain = normal(size)
    except ValueError as error:
        raise UsageError(f"size {error}") from error
    if plain == FULL:
        raise UsageError("size must be pixels as 1200x800: there is no photo that could be full")
    width, *rest = measure_of(plain).pixels
    height = rest[0] if rest else max(MIN_SIDE, round(width / PHOTO))
    return layers_at(width, height)


def layers_at(width: int, height: int) -> tuple[Layer, ...]:
    """All layers for an image of that size, px, shallow to deep.

    >>> [(layer.width, layer.height) for layer in layers_at(1200, 800)][::4]
    [(1200, 800), (300, 200), (150, 100), (75, 50)]
    """
    found, before = [], 3
    field, stride = 1, 1  # of a value of the last map in the image, and from value to value, px
    for name in LAYERS:
        halved = halvings(name)
        if stride < 1 << halved:  # a pooling takes in one more value each way
            field, stride = field + stride, 2 * stride
        field += (KERNEL - 1) * stride
        channels = CHANNELS[halved]
        values = channels * (width >> halved) * (height >> halved)
        found.append(
            Layer(
                name=name,
                channels=channels,
                width=width >> halved,
                height=height >> halved,
                receptive_field=field,
                multiply_adds=KERNEL**2 * before * values,
                memory=BYTES * values,
                content=CONTENT_LAYERS.get(name, 0.0),
                style=STYLE_LAYERS.get(name, 0.0),
            )
        )
        before = channels
    return tuple(found)


def halvings(name: str) -> int:
    """How often the image is halved, rounded down, before a layer."""
    return int(name.removeprefix("relu").partition("_")[0]) - 1


def ends_block(name: str) -> bool:
    """Whether a pooling follows the layer."""
    block, number = name.removeprefix("relu").split("_")
    return int(number) == CONV_COUNTS[int(block) - 1]

"""A picture of few colours, with the palette that a file can hold."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from threading import Thread

import numpy as np

from impasto.events import Event
from impasto.filter_settings import QuantizeSettings
from impasto.filters.job import Filtered, FilterJob
from impasto.image.histogram import colours_of
from impasto.image.palette import Palette, photo_of, quantize, reduced
from impasto.image.palette_file import (
    MOST,
    Colours,
    check_palette_output,
    holds_palette,
    read_palette,
    write_palette,
)
from impasto.image.picture import Indexed, Picture
from impasto.image.read import read
from impasto.image.srgb import to_unit
from impasto.made import input_of
from impasto.recipe import Input, QuantizeRecipe
from impasto.settings import as_text

HIDDEN = 0.5 / 255
"""Alpha that 8 bits round to 0."""


@dataclass(frozen=True)
class QuantizedPicture(Filtered):
    """A picture of few colours."""

    palette: Palette
    psnr: float
    """dB, against the photo at 8 bits; infinite where they are equal."""
    ciede2000: float
    """Mean difference of colours from the photo's."""

    def summary(self) -> str:
        """What came of the work, in a few words for people."""
        likeness = f"{self.psnr:.1f} dB" if math.isfinite(self.psnr) else "nothing lost"
        return f"{len(self.palette.colours)} colours, {likeness}, CIEDE2000 {self.ciede2000:.2f}"

    def facts(self) -> dict[str, object]:
        """What came of the work, for programs; JSON has no numbers that are not finite."""
        return {
            **super().facts(),
            "palette": [
                {"color": "#{:02x}{:02x}{:02x}".format(*colour), "share": round(float(share), 6)}
                for colour, share in zip(self.palette.colours, self.palette.shares, strict=True)
            ],
            "psnr": round(self.psnr, 3) if math.isfinite(self.psnr) else None,
            "ciede2000": round(self.ciede2000, 4),
        }

    def save_palette(self, path: str | Path, *, force: bool = False) -> None:
        """Write the palette as .gpl, .hex or a swatch picture; `force` replaces a file."""
        check_palette_output(path, (), force=force)
        write_palette(self.palette.colours, path, self.picture.name)


class QuantizeJob(FilterJob[QuantizeSettings, QuantizedPicture]):
    """Colour quantization."""

    doing = "choosing colours"
    recipe_type = QuantizeRecipe

    def events(self) -> Iterator[Event]:
        """Do it, part by part; scikit-learn takes half a second to load, so it does meanwhile."""
        Thread(target=import_module, args=("sklearn.cluster",), daemon=True).start()
        yield from super().events()

    def _made(self, photo: Picture) -> QuantizedPicture:
        settings = self.settings
        if photo.alpha is not None and photo.alpha.min() < HIDDEN:
            k = settings.k - 1 if photo.alpha.max() >= HIDDEN else 1  # to be hidden takes an entry
            settings = settings.model_copy(update={"k": k})
        given, references = reference(settings)
        found = quantize(photo.rgb, settings, alpha=photo.alpha, colours=given)
        # In the memory of the photo, which has served: new memory takes four times as long.
        rgb = np.take(
            to_unit(found.palette.colours), found.indices, axis=0, out=photo.rgb, mode="clip"
        )
        indexed = Indexed(found.indices, found.palette.colours)
        return QuantizedPicture(
            picture=replace(photo, rgb=rgb, indexed=indexed),
            palette=found.palette,
            psnr=found.psnr,
            ciede2000=found.ciede2000,
            **self._facts(photo, self.settings, references),
        )


def reference(settings: QuantizeSettings) -> tuple[Colours | None, dict[str, Input]]:
    """The colours of the file that the settings name, if they do, and that file.

    Of a picture with more colours than fit into a palette, the best k.
    """
    path = settings.palette
    if path is None:
        return None, {}
    if holds_palette(path):
        colours, digest = read_palette(path)
        return colours, {"palette": Input(path=as_text(path), sha256=digest)}
    model = read(str(path))
    seen = photo_of(model.rgb, model.alpha)
    colours = colours_of(seen.histogram.codes)
    if len(colours) > MOST:
        undithered = settings.model_copy(update={"dither": "none"})
        colours = reduced(seen, undithered, None)[0].colours
    return colours, {"palette": input_of(path, model)}

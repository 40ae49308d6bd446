"""How the files of a collection are called."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from string import Formatter

from impasto.collection.wish import Wish, stem
from impasto.errors import UsageError
from impasto.image.write import check_format
from impasto.settings import OutputSettings, PaintSettings, as_text
from impasto.studio.axes import AWKWARD, label_of, plain, written

USUAL = "{photo}--{style}"
"""What a name is where none is given, without its ending and without settings that vary."""

OWN = ("photo", "style", "number", "preset")
"""Fields that are no settings."""

NO_NAME = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff<>:"|?*]')
"""What some systems have in no name, and bytes that are no text."""

LONGEST = 200
"""Bytes of a part of a name: file systems take 255, and beside it lie files with longer endings."""

RESERVED = ("thumbnails",)
"""Folders of a collection that hold something else."""

DEVICES = re.compile(r"(con|prn|aux|nul|(com|lpt)[1-9])(\..*)?")
"""Names that are no files on Windows, whatever their endings."""


class Template:
    """A name with fields in braces: photo, style, number, preset, and every setting."""

    def __init__(self, text: str, output: OutputSettings) -> None:
        """UsageError where it is no name of a picture, or could lead out of the folder."""
        self.text = text
        try:
            self._parts = list(Formatter().parse(text))
        except ValueError as error:
            raise UsageError(f"name {text!r} cannot be read: {error}") from None
        for own, _, _, _ in self._parts:
            if NO_NAME.search(own):
                raise UsageError(
                    f"name {text!r} has characters that not every system has in names; leave out "
                    f'control characters, bytes that are no UTF-8, and any of < > : " | ? *'
                )
        for _, field, form, conversion in self._parts:
            if field is not None and (form or conversion or _setting(field) not in _known()):
                raise UsageError(
                    f"name has no field {{{field}{'!' if conversion else ''}{conversion or ''}"
                    f"{':' if form else ''}{form}}}; there are {', '.join(map(written, _known()))}"
                )
        check_format(text, output)

    @property
    def fields(self) -> set[str]:
        """Those that are used."""
        return {_setting(field) for _, field, _, _ in self._parts if field is not None}

    def name(self, wish: Wish, number: int) -> str:
        """The name of an artwork, relative to the folder, with forward slashes."""
        parts = []
        for text, field, _, _ in self._parts:
            parts.append(text)
            if field is not None:
                value = as_text(_value(_setting(field), wish, number))
                parts.append(AWKWARD.sub("-", value))
        name = str(PurePosixPath("".join(parts)))
        check_name(name)
        return name


def usual(varied: Iterable[str]) -> str:
    """The template where none is given: it tells artworks apart by all settings that vary."""
    return USUAL + "".join(f"--{written(name)}-{{{name}}}" for name in varied) + ".png"


def named(wishes: Sequence[Wish], template: Template) -> list[str]:
    """A name for each; UsageError for two that are alike, also to disks that ignore case."""
    names = [template.name(wish, number) for number, wish in enumerate(wishes, 1)]
    known: dict[str, int] = {}
    for place, name in enumerate(names):
        other = known.setdefault(_folded(name), place)
        if other != place:
            raise UsageError(_alike(name, other, place, wishes, template))
    return names


def check_name(name: str) -> None:
    """Refuse what is no file inside the folder, or where something else lies."""
    path = PurePosixPath(name)
    parts = PurePosixPath(_folded(name)).parts
    hidden = any(part.startswith(".") or part.endswith((".", " ")) for part in parts)
    if PureWindowsPath(name).anchor or hidden or "\\" in name or parts[0] in RESERVED:
        raise UsageError(
            f"an artwork cannot be called {name}: names stay inside the folder, no part of them "
            "begins with a dot, or ends in one or in a blank, and they do not lie in "
            f"{' or '.join(RESERVED)}; choose another --name"
        )
    device = next(filter(DEVICES.fullmatch, parts), None)
    if device is not None:
        raise UsageError(f"{device} is the name of a device on Windows; choose another --name")
    if any(len(part.encode("utf-8", "surrogateescape")) > LONGEST for part in path.parts):
        raise UsageError(f"the name {name} is too long; choose a --name with fewer fields")


def _folded(name: str) -> str:
    """The same of all names that are one file on some disk, by their case or their Unicode."""
    return unicodedata.normalize("NFC", name.casefold())


def _alike(name: str, one: int, other: int, wishes: Sequence[Wish], template: Template) -> str:
    first, second = wishes[one], wishes[other]
    texts = [f"job {place + 1} ({described(wishes[place])})" for place in (one, other)]
    together = f"{texts[0]} and {texts[1]} would both be {name}"
    if first == second:
        return f"{together}, and are the same; give it once"
    differing = [
        field
        for field in _known()
        if field != "number" and _value(field, first, 0) != _value(field, second, 0)
    ]
    new = next((field for field in differing if field not in template.fields), "number")
    return f"{together}; add {{{written(new)}}} to --name {template.text!r}"


def described(wish: Wish) -> str:
    """An artwork in words, by its files."""
    styles = " + ".join(path for path, _ in wish.styles)
    return f"{wish.photo} in {styles}"


def _known() -> tuple[str, ...]:
    return (*OWN, *PaintSettings.model_fields)


def _setting(field: str) -> str:
    """`style-scale` is `style_scale`."""
    return field.replace("-", "_")


def _value(field: str, wish: Wish, number: int) -> str:
    """What stands for a field in a name."""
    if field == "photo":
        return stem(wish.photo)
    if field == "style":
        return "+".join(stem(path) for path, _ in wish.styles)
    if field == "number":
        return f"{number:04}"
    if field == "preset":
        return wish.preset
    if field == "beta":
        return "+".join(map(label_of, wish.betas))
    return plain(label_of(getattr(wish.settings, field)))

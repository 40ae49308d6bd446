"""Which pictures are meant: files, folders and patterns, in natural order."""

import glob
import re
from collections.abc import Iterable
from pathlib import Path

from impasto.errors import UnreadableImage, UsageError
from impasto.image.samples import is_sample
from impasto.image.write import same_file

ENDINGS = (".jpg", ".jpeg", ".jpe", ".png", ".webp", ".tif", ".tiff", ".gif")
"""Of the files in a folder that are pictures; the others stay unread."""

DIGITS = re.compile(r"([0-9]+)")


def gathered(
    sources: Iterable[str | Path], output: Path, unfinished: Path | None = None
) -> list[str]:
    """The pictures that files, folders and patterns stand for, in the order given.

    A folder stands for the pictures in it, not for those in folders below; a pattern, as
    `burst/*.jpg`, for what matches. In both they are in natural order, and neither the output nor
    hidden files are among them. unfinished: a folder of what is made, whose pictures are no photos,
    though a shell names it where it is asked for everything. UsageError where one of them stands
    for nothing; UnreadableImage where a file is missing.
    """
    given, found = [*map(str, sources)], list[str]()
    for source in given:
        if unfinished is not None and same_file(Path(source), unfinished):
            continue
        try:
            found += _pictures_of(source, output, unfinished)
        except OSError as error:
            raise UnreadableImage(
                f"cannot read {source}: {error.strerror or error}; check its name and permissions"
            ) from error
    if given and not found:
        raise _none_in(given[0])
    return found


def _pictures_of(source: str, output: Path, unfinished: Path | None) -> list[str]:
    """Those that one of the sources stands for."""
    if is_sample(source) or Path(source).is_file():
        return [source]
    if Path(source).is_dir():
        return _within(source, map(str, Path(source).iterdir()), output, None)
    if _is_pattern(source):
        names = glob.glob(source)  # noqa: PTH207 (of any folder)
        return _within(source, names, output, unfinished)
    raise UnreadableImage(f"cannot read {source}: there is no such file; check its name and folder")


def natural(name: str) -> tuple[list[list[tuple[str, int]]], str]:
    """A key that sorts names as people count: img_2 before img_10, whatever their case.

    >>> sorted(["img_10.jpg", "IMG_2.jpg", "a/9.jpg"], key=natural)
    ['a/9.jpg', 'IMG_2.jpg', 'img_10.jpg']
    """
    return [_counted(part) for part in Path(name.casefold()).parts], name


def _counted(text: str) -> list[tuple[str, int]]:
    """Words, each with the number behind it; the last one has none, and comes first by that."""
    parts = DIGITS.split(text)
    return [
        (word, int(number)) for word, number in zip(parts[::2], [*parts[1::2], "-1"], strict=True)
    ]


def _within(source: str, names: Iterable[str], output: Path, unfinished: Path | None) -> list[str]:
    """The pictures among what a folder or a pattern holds."""
    found = [
        name
        for name in names
        if name.lower().endswith(ENDINGS)
        and not Path(name).name.startswith(".")
        and Path(name).is_file()
        and not same_file(Path(name), output)
        and (unfinished is None or not same_file(Path(name).parent, unfinished))
    ]
    if not found:
        raise _none_in(source)
    return sorted(found, key=natural)


def _is_pattern(source: str) -> bool:
    """Whether it stands for others; a folder may be called as patterns are."""
    path = Path(source)
    return glob.has_magic(path.name) or (glob.has_magic(source) and not path.parent.is_dir())


def _none_in(source: str) -> UsageError:
    return UsageError(
        f"there is no picture in {source}: files that end in {', '.join(ENDINGS)} are looked for; "
        "name the photos, or another folder"
    )

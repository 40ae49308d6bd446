"""Files that list what a collection is made of: TOML, JSON of the same shape, or CSV."""

import csv
import glob
import io
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from impasto.collection.wish import StyleAsked, Wish, mixed, styles_in
from impasto.errors import UnreadableImage, UsageError
from impasto.image.listing import gathered
from impasto.image.samples import is_sample
from impasto.settings import Preset, Settings, preset_settings

ENDINGS = (".toml", ".json", ".csv")

SEVERAL = ";"
"""Between the styles of a line of CSV that are mixed."""

PRESET = "preset"
"""What stands among settings and is none of them."""


class ListedJob(Settings):
    """One artwork, with settings of its own."""

    photo: str
    styles: Annotated[tuple[str, ...], Field(min_length=1)]
    """Mixed, each as PICTURE or PICTURE=BETA."""
    settings: Mapping[str, Any] = {}


class Jobs(Settings):
    """What a collection is made of: photos × styles × what varies, and jobs beside that."""

    photos: tuple[str, ...] = ()
    """Pictures, folders and patterns."""
    styles: tuple[str | tuple[str, ...], ...] = ()
    """The same with `=BETA`; several together are mixed."""
    name: str | None = None
    """Template of the files' names."""
    settings: Mapping[str, Any] = {}
    vary: Mapping[str, tuple[Any, ...]] = {}
    jobs: tuple[ListedJob, ...] = ()


@dataclass(frozen=True)
class Asked:
    """All that was asked for, and by which file."""

    jobs: Jobs
    file: Path | None = None
    places: tuple[str, ...] = ()
    """Where in the file each of its jobs stands."""

    @property
    def varied(self) -> list[str]:
        """Settings that vary."""
        return [_plain(name) for name in self.jobs.vary]

    def path(self, given: str) -> str:
        """A path as the file means it: from its own folder."""
        if self.file is None or is_sample(given):
            return given
        path = self.file.parent / given
        alone = str(path).rpartition("=")[0]  # of PICTURE=BETA
        # Path.exists raises on long names.
        there = os.path.exists(path) or os.path.exists(alone)  # noqa: PTH110
        if glob.has_magic(given) and not there:
            path = Path(glob.escape(str(self.file.parent))) / given
        return str(path)

    def settings(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Settings as the file means them: by Python's names, the picture of init beside it.

        UsageError where one is given by both its names.
        """
        own: dict[str, Any] = {}
        for name, value in values.items():
            if _plain(name) in own:
                raise UsageError(f"{_plain(name)} is given twice; give it once")
            own[_plain(name)] = value
        if isinstance(own.get("init"), str) and own["init"] not in ("photo", "noise"):
            own["init"] = self.path(own["init"])
        return own

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        """Errors within say where in the file their cause stands."""
        try:
            yield
        except (UsageError, UnreadableImage) as error:
            if self.file is None:
                raise
            raise type(error)(f"cannot use {self.file}: {place}: {error}") from None


def read_jobs(file: Path) -> Asked:
    """What a file asks for; UsageError says what is wrong with it and where."""
    parse = {".toml": _toml, ".json": _json, ".csv": _csv}.get(file.suffix.lower())
    if parse is None:
        raise UsageError(
            f"cannot read {file}: a list of jobs ends in {', '.join(ENDINGS)}; or give photos "
            "and styles"
        )
    try:
        text = file.read_bytes().decode("utf-8-sig")
        found, places = parse(text)
        return Asked(Jobs.model_validate(found), file, places)
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}; check its name and folder"
        ) from None
    except ValidationError as error:
        raise UsageError(f"cannot use {file}: {_first(error)}") from None
    except ValueError as error:
        raise UsageError(f"cannot read {file}: {error}") from None
    except RecursionError:
        raise UsageError(f"cannot read {file}: it is nested too deeply") from None


def wishes(asked: Asked, options: Mapping[str, Any], output: Path) -> list[Wish]:
    """All artworks that are asked for: photo by photo, in each of the styles, with all that varies.

    options: settings and `preset` that hold instead of the file's, but for those that vary or are a
    job's own. output: the folder, whose pictures are none to begin from.
    """
    _check_parts(asked)
    _wish(options, "", ())
    with asked.at("settings"):
        common = asked.settings(asked.jobs.settings) | dict(options)
        _wish(common, "", ())
    chosen = list(_variations(asked, common))
    matrix = product(_photos(asked, output), _styles(asked, output), chosen)
    found = [replace(each, photo=photo, styles=style) for photo, style, each in matrix]
    for job, place in zip(asked.jobs.jobs, asked.places, strict=True):
        with asked.at(place):
            found.append(_listed(asked, job, common, output))
    return found


def _check_parts(asked: Asked) -> None:
    """Refuse parts that come to nothing without others that are not there."""
    jobs = asked.jobs
    if bool(jobs.photos) != bool(jobs.styles) or not (jobs.photos or jobs.jobs):
        with asked.at("styles" if jobs.photos else "photos"):
            raise UsageError("there are none; list photos and styles, or jobs")
    if jobs.vary and not jobs.photos:
        with asked.at("vary"):
            raise UsageError(
                "what varies does so for photos and styles, and there are none; list them, or give "
                "each job its own settings"
            )


def _listed(asked: Asked, job: ListedJob, common: dict[str, Any], output: Path) -> Wish:
    """A job of the list."""
    photo, *more = gathered([asked.path(job.photo)], output)
    if more:
        raise UsageError(f"{job.photo} is {1 + len(more)} pictures; name one")
    styles = mixed([*map(asked.path, job.styles)], output)
    return _wish(common | asked.settings(job.settings), photo, styles)


def _photos(asked: Asked, output: Path) -> list[str]:
    """Those of the matrix."""
    found: list[str] = []
    for number, entry in enumerate(asked.jobs.photos, 1):
        with asked.at(f"photos[{number}]"):
            found += gathered([asked.path(entry)], output)
    return found


def _styles(asked: Asked, output: Path) -> list[tuple[StyleAsked, ...]]:
    """Those of the matrix: each alone, or several that are mixed."""
    found: list[tuple[StyleAsked, ...]] = []
    for number, entry in enumerate(asked.jobs.styles, 1):
        with asked.at(f"styles[{number}]"):
            if isinstance(entry, str):
                found += [(style,) for style in styles_in(asked.path(entry), output)]
            elif entry:
                found.append(mixed([*map(asked.path, entry)], output))
            else:
                raise UsageError("it is empty; name a picture")
    return found


def _variations(asked: Asked, common: dict[str, Any]) -> Iterator[Wish]:
    """One for each combination of the settings that vary, without its pictures."""
    names, several = asked.varied, asked.jobs.vary.values()
    with asked.at("vary"):
        asked.settings(asked.jobs.vary)
    for name, values in zip(names, several, strict=True):
        with asked.at("vary"):
            if not values:
                raise UsageError(f"{name} has no value; give it one")
    for values in product(*several):
        own = asked.settings(dict(zip(names, values, strict=True)))
        with asked.at("vary"):
            yield _wish(common | own, "", ())


def _wish(values: Mapping[str, Any], photo: str, styles: tuple[StyleAsked, ...]) -> Wish:
    settings = dict(values)
    preset = str(settings.pop(PRESET, Preset.DEFAULT))
    return Wish(photo, styles, preset_settings(preset).updated(settings), preset)


def _toml(text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    return _numbered(tomllib.loads(text))


def _json(text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    return _numbered(json.loads(text))


def _numbered(found: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    jobs = found.get("jobs") if isinstance(found, dict) else None
    several = len(jobs) if isinstance(jobs, list) else 0
    return found, tuple(f"job {number + 1}" for number in range(several))


def _csv(text: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A job a line; columns photo and style, and a column for each setting."""
    reader = csv.DictReader(io.StringIO(text), restkey=None, strict=True)
    try:
        columns = [column.strip() for column in reader.fieldnames or ()]
        if not {"photo", "style"} <= set(columns):
            raise ValueError("its first line has to name the columns photo and style")
        for number, column in enumerate(columns):
            if column and _plain(column) in map(_plain, columns[:number]):
                raise ValueError(f"its first line names {column} twice")
        found = {f"line {reader.line_num}": _job_of(line, reader.line_num) for line in reader}
    except csv.Error as error:
        raise ValueError(f"line {reader.reader.line_num} is no CSV: {error}") from None
    jobs = {place: job for place, job in found.items() if job}
    if not jobs:
        raise ValueError("it has no line with a job")
    return {"jobs": [*jobs.values()]}, tuple(jobs)


def _job_of(line: dict[Any, Any], number: int) -> dict[str, Any]:
    """The job of a line of CSV, empty for an empty line; ValueError for a line that is none."""
    if None in line:
        raise ValueError(f"line {number} has more columns than the first line")
    cells = {key.strip(): (value or "").strip() for key, value in line.items()}
    if not any(cells.values()):
        return {}
    styles = [style.strip() for style in cells.pop("style").split(SEVERAL) if style.strip()]
    photo = cells.pop("photo")
    if not (photo and styles):
        raise ValueError(f"line {number} names no {'style' if photo else 'photo'}")
    own = {name: value for name, value in cells.items() if value}
    return {"photo": photo, "styles": styles, "settings": own}


def _first(error: ValidationError) -> str:
    """The first fault of a file, with its place."""
    fault = error.errors()[0]
    place = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{part}"
        for part in fault["loc"]
        if part != "str" and not str(part).startswith("tuple")
    ).lstrip(".")
    if fault["type"] == "extra_forbidden":
        return f"it has no place for {place}; there are {', '.join(Jobs.model_fields)}"
    return f"{place or 'the whole'}: {fault['msg'].lower()}"


def _plain(name: str) -> str:
    """`style-scale` is `style_scale`."""
    return name.replace("-", "_")

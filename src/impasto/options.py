"""Command-line options derived from settings, so that each fact about them stands in one place."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from cyclopts import Parameter
from pydantic.fields import FieldInfo

from impasto.errors import UsageError
from impasto.settings import FileName, Settings


def options_of(
    model: type[Settings], group: str, *, several: bool = False, without: Collection[str] = ()
) -> type:
    """A dataclass with an optional field for each setting, for a parameter of a command.

    Values stay text: the settings themselves convert and check them. `several`: an option may have
    several values in one text, of which the parser knows nothing. `without`: settings that have no
    option.
    """
    fields = []
    for name, field in model.model_fields.items():
        if name in without:
            continue
        parameter = Parameter(
            option_name(name),
            group=group,
            help=_help(field) + (_choices(field) if several else ""),
            negative=(),
            show_default=False,
            metavar="VALUES" if several else "VALUE",
        )
        kind: Any = (str if several else _kind(field)) | None
        how = (FILE, parameter) if _may_be_file(field) else (parameter,)
        fields.append((name, Annotated[kind, *how], dataclasses.field(default=None)))
    made = dataclasses.make_dataclass(f"{model.__name__}Options", fields, kw_only=True)
    made.__module__ = __name__  # else it is taken for one of Python's own types
    return made


def option_name(setting: str) -> str:
    """`style_scale` is `--style-scale`, `k` is `-k`, and `from_`, for Python, is `--from`."""
    return f"-{setting}" if len(setting) == 1 else f"--{setting.strip('_').replace('_', '-')}"


def given(*groups: object) -> dict[str, Any]:
    """{setting: value} of the options that were given, of all groups."""
    values = {name: value for group in groups for name, value in vars(group).items()}
    return {name: value for name, value in values.items() if value is not None}


def file_name(_: object, value: str | Path | list[str]) -> None:
    """A parameter's validator: `-` is a file, but what else begins so is a mistyped option."""
    for name in value if isinstance(value, list) else [str(value)]:
        if name.startswith("-") and name != "-":
            raise UsageError(f"there is no option {name}; if it is a file, write ./{name}")


def checkpoint_seconds(_: object, value: float) -> None:
    """A parameter's validator: any time; "inf" is never."""
    if not value >= 0:
        raise UsageError(f"checkpoint-every must be at least 0 seconds, not {value:g}")


FILE = Parameter(allow_leading_hyphen=True, validator=file_name)
"""Of parameters that name a file, which may be `-`."""


def _help(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    return f"{_sentence(str(field.description))}. [default: {shown(default)}]"


def shown(value: object) -> str:
    """A setting's value as it would be typed."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={weight:g}" for key, weight in value.items())
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _kind(field: FieldInfo) -> Any:
    """What the parser may know of a setting: flags and fixed choices; the rest is text."""
    return field.annotation if field.annotation is bool or _is_fixed(field) else str


def _is_fixed(field: FieldInfo) -> bool:
    """Whether a setting is one of a few words."""
    words = all(isinstance(choice, str) for choice in get_args(field.annotation))
    return get_origin(field.annotation) is Literal and words


def _choices(field: FieldInfo) -> str:
    """The words that a setting may be, as the parser's help shows those that it knows of."""
    return f" [choices: {', '.join(get_args(field.annotation))}]" if _is_fixed(field) else ""


def _may_be_file(field: FieldInfo) -> bool:
    """Whether a setting's value may name a file."""
    return FileName in get_args(field.annotation)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]

"""The bytes behind a path or standard input."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from impasto.errors import UnreadableImage
from impasto.image.decode import empty_file, format_of, not_a_picture
from impasto.image.picture import STANDARD_STREAM


def name_of(source: str | Path) -> str:
    """What errors call it."""
    return "standard input" if str(source) == STANDARD_STREAM else str(source)


def picture_bytes(source: str | Path) -> bytes:
    """All bytes of a file that announces itself as a picture."""
    return file_bytes(source, _picture)


def file_bytes(source: str | Path, read: Callable[[BinaryIO, str], bytes] | None = None) -> bytes:
    """What `read` takes from an opened file and its name; by default all bytes."""
    where = name_of(source)
    take = read or (lambda file, _: file.read())
    if str(source) == STANDARD_STREAM:
        return take(sys.stdin.buffer, where)
    try:
        with Path(source).open("rb") as file:
            return take(file, where)
    except FileNotFoundError:
        advice = "there is no such file; check its name and folder"
    except (IsADirectoryError, PermissionError) as error:
        advice = "permission denied; ask its owner, or copy it to where you may read it"
        if isinstance(error, IsADirectoryError) or _is_folder(Path(source)):
            advice = "it is a folder; name a picture in it"
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        advice = f"{getattr(error, 'strerror', None) or error}; check its name and its disk"
    raise UnreadableImage(f"cannot read {where}: {advice}") from None


def _is_folder(path: Path) -> bool:
    """For Windows, where opening a folder is a matter of permission."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _picture(file: BinaryIO, where: str) -> bytes:
    """Read to the end, but only what can be a picture: a film on the wrong line stays unread."""
    head = file.read(16)
    if not head:
        raise empty_file(where)
    if format_of(head) is None:
        raise not_a_picture(where)
    return head + file.read()

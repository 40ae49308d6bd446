import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from impasto.image.samples import photo, style

SMALL = ("--size", "64", "--steps", "3", "-q", "--threads", "1")
"""Options of artworks that take half a second."""


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders photos and styles, each with two pictures, none over 100 px."""
    folder = tmp_path_factory.mktemp("originals")
    for name in ("photos", "styles"):
        (folder / name).mkdir()
    Image.fromarray(photo("coffee")[40:136:1, 200:296]).save(folder / "photos" / "img_2.png")
    Image.fromarray(photo("astronaut")[20:92, 160:256]).save(folder / "photos" / "img_10.jpg")
    Image.fromarray(style("spirograph", 80)).save(folder / "styles" / "rings.png")
    Image.fromarray(style("mosaic", 80)).save(folder / "styles" / "tiles.png")
    return folder


@pytest.fixture
def place(originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with copies of photos and styles."""
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lines() -> Callable[[Path], list[dict[str, Any]]]:
    """The records of a collection's manifest."""

    def read(folder: Path) -> list[dict[str, Any]]:
        text = (folder / "manifest.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    return read

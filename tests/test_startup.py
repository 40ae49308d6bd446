"""What starting costs: nothing that is not needed is imported."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "numpy", "PIL", "pyvips", "skimage", "scipy", "safetensors"}


def imported_by(code: str) -> set[str]:
    """The heavy packages that a process has imported after the code ran."""
    ending = "import sys; print('loaded:', *sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", f"import atexit\natexit.register(lambda: exec({ending!r}))\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = process.stdout.rpartition("loaded: ")[2].split()
    assert "sys" in names
    return HEAVY & set(names)


@pytest.mark.parametrize("module", ["impasto", "impasto.cli", "impasto.settings"])
def test_importing_does_not_import_torch(module: str) -> None:
    assert imported_by(f"import {module}") == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["paint", "--help"], ["sweep", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"import sys; sys.argv[1:] = {arguments}; from impasto.cli import main; main()"
    assert imported_by(code) == set()


def test_names_of_the_package_come_when_they_are_asked_for() -> None:
    assert "torch" in imported_by("import impasto; assert callable(impasto.paint)")


def test_a_misspelt_name_is_an_attribute_error() -> None:
    import impasto

    with pytest.raises(AttributeError, match="no attribute 'pant'"):
        _ = impasto.pant
    assert set(dir(impasto)) == set(impasto.__all__)

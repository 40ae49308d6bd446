"""What is refused before any work is done."""

import errno
import io
import os
import sys
import tempfile
from pathlib import Path

import pytest

from impasto.errors import ExitStatus, UnwritableOutput, UsageError
from impasto.image.write import EXTENSIONS, check_output
from impasto.settings import OutputSettings

EIGHT, SIXTEEN = OutputSettings(), OutputSettings(depth=16)


def check(output: Path | str, *inputs: Path | str, force: bool = False) -> None:
    check_output(output, inputs, force=force, settings=EIGHT)


def usage(output: Path | str, *inputs: Path | str, force: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        check(output, *inputs, force=force)
    assert caught.value.status == ExitStatus.USAGE
    return str(caught.value)


@pytest.mark.parametrize("suffix", EXTENSIONS)
def test_a_new_file_is_fine_and_nothing_is_left_behind(out: Path, suffix: str) -> None:
    for name in (f"a{suffix}", f"a{suffix.upper()}"):
        check_output(out / name, ["photo.jpg"], force=False, settings=EIGHT, indexed=True)
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "a.bmp", "a.", "a.png.bak", ".png"])
def test_unknown_endings(out: Path, name: str) -> None:
    assert ".png, .jpg, .jpeg, .webp, .tif, .tiff" in usage(out / name)


def test_only_pictures_with_a_palette_go_into_a_gif(out: Path) -> None:
    assert "impasto quantize, which picks the colours" in usage(out / "a.gif")


@pytest.mark.parametrize("name", ["a.png", "a.gif"])
def test_a_palette_has_eight_bits(out: Path, name: str) -> None:
    with pytest.raises(UsageError, match="a palette holds 8 bits a channel, not 16"):
        check_output(out / name, [], force=False, settings=SIXTEEN, indexed=True)
    check_output(out / "a.tif", [], force=False, settings=SIXTEEN, indexed=True)


def test_standard_input_is_one_picture(out: Path) -> None:
    assert "standard input holds one picture" in usage(out / "a.png", "-", "b.png", "-")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("link", ["same", "dotted", "symbolic", "hard", "relative"])
def test_an_input_is_never_overwritten(
    out: Path, monkeypatch: pytest.MonkeyPatch, link: str, force: bool
) -> None:
    photo, output = out / "photo.png", out / "b.png"
    photo.write_bytes(b"x")
    match link:
        case "same":
            output = photo
        case "dotted":
            output = out / ".." / out.name / "photo.png"
        case "symbolic":
            output.symlink_to(photo)
        case "hard":
            output.hardlink_to(photo)
        case "relative":
            monkeypatch.chdir(out)
            output = Path("photo.png")
    assert "same file as the input" in usage(output, "other.png", photo, force=force)


def test_an_input_that_is_a_link_to_the_output(out: Path) -> None:
    (out / "link.png").symlink_to(out / "real.png")
    assert "same file" in usage(out / "real.png", out / "link.png", force=True)


def test_existing_output_needs_force(out: Path) -> None:
    (out / "a.png").touch()
    assert "--force" in usage(out / "a.png", "photo.jpg")
    check(out / "a.png", "photo.jpg", force=True)


def test_missing_folder(out: Path) -> None:
    with pytest.raises(UnwritableOutput, match=f"there is no folder {out / 'none'}") as caught:
        check(out / "none" / "a.png", force=True)
    assert caught.value.status == ExitStatus.BAD_INPUT


def test_folder_that_is_a_file(out: Path) -> None:
    (out / "file").touch()
    with pytest.raises(UnwritableOutput, match="there is no folder"):
        check(out / "file" / "a.png")


def test_output_that_is_a_folder(out: Path) -> None:
    (out / "a.png").mkdir()
    with pytest.raises(UnwritableOutput, match="it is a folder"):
        check(out / "a.png", force=True)


def test_output_in_the_working_folder(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(out)
    check("a.png", "photo.jpg")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="needs users")
def test_folder_without_permission() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        user = os.geteuid()
        folder.chmod(0o555)
        try:
            if user == 0:  # the superuser may write everywhere
                os.seteuid(65534)
            with pytest.raises(UnwritableOutput, match="Permission denied"):
                check(folder / "a.png")
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


@pytest.mark.parametrize("number", [errno.EROFS, errno.ENOSPC])
def test_disk_that_takes_no_file(out: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(UnwritableOutput, match=os.strerror(number)):
        check(out / "a.png")


@pytest.mark.parametrize("name", ["a.jpg", "a.jpeg", "a.webp"])
def test_sixteen_bits_need_a_format_that_has_them(out: Path, name: str) -> None:
    with pytest.raises(UsageError, match="8 bits a channel, not 16"):
        check_output(out / name, [], force=True, settings=SIXTEEN)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_fine_in_others(out: Path, name: str) -> None:
    check_output(out / name, [], force=True, settings=SIXTEEN)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_standard_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    check_output("-", ["-"], force=False, settings=SIXTEEN)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert "terminal" in usage("-", "photo.jpg")


def test_a_standard_stream_is_no_file_of_that_name(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(out)
    check("a.png", "-")

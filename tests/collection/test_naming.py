"""Names of files: fields, safety, and no two alike."""

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.collection.naming import LONGEST, Template, named, usual
from impasto.collection.wish import Wish
from impasto.errors import UsageError
from impasto.settings import OutputSettings, PaintSettings

OUTPUT = OutputSettings()


def wish(photo: str = "in/cat.jpg", *styles: str, **settings: object) -> Wish:
    chosen = tuple((style, None) for style in styles or ("art/starry.png",))
    return Wish(photo, chosen, PaintSettings().updated(settings))


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{photo}--{style}.png", "cat--starry.png"),
        ("{style}/{photo}.jpg", "starry/cat.jpg"),
        ("{number}-{photo}.webp", "0007-cat.webp"),
        ("{photo}-{size}-{style-scale}-{style_layers}.tif", "cat-60x40cm@300dpi-0.5-relu1_1=1.tif"),
        ("{preset}{{x}}{photo}.PNG", "default{x}cat.PNG"),
        ("./a/./{photo}.png", "a/cat.png"),
        ("{beta}-{init}.png", "7-photo.png"),
    ],
)
def test_fields(template: str, name: str) -> None:
    settings = {"size": "60x40cm@300dpi", "style_scale": 0.5, "style_layers": "relu1_1", "beta": 7}
    assert Template(template, OUTPUT).name(wish(**settings), 7) == name  # type: ignore[arg-type]


def test_mixed_styles_and_their_betas() -> None:
    mixed = Wish("cat.jpg", (("a/x.png", 30.0), ("y.png", None)), PaintSettings())
    assert Template("{style}--{beta}.png", OUTPUT).name(mixed, 1) == "x+y--30+100.png"


def test_what_shells_and_disks_mind_is_left_out() -> None:
    strange = wish("a b/c:d*e  f\n'g\".jpg", "sample:mosaic")
    assert Template("{photo}--{style}.png", OUTPUT).name(strange, 1) == "c-d-e-f-g---mosaic.png"
    bytes_ = wish("caf\udce9.jpg")
    assert Template("{photo}.png", OUTPUT).name(bytes_, 1).encode() == b"caf-udce9.png"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{photo}", "it has no ending"),
        ("{photo}.gif", "a GIF holds 256 colours"),
        ("{photo}.bmp", "the ending '.bmp' is not known"),
        ("{photo.png", "cannot be read"),
        ("{colour}.png", "no field {colour}; there are photo, style, number, preset, size"),
        ("{photo!r}.png", "no field {photo!r}"),
        ("{number:3}.png", "no field {number:3}"),
        ("{photo.name}.png", "no field {photo.name}"),
        ("{}.png", "no field {}"),
        ("\udce9{photo}.png", "'\\udce9{photo}.png' has characters that not every system has"),
        ("{photo}\n.png", "'{photo}\\n.png' has characters"),
        ("{photo}: {style}?.png", "leave out control characters"),
    ],
)
def test_templates_that_are_none(template: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Template(template, OUTPUT)
    assert message in str(caught.value)


def test_a_depth_that_the_format_lacks() -> None:
    with pytest.raises(UsageError, match="JPEG holds 8 bits"):
        Template("{photo}.jpg", OutputSettings(depth=16))


@pytest.mark.parametrize(
    "template",
    [
        "../{photo}.png",
        "/tmp/{photo}.png",
        "a/../../{photo}.png",
        ".{photo}.png",
        "thumbnails/{photo}.png",
        "Thumbnails/{photo}.png",
        "x/{photo}./{style}.png",
        "{photo} /{style}.png",
        ".impasto/{photo}.png",
        "a\\{photo}.png",
    ],
)
def test_nothing_leaves_the_folder(template: str) -> None:
    with pytest.raises(UsageError, match=r"names stay inside the folder, .* or in a blank, and"):
        Template(template, OUTPUT).name(wish(), 1)


@pytest.mark.parametrize("template", ["CON.png", "{style}/lpt1/{photo}.png", "Nul.{photo}.png"])
def test_devices_of_windows_are_no_names(template: str) -> None:
    with pytest.raises(UsageError, match="is the name of a device on Windows"):
        Template(template, OUTPUT).name(wish(), 1)
    assert Template("con--{photo}.png", OUTPUT).name(wish(), 1) == "con--cat.png"


@given(st.text(min_size=1).filter(lambda text: "/" not in text and "\0" not in text))
def test_no_photo_leads_out_of_the_folder(stem: str) -> None:
    template = Template("{photo}/{style}.png", OUTPUT)
    try:
        name = template.name(wish(f"photos/{stem}.jpg", f"{stem}.png"), 1)
    except UsageError:
        return
    path = PurePosixPath(name)
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert len(path.parts) == 2
    assert max(len(part.encode()) for part in path.parts) <= LONGEST


@pytest.mark.parametrize(
    ("template", "one", "other", "message"),
    [
        ("{photo}.png", wish("a.jpg", "x.png"), wish("a.jpg", "y.png"), "add {style} to --name"),
        ("{style}.png", wish("a.jpg"), wish("b.jpg"), "add {photo} to --name"),
        ("{photo}--{style}.png", wish(beta=1), wish(beta=2), "add {beta} to --name"),
        ("{photo}--{style}.png", wish(style_scale=1), wish(style_scale=2), "add {style-scale}"),
        ("{photo}--{style}.png", wish("a/1.jpg"), wish("b/1.png"), "add {number} to --name"),
        ("{photo}--{style}.png", wish(), wish(), "are the same; give it once"),
        ("{photo}.png", wish("cat.jpg"), wish("CAT.jpg"), "job 1 (cat.jpg in art/starry.png) and"),
        ("{photo}.png", wish("\u00e9.jpg"), wish("e\u0301.jpg"), "would both be e\u0301.png"),
    ],
)
def test_two_alike_are_refused(template: str, one: Wish, other: Wish, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        named([one, other], Template(template, OUTPUT))
    assert message in str(caught.value)


def test_the_usual_name_tells_apart_what_varies() -> None:
    template = Template(usual(["style_scale", "beta"]), OUTPUT)
    assert template.name(wish(style_scale=2), 1) == "cat--starry--style-scale-2--beta-100.png"
    assert usual([]) == "{photo}--{style}.png"

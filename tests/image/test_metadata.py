"""What travels from photo to artwork, and the recipe, as Pillow and the standards see them."""

import json
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, IptcImagePlugin, PngImagePlugin

from impasto.errors import BadRecipe, ExitStatus, UnwritableOutput
from impasto.image import exif, iptc, xmp
from impasto.image.metadata import read_recipe
from impasto.image.picture import Metadata, Picture
from impasto.image.read import read
from impasto.image.write import write
from impasto.settings import OutputSettings

Bytes = NDArray[np.uint8]

FORMATS = [".png", ".jpg", ".webp", ".tif"]

NASTY = json.dumps(
    {
        "photo": '/home/Zoë & <Søn>/"it\'s"/写真 𝔸🎨.jpg',
        "control": "\0\x01\t\n\r\x1f\x7f\x85\u2028",
        "xml": "]]> <!-- --> &amp; <?xpacket end='w'?> </rdf:RDF>",
        "backslash": "C:\\new\\u0041",
        "long": "0123456789" * 600,
    },
    ensure_ascii=False,
)

XMP_PHOTO = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 6.0">\n'
    ' <r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    '  <r:Description r:about="uuid:1" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' tiff:Orientation="6" xmp:Rating="5">\n'
    "   <dc:creator><r:Seq><r:li>Zoë &amp; 写真</r:li></r:Seq></dc:creator>\n"
    "   <xmp:Thumbnails><r:Alt><r:li>old picture</r:li></r:Alt></xmp:Thumbnails>\n"
    "  </r:Description>\n </r:RDF>\n</x:xmpmeta>\n"
    '<?xpacket end="w"?>'
).encode()

RECORDS = b"\x1c\x02\x50\x00\x05Alice" + b"\x1c\x02\x78\x00\x07Caf\xc3\xa9 x"


def camera_exif(orientation: int = 1) -> Image.Exif:
    fields = Image.Exif()
    fields[0x010F], fields[0x0110], fields[0x0112] = "Acme", "EOS", orientation
    fields[0x0132] = "2020:01:02 03:04:05"
    fields[0x8298] = "(c) Zoe"
    fields.get_ifd(0x8769).update(
        {
            0x829A: 0.125,  # exposure time
            0x9003: "2020:01:02 03:04:05",
            0xA002: 4000,
            0xA003: 3000,
            0x927C: bytes(range(60)),  # maker note
        }
    )
    fields.get_ifd(0x8825).update({1: "N", 2: (48.0, 31.0, 12.5), 3: "E", 4: (9.0, 3.0, 1.25)})
    return fields


def photo_file(photo: Bytes, path: Path, orientation: int = 1) -> Path:
    """A JPEG as a camera and a catalogue leave it: EXIF with thumbnail, XMP, IPTC, 300 dpi."""
    Image.fromarray(photo).save(
        path, exif=with_thumbnail(camera_exif(orientation).tobytes()), xmp=XMP_PHOTO, dpi=(300, 300)
    )
    data = path.read_bytes()
    block = b"Photoshop 3.0\0" + b"8BIM\x04\x25\0\0\0\0\0\x03abc\0"  # a resource of another kind
    block += b"8BIM\x04\x04\x04name\0" + struct.pack(">I", len(RECORDS)) + RECORDS
    block += b"\0" * (len(RECORDS) % 2)
    segment = b"\xff\xed" + struct.pack(">H", len(block) + 2) + block
    path.write_bytes(data[:2] + segment + data[2:])
    return path


THUMBNAIL = b"\xff\xd8THE OLD PICTURE\xff\xd9"


def with_thumbnail(block: bytes) -> bytes:
    """Chain a second directory with a thumbnail to an EXIF block that has one."""
    body = bytearray(block.removeprefix(b"Exif\0\0"))
    order: Any = {b"II": "<", b"MM": ">"}[bytes(body[:2])]
    (start,) = struct.unpack_from(order + "I", body, 4)
    (count,) = struct.unpack_from(order + "H", body, start)
    body += b"\0" * (len(body) % 2)
    struct.pack_into(order + "I", body, start + 2 + 12 * count, len(body))
    at = len(body) + 2 + 3 * 12 + 4
    body += struct.pack(order + "H", 3)
    for tag, kind, value in ((0x0103, 3, 6), (0x0201, 4, at), (0x0202, 4, len(THUMBNAIL))):
        packed = struct.pack(order + ("H" if kind == 3 else "I"), value).ljust(4, b"\0")
        body += struct.pack(order + "HHI", tag, kind, 1) + packed
    return b"Exif\0\0" + bytes(body + bytes(4) + THUMBNAIL)


@pytest.fixture
def artwork(photo: Bytes, tmp_path: Path) -> Picture:
    return read(photo_file(photo, tmp_path / "photo.jpg", orientation=6))


def test_the_planted_photo_is_what_it_claims(photo: Bytes, tmp_path: Path) -> None:
    path = photo_file(photo, tmp_path / "photo.jpg", orientation=6)
    assert THUMBNAIL in path.read_bytes()
    with Image.open(path) as image:
        assert image.getexif()[0x0112] == 6
        assert image.getexif().get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(THUMBNAIL)
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 80): b"Alice", (2, 120): b"Caf\xc3\xa9 x"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_capture_metadata_is_carried(artwork: Picture, out: Path, suffix: str) -> None:
    path = out / f"a{suffix}"
    write(artwork, path, OutputSettings(), None)
    assert THUMBNAIL not in path.read_bytes()
    with Image.open(path) as image:
        fields = image.getexif()
        assert (fields[0x010F], fields[0x0110], fields[0x0112]) == ("Acme", "EOS", 1)
        assert (fields[0x0132], fields[0x8298]) == ("2020:01:02 03:04:05", "(c) Zoe")
        capture = fields.get_ifd(0x8769)
        assert capture[0x829A] == 0.125
        assert capture[0x9003] == "2020:01:02 03:04:05"
        assert capture[0x927C] == bytes(range(60))
        assert capture[0xA001] == 1
        assert capture.get(0xA002, image.width) == image.width
        assert capture.get(0xA003, image.height) == image.height
        place = dict(fields.get_ifd(0x8825))
        assert place == {1: "N", 2: (48.0, 31.0, 12.5), 3: "E", 4: (9.0, 3.0, 1.25)}
        assert fields.get_ifd(ExifTags.IFD.IFD1) == {}


@pytest.mark.parametrize("suffix", FORMATS)
def test_artwork_is_upright_for_every_viewer(artwork: Picture, out: Path, suffix: str) -> None:
    assert artwork.size == (96, 128)
    write(artwork, out / f"a{suffix}", OutputSettings(lossless=True), None)
    with Image.open(out / f"a{suffix}") as image:
        assert ImageOps.exif_transpose(image).size == (96, 128)
    assert read(out / f"a{suffix}").size == (96, 128)


@pytest.mark.parametrize("suffix", FORMATS)
def test_xmp_is_carried(artwork: Picture, out: Path, suffix: str) -> None:
    write(artwork, out / f"a{suffix}", OutputSettings(), NASTY)
    with Image.open(out / f"a{suffix}") as image:
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    tree = ElementTree.fromstring(packet)
    rdf, dublin = (
        "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}",
        "{http://purl.org/dc/elements/1.1/}",
    )
    creators = [item.text for item in tree.findall(f".//{dublin}creator/{rdf}Seq/{rdf}li")]
    assert creators == ["Zoë & 写真"]
    first, second = tree.findall(f".//{rdf}Description")
    assert first.get("{http://ns.adobe.com/xap/1.0/}Rating") == "5"
    assert first.get("{http://ns.adobe.com/tiff/1.0/}Orientation") is None
    assert tree.find(".//{http://ns.adobe.com/xap/1.0/}Thumbnails") is None
    assert second.get(f"{rdf}about") == first.get(f"{rdf}about") == "uuid:1"
    recipe = second.findtext("{urn:impasto:ns#}recipe")
    assert recipe is not None
    assert json.loads(recipe) == json.loads(NASTY)
    assert packet.startswith(b"<?xpacket begin=")


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_iptc_is_carried(artwork: Picture, out: Path, suffix: str) -> None:
    write(artwork, out / f"a{suffix}", OutputSettings(), None)
    with Image.open(out / f"a{suffix}") as image:
        found = IptcImagePlugin.getiptcinfo(image)
    assert found == {(2, 80): b"Alice", (2, 120): b"Caf\xc3\xa9 x"}
    assert read(out / f"a{suffix}").metadata.iptc == RECORDS


@pytest.mark.parametrize("suffix", FORMATS)
def test_resolution_is_carried(artwork: Picture, out: Path, suffix: str) -> None:
    for metadata in (artwork.metadata, Metadata(dpi=(300, 300))):
        write(replace(artwork, metadata=metadata), out / f"a{suffix}", OutputSettings(), None)
        with Image.open(out / f"a{suffix}") as image:
            dpi = image.info.get("dpi") or (image.getexif()[0x011A], image.getexif()[0x011B])
        assert dpi == pytest.approx((300, 300), abs=0.01)
        if suffix != ".webp":
            assert read(out / f"a{suffix}").metadata.dpi == pytest.approx((300, 300), abs=0.01)


def test_no_resolution_is_none(photo: Bytes, tmp_path: Path) -> None:
    for suffix in FORMATS:
        Image.fromarray(photo).save(tmp_path / f"a{suffix}")
        assert read(tmp_path / f"a{suffix}").metadata == Metadata()


@pytest.mark.parametrize("suffix", FORMATS)
def test_strip_leaves_nothing(artwork: Picture, out: Path, suffix: str) -> None:
    write(artwork, out / f"a{suffix}", OutputSettings(strip=True), NASTY)
    data = (out / f"a{suffix}").read_bytes()
    for trace in (b"Acme", b"Alice", b"xpacket", b"recipe", b"2020:01"):
        assert trace not in data
    assert read(out / f"a{suffix}").metadata == Metadata()
    with pytest.raises(BadRecipe):
        read_recipe(out / f"a{suffix}")
    if suffix != ".tif":
        assert b"exif" not in data.lower()


@pytest.mark.parametrize("first", FORMATS)
@pytest.mark.parametrize("second", FORMATS)
def test_metadata_survives_from_format_to_format(
    artwork: Picture, out: Path, first: str, second: str
) -> None:
    write(artwork, out / f"a{first}", OutputSettings(), '{"seed":1}')
    write(read(out / f"a{first}"), out / f"b{second}", OutputSettings(), '{"seed":2}')
    assert read_recipe(out / f"b{second}") == '{"seed":2}'
    assert b"&quot;seed&quot;:1" not in (out / f"b{second}").read_bytes()
    with Image.open(out / f"b{second}") as image:
        fields = image.getexif()
        assert fields[0x010F] == "Acme"
        assert fields.get_ifd(0x8825)[2] == (48.0, 31.0, 12.5)
    packet = read(out / f"b{second}").metadata.xmp
    assert packet is not None
    assert "Zoë &amp; 写真".encode() in packet
    assert b"impasto" not in packet


def test_byte_orders_of_exif(photo: Bytes, out: Path, tmp_path: Path) -> None:
    """Pillow writes big endian; here the same fields in little endian, into a TIFF of each kind."""
    little = camera_exif()
    little.endian = "<"
    for name, block in (("big", camera_exif().tobytes()), ("little", little.tobytes())):
        assert block[6:8] == {"big": b"MM", "little": b"II"}[name]
        Image.fromarray(photo).save(tmp_path / "a.png", exif=block)
        write(read(tmp_path / "a.png"), out / "a.tif", OutputSettings(), None)
        with Image.open(out / "a.tif") as image:
            assert image.getexif().get_ifd(0x8769)[0x829A] == 0.125
            assert image.getexif().get_ifd(0x8825)[4] == (9.0, 3.0, 1.25)
        np.testing.assert_array_equal(tifffile.imread(out / "a.tif"), photo)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_photos_keep_theirs(
    photo: Bytes, out: Path, tmp_path: Path, order: Literal["<", ">"]
) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        photo.astype(np.uint16) * 257,
        photometric="rgb",
        byteorder=order,
        metadata=None,
        resolution=(240, 240),
        resolutionunit="INCH",
        extratags=[
            (270, 2, 0, "harbour", True),
            (315, 2, 0, "Zoë".encode(), True),
            (33723, 7, len(RECORDS), RECORDS, True),
        ],
    )
    picture = read(tmp_path / "a.tif")
    assert picture.metadata.dpi == pytest.approx((240, 240))
    assert picture.metadata.iptc == RECORDS
    write(picture, out / "b.tif", OutputSettings(depth=16), None)
    with tifffile.TiffFile(out / "b.tif") as file:
        tags = file.pages.first.tags
        assert tags["ImageDescription"].value == "harbour"
        np.testing.assert_array_equal(file.asarray(), photo.astype(np.uint16) * 257)
    assert "Zoë".encode() in (out / "b.tif").read_bytes()


def test_names_beyond_ascii_are_kept(photo: Bytes, out: Path, tmp_path: Path) -> None:
    field = exif.Field(2, "Jürgen 写真".encode() + b"\0")
    block = exif._block({0x013B: field}, {}, ">")
    Image.fromarray(photo).save(tmp_path / "a.jpg", exif=block)
    for suffix in FORMATS:
        write(read(tmp_path / "a.jpg"), out / f"a{suffix}", OutputSettings(), None)
        assert "Jürgen 写真".encode() in (out / f"a{suffix}").read_bytes()


def test_packets_nested_beyond_reason_are_no_packets() -> None:
    inside = b"<x:a xmlns:x='x'>" + b"<x:b>" * 5000 + b"</x:b>" * 5000 + b"</x:a>"
    deep = xmp.EMPTY.replace(b"/></x:xmpmeta>", b">" + inside + b"</rdf:RDF></x:xmpmeta>")
    assert deep != xmp.EMPTY
    assert xmp.portable(deep) is None
    assert xmp.recipe_of(xmp.with_recipe(deep, "{}")) == "{}"


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_harmless_as_metadata(noise: bytes) -> None:
    for head in (b"", b"Exif\0\0II*\0\x08\0\0\0", b"Exif\0\0MM\0*\0\0\0\x08"):
        exif.portable(head + noise)
        exif.iptc_of_tiff(head[6:] + noise)
    iptc.unwrapped(noise)
    iptc.unwrapped(b"Photoshop 3.0\x008BIM" + noise)
    xmp.portable(noise)
    assert xmp.recipe_of(noise) is None
    assert xmp.recipe_of(xmp.with_recipe(noise, "{}")) == "{}"


@given(st.binary(min_size=1, max_size=300))
def test_iptc_wrapping(records: bytes) -> None:
    assert iptc.unwrapped(iptc.wrapped(records)) == records


def test_directories_that_point_at_themselves_end() -> None:
    body = b"II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x8769, 4, 1, 8, 0)
    assert exif.portable(body) is not None


# The recipe


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("recipe", ['{"seed":0}', NASTY, "{}", ' {"a": "\u00e9"} '])
def test_recipe_round_trip(picture: Picture, out: Path, suffix: str, recipe: str) -> None:
    write(picture, out / f"a{suffix}", OutputSettings(), recipe)
    assert read_recipe(out / f"a{suffix}") == recipe
    write(picture, out / "16.png", OutputSettings(depth=16), recipe)
    assert read_recipe(out / "16.png") == recipe


texts = st.text(st.characters(codec=None, categories=None), max_size=60)


@given(st.dictionaries(texts, texts, max_size=5), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_json_survives_the_packet(value: dict[str, str], ascii_only: bool) -> None:
    recipe = json.dumps(value, ensure_ascii=ascii_only)
    found = xmp.recipe_of(xmp.with_recipe(XMP_PHOTO, recipe))
    assert found is not None
    assert json.loads(found) == value


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_path_survives_every_format(picture: Picture, out: Path, path: str) -> None:
    recipe = json.dumps({"path": path}, ensure_ascii=False)
    for suffix in FORMATS:
        write(picture, out / f"a{suffix}", OutputSettings(), recipe)
        assert json.loads(read_recipe(out / f"a{suffix}"))["path"] == path


def test_recipe_after_another_program_has_rewritten_the_packet(picture: Picture, out: Path) -> None:
    """Properties may become attributes and prefixes may change: the data is the same."""
    packet = (
        b'<q:RDF xmlns:q="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><q:Description q:about=""'
        b' xmlns:ns1="urn:impasto:ns#" ns1:recipe="{&quot;seed&quot;: 7}"/></q:RDF>'
    )
    write(replace(picture, metadata=Metadata(xmp=packet)), out / "a.png", OutputSettings(), None)
    assert read_recipe(out / "a.png") == '{"seed": 7}'


def test_recipe_is_missing(photo: Bytes, tmp_path: Path) -> None:
    cases: list[tuple[str, dict[str, Any]]] = [
        ("a.png", {}),
        ("b.jpg", {"xmp": XMP_PHOTO}),
        ("c.jpg", {"xmp": b"<x"}),
    ]
    for name, options in cases:
        Image.fromarray(photo).save(tmp_path / name, **options)
        with pytest.raises(BadRecipe, match="carries no recipe; was it written with --strip") as at:
            read_recipe(tmp_path / name)
        assert str(tmp_path / name) in str(at.value)
        assert at.value.status == ExitStatus.BAD_INPUT


def test_recipe_from_standard_input(picture: Picture, out: Path) -> None:
    write(picture, out / "a.webp", OutputSettings(), '{"seed":3}')
    script = "from impasto.image.metadata import read_recipe; print(read_recipe('-'))"
    with (out / "a.webp").open("rb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", script], stdin=stream, capture_output=True, text=True, check=True
        )
    assert done.stdout == '{"seed":3}\n'


def test_jpeg_prefers_the_recipe_to_the_photos_words(picture: Picture, out: Path) -> None:
    long = XMP_PHOTO.replace(b"old picture", b"x").replace("Zoë".encode(), b"Z" * 64_000)
    wordy = replace(picture, metadata=Metadata(xmp=long))
    for suffix in (".jpg", ".png"):
        write(wordy, out / f"a{suffix}", OutputSettings(), NASTY)
        assert read_recipe(out / f"a{suffix}") == NASTY
        assert (b"Z" * 64_000 in (out / f"a{suffix}").read_bytes()) == (suffix == ".png")


def test_recipe_too_long_for_jpeg(picture: Picture, out: Path) -> None:
    recipe = json.dumps({"path": "x" * 70_000})
    with pytest.raises(UnwritableOutput, match="too long for JPEG"):
        write(picture, out / "a.jpg", OutputSettings(), recipe)
    write(picture, out / "a.tif", OutputSettings(), recipe)
    assert read_recipe(out / "a.tif") == recipe
    assert [path.name for path in out.iterdir()] == ["a.tif"]


def test_entities_are_not_expanded(photo: Bytes, tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "' + b"c" * 99 + b'">]>' + XMP_PHOTO
    assert xmp.portable(bomb) is None
    assert xmp.recipe_of(bomb) is None


def test_packet_in_png_is_where_xmp_says(picture: Picture, out: Path) -> None:
    write(picture, out / "a.png", OutputSettings(), NASTY)
    data = (out / "a.png").read_bytes()
    assert re.search(rb"iTXtXML:com\.adobe\.xmp\0\0\0\0\0<\?xpacket", data)
    with Image.open(out / "a.png") as image:
        image.load()  # checks the chunks' sums
        assert isinstance(image, PngImagePlugin.PngImageFile)
        assert json.loads(NASTY)["photo"].split("&")[0] in image.text["XML:com.adobe.xmp"]


def test_pillow_images_bring_theirs(photo: Bytes, out: Path, tmp_path: Path) -> None:
    path = photo_file(photo, tmp_path / "photo.jpg", orientation=6)
    with Image.open(path) as image:
        found, expected = read(image).metadata, read(path).metadata
    assert found.xmp == expected.xmp
    assert found.iptc == expected.iptc
    assert found.dpi == pytest.approx(expected.dpi)
    assert found.exif is not None
    write(Picture(read(path).rgb, None, found, "a", ""), out / "a.png", OutputSettings(), None)
    with Image.open(out / "a.png") as image:
        assert (image.getexif()[0x010F], image.getexif()[0x0112]) == ("Acme", 1)

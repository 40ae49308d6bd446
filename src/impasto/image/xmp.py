"""The recipe as a property of the picture's XMP packet, beside what the photo's packet says.

XMP is the one place that PNG, JPEG, WebP and TIFF all have, that holds any text, and that other
programs keep.
"""

import re
from typing import Any
from xml.dom import minidom
from xml.parsers.expat import ExpatError

NAMESPACE = "urn:impasto:ns#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TIFF = "http://ns.adobe.com/tiff/1.0/"
EXIF = "http://ns.adobe.com/exif/1.0/"
XMP = "http://ns.adobe.com/xap/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"

RECIPE = (NAMESPACE, "recipe")
STALE = {
    RECIPE,
    (TIFF, "Orientation"), (TIFF, "ImageWidth"), (TIFF, "ImageLength"), (TIFF, "BitsPerSample"),
    (TIFF, "SamplesPerPixel"), (TIFF, "PhotometricInterpretation"), (TIFF, "Compression"),
    (EXIF, "PixelXDimension"), (EXIF, "PixelYDimension"), (EXIF, "ColorSpace"),
    (XMP, "Thumbnails"), (PHOTOSHOP, "ICCProfile"), (PHOTOSHOP, "ColorMode"),
}  # fmt: skip
"""Properties that were true of the photo's file and are not of the artwork."""

EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{RDF}"/></x:xmpmeta>'
    '<?xpacket end="w"?>'
).encode()

DEEPEST = 100
"""Elements inside each other that a packet may have; minidom writes them by recursion."""

UNSPEAKABLE = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot hold."""


def _parse(packet: bytes) -> minidom.Document | None:
    """The packet's tree, or `None` if it is not XMP or defines entities, which XMP never does."""
    if b"<!" in packet.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        return None
    try:
        document = minidom.parseString(packet.strip(b"\0\r\n\t ").decode())  # noqa: S318 (above)
    except (ExpatError, ValueError):
        return None
    if _depth(document) > DEEPEST:
        return None
    return document if document.getElementsByTagNameNS(RDF, "RDF") else None


def _depth(document: minidom.Document) -> int:
    """How deep the elements are nested, counted without recursion, which is what this guards."""
    depth = 0
    level: list[Any] = list(document.childNodes)
    while level:
        depth += 1
        level = [child for node in level for child in node.childNodes]
    return depth


def _serialise(document: minidom.Document) -> bytes:
    """The packet, without the XML declaration that XMP does not want."""
    text = "".join(node.toxml() for node in document.childNodes)
    return text.encode()


def _forget(document: minidom.Document, properties: set[tuple[str, str]]) -> None:
    """Take properties out, whether written as elements or as attributes."""
    for element in list(document.getElementsByTagNameNS("*", "*")):
        for namespace, name in properties:
            if element.hasAttributeNS(namespace, name):
                element.removeAttributeNS(namespace, name)
        if (element.namespaceURI, element.localName) in properties and element.parentNode:
            element.parentNode.removeChild(element)
    for description in list(document.getElementsByTagNameNS(RDF, "Description")):
        if _says_nothing(description) and description.parentNode:
            description.parentNode.removeChild(description)


def _says_nothing(description: minidom.Element) -> bool:
    """Whether a description has neither properties nor text, only namespaces and a subject."""
    attributes = description.attributes.items()
    names = {name for name, _ in attributes if name.split(":")[0] != "xmlns"}
    bare = all(name.endswith("about") for name in names)
    return bare and not any(node.toxml().strip() for node in description.childNodes)


def portable(packet: bytes) -> bytes | None:
    """What of a photo's packet is still true of an artwork; `None` if nothing, or unreadable."""
    document = _parse(packet)
    if document is None:
        return None
    _forget(document, STALE)
    if not document.getElementsByTagNameNS(RDF, "Description"):
        return None
    return _serialise(document)


def with_recipe(packet: bytes | None, recipe: str) -> bytes:
    """The packet (or a new one) with this recipe and no other.

    A character that XML cannot hold becomes its JSON escape, which means the same inside a recipe.
    """
    document = (_parse(packet) if packet is not None else None) or minidom.parseString(EMPTY)  # noqa: S318 (ours)
    _forget(document, {RECIPE})
    rdf = document.getElementsByTagNameNS(RDF, "RDF")[0]
    prefix = f"{rdf.prefix}:" if rdf.prefix else ""
    others = document.getElementsByTagNameNS(RDF, "Description")
    about = others[0].getAttributeNS(RDF, "about") if others else ""
    description = document.createElementNS(RDF, f"{prefix}Description")
    description.setAttributeNS(RDF, f"{prefix}about", about)
    description.setAttribute("xmlns:impasto", NAMESPACE)
    element = document.createElementNS(NAMESPACE, "impasto:recipe")
    text = UNSPEAKABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", recipe)
    element.appendChild(document.createTextNode(text))
    description.appendChild(element)
    rdf.appendChild(description)
    return _serialise(document)


def recipe_of(packet: bytes) -> str | None:
    """The recipe in a packet, however the program that wrote the packet last spells properties."""
    document = _parse(packet)
    if document is None:
        return None
    for element in document.getElementsByTagNameNS(*RECIPE):
        return "".join(node.data for node in element.childNodes if isinstance(node, minidom.Text))
    for element in document.getElementsByTagNameNS(RDF, "Description"):
        if element.hasAttributeNS(*RECIPE):
            return element.getAttributeNS(*RECIPE)
    return None

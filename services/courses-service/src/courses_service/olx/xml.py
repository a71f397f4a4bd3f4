"""Parses untrusted XML: without document types and entities, with limited depth and size."""

from html import escape
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from courses_service.olx.errors import MalformedArchive

MAX_DEPTH = 64
MAX_ELEMENTS = 50_000


class _BoundedBuilder(TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = 0
        self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise ValueError("too deep or too large")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse(data: bytes, path: str) -> Element:
    """Return the root element. Raises: MalformedArchive (its message contains `path`)."""
    parser = DefusedXMLParser(target=_BoundedBuilder(), forbid_dtd=True)
    try:
        parser.feed(data)
        root = parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise MalformedArchive(f"{path} isn't well-formed XML of reasonable depth.") from error
    assert isinstance(root, Element)
    return root


def inner_html(element: Element) -> str:
    """The element's content as unsanitized HTML."""
    return text_html(element.text) + "".join(map(outer_html, element))


def outer_html(element: Element) -> str:
    """The element and the text that follows it as unsanitized HTML."""
    return tostring(element, encoding="unicode", method="html")


def text_html(text: str | None) -> str:
    return escape(text or "", quote=False)

"""Sanitizes HTML from authors and archives, and converts sanitized HTML to plain text."""

import re
from collections import Counter
from html import escape, unescape
from html.parser import HTMLParser

import nh3

MAX_CHARACTERS = 1_000_000
MAX_TAGS = 20_000
MAX_UNCLOSED_ELEMENTS = 500


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _names(
    "a abbr article aside b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div"
    " dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li mark ol p pre q rp"
    " rt ruby s samp section small span strong sub summary sup table tbody td tfoot th thead time tr tt"
    " u ul var wbr"
)
_ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "dfn": {"title"},
    "img": {"alt"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_OPTIONAL_END_TAGS = _names(
    "area base br col colgroup dd dt embed hr img input li link meta option p param rp rt source tbody"
    " td tfoot th thead tr track wbr"
)
_REMOVED_WITH_CONTENT = _names(
    "audio button iframe noscript object script select style svg template textarea title video"
)
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    attributes=_ATTRIBUTES,
    clean_content_tags=set(_REMOVED_WITH_CONTENT),
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer",
)

_TAG = re.compile(r"<([a-z][a-z0-9-]*)([^>]*)(?:>|\Z)", re.IGNORECASE)
_ANY_TAG = re.compile(r"<(/?)([a-z][^\s/>]*)", re.IGNORECASE)
_HREF = re.compile(r"""href\s*=\s*["']?\s*([^"'>\s]*)""", re.IGNORECASE)
_ABSOLUTE = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_FORMATTING = re.compile(
    r"<(b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>]|\Z)[^>]*(?:>|\Z)", re.IGNORECASE
)
_IMAGE = re.compile(r'<img(?: alt="([^"]*)")?[^>]*>')
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class MarkupTooComplex(ValueError):
    """The markup has too many characters, tags or unclosed elements; the message says which."""


def sanitize(html: str) -> str:
    """Keep structure, emphasis, tables and absolute links; remove scripts, styles and loaded resources.

    Images become their descriptions: files of an archive aren't stored, and an
    image on another host would tell that host who reads the lesson.

    Raises: MarkupTooComplex (parsing would take too long).
    """
    _check_complexity(html)
    # An HTML parser repeats each distinct open formatting element in every new
    # paragraph: with different attributes a page of 200 KB grows to gigabytes.
    # Without attributes they are identical, and the output stays linear.
    plain = _FORMATTING.sub(r"<\1>", _CONTROLS.sub("", html))
    return _IMAGE.sub(_describe_image, _CLEANER.clean(plain)).strip()


def removed_by_sanitizing(html: str) -> Counter[str]:
    """Count the elements that `sanitize` removes, by tag name; relative links count as `relative link`."""
    found: Counter[str] = Counter()
    for tag in _TAG.finditer(html):
        name = tag[1].lower()
        if name not in _TAGS or name == "img":
            found[name] += 1
        elif name == "a" and (href := _HREF.search(tag[2])) and not _ABSOLUTE.match(href[1]):
            found["relative link"] += 1
    return found


def plain_text(sanitized: str) -> str:
    """The text of sanitized HTML; a blank line ends each paragraph."""
    reader = _TextReader()
    reader.feed(sanitized)
    reader.close()
    return reader.text()


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, for titles."""
    line = " ".join(_CONTROLS.sub("", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _check_complexity(html: str) -> None:
    """Limit the nesting depth above all: parsing time grows with its square."""
    if len(html) > MAX_CHARACTERS:
        raise MarkupTooComplex(f"more than {MAX_CHARACTERS} characters")
    unclosed: Counter[str] = Counter()
    for count, tag in enumerate(_ANY_TAG.finditer(html), start=1):
        if count > MAX_TAGS:
            raise MarkupTooComplex(f"more than {MAX_TAGS} tags")
        unclosed[tag[2].lower()] += -1 if tag[1] else 1
    need_end_tags = (count for name, count in unclosed.items() if name not in _OPTIONAL_END_TAGS)
    if sum(count for count in need_end_tags if count > 0) > MAX_UNCLOSED_ELEMENTS:
        raise MarkupTooComplex(f"more than {MAX_UNCLOSED_ELEMENTS} elements left open")


def _describe_image(image: re.Match[str]) -> str:
    return f"<em>[Image: {escape(unescape(image[1]), quote=False)}]</em>" if image[1] else ""


class _TextReader(HTMLParser):
    """Collects text. Tags request line breaks, which are written only when text follows."""

    _PARAGRAPH_TAGS = _names(
        "article aside blockquote caption details div dl figure footer h1 h2 h3 h4 h5 h6 header hr ol p"
        " pre section summary table ul"
    )
    _LINE_TAGS = frozenset({"br", "dd", "dt", "figcaption", "tr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._line_breaks = 0
        self._prefix = ""
        self._pre_depth = 0

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._pre_depth += 1
        if tag == "li":
            self._line_breaks, self._prefix = max(self._line_breaks, 1), "- "
        elif tag in ("td", "th") and not self._line_breaks:
            self._prefix = "| " if self._parts and self._parts[-1].endswith(" ") else " | "
        elif tag in self._PARAGRAPH_TAGS and not self._prefix:
            self._line_breaks = 2
        elif tag in self._LINE_TAGS:
            self._line_breaks = max(self._line_breaks, 1)

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._pre_depth -= 1
        if tag in self._PARAGRAPH_TAGS:
            self._line_breaks, self._prefix = 2, ""
        elif tag == "li":
            self._line_breaks, self._prefix = max(self._line_breaks, 1), ""

    def handle_data(self, data: str) -> None:
        if not self._pre_depth:
            data = _SPACE.sub(" ", data)
            if self._line_breaks or self._prefix or not self._parts or self._parts[-1].endswith(" "):
                data = data.lstrip()
            if not data:
                return
        if self._parts:
            self._parts.append("\n" * self._line_breaks)
        self._parts.append(self._prefix + data)
        self._line_breaks, self._prefix = 0, ""

    def text(self) -> str:
        lines = "".join(self._parts).split("\n")
        return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()

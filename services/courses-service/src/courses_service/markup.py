"""HTML from authors and archives, made harmless, and read as plain text."""

import re
from collections import Counter
from html import escape, unescape
from html.parser import HTMLParser

import nh3

MAX_CHARACTERS = 1_000_000
MAX_TAGS = 20_000
MAX_LEFT_OPEN = 500


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words(
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
_ENDED_BY_OTHERS = _words(
    "area base br col colgroup dd dt embed hr img input li link meta option p param rp rt source tbody"
    " td tfoot th thead tr track wbr"
)
_WITH_CONTENT = _words(
    "audio button iframe noscript object script select style svg template textarea title video"
)
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    attributes=_ATTRIBUTES,
    clean_content_tags=set(_WITH_CONTENT),
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


class TooComplex(ValueError):
    """The markup is so large or so full of tags that reading it would cost too much."""


def sanitize(html: str) -> str:
    """Keep structure, emphasis, tables and absolute links; nothing that runs, loads or styles.

    Images are replaced by their descriptions, because the files behind them
    aren't stored here and foreign ones would report the reader to their host.
    """
    _refuse_costly(html)
    # An HTML parser repeats every open formatting element in each new
    # paragraph unless they are identical: with distinct attributes a page of
    # 200 KB grows to gigabytes. Without attributes it stays linear.
    plain = _FORMATTING.sub(r"<\1>", _CONTROLS.sub("", html))
    return _IMAGE.sub(_describe_image, _CLEANER.clean(plain)).strip()


def removed_by_sanitizing(html: str) -> Counter[str]:
    """How many of which elements `sanitize` takes away: tag names, `img` and `relative link`."""
    found: Counter[str] = Counter()
    for tag in _TAG.finditer(html):
        name = tag[1].lower()
        if name not in _TAGS or name == "img":
            found[name] += 1
        elif name == "a" and (href := _HREF.search(tag[2])) and not _ABSOLUTE.match(href[1]):
            found["relative link"] += 1
    return found


def plain_text(sanitized: str) -> str:
    """The words of sanitized HTML; a blank line ends each paragraph."""
    reader = _TextReader()
    reader.feed(sanitized)
    reader.close()
    return reader.text()


def one_line(text: str, limit: int) -> str:
    """The text on one line of at most `limit` characters, for titles."""
    line = " ".join(_CONTROLS.sub("", text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _refuse_costly(html: str) -> None:
    """An HTML parser's work grows with the square of the nesting depth."""
    if len(html) > MAX_CHARACTERS:
        raise TooComplex(f"more than {MAX_CHARACTERS} characters")
    left_open: Counter[str] = Counter()
    for count, tag in enumerate(_ANY_TAG.finditer(html), start=1):
        if count > MAX_TAGS:
            raise TooComplex(f"more than {MAX_TAGS} tags")
        left_open[tag[2].lower()] += -1 if tag[1] else 1
    if sum(n for name, n in left_open.items() if n > 0 and name not in _ENDED_BY_OTHERS) > MAX_LEFT_OPEN:
        raise TooComplex(f"more than {MAX_LEFT_OPEN} elements left open")


def _describe_image(image: re.Match[str]) -> str:
    return f"<em>[Image: {escape(unescape(image[1]), quote=False)}]</em>" if image[1] else ""


class _TextReader(HTMLParser):
    """Line breaks are asked for by tags and written only when text follows."""

    _PARAGRAPHS = _words(
        "article aside blockquote caption details div dl figure footer h1 h2 h3 h4 h5 h6 header hr ol p"
        " pre section summary table ul"
    )
    _LINES = frozenset({"br", "dd", "dt", "figcaption", "tr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._breaks = 0
        self._lead = ""
        self._preformatted = 0

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        if tag == "pre":
            self._preformatted += 1
        if tag == "li":
            self._breaks, self._lead = max(self._breaks, 1), "- "
        elif tag in ("td", "th") and not self._breaks:
            self._lead = "| " if self._parts and self._parts[-1].endswith(" ") else " | "
        elif tag in self._PARAGRAPHS and not self._lead:
            self._breaks = 2
        elif tag in self._LINES:
            self._breaks = max(self._breaks, 1)

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre":
            self._preformatted -= 1
        if tag in self._PARAGRAPHS:
            self._breaks, self._lead = 2, ""
        elif tag == "li":
            self._breaks, self._lead = max(self._breaks, 1), ""

    def handle_data(self, data: str) -> None:
        if not self._preformatted:
            data = _SPACE.sub(" ", data)
            if self._breaks or self._lead or not self._parts or self._parts[-1].endswith(" "):
                data = data.lstrip()
            if not data:
                return
        if self._parts:
            self._parts.append("\n" * self._breaks)
        self._parts.append(self._lead + data)
        self._breaks, self._lead = 0, ""

    def text(self) -> str:
        lines = "".join(self._parts).split("\n")
        return _BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip()

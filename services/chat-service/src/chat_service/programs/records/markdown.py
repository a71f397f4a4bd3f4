"""Markdown in which whatever people wrote stays what it is: text.

Escapes follow CommonMark 0.31 and the extensions of GitHub: emphasis,
headings, lists, HTML, links written out, bare addresses, tables, formulas.
"""

import re
import unicodedata
from collections.abc import Iterable

from chat_service.programs.records.document import Chapter, Document, Entry, Section

_ANYWHERE = re.compile(r"[\\`*_\[\]<>&~|$^#!@{}]")
_ADDRESS = re.compile(r"(?<=[A-Za-z]):(?=//)|(?<=www)\.", re.IGNORECASE)
_LINE_START = re.compile(r"^(?=[-+=:])|^(\d+)(?=[.)])")
_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_HARD_BREAK = "\\\n"


def render(document: Document) -> str:
    """The whole document, UTF-8 text with `\\n` line ends."""
    return "\n\n".join(_blocks(document)) + "\n"


def escape(text: str) -> str:
    """Text of any kind as paragraphs of Markdown; blank lines part them, other line ends are kept."""
    paragraphs: list[list[str]] = [[]]
    for raw in _LINE_ENDS.split(text):
        line = escape_line(raw)
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return "\n\n".join(_HARD_BREAK.join(lines) for lines in paragraphs if lines)


def escape_line(text: str) -> str:
    """One line of text; control characters are dropped and line ends become spaces."""
    shown = "".join(" " if character.isspace() else character for character in text)
    shown = "".join(character for character in shown if unicodedata.category(character) != "Cc").strip()
    shown = _ANYWHERE.sub(r"\\\g<0>", shown)
    shown = _ADDRESS.sub(r"\\\g<0>", shown)
    return _LINE_START.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", shown)


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """A list of labels and values as one block, none when there is nothing to list."""
    lines = [f"- **{escape_line(label)}:** {escape_line(value)}" for label, value in pairs]
    return ["\n".join(lines)] if lines else []


def _blocks(document: Document) -> Iterable[str]:
    yield f"# {escape_line(document.title)}"
    yield from facts(document.facts)
    if document.remark:
        yield f"*{escape_line(document.remark)}*"
    for chapter in document.chapters:
        yield from _chapter(chapter)


def _chapter(chapter: Chapter) -> Iterable[str]:
    yield f"## {escape_line(chapter.heading)}"
    yield from facts(chapter.facts)
    for section in chapter.sections:
        yield from _section(section)


def _section(section: Section) -> Iterable[str]:
    if section.heading:
        yield f"### {escape_line(section.heading)}"
    for entry in section.entries:
        yield _speaker(entry)
        if said := escape(entry.text):
            yield said


def _speaker(entry: Entry) -> str:
    note = f" · {escape_line(entry.note)}" if entry.note else ""
    return f"**{escape_line(entry.who)}** · {escape_line(entry.when)}{note}"

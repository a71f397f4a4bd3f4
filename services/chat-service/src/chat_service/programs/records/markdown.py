"""Formats transcripts as Markdown, with all text of people escaped.

Escapes cover CommonMark 0.31 and the extensions of GitHub: emphasis,
headings, lists, HTML, links, bare addresses, tables, formulas.
"""

import re
import unicodedata
from collections.abc import Iterable

from chat_service.programs.records.transcript import (
    Transcript,
    TranscriptMessage,
    TranscriptQuestion,
    TranscriptWeek,
)

_ANYWHERE = re.compile(r"[\\`*_\[\]<>&~|$^#!@{}]")
_ADDRESS = re.compile(r"(?<=[A-Za-z]):(?=//)|(?<=www)\.", re.IGNORECASE)
_LINE_START = re.compile(r"^(?=[-+=:])|^(\d+)(?=[.)])")
_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_HARD_BREAK = "\\\n"


def render(document: Transcript) -> str:
    """Return the transcript as Markdown with `\\n` line ends."""
    return "\n\n".join(_blocks(document)) + "\n"


def escape(text: str) -> str:
    """Escape a text. Blank lines separate paragraphs; other line ends become hard line breaks."""
    paragraphs: list[list[str]] = [[]]
    for raw in _LINE_ENDS.split(text):
        line = escape_line(raw)
        if line:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return "\n\n".join(_HARD_BREAK.join(lines) for lines in paragraphs if lines)


def escape_line(text: str) -> str:
    """Escape one line. Control characters are removed and line ends become spaces."""
    shown = "".join(" " if character.isspace() else character for character in text)
    shown = "".join(character for character in shown if unicodedata.category(character) != "Cc").strip()
    shown = _ANYWHERE.sub(r"\\\g<0>", shown)
    shown = _ADDRESS.sub(r"\\\g<0>", shown)
    return _LINE_START.sub(lambda found: f"{found[1]}\\" if found[1] else "\\", shown)


def facts(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a list of labels and values as one block; no block for an empty list."""
    lines = [f"- **{escape_line(label)}:** {escape_line(value)}" for label, value in pairs]
    return ["\n".join(lines)] if lines else []


def _blocks(document: Transcript) -> Iterable[str]:
    yield f"# {escape_line(document.title)}"
    yield from facts(document.facts)
    if document.remark:
        yield f"*{escape_line(document.remark)}*"
    for chapter in document.chapters:
        yield from _chapter(chapter)


def _chapter(chapter: TranscriptWeek) -> Iterable[str]:
    yield f"## {escape_line(chapter.heading)}"
    yield from facts(chapter.facts)
    for section in chapter.sections:
        yield from _section(section)


def _section(section: TranscriptQuestion) -> Iterable[str]:
    if section.heading:
        yield f"### {escape_line(section.heading)}"
    for entry in section.entries:
        yield _speaker(entry)
        if text := escape(entry.text):
            yield text


def _speaker(entry: TranscriptMessage) -> str:
    note = f" · {escape_line(entry.note)}" if entry.note else ""
    return f"**{escape_line(entry.who)}** · {escape_line(entry.when)}{note}"

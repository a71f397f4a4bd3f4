"""Cuts a SQL dump into its statements in one pass, however large it is."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

_TOKEN = re.compile(
    r"'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"'
    r"|`[^`]*`"
    r"|\[[^\]]*\]"
    r"|--[^\n]*"
    r"|/\*.*?\*/"
    r"|;",
    re.DOTALL,
)
_WORDS = frozenset(
    {
        *("ALTER", "ANALYZE", "ATTACH", "BEGIN", "COMMIT", "CREATE", "DATABASE", "DELETE", "DETACH", "DROP"),
        *("END", "FROM", "INDEX", "INSERT", "INTO", "OR", "PRAGMA", "RECURSIVE", "REINDEX", "RELEASE"),
        *("REPLACE", "ROLLBACK", "SAVEPOINT", "SELECT", "SET", "TABLE", "TEMP", "TEMPORARY", "TRANSACTION"),
        *("TRIGGER", "UNIQUE", "UPDATE", "VACUUM", "VIEW", "VIRTUAL", "WITH"),
    }
)
_TRIGGER = re.compile(r"\s*CREATE\s+(TEMP(ORARY)?\s+)?TRIGGER\b", re.IGNORECASE)
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)


@dataclass(frozen=True)
class Statement:
    line: int
    text: str

    @property
    def verb(self) -> str:
        """Its first words in capitals, as far as they are SQL's own: all that a report may show of it.

        Where a quote is missing, somebody's message stands where a statement should.
        """
        words = [word.upper() for word in re.findall(r"[A-Za-z]+", self.text[:60])[:2]]
        return " ".join(takewhile(_WORDS.__contains__, words)) or "what is no statement"

    @property
    def makes_trigger(self) -> bool:
        return _TRIGGER.match(self.text) is not None


def statements(sql: str) -> Iterator[Statement]:
    """Each with the line it begins on. The last one may lack its semicolon."""
    start, line = 0, 1
    for token in _TOKEN.finditer(sql):
        if token[0] != ";":
            continue
        text = sql[start : token.end()]
        if _TRIGGER.match(_COMMENT.sub("", text)) and not sqlite3.complete_statement(text):
            continue  # a semicolon inside BEGIN ... END
        yield from _statement(text, line)
        line += text.count("\n")
        start = token.end()
    yield from _statement(sql[start:], line)


def _statement(text: str, line: int) -> Iterator[Statement]:
    comment = _COMMENT.match(text)
    if comment is not None:
        line += comment[0].count("\n")
        text = text[comment.end() :]
    if text.strip(" \t\r\n;"):
        yield Statement(line, text)

"""The bot's tables: required columns, and how a row becomes a record of its session."""

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any

from legacy_import.conversions import UNREADABLE_TIME, clean, clean_json, parse_bool, parse_int, parse_time
from legacy_import.json_records import LONGEST_ID, legacy_id
from legacy_import.ledger import Ledger
from legacy_import.records import BotRecords, BotRow, BotSession

_SENDERS = {"user": "user", "human": "user", "bot": "nova", "assistant": "nova", "nova": "nova"}
_METHODS = frozenset({"distilbert", "rule_based", "hybrid"})
_SUMMARIES = frozenset({"partial", "complete"})
_TIMES = frozenset(
    {"ts", "created_at", "last_activity", "completion_time", "detected_at", "generated_at", "timestamp"}
)
_BATCH = 1000


class UnusableValue(ValueError):
    """A value that can't be imported; the message says why."""


@dataclass(frozen=True)
class Table:
    """A table of the bot.

    `convert` turns a row into values or raises UnusableValue; `rows_of` returns the session's list for it.
    """

    name: str
    required: frozenset[str]
    optional: frozenset[str]
    convert: Callable[[dict[str, Any], tzinfo], dict[str, Any]]
    rows_of: Callable[[BotSession], list[BotRow]] | None = None


def _required_text(row: dict[str, Any], column: str) -> str:
    value = row.get(column)
    text = (
        clean(value).strip()
        if isinstance(value, str)
        else str(value)
        if isinstance(value, int | float)
        else ""
    )
    if not text:
        raise UnusableValue(f"{column} has no words")
    return text


def _one_of(row: dict[str, Any], column: str, allowed: frozenset[str]) -> str:
    value = str(row.get(column)).strip().lower()
    if value not in allowed:
        raise UnusableValue(f"{column} is none of {', '.join(sorted(allowed))}")
    return value


def _message(row: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    sender = _SENDERS.get(str(row.get("role")).strip().lower())
    if sender is None:
        raise UnusableValue("role is neither user nor bot")
    return {"sender": sender, "text": _required_text(row, "message"), "at": parse_time(row.get("ts"), zone)}


def _session(row: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    return {
        "fsm_state": str(row.get("fsm_state") or "").strip(),
        "created_at": parse_time(row.get("created_at"), zone),
        "last_activity": parse_time(row.get("last_activity"), zone),
        "completed": parse_bool(row.get("completed")) is True,
        "completion_time": parse_time(row.get("completion_time"), zone),
    }


def _response(row: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    response = row.get("response")
    return {
        "step": _required_text(row, "step").lower(),
        "response": _required_text(row, "response") if response not in (None, "") else None,
        "attempt_count": max(0, parse_int(row.get("attempt_count")) or 0),
        "at": parse_time(row.get("created_at"), zone),
    }


def _detection(row: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    """Phrase and text only serve to find the turn and the category; they aren't stored."""
    return {
        "phrase": clean(str(row.get("trigger_phrase") or "")),
        "text": clean(str(row.get("user_message") or "")).strip(),
        "at": parse_time(row.get("detected_at"), zone),
        "resources_shown": parse_bool(row.get("resources_shown")) is not False,
    }


def _summary(row: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    data = row.get("summary_data")
    if isinstance(data, str):
        try:
            parsed = clean_json(json.loads(data))
        except (ValueError, RecursionError) as error:
            raise UnusableValue("summary_data is no JSON") from error
    else:
        parsed = data
    if parsed is None:
        raise UnusableValue("summary_data is empty")
    return {
        "summary_type": _one_of(row, "summary_type", _SUMMARIES),
        "data": parsed if isinstance(parsed, dict) else {"summary": parsed},
        "at": parse_time(row.get("generated_at"), zone),
    }


def _intent(row: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    confidence = row.get("confidence")
    return {
        "text": clean(str(row.get("user_message") or "")).strip(),
        "intent": _required_text(row, "classified_intent")[:100],
        "confidence": float(confidence) if isinstance(confidence, int | float) else None,
        "method": _one_of(row, "method", _METHODS),
        "fsm_state": str(row.get("fsm_state") or "").strip() or None,
        "at": parse_time(row.get("created_at"), zone),
    }


def _analytics(row: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    return {
        "event_type": _required_text(row, "event_type"),
        "event_data": row.get("event_data"),
        "session_count": parse_int(row.get("session_count")) or 0,
        "at": parse_time(row.get("timestamp"), zone),
    }


TABLES = (
    Table(
        "chat_history",
        frozenset({"session_id", "role", "message"}),
        frozenset({"ts"}),
        _message,
        lambda session: session.messages,
    ),
    Table(
        "sessions",
        frozenset({"session_id"}),
        frozenset({"fsm_state", "created_at", "last_activity", "completed", "completion_time"}),
        _session,
    ),
    Table(
        "user_responses",
        frozenset({"session_id", "step", "response"}),
        frozenset({"attempt_count", "created_at"}),
        _response,
        lambda session: session.responses,
    ),
    Table(
        "risk_detections",
        frozenset({"session_id"}),
        frozenset({"trigger_phrase", "user_message", "detected_at", "resources_shown"}),
        _detection,
        lambda session: session.detections,
    ),
    Table(
        "session_summaries",
        frozenset({"session_id", "summary_type", "summary_data"}),
        frozenset({"generated_at"}),
        _summary,
        lambda session: session.summaries,
    ),
    Table(
        "intent_classifications",
        frozenset({"session_id", "classified_intent", "method"}),
        frozenset({"user_message", "confidence", "fsm_state", "created_at"}),
        _intent,
        lambda session: session.intents,
    ),
    Table(
        "analytics",
        frozenset({"event_type"}),
        frozenset({"event_data", "session_count", "timestamp"}),
        _analytics,
    ),
)
KNOWN = frozenset(table.name for table in TABLES)


@dataclass
class BotReader:
    """Reads all known tables; each row counts as a record."""

    connection: sqlite3.Connection
    place: str
    ledger: Ledger
    zone: tzinfo = UTC
    records: BotRecords = field(default_factory=BotRecords)

    def read(self) -> BotRecords:
        """Raises: sqlite3.Error or ValueError, if the file is damaged."""
        self.connection.text_factory = _text
        names = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        there = {name.lower(): name for (name,) in self.connection.execute(names)}
        for name in sorted(there.keys() - KNOWN):
            self.ledger.note(self.place, f"the table {name!r} is unknown")
        if not there.keys() & KNOWN:
            self.ledger.error(self.place, f"it has none of the bot's tables ({', '.join(sorted(KNOWN))})")
        for table in TABLES:
            if table.name in there:
                self._read_table(table, there[table.name])
        return self.records

    def _read_table(self, table: Table, name: str) -> None:
        quoted = '"' + name.replace('"', '""') + '"'
        cursor = self.connection.execute(f"SELECT * FROM {quoted}")  # noqa: S608 - quoted
        columns = [column[0].lower() for column in cursor.description]
        here = f"{self.place}: {table.name}"
        missing = table.required - set(columns)
        if missing:
            self.ledger.warn(here, f"the columns {', '.join(sorted(missing))} are missing")
        unused = set(columns) - table.required - table.optional - {"id"}
        if unused:
            self.ledger.note(here, f"the columns {', '.join(sorted(unused))} are not taken over")
        seen: Counter[str] = Counter()
        for number, values in enumerate(_rows(cursor), start=1):
            row = dict(zip(columns, values, strict=True))
            self.ledger.count_read(table.name)
            place = f"{here}, row {_decoded(row.get('id', number))}"
            if missing:
                self.ledger.skip(table.name, place, "its table lacks columns")
            else:
                self._read_row(table, row, number, place, seen)

    def _read_row(
        self, table: Table, row: dict[str, Any], number: int, place: str, seen: Counter[str]
    ) -> None:
        """The row's key is its id, else its position in the table; a repeated id gets a suffix."""
        session_id = legacy_id(_decoded(row.get("session_id"))) if table.name != "analytics" else ""
        if session_id is None:
            self.ledger.skip(table.name, place, f"its session has no id, or one over {LONGEST_ID} characters")
            return
        try:
            values = table.convert({column: _decoded(value) for column, value in row.items()}, self.zone)
        except UnusableValue as error:
            self.ledger.skip(table.name, place, str(error))
            return
        for column in sorted(table.optional & _TIMES & row.keys()):
            if row[column] not in (None, "") and parse_time(_decoded(row[column]), self.zone) is None:
                self.ledger.note(place, f"{column} {UNREADABLE_TIME}")
        key = str(_decoded(row.get("id")) or number)
        seen[key] += 1
        found = BotRow(key if seen[key] == 1 else f"{key}/{seen[key]}", place, values)
        if table.name == "analytics":
            self.records.analytics.append(found)
        elif table.rows_of is not None:
            table.rows_of(self.records.of(session_id)).append(found)
        elif self.records.of(session_id).session is None:
            self.records.of(session_id).session = found
        else:
            self.ledger.skip(table.name, place, "the session is there twice")


def _rows(cursor: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while batch := cursor.fetchmany(_BATCH):
        yield from batch


def _text(raw: bytes) -> str:
    """Decode a text value; SQLite doesn't guarantee UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _decoded(value: object) -> object:
    """Decode text that was stored as a BLOB."""
    return _text(value) if isinstance(value, bytes) else value

"""Detects what a file holds by its content; its name and extension are ignored."""

import re
from collections.abc import Mapping
from typing import Any, Literal

from legacy_import.bot_database.tables import KNOWN
from legacy_import.session_files import holds_states, is_progress, is_state

Kind = Literal["week_modules", "progress", "states", "bot", "unknown", "accounts"]

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_SQL = re.compile(
    r"(CREATE|INSERT|REPLACE|DROP|PRAGMA|BEGIN|ATTACH|DELETE|UPDATE|ALTER|SET|SELECT|COMMIT)\b[^=:]", re.I
)
_TABLE = re.compile(rf"\b({'|'.join(sorted(KNOWN))})\b", re.IGNORECASE)
_PYTHON = re.compile(
    r"^(?:[A-Z][A-Z0-9_]*|week_number)\s*(?::[^=\n]+)?=|^(?:import|from|def|class|@)\s*\w", re.MULTILINE
)
_WRAPPERS = ("conversation_states", "states", "user_progress", "progress", "users", "sessions", "data")
_KEY = ("session_id", "user_id", "id")


def detect_format(text: str) -> Literal["json", "sql", "python", "unknown"]:
    """Tell JSON, SQL and Python apart by the beginning of the text; the rest may be invalid."""
    start = text.lstrip()
    if start[:1] in ("{", "["):
        return "json"
    if _SQL.match(_COMMENTS.sub("", text)) and _TABLE.search(text):
        return "sql"
    return "python" if _PYTHON.search(text) else "unknown"


def guess_kind(text: str) -> Kind:
    """Guess the kind of invalid JSON by the field names in it."""
    if re.search(r"\b(nova_responses|iteration_count|question_completed)\b", text):
        return "states"
    return (
        "progress"
        if re.search(r"\b(completed_weeks|current_week|completed_questions)\b", text)
        else "unknown"
    )


def split_by_kind(value: Any, default_id: str) -> list[tuple[Kind, Mapping[Any, Any]]]:
    """Records by session id, with their kind; several entries if the value wraps several kinds.

    `default_id` is the session id of a single record that has none.
    """
    if isinstance(value, list):
        value = {
            _session_id(record, f"{default_id}/{index}"): record
            for index, record in enumerate(value, start=1)
        }
    if not isinstance(value, Mapping):
        return []
    if is_progress(value) or is_state(value):
        return [("states" if is_state(value) else "progress", {_session_id(value, default_id): value})]
    wrapped = [value[name] for name in _WRAPPERS if isinstance(value.get(name), Mapping | list)]
    if wrapped:
        return [part for inner in wrapped for part in split_by_kind(inner, default_id)]
    kind = _kind_of_records(value)
    return [(kind, value)] if kind != "unknown" else []


def _kind_of_records(records: Mapping[Any, Any]) -> Kind:
    states = sum(holds_states(record) for record in records.values())
    progress = sum(is_progress(record) and not holds_states(record) for record in records.values())
    if states + progress == 0:
        return "unknown"
    return "states" if states >= progress else "progress"


def _session_id(record: object, default_id: str) -> str:
    if isinstance(record, Mapping):
        named = next((record[key] for key in _KEY if isinstance(record.get(key), str | int)), None)
        if named is not None:
            return str(named)
    return default_id

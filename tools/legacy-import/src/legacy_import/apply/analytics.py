"""The bot's anonymous usage counts into facts for analytics-service, through the outbox."""

import json
import re
from typing import Any

from cogniflow_kit.events import Event
from legacy_import.apply.identity import legacy_uuid
from legacy_import.apply.rows import Rows
from legacy_import.ledger import Ledger
from legacy_import.records import Row
from legacy_import.text import clean_json

TYPE = "legacy.analytics"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_RESERVED = frozenset({"event_type", "session_count", "course_id"})


def plan_event(row: Row, namespace: str, rows: Rows, ledger: Ledger) -> None:
    if row.values["at"] is None:
        ledger.leave("analytics", row.place, "it has no plausible time")
        return
    facts, dropped = _facts(row.values["event_data"])
    if dropped:
        message = f"{dropped} fields of event_data hold words or lists; only numbers and short names leave"
        ledger.note(row.place, message)
    event = Event(
        id=legacy_uuid(
            "analytics", namespace, row.key, row.values["event_type"], row.values["at"].isoformat()
        ),
        type=TYPE,
        occurred_at=row.values["at"],
        data={
            **facts,
            "event_type": row.values["event_type"][:200],
            "session_count": row.values["session_count"],
        },
    )
    rows.add("outbox", id=event.id, event=event.model_dump(mode="json"))
    ledger.take("analytics")


def _facts(raw: object) -> tuple[dict[str, Any], int]:
    """What may leave the service, and how many fields may not: facts hold nothing that somebody wrote."""
    if isinstance(raw, str):
        try:
            raw = clean_json(json.loads(raw))
        except (ValueError, RecursionError):
            return {}, 1
    if not isinstance(raw, dict):
        return {}, int(raw is not None)
    kept = {
        name: value
        for name, value in raw.items()
        if _NAME.fullmatch(name) and name not in _RESERVED and _is_fact(value)
    }
    return kept, len(raw) - len(kept)


def _is_fact(value: object) -> bool:
    match value:
        case bool() | None | float():
            return True
        case int():
            return -(2**63) <= value < 2**63
        case str():
            return _WORD.fullmatch(value) is not None
        case _:
            return False

"""Reads a dump of the in-memory `conversation_states`: one state, or many by session (and week)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from legacy_import.fields import Fields, legacy_id, name_of
from legacy_import.ledger import Ledger
from legacy_import.records import WeekRecord
from legacy_import.text import clean, truth, whole_number

SIGNS = frozenset({"answers", "nova_responses", "iteration_count", "question_completed"})
_WEEK, _QUESTION = ("week_number", "week", "current_week"), ("current_question", "current_question_number")
_TIME = ("updated_at", "last_active", "last_activity", "timestamp")
_KNOWN = SIGNS | {
    *_WEEK,
    *_QUESTION,
    *_TIME,
    "name",
    "user_name",
    "session_id",
    "user_id",
    "scenario",
    "scenarios",
}
_CHOICE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def is_state(value: object) -> bool:
    return isinstance(value, Mapping) and bool(SIGNS & {str(key) for key in value})


def holds_states(value: object) -> bool:
    """A state, or states by week."""
    return is_state(value) or (
        isinstance(value, Mapping) and bool(value) and all(is_state(state) for state in value.values())
    )


class StatesReader:
    def __init__(self, place: str, ledger: Ledger, zone: tzinfo) -> None:
        self._place = place
        self._ledger = ledger
        self._zone = zone
        self._unused: Counter[str] = Counter()

    def read(self, states: Mapping[Any, Any]) -> list[WeekRecord]:
        """`states`: by session, each a state or states by week."""
        found: dict[tuple[str, int], WeekRecord] = {}
        for key, week, state in _each(states):
            self._ledger.read("states")
            record = self._record(key, week, state)
            if record is None:
                continue
            if (record.legacy_id, record.week) in found:
                self._ledger.leave("states", self._place, "the session has this week twice")
                continue
            found[record.legacy_id, record.week] = self._fill(record, state)
        for name, count in self._unused.items():
            self._ledger.note(self._place, f"the field {name!r} of {count} states is not taken over")
        return list(found.values())

    def _record(self, key: object, week: object, state: object) -> WeekRecord | None:
        name = legacy_id(key)
        if name is None:
            self._ledger.leave("states", self._place, "its key is no session")
            return None
        if not is_state(state) or not isinstance(state, Mapping):
            self._ledger.leave("states", f"{self._place}: {name}", "it holds no state")
            return None
        fields = Fields(state, name, self._ledger)
        number = whole_number(fields.get(*_WEEK) if week is None else week)
        if number is None or number < 1:
            self._ledger.leave("states", f"{self._place}: {name}", "nothing tells which week it is of")
            return None
        return WeekRecord(name, number, name_of(fields.get("name", "user_name")))

    def _fill(self, record: WeekRecord, state: Any) -> WeekRecord:
        here = f"{self._place}: {record.legacy_id}, week {record.week}"
        fields = Fields(state, here, self._ledger)
        record.question = whole_number(fields.get(*_QUESTION))
        record.at = fields.moment(*_TIME, zone=self._zone)
        record.answers = fields.texts("answers", what="answers")
        record.responses = fields.texts("nova_responses", what="nova_responses")
        record.iterations = self._checked(fields, "iteration_count", whole_number, here)
        record.completed = self._checked(fields, "question_completed", truth, here)
        name = "scenario" if fields.get("scenario") is not None else "scenarios"
        record.scenarios = self._checked(fields, name, _scenario, here, what="scenario")
        record.choices = self._choices(fields, here)
        return record

    def _checked(
        self, fields: Fields, name: str, read: Callable[[Any], Any], here: str, what: str = ""
    ) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for number, value in fields.by_question(name, what=what or name).items():
            entry = read(value)
            if entry is None:
                self._ledger.leave(what or name, here, f"{name} has a value of another kind")
            else:
                found[number] = entry
        return found

    def _choices(self, fields: Fields, here: str) -> dict[str, str]:
        """What else a state keeps is a choice of that week, such as selected_problem."""
        found: dict[str, str] = {}
        for name, value in fields.others(_KNOWN):
            if value is None or value == "":
                continue
            if not _CHOICE.fullmatch(name) or not isinstance(value, str | int | float):
                self._unused[name] += 1
                continue
            self._ledger.read("choices")
            text = clean(str(value)).strip()
            if text:
                found[name] = text
            else:
                self._ledger.leave("choices", here, "it has no words")
        return found


def _each(states: Mapping[Any, Any]) -> Iterator[tuple[object, object, object]]:
    """Session, week where it is a key, state."""
    for key, value in states.items():
        if not is_state(value) and holds_states(value):
            for week, state in value.items():
                yield key, week, state
        else:
            yield key, None, value


def _scenario(value: object) -> str | None:
    """`SCENARIO_2`, also written `scenario 2` or 2."""
    match = re.fullmatch(r"\s*(?:scenario[ _]?)?(\d{1,3})\s*", str(value), re.IGNORECASE)
    return f"SCENARIO_{int(match[1])}" if match and not isinstance(value, bool) else None

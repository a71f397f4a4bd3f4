"""Reads `user_progress.json` and dumps of `conversation_states`."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from legacy_import.conversions import clean, parse_bool, parse_int
from legacy_import.json_records import Fields, clean_name, legacy_id
from legacy_import.ledger import Ledger
from legacy_import.records import ProgressRecord, WeekRecord

PROGRESS_FIELDS = frozenset({"current_week", "completed_weeks", "completed_questions"})
_KNOWN_PROGRESS_FIELDS = PROGRESS_FIELDS | {
    "name",
    "user_name",
    "current_question",
    "last_active",
    "last_activity",
    "session_id",
}


def is_progress(value: object) -> bool:
    return isinstance(value, Mapping) and bool(PROGRESS_FIELDS & {str(key) for key in value})


def read_progress(
    people: Mapping[Any, Any], place: str, ledger: Ledger, zone: tzinfo
) -> list[ProgressRecord]:
    """`people`: records by session id. Every entry of a list counts as a record of its kind."""
    found: dict[str, ProgressRecord] = {}
    unused: Counter[str] = Counter()
    for key, record in people.items():
        ledger.count_read("people")
        name = legacy_id(key)
        here = f"{place}: {name}"
        if name is None:
            ledger.skip("people", place, "its key is no session")
        elif not is_progress(record):
            ledger.skip("people", here, "it holds no progress")
        elif name in found:
            ledger.skip("people", here, "the session is given twice")
        else:
            fields = Fields(record, here, ledger)
            found[name] = _progress_record(name, here, fields, ledger, zone)
            unused.update(field for field, _ in fields.unknown(_KNOWN_PROGRESS_FIELDS))
    for field, count in unused.items():
        ledger.note(place, f"the field {field!r} of {count} records is not taken over")
    return list(found.values())


def _progress_record(name: str, here: str, fields: Fields, ledger: Ledger, zone: tzinfo) -> ProgressRecord:
    progress = ProgressRecord(name, name=clean_name(fields.get("name", "user_name")))
    progress.week = parse_int(fields.get("current_week"))
    progress.question = parse_int(fields.get("current_question"))
    progress.completed_weeks = fields.numbers("completed_weeks", what="completed_weeks")
    progress.completed_questions = _completed_questions(here, fields, progress.week, ledger)
    progress.last_active = fields.time("last_active", "last_activity", zone=zone)
    return progress


def _completed_questions(
    here: str, fields: Fields, current: int | None, ledger: Ledger
) -> dict[int, list[int]]:
    """Question numbers by week; a plain list belongs to the current week."""
    given, what = fields.get("completed_questions"), "completed_questions"
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        numbers = fields.numbers(what, what=what)
        if numbers and current is not None:
            ledger.note(here, "completed_questions without a week; taken as the current week's")
            return {current: numbers}
        for _ in numbers:
            ledger.skip(what, here, "its week is unknown")
        return {}
    found: dict[int, list[int]] = {}
    for key, questions in given.items():
        week = parse_int(key)
        numbers = Fields({what: questions}, here, ledger).numbers(what, what=what)
        if week is None:
            for _ in numbers:
                ledger.skip(what, here, "its key is no week number")
            continue
        known = found.setdefault(week, [])
        for number in numbers:
            if number in known:
                ledger.skip(what, here, "the week is given twice, with the same question")
            else:
                known.append(number)
    return found


STATE_FIELDS = frozenset({"answers", "nova_responses", "iteration_count", "question_completed"})
_WEEK, _QUESTION = ("week_number", "week", "current_week"), ("current_question", "current_question_number")
_TIME = ("updated_at", "last_active", "last_activity", "timestamp")
_KNOWN_STATE_FIELDS = STATE_FIELDS | {
    *_WEEK,
    *_QUESTION,
    *_TIME,
    *("name", "user_name", "session_id", "user_id", "scenario", "scenarios"),
}
_CHOICE = re.compile(r"[a-z][a-z0-9_]{0,63}")


def is_state(value: object) -> bool:
    return isinstance(value, Mapping) and bool(STATE_FIELDS & {str(key) for key in value})


def holds_states(value: object) -> bool:
    """Whether the value is a state, or states by week."""
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
        """`states`: by session id, each a state or states by week."""
        found: dict[tuple[str, int], WeekRecord] = {}
        for key, week, state in _each(states):
            self._ledger.count_read("states")
            record = self._record(key, week, state)
            if record is None:
                continue
            if (record.legacy_id, record.week) in found:
                self._ledger.skip("states", self._place, "the session has this week twice")
                continue
            found[record.legacy_id, record.week] = self._fill(record, state)
        for name, count in self._unused.items():
            self._ledger.note(self._place, f"the field {name!r} of {count} states is not taken over")
        return list(found.values())

    def _record(self, key: object, week: object, state: object) -> WeekRecord | None:
        name = legacy_id(key)
        if name is None:
            self._ledger.skip("states", self._place, "its key is no session")
            return None
        if not is_state(state) or not isinstance(state, Mapping):
            self._ledger.skip("states", f"{self._place}: {name}", "it holds no state")
            return None
        fields = Fields(state, name, self._ledger)
        number = parse_int(fields.get(*_WEEK) if week is None else week)
        if number is None or number < 1:
            self._ledger.skip("states", f"{self._place}: {name}", "its week is unknown")
            return None
        return WeekRecord(name, number, clean_name(fields.get("name", "user_name")))

    def _fill(self, record: WeekRecord, state: Any) -> WeekRecord:
        here = f"{self._place}: {record.legacy_id}, week {record.week}"
        fields = Fields(state, here, self._ledger)
        record.question = parse_int(fields.get(*_QUESTION))
        record.at = fields.time(*_TIME, zone=self._zone)
        record.answers = fields.texts("answers", what="answers")
        record.responses = fields.texts("nova_responses", what="nova_responses")
        record.iterations = self._checked(fields, "iteration_count", parse_int, here)
        record.completed = self._checked(fields, "question_completed", parse_bool, here)
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
                self._ledger.skip(what or name, here, f"{name} has a value of another kind")
            else:
                found[number] = entry
        return found

    def _choices(self, fields: Fields, here: str) -> dict[str, str]:
        """Unknown fields of a state are choices of that week, such as selected_problem."""
        found: dict[str, str] = {}
        for name, value in fields.unknown(_KNOWN_STATE_FIELDS):
            if value is None or value == "":
                continue
            if not _CHOICE.fullmatch(name) or not isinstance(value, str | int | float):
                self._unused[name] += 1
                continue
            self._ledger.count_read("choices")
            text = clean(str(value)).strip()
            if text:
                found[name] = text
            else:
                self._ledger.skip("choices", here, "it has no words")
        return found


def _each(states: Mapping[Any, Any]) -> Iterator[tuple[object, object, object]]:
    """Session id, week (None unless it is a key), state."""
    for key, value in states.items():
        if not is_state(value) and holds_states(value):
            for week, state in value.items():
                yield key, week, state
        else:
            yield key, None, value


def _scenario(value: object) -> str | None:
    """`SCENARIO_2`; accepts `scenario 2` and 2, too."""
    match = re.fullmatch(r"\s*(?:scenario[ _]?)?(\d{1,3})\s*", str(value), re.IGNORECASE)
    return f"SCENARIO_{int(match[1])}" if match and not isinstance(value, bool) else None

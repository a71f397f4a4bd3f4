"""Reads `user_progress.json`: where everybody stands, by session."""

from collections import Counter
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from legacy_import.fields import Fields, legacy_id, name_of
from legacy_import.ledger import Ledger
from legacy_import.records import Position
from legacy_import.text import whole_number

SIGNS = frozenset({"current_week", "completed_weeks", "completed_questions"})
_KNOWN = SIGNS | {"name", "user_name", "current_question", "last_active", "last_activity", "session_id"}


def is_progress(value: object) -> bool:
    return isinstance(value, Mapping) and bool(SIGNS & {str(key) for key in value})


def read_progress(people: Mapping[Any, Any], place: str, ledger: Ledger, zone: tzinfo) -> list[Position]:
    """`people`: records by session. Every entry of a list counts as one record of its kind."""
    found: dict[str, Position] = {}
    unused: Counter[str] = Counter()
    for key, record in people.items():
        ledger.read("people")
        name = legacy_id(key)
        here = f"{place}: {name}"
        if name is None:
            ledger.leave("people", place, "its key is no session")
        elif not is_progress(record):
            ledger.leave("people", here, "it holds no progress")
        elif name in found:
            ledger.leave("people", here, "the session is given twice")
        else:
            fields = Fields(record, here, ledger)
            found[name] = _position(name, here, fields, ledger, zone)
            unused.update(field for field, _ in fields.others(_KNOWN))
    for field, count in unused.items():
        ledger.note(place, f"the field {field!r} of {count} records is not taken over")
    return list(found.values())


def _position(name: str, here: str, fields: Fields, ledger: Ledger, zone: tzinfo) -> Position:
    position = Position(name, name=name_of(fields.get("name", "user_name")))
    position.week = whole_number(fields.get("current_week"))
    position.question = whole_number(fields.get("current_question"))
    position.completed_weeks = fields.numbers("completed_weeks", what="completed_weeks")
    position.completed_questions = _completed_questions(here, fields, position.week, ledger)
    position.last_active = fields.moment("last_active", "last_activity", zone=zone)
    return position


def _completed_questions(
    here: str, fields: Fields, current: int | None, ledger: Ledger
) -> dict[int, list[int]]:
    """By week; a list without weeks is taken as the current week's."""
    given, what = fields.get("completed_questions"), "completed_questions"
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        numbers = fields.numbers(what, what=what)
        if numbers and current is not None:
            ledger.note(here, "completed_questions without a week; taken as the current week's")
            return {current: numbers}
        for _ in numbers:
            ledger.leave(what, here, "nothing tells of which week it is")
        return {}
    found: dict[int, list[int]] = {}
    for key, questions in given.items():
        week = whole_number(key)
        numbers = Fields({what: questions}, here, ledger).numbers(what, what=what)
        if week is None:
            for _ in numbers:
                ledger.leave(what, here, "its key is no week number")
            continue
        known = found.setdefault(week, [])
        for number in numbers:
            if number in known:
                ledger.leave(what, here, "the week is given twice, with the same question")
            else:
                known.append(number)
    return found

"""Reads the fields of one JSON record, and accounts for each entry that is of no use."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from legacy_import.ledger import Ledger
from legacy_import.text import NO_TIME, clean, moment, truth, whole_number

LONGEST_ID = 200


def legacy_id(key: object) -> str | None:
    """A session's old name; None for what can't be one."""
    text = clean(str(key)).strip() if isinstance(key, str | int) and not isinstance(key, bool) else ""
    return text if 0 < len(text) <= LONGEST_ID else None


def name_of(value: object) -> str | None:
    text = clean(value).strip() if isinstance(value, str) else ""
    return text[:LONGEST_ID] or None


class Fields:
    """One record's fields. `place` names the record in the report."""

    def __init__(self, values: Mapping[Any, Any], place: str, ledger: Ledger) -> None:
        self._values = {str(key): value for key, value in values.items()}
        self._place = place
        self._ledger = ledger

    def get(self, *names: str) -> Any:
        return next((self._values[name] for name in names if self._values.get(name) is not None), None)

    def moment(self, *names: str, zone: tzinfo) -> datetime | None:
        """A time; one that can't be read is unknown, and said to be."""
        given = self.get(*names)
        found = moment(given, zone)
        if found is None and given not in (None, ""):
            named = next(name for name in names if self._values.get(name) is not None)
            self._ledger.note(self._place, f"{named} {NO_TIME}")
        return found

    def others(self, known: frozenset[str]) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in self._values.items() if name not in known)

    def numbers(self, name: str, *, what: str) -> list[int]:
        """A list of numbers; also `{"1": true}` and a single one. Each entry counts as one record."""
        value = self._values.get(name)
        entries = [value] if isinstance(value, str | int | float) else list(value or ())
        if isinstance(value, Mapping):
            entries = [key for key, flag in value.items() if truth(flag) is not False]
        found: list[int] = []
        for entry in entries:
            self._ledger.read(what)
            number = whole_number(entry)
            if number is None or number < 1:
                self._ledger.leave(what, self._place, f"{name} has something that is no number from 1 on")
            elif number in found:
                self._ledger.leave(what, self._place, f"{name} has a number twice")
            else:
                found.append(number)
        return found

    def by_question(self, name: str, *, what: str) -> dict[int, Any]:
        """An object by question number, its keys numbers or strings. Each entry counts as one record."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self._ledger.read(what)
            self._ledger.leave(what, self._place, f"{name} is not kept by question")
            return {}
        found: dict[int, Any] = {}
        for key, entry in value.items():
            self._ledger.read(what)
            number = whole_number(key)
            if number is None or number < 1:
                self._ledger.leave(what, self._place, f"{name} has a key that is no question number")
            elif number in found:
                self._ledger.leave(what, self._place, f"{name} has a question twice")
            else:
                found[number] = entry
        return found

    def texts(self, name: str, *, what: str) -> dict[int, list[str]]:
        """By question, a list of texts or one text. Each text counts as one record."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, Mapping):
            self._ledger.read(what)
            self._ledger.leave(what, self._place, f"{name} is not kept by question")
            return {}
        found: dict[int, list[str]] = {}
        for key, entry in (value or {}).items():
            number = whole_number(key)
            for text in entry if isinstance(entry, list | tuple) else [entry]:
                self._ledger.read(what)
                if number is None or number < 1:
                    self._ledger.leave(what, self._place, f"{name} has a key that is no question number")
                elif not _words(text):
                    self._ledger.leave(what, self._place, f"{name} has an entry without words")
                else:
                    found.setdefault(number, []).append(_words(text))
        return found


def _words(value: object) -> str:
    """A text; also a number, as somebody answers who is asked for one. Empty where it is neither."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    text = clean(value) if isinstance(value, str) else ""
    return text if text.strip() else ""

"""Parses JSON files and reads the fields of one record; the ledger counts each entry."""

import ast
import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from legacy_import.conversions import UNREADABLE_TIME, clean, parse_bool, parse_int, parse_time
from legacy_import.ledger import Ledger


class InvalidJson(ValueError):
    """Names the line and column, never the text."""


def load_json(text: str, place: str, ledger: Ledger) -> Any:
    """Parse JSON, or a dict written by Python's `repr`. Raises: InvalidJson.

    Repeated keys become warnings; the last value counts.
    """
    repeated: list[str] = []

    def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                repeated.append(key)
            found[key] = value
        return found

    try:
        value = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        value = _python_literal(text)
        if value is None:
            message = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise InvalidJson(f"invalid JSON: {message}") from error
        ledger.note(place, "written by Python's repr; read as a literal")
    except RecursionError as error:
        raise InvalidJson("invalid JSON: nested too deeply") from error
    except ValueError as error:
        raise InvalidJson(f"invalid JSON: {error}") from error
    for key in repeated:
        ledger.warn(place, f"the key {key!r} is given twice in one object; the last one counts")
    return value


def _python_literal(text: str) -> Any:
    """A dict as `print` writes it; None for any other text."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = ast.literal_eval(text.strip())
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return None
    return found if isinstance(found, dict) else None


LONGEST_ID = 200


def legacy_id(key: object) -> str | None:
    """The session id of the older system; None if `key` can't be one."""
    text = clean(str(key)).strip() if isinstance(key, str | int) and not isinstance(key, bool) else ""
    return text if 0 < len(text) <= LONGEST_ID else None


def clean_name(value: object) -> str | None:
    text = clean(value).strip() if isinstance(value, str) else ""
    return text[:LONGEST_ID] or None


class Fields:
    """Fields of one record. `place` names the record in the report."""

    def __init__(self, values: Mapping[Any, Any], place: str, ledger: Ledger) -> None:
        self._values = {str(key): value for key, value in values.items()}
        self._place = place
        self._ledger = ledger

    def get(self, *names: str) -> Any:
        return next((self._values[name] for name in names if self._values.get(name) is not None), None)

    def time(self, *names: str, zone: tzinfo) -> datetime | None:
        """The first of these fields as a time; None, with a note in the report, if it can't be read."""
        given = self.get(*names)
        found = parse_time(given, zone)
        if found is None and given not in (None, ""):
            named = next(name for name in names if self._values.get(name) is not None)
            self._ledger.note(self._place, f"{named} {UNREADABLE_TIME}")
        return found

    def unknown(self, known: frozenset[str]) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in self._values.items() if name not in known)

    def numbers(self, name: str, *, what: str) -> list[int]:
        """A list of numbers; `{"1": true}` or one number, too. Each entry counts as a record."""
        value = self._values.get(name)
        entries = [value] if isinstance(value, str | int | float) else list(value or ())
        if isinstance(value, Mapping):
            entries = [key for key, flag in value.items() if parse_bool(flag) is not False]
        found: list[int] = []
        for entry in entries:
            self._ledger.count_read(what)
            number = parse_int(entry)
            if number is None or number < 1:
                self._ledger.skip(what, self._place, f"{name} has something that is no number from 1 on")
            elif number in found:
                self._ledger.skip(what, self._place, f"{name} has a number twice")
            else:
                found.append(number)
        return found

    def by_question(self, name: str, *, what: str) -> dict[int, Any]:
        """Values by question number; keys may be strings. Each entry counts as a record."""
        value = self._values.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self._ledger.count_read(what)
            self._ledger.skip(what, self._place, f"{name} is not kept by question")
            return {}
        found: dict[int, Any] = {}
        for key, entry in value.items():
            self._ledger.count_read(what)
            number = parse_int(key)
            if number is None or number < 1:
                self._ledger.skip(what, self._place, f"{name} has a key that is no question number")
            elif number in found:
                self._ledger.skip(what, self._place, f"{name} has a question twice")
            else:
                found[number] = entry
        return found

    def texts(self, name: str, *, what: str) -> dict[int, list[str]]:
        """Lists of texts by question number; a single text is accepted. Each text counts as a record."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, Mapping):
            self._ledger.count_read(what)
            self._ledger.skip(what, self._place, f"{name} is not kept by question")
            return {}
        found: dict[int, list[str]] = {}
        for key, entry in (value or {}).items():
            number = parse_int(key)
            for text in entry if isinstance(entry, list | tuple) else [entry]:
                self._ledger.count_read(what)
                if number is None or number < 1:
                    self._ledger.skip(what, self._place, f"{name} has a key that is no question number")
                elif not _answer_text(text):
                    self._ledger.skip(what, self._place, f"{name} has an entry without words")
                else:
                    found.setdefault(number, []).append(_answer_text(text))
        return found


def _answer_text(value: object) -> str:
    """A text, or a number as text (some questions ask for one); empty for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    text = clean(value) if isinstance(value, str) else ""
    return text if text.strip() else ""

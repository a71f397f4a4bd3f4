"""JSON as people's files have it: with a BOM, keys given twice, or written by Python's `repr`."""

import ast
import json
import warnings
from collections.abc import Iterable
from typing import Any

from legacy_import.ledger import Ledger


class NoJson(ValueError):
    """Says the line and column, never the text."""


def load(text: str, place: str, ledger: Ledger) -> Any:
    """The value of a JSON text, else of a dict as Python shows it, with int keys. Raises NoJson."""
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
            raise NoJson(f"no JSON that can be read: {message}") from error
        ledger.note(place, "written by Python's repr; read as a literal")
    except RecursionError as error:
        raise NoJson("no JSON that can be read: nested too deeply") from error
    except ValueError as error:
        raise NoJson(f"no JSON that can be read: {error}") from error
    for key in repeated:
        ledger.warn(place, f"the key {key!r} is given twice in one object; the last one counts")
    return value


def _python_literal(text: str) -> Any:
    """A dict as `print` writes it; None when the text is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = ast.literal_eval(text.strip())
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return None
    return found if isinstance(found, dict) else None

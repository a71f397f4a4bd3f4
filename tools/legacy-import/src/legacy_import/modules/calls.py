"""Functions and methods that only rearrange constants: their results are constants as well."""

import copy
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from legacy_import.modules.formatting import format_text, formatted
from legacy_import.modules.values import Budget, NotLiteral, Value

_LONGEST_RANGE = 10_000


def _range(*bounds: int) -> list[Value]:
    found = range(*bounds)
    if len(found) > _LONGEST_RANGE:
        raise NotLiteral("a very long range")
    return list(found)


def _text(value: Value = "") -> str:
    return formatted(value, "", "")


def _enumerate(items: Any, start: int = 0) -> list[Value]:
    return [(index, item) for index, item in enumerate(items, start)]


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "builtins.dict": dict,
    "builtins.list": list,
    "builtins.tuple": tuple,
    "builtins.str": _text,
    "builtins.enumerate": _enumerate,
    "builtins.zip": lambda *lists: list(zip(*lists, strict=False)),
    "builtins.range": _range,
    "builtins.len": len,
    "builtins.sorted": sorted,
    "builtins.reversed": lambda items: list(reversed(items)),
    "builtins.repr": lambda value: formatted(value, "r", ""),
    "textwrap.dedent": textwrap.dedent,
    "inspect.cleandoc": inspect.cleandoc,
    "collections.OrderedDict": dict,
    "types.MappingProxyType": dict,
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
}
IMPORTABLE = {name.partition(".")[0] for name in _FUNCTIONS} - {"builtins"}

_TEXT_METHODS = frozenset(
    {
        *("strip", "lstrip", "rstrip", "removeprefix", "removesuffix"),
        *("lower", "upper", "capitalize", "title", "swapcase", "casefold"),
        *("split", "rsplit", "splitlines", "partition", "rpartition"),
    }
)
_PADDING = frozenset({"center", "ljust", "rjust", "zfill"})
_WIDEST = 1000
_READING = {"keys", "values", "items", "get", "copy"}
CHANGING = frozenset({"update", "setdefault", "append", "extend", "insert", "pop", "clear"})
"""Methods that change a list or dict; the module's order decides what they find."""


def call_function(name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    """Raises NotLiteral, or what Python says of unfit arguments."""
    function = _FUNCTIONS.get(name)
    if function is None:
        raise NotLiteral(f"a call of {name.removeprefix('builtins.')}")
    result: Value = function(*arguments, **keywords)
    return result


def call_method(
    receiver: Value, method: str, arguments: list[Value], keywords: dict[str, Value], budget: Budget
) -> Value:
    """Raises NotLiteral, or what Python says of unfit arguments."""
    match receiver:
        case str() if method in ("format", "format_map"):
            named = keywords if method == "format" else _mapping(*arguments)
            return format_text(receiver, arguments if method == "format" else [], named)
        case str() if method == "join":
            parts = _texts(arguments[0])
            budget.spend(len(parts) * len(receiver) + sum(map(len, parts)))
            return receiver.join(parts)
        case str() if method == "replace":
            return _replace(receiver, *_texts(arguments), budget=budget)
        case str() if method in _TEXT_METHODS or (method in _PADDING and _is_narrow(*arguments)):
            result: Value = getattr(receiver, method)(*arguments, **keywords)
            return result
        case dict() | list() if method in CHANGING or (isinstance(receiver, dict) and method in _READING):
            budget.spend(sum(len(value) for value in arguments if isinstance(value, list | tuple | dict)))
            found = getattr(receiver, method)(*arguments, **keywords)
            return list(found) if method in ("keys", "values", "items") else found
        case _:
            raise NotLiteral(f"a call of the method {method}")


def _mapping(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise NotLiteral("something is no dict of fields")
    return {str(key): entry for key, entry in value.items()}


def _is_narrow(width: Value, *_: Value) -> bool:
    return isinstance(width, int) and width <= _WIDEST


def _texts(values: Any) -> list[str]:
    found = list(values)
    if not all(isinstance(value, str) for value in found):
        raise NotLiteral("something that is no text among texts")
    return found


def _replace(text: str, old: str, new: str, *, budget: Budget) -> str:
    budget.spend(len(text) + (len(text) if not old else text.count(old)) * len(new))
    return text.replace(old, new)

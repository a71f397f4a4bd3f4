"""Functions and methods that only rearrange constants: their results are constants as well."""

import copy
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chat_service.legacy.modules.formatting import format_text, formatted
from chat_service.legacy.modules.values import Budget, NotLiteral, Value

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
        *("lower", "upper", "capitalize", "title", "split", "splitlines"),
    }
)
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
        case str() if method == "format":
            return format_text(receiver, arguments, keywords)
        case str() if method == "join":
            parts = _texts(arguments[0])
            budget.spend(len(parts) * len(receiver) + sum(map(len, parts)))
            return receiver.join(parts)
        case str() if method == "replace":
            return _replace(receiver, *_texts(arguments), budget=budget)
        case str() if method in _TEXT_METHODS:
            result: Value = getattr(receiver, method)(*arguments, **keywords)
            return result
        case dict() | list() if method in CHANGING or (isinstance(receiver, dict) and method in _READING):
            budget.spend(sum(len(value) for value in arguments if isinstance(value, list | tuple | dict)))
            found = getattr(receiver, method)(*arguments, **keywords)
            return list(found) if method in ("keys", "values", "items") else found
        case _:
            raise NotLiteral(f"a call of the method {method}")


def _texts(values: Any) -> list[str]:
    found = list(values)
    if not all(isinstance(value, str) for value in found):
        raise NotLiteral("something that is no text among texts")
    return found


def _replace(text: str, old: str, new: str, *, budget: Budget) -> str:
    budget.spend(len(text) + (len(text) if not old else text.count(old)) * len(new))
    return text.replace(old, new)

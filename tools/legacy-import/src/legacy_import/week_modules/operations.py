"""Operators, text formatting, functions and methods that are evaluated on constants.

Text formatting supports plain fields and small widths only: `{0.__class__}` or
a width of a billion is refused.
"""

import ast
import copy
import inspect
import operator
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from string import Formatter
from typing import Any

from legacy_import.week_modules.values import Budget, NotConstant, Value

_CONVERSIONS: dict[str, Callable[[Value], str]] = {"r": repr, "s": str, "a": ascii}
_SPEC = re.compile(r"(.?[<>=^])?[-+ ]?#?0?\d{0,3}[,_]?(\.\d{1,2})?[a-zA-Z%]?", re.DOTALL)
_PERCENT = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?(?P<form>[-#0 +]*\d{0,3}(?:\.\d{1,2})?[sdifr%])|(?P<other>%)"
)


def format_value(value: Value, conversion: str, spec: str) -> str:
    """Format one field like `str.format` and f-strings. Raises: NotConstant."""
    if isinstance(value, list | tuple | dict):
        raise NotConstant("a list or dict inside a text")
    if not _SPEC.fullmatch(spec):
        raise NotConstant("an unusual format")
    return format(_CONVERSIONS[conversion](value) if conversion else value, spec)


def format_text(text: str, positional: Sequence[Value], named: Mapping[str, Value]) -> str:
    """Evaluate `text.format(...)` with plain fields only. Raises: NotConstant."""
    parts: list[str] = []
    automatic = iter(range(len(positional)))
    fields = list(Formatter().parse(text))
    if len({name == "" for _, name, _, _ in fields if name == "" or (name or "").isdecimal()}) > 1:
        raise NotConstant("fields with and without a number")
    for literal, name, spec, conversion in fields:
        parts.append(literal)
        if name is None:
            continue
        index = next(automatic, None) if name == "" else int(name) if name.isdecimal() else name
        value = _field(index, positional, named)
        parts.append(format_value(value, conversion or "", spec or ""))
    return "".join(parts)


def _field(index: int | str | None, positional: Sequence[Value], named: Mapping[str, Value]) -> Value:
    if isinstance(index, int) and index < len(positional):
        return positional[index]
    if isinstance(index, str) and index in named:
        return named[index]
    raise NotConstant("a format field without its constant")


def percent_text(text: str, right: Value) -> str:
    """Evaluate `text % right` with plain conversions only. Raises: NotConstant."""
    for match in _PERCENT.finditer(text):
        if match["other"]:
            raise NotConstant("an unusual format")
    if isinstance(right, list) or (isinstance(right, tuple) and any(_is_container(item) for item in right)):
        raise NotConstant("a list or dict inside a text")
    if isinstance(right, dict) and any(_is_container(item) for item in right.values()):
        raise NotConstant("a list or dict inside a text")
    return text % right


def _is_container(value: Value) -> bool:
    return isinstance(value, list | tuple | dict)


_COMPARED: dict[type[ast.cmpop], Callable[[Value, Value], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,  # type: ignore[dict-item]  # a TypeError between kinds is caught
    ast.LtE: operator.le,  # type: ignore[dict-item]
    ast.Gt: operator.gt,  # type: ignore[dict-item]
    ast.GtE: operator.ge,  # type: ignore[dict-item]
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, container: item in container,  # type: ignore[operator]
    ast.NotIn: lambda item, container: item not in container,  # type: ignore[operator]
}


def binary(op: ast.operator, first: Value, second: Value, budget: Budget) -> Value:  # noqa: PLR0911
    """Raises: NotConstant, or Python's error for unsuitable values."""
    match op, first, second:
        case ast.Add(), str(), str():
            return budget.made(first + second)
        case ast.Add(), list(), list():
            return budget.made(first + second)
        case ast.Add(), tuple(), tuple():
            return budget.made(first + second)
        case ast.Mod(), str(), _:
            return budget.made(percent_text(first, second))
        case ast.BitOr(), dict(), dict():
            return budget.made(first | second)
        case ast.Mult(), str(), int() if 0 <= second <= 1000:
            budget.spend(len(first) * second)
            return first * second
        case ast.Mult(), int(), str() if 0 <= first <= 1000:
            budget.spend(len(second) * first)
            return first * second
        case ast.Add(), int() | float(), int() | float():
            return first + second
        case ast.Sub(), int() | float(), int() | float():
            return first - second
        case _:
            raise NotConstant("a calculation that is not followed")


def unary(op: ast.unaryop, found: Value) -> Value:
    """Raises: NotConstant."""
    if isinstance(op, ast.Not):
        return not found
    if isinstance(op, ast.USub) and isinstance(found, int | float):
        return -found
    raise NotConstant("a calculation that is not followed")


def compare(ops: Sequence[ast.cmpop], values: Sequence[Value]) -> bool:
    """Evaluate a chain such as `a < b <= c`."""
    return all(_COMPARED[type(op)](*pair) for op, pair in zip(ops, pairwise(values), strict=True))


_LONGEST_RANGE = 10_000


def _range(*bounds: int) -> list[Value]:
    found = range(*bounds)
    if len(found) > _LONGEST_RANGE:
        raise NotConstant("a very long range")
    return list(found)


def _text(value: Value = "") -> str:
    return format_value(value, "", "")


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
    "builtins.repr": lambda value: format_value(value, "r", ""),
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
"""Methods that change a list or dict; statements are followed in order because of them."""


def call_function(name: str, arguments: Sequence[Value], keywords: Mapping[str, Value]) -> Value:
    """Raises: NotConstant, or Python's error for unsuitable arguments."""
    function = _FUNCTIONS.get(name)
    if function is None:
        raise NotConstant(f"a call of {name.removeprefix('builtins.')}")
    result: Value = function(*arguments, **keywords)
    return result


def call_method(
    receiver: Value, method: str, arguments: list[Value], keywords: dict[str, Value], budget: Budget
) -> Value:
    """Raises: NotConstant, or Python's error for unsuitable arguments."""
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
            raise NotConstant(f"a call of the method {method}")


def _mapping(value: Value) -> dict[str, Value]:
    if not isinstance(value, dict):
        raise NotConstant("something is no dict of fields")
    return {str(key): entry for key, entry in value.items()}


def _is_narrow(width: Value, *_: Value) -> bool:
    return isinstance(width, int) and width <= _WIDEST


def _texts(values: Any) -> list[str]:
    found = list(values)
    if not all(isinstance(value, str) for value in found):
        raise NotConstant("something that is no text among texts")
    return found


def _replace(text: str, old: str, new: str, *, budget: Budget) -> str:
    budget.spend(len(text) + (len(text) if not old else text.count(old)) * len(new))
    return text.replace(old, new)

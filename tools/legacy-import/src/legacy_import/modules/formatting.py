"""The three ways in which Python puts constants into a text: f-strings, `format` and `%`.

Only plain fields and small widths: `{0.__class__}` or a width of a billion
is no constant text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from string import Formatter

from legacy_import.modules.values import NotLiteral, Value

_CONVERSIONS: dict[str, Callable[[Value], str]] = {"r": repr, "s": str, "a": ascii}
_SPEC = re.compile(r"(.?[<>=^])?[-+ ]?#?0?\d{0,3}[,_]?(\.\d{1,2})?[a-zA-Z%]?", re.DOTALL)
_PERCENT = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?(?P<form>[-#0 +]*\d{0,3}(?:\.\d{1,2})?[sdifr%])|(?P<other>%)"
)


def formatted(value: Value, conversion: str, spec: str) -> str:
    """One field as `str.format` and f-strings show it. Raises NotLiteral."""
    if isinstance(value, list | tuple | dict):
        raise NotLiteral("a list or dict is put into a text")
    if not _SPEC.fullmatch(spec):
        raise NotLiteral("an unusual format")
    return format(_CONVERSIONS[conversion](value) if conversion else value, spec)


def format_text(text: str, positional: Sequence[Value], named: Mapping[str, Value]) -> str:
    """`text.format(...)` with plain fields alone. Raises NotLiteral."""
    parts: list[str] = []
    automatic = iter(range(len(positional)))
    fields = list(Formatter().parse(text))
    if len({name == "" for _, name, _, _ in fields if name == "" or (name or "").isdecimal()}) > 1:
        raise NotLiteral("fields with and without a number")
    for literal, name, spec, conversion in fields:
        parts.append(literal)
        if name is None:
            continue
        index = next(automatic, None) if name == "" else int(name) if name.isdecimal() else name
        value = _field(index, positional, named)
        parts.append(formatted(value, conversion or "", spec or ""))
    return "".join(parts)


def _field(index: int | str | None, positional: Sequence[Value], named: Mapping[str, Value]) -> Value:
    if isinstance(index, int) and index < len(positional):
        return positional[index]
    if isinstance(index, str) and index in named:
        return named[index]
    raise NotLiteral("a format field without its constant")


def percent_text(text: str, right: Value) -> str:
    """`text % right` with plain conversions alone. Raises NotLiteral."""
    for match in _PERCENT.finditer(text):
        if match["other"]:
            raise NotLiteral("an unusual format")
    if isinstance(right, list) or (isinstance(right, tuple) and any(_is_container(item) for item in right)):
        raise NotLiteral("a list or dict is put into a text")
    if isinstance(right, dict) and any(_is_container(item) for item in right.values()):
        raise NotLiteral("a list or dict is put into a text")
    return text % right


def _is_container(value: Value) -> bool:
    return isinstance(value, list | tuple | dict)

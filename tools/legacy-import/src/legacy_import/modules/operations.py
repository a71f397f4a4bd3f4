"""Calculations and comparisons of constants."""

import ast
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise

from legacy_import.modules.formatting import percent_text
from legacy_import.modules.values import Budget, NotLiteral, Value

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
    """Raises NotLiteral, or what Python says of unfit values."""
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
            raise NotLiteral("a calculation that is not followed")


def unary(op: ast.unaryop, found: Value) -> Value:
    """Raises NotLiteral."""
    if isinstance(op, ast.Not):
        return not found
    if isinstance(op, ast.USub) and isinstance(found, int | float):
        return -found
    raise NotLiteral("a calculation that is not followed")


def compared(ops: Sequence[ast.cmpop], values: Sequence[Value]) -> bool:
    """`a < b <= c`."""
    return all(_COMPARED[type(op)](*pair) for op, pair in zip(ops, pairwise(values), strict=True))

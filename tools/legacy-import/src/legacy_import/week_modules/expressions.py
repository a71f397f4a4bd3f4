"""Evaluates expressions that consist of constants; runs no code of the module."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from legacy_import.week_modules.operations import (
    binary,
    call_function,
    call_method,
    compare,
    format_value,
    unary,
)
from legacy_import.week_modules.values import (
    Budget,
    NotConstant,
    Path,
    Scope,
    SkippedValue,
    Value,
    dotted_name,
    expression_kind,
    items,
)

_PYTHON_ERRORS = (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError, RecursionError)
_Result = TypeVar("_Result")
_NOT_CONSTANT = " is no constant here"
_CONVERSIONS = {-1: "", 115: "s", 114: "r", 97: "a"}


class ExpressionEvaluator:
    """Evaluates expressions in a scope.

    `skipped`: entries of dicts that are no constants; the other entries are kept.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.budget = Budget()
        self.skipped: list[SkippedValue] = []
        self._skipped_names: set[str] = set()
        self.lines: dict[Path, int] = {}
        self._path: Path = ()

    def evaluate(self, node: ast.expr, path: Path) -> Value:
        """Evaluate what is assigned to `path`. Raises: NotConstant."""
        self._path = path
        return self.value(node)

    def skip(self, line: int, path: Path, reason: str) -> None:
        self.skipped.append(SkippedValue(line, path, reason))
        self._skipped_names.add(path[0])

    def forget_skipped(self, path: Path) -> None:
        """Drop skipped values at or below `path`, because a new assignment replaces them."""
        if path[0] in self._skipped_names:
            kept = [left for left in self.skipped if left.path[: len(path)] != path]
            self.skipped[:] = kept

    def value(self, node: ast.expr) -> Value:
        """Raises: NotConstant, and no other error."""
        self.budget.step()
        try:
            return self._value(node)
        except _PYTHON_ERRORS as error:
            raise NotConstant(f"Python refuses it with {type(error).__name__}") from error

    def _value(self, node: ast.expr) -> Value:  # noqa: PLR0911, PLR0912 - one case per kind of expression
        match node:
            case ast.Constant(value=str() | int() | float() | None as constant):
                return constant
            case ast.Name(id=name):
                return self._name(name)
            case ast.JoinedStr(values=parts):
                return self.budget.made("".join(self._part(part) for part in parts))
            case ast.BinOp(left=left, op=op, right=right):
                return binary(op, self.value(left), self.value(right), self.budget)
            case ast.Dict():
                return self._dict(node)
            case ast.List(elts=elements):
                return list(self._elements(elements))
            case ast.Tuple(elts=elements):
                return tuple(self._elements(elements))
            case ast.Subscript(value=base, slice=index):
                return self._subscript(base, index)
            case ast.Call():
                return self._call(node)
            case (
                ast.ListComp(elt=element, generators=generators)
                | ast.GeneratorExp(elt=element, generators=generators)
            ):
                return self._comprehension(generators, lambda: self.value(element))
            case ast.DictComp(key=key, value=value, generators=generators):
                return dict(self._comprehension(generators, lambda: (self.value(key), self.value(value))))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body if self.value(test) else orelse)
            case ast.UnaryOp(op=op, operand=operand):
                return unary(op, self.value(operand))
            case ast.BoolOp(op=op, values=values):
                return self._boolean(op, values)
            case ast.NamedExpr(target=ast.Name(id=name), value=inner):
                return self._named(name, inner)
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if self._in_namespace(name, attr):
                return self.scope.namespaces[name][attr]
            case ast.Compare(left=left, ops=ops, comparators=others):
                return compare(ops, [self.value(operand) for operand in (left, *others)])
            case _:
                raise NotConstant(expression_kind(node))

    def _name(self, name: str) -> Value:
        if name in self.scope.constants:
            return self.scope.constants[name]
        reason = self.scope.unknown.get(name)
        if reason and _NOT_CONSTANT in reason:
            raise NotConstant(reason)  # the message of the first name in a chain is enough
        raise NotConstant(f"{name}{_NOT_CONSTANT}" + (f" ({reason})" if reason else ""))

    def _named(self, name: str, node: ast.expr) -> Value:
        """Evaluate `(X := "a")` and set X."""
        try:
            found = self.value(node)
        except NotConstant as error:
            self.scope.set_unknown(name, str(error))
            raise
        self.scope.set_constant(name, found)
        return found

    def _in_namespace(self, name: str, attribute: str) -> bool:
        return attribute in self.scope.namespaces.get(name, {})

    def _part(self, part: ast.expr) -> str:
        """One part of an f-string."""
        if isinstance(part, ast.FormattedValue):
            spec = self.value(part.format_spec) if part.format_spec else ""
            return format_value(self.value(part.value), _CONVERSIONS[part.conversion], str(spec))
        return str(self.value(part))

    def _boolean(self, op: ast.boolop, values: list[ast.expr]) -> Value:
        found: Value = None
        for value in values:
            found = self.value(value)
            if bool(found) == isinstance(op, ast.Or):
                break
        return found

    def _dict(self, node: ast.Dict) -> Value:
        """Evaluate a dict; entries that are no constants are skipped one by one."""
        here, result = self._path, dict[Value, Value]()
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            self._path = here
            if key_node is None:
                self._unpack(value_node, result)
            else:
                self._entry(key_node, value_node, result)
        self._path = here
        return result

    def _entry(self, key_node: ast.expr, value_node: ast.expr, result: dict[Value, Value]) -> None:
        here, key = self._path, None
        self._path = (*here, dotted_name(key_node))
        try:
            key = self.value(key_node)
            self._path = (*here, str(key))
            self.lines[self._path] = key_node.lineno
            result[key] = self.value(value_node)
        except NotConstant as error:
            result.pop(key, None)
            self.skip(value_node.lineno, self._path, str(error))

    def _unpack(self, node: ast.expr, result: dict[Value, Value]) -> None:
        """Evaluate `{**X}`. An unknown X may replace earlier entries, so they are skipped, too."""
        here = self._path
        try:
            result.update(self._mapping(node))
        except NotConstant as error:
            self.skip(node.lineno, (*here, f"**{dotted_name(node)}"), str(error))
            for key in result:
                reason = f"**{dotted_name(node)} after it may replace it"
                self.skip(self.lines.get((*here, str(key)), node.lineno), (*here, str(key)), reason)
            result.clear()

    def _mapping(self, node: ast.expr) -> dict[Value, Value]:
        found = self.value(node)
        if not isinstance(found, dict):
            raise NotConstant("something is unpacked that is no dict")
        return found

    def _elements(self, nodes: list[ast.expr]) -> Iterator[Value]:
        for node in nodes:
            if isinstance(node, ast.Starred):
                yield from items(self.value(node.value))
            else:
                yield self.value(node)

    def _subscript(self, base: ast.expr, index: ast.expr) -> Value:
        container = self.value(base)
        if not isinstance(container, str | list | tuple | dict):
            raise NotConstant("a part of something that has none")
        if isinstance(index, ast.Slice):
            return container[self._slice(index)]
        return container[self.value(index)]  # type: ignore[index]

    def _slice(self, node: ast.Slice) -> Any:
        return slice(*(self.value(bound) if bound else None for bound in (node.lower, node.upper, node.step)))

    def _comprehension(
        self, generators: list[ast.comprehension], make: Callable[[], _Result]
    ) -> list[_Result]:
        known = dict(self.scope.constants)
        try:
            return [make() for _ in self._iterations(generators)]
        finally:
            self.scope.constants = known

    def _iterations(self, generators: list[ast.comprehension]) -> Iterator[None]:
        """Iterate a comprehension, setting its variables."""
        generator, *inner = generators
        for item in items(self.value(generator.iter)):
            self.budget.step()
            self.bind(generator.target, item)
            if all(self.value(condition) for condition in generator.ifs):
                if inner:
                    yield from self._iterations(inner)
                else:
                    yield

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.scope.constants[target.id] = value
        elif isinstance(target, ast.Tuple) and len(target.elts) == len(parts := list(items(value))):
            for element, part in zip(target.elts, parts, strict=True):
                self.bind(element, part)
        else:
            raise NotConstant("a target that is not followed")

    def _call(self, node: ast.Call) -> Value:
        function = self.function_name(node.func)
        if function == "collections.defaultdict":
            return self._defaultdict(node)
        if function is not None:
            return self.budget.made_any(call_function(function, self._arguments(node), self._keywords(node)))
        if isinstance(node.func, ast.Attribute):
            try:
                receiver = self.value(node.func.value)
            except NotConstant as error:
                raise NotConstant(f"a call of {dotted_name(node.func)}") from error
            arguments = self._arguments(node)
            return self.budget.made_any(
                call_method(receiver, node.func.attr, arguments, self._keywords(node), self.budget)
            )
        raise NotConstant(f"a call of {dotted_name(node.func)}")

    def _defaultdict(self, node: ast.Call) -> Value:
        match node.args:
            case [ast.Name(id="dict" | "list" | "str" as name) as factory, *rest] if self.function_name(
                factory
            ):
                result = {"dict": dict, "list": list, "str": str}[name]
                return defaultdict(result, *self._elements(rest))
            case _:
                raise NotConstant("a defaultdict of something unusual")

    def function_name(self, node: ast.expr) -> str | None:
        """The full name of a called function, such as textwrap.dedent; None if it can't be told."""
        match node:
            case ast.Name(id=name) if name in self.scope.imported:
                return self.scope.imported[name]
            case ast.Name(id=name) if name not in self.scope.constants and name not in self.scope.unknown:
                return f"builtins.{name}"
            case ast.Attribute(value=ast.Name(id=module), attr=attribute) if module in self.scope.imported:
                return f"{self.scope.imported[module]}.{attribute}"
            case _:
                return None

    def _arguments(self, node: ast.Call) -> list[Value]:
        return list(self._elements(node.args))

    def _keywords(self, node: ast.Call) -> dict[str, Value]:
        """Keyword arguments; `dict(model=os.environ["MODEL"])` skips only `model`."""
        by_name = isinstance(node.func, ast.Name) and node.func.id == "dict"
        lenient = by_name or (isinstance(node.func, ast.Attribute) and node.func.attr == "update")
        here, result = self._path, dict[str, Value]()
        for keyword in node.keywords:
            self._path = here
            if keyword.arg is None:
                result |= {str(key): value for key, value in self._mapping(keyword.value).items()}
                continue
            self._path = (*here, keyword.arg)
            self.lines[self._path] = keyword.value.lineno
            try:
                result[keyword.arg] = self.value(keyword.value)
            except NotConstant as error:
                if not lenient:
                    raise
                self.skip(keyword.value.lineno, self._path, str(error))
        self._path = here
        return result

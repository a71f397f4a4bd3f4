"""The value of an expression that is made of constants alone; nothing of it is run."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from legacy_import.modules.calls import call_function, call_method
from legacy_import.modules.formatting import formatted
from legacy_import.modules.names import Names, items, kind, spoken
from legacy_import.modules.operations import binary, compared, unary
from legacy_import.modules.values import Budget, LeftOut, NotLiteral, Path, Value

_PYTHON_REFUSES = (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError, RecursionError)
_Made = TypeVar("_Made")
_UNKNOWN_HERE = " is no constant here"
_CONVERSIONS = {-1: "", 115: "s", 114: "r", 97: "a"}


class Evaluator:
    """`left_out` collects the single values of a dict that are no constants; the others stay."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.budget = Budget()
        self.left_out: list[LeftOut] = []
        self._left_names: set[str] = set()
        self.lines: dict[Path, int] = {}
        self._path: Path = ()

    def evaluate(self, node: ast.expr, path: Path) -> Value:
        """The value of what is assigned to `path`. Raises NotLiteral."""
        self._path = path
        return self.value(node)

    def leave(self, line: int, path: Path, reason: str) -> None:
        self.left_out.append(LeftOut(line, path, reason))
        self._left_names.add(path[0])

    def set_anew(self, path: Path) -> None:
        """What was left out there, or below, is replaced by what comes now."""
        if path[0] in self._left_names:
            kept = [left for left in self.left_out if left.path[: len(path)] != path]
            self.left_out[:] = kept

    def value(self, node: ast.expr) -> Value:
        """Raises NotLiteral, and nothing else."""
        self.budget.step()
        try:
            return self._value(node)
        except _PYTHON_REFUSES as error:
            raise NotLiteral(f"Python refuses it with {type(error).__name__}") from error

    def _value(self, node: ast.expr) -> Value:  # noqa: PLR0911, PLR0912 - one case a kind of expression
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
                return self._comprehended(generators, lambda: self.value(element))
            case ast.DictComp(key=key, value=value, generators=generators):
                return dict(self._comprehended(generators, lambda: (self.value(key), self.value(value))))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body if self.value(test) else orelse)
            case ast.UnaryOp(op=op, operand=operand):
                return unary(op, self.value(operand))
            case ast.BoolOp(op=op, values=values):
                return self._boolean(op, values)
            case ast.NamedExpr(target=ast.Name(id=name), value=inner):
                return self._named(name, inner)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if self._holds(name, attribute):
                return self.names.spaces[name][attribute]
            case ast.Compare(left=left, ops=ops, comparators=others):
                return compared(ops, [self.value(operand) for operand in (left, *others)])
            case _:
                raise NotLiteral(kind(node))

    def _name(self, name: str) -> Value:
        if name in self.names.constants:
            return self.names.constants[name]
        reason = self.names.opaque.get(name)
        if reason and _UNKNOWN_HERE in reason:
            raise NotLiteral(reason)  # the first in a chain says it
        raise NotLiteral(f"{name}{_UNKNOWN_HERE}" + (f" ({reason})" if reason else ""))

    def _named(self, name: str, node: ast.expr) -> Value:
        """`(X := "a")`."""
        try:
            found = self.value(node)
        except NotLiteral as error:
            self.names.unknown(name, str(error))
            raise
        self.names.constant(name, found)
        return found

    def _holds(self, name: str, attribute: str) -> bool:
        return attribute in self.names.spaces.get(name, {})

    def _part(self, part: ast.expr) -> str:
        """A piece of an f-string."""
        if isinstance(part, ast.FormattedValue):
            spec = self.value(part.format_spec) if part.format_spec else ""
            return formatted(self.value(part.value), _CONVERSIONS[part.conversion], str(spec))
        return str(self.value(part))

    def _boolean(self, op: ast.boolop, values: list[ast.expr]) -> Value:
        found: Value = None
        for value in values:
            found = self.value(value)
            if bool(found) == isinstance(op, ast.Or):
                break
        return found

    def _dict(self, node: ast.Dict) -> Value:
        """An entry that is no constant is left out by itself."""
        here, made = self._path, dict[Value, Value]()
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            self._path = here
            if key_node is None:
                self._unpack(value_node, made)
            else:
                self._entry(key_node, value_node, made)
        self._path = here
        return made

    def _entry(self, key_node: ast.expr, value_node: ast.expr, made: dict[Value, Value]) -> None:
        here, key = self._path, None
        self._path = (*here, spoken(key_node))
        try:
            key = self.value(key_node)
            self._path = (*here, str(key))
            self.lines[self._path] = key_node.lineno
            made[key] = self.value(value_node)
        except NotLiteral as error:
            made.pop(key, None)
            self.leave(value_node.lineno, self._path, str(error))

    def _unpack(self, node: ast.expr, made: dict[Value, Value]) -> None:
        """`{**X}`: an unknown X may replace what stands before it, so that goes as well."""
        here = self._path
        try:
            made.update(self._mapping(node))
        except NotLiteral as error:
            self.leave(node.lineno, (*here, f"**{spoken(node)}"), str(error))
            for key in made:
                reason = f"**{spoken(node)} after it may replace it"
                self.leave(self.lines.get((*here, str(key)), node.lineno), (*here, str(key)), reason)
            made.clear()

    def _mapping(self, node: ast.expr) -> dict[Value, Value]:
        found = self.value(node)
        if not isinstance(found, dict):
            raise NotLiteral("something is unpacked that is no dict")
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
            raise NotLiteral("a part of something that has none")
        if isinstance(index, ast.Slice):
            return container[self._slice(index)]
        return container[self.value(index)]  # type: ignore[index]

    def _slice(self, node: ast.Slice) -> Any:
        return slice(*(self.value(bound) if bound else None for bound in (node.lower, node.upper, node.step)))

    def _comprehended(self, generators: list[ast.comprehension], make: Callable[[], _Made]) -> list[_Made]:
        known = dict(self.names.constants)
        try:
            return [make() for _ in self._rounds(generators)]
        finally:
            self.names.constants = known

    def _rounds(self, generators: list[ast.comprehension]) -> Iterator[None]:
        """Each round of a comprehension, with its variables set."""
        generator, *inner = generators
        for item in items(self.value(generator.iter)):
            self.budget.step()
            self.bind(generator.target, item)
            if all(self.value(condition) for condition in generator.ifs):
                if inner:
                    yield from self._rounds(inner)
                else:
                    yield

    def bind(self, target: ast.expr, value: Value) -> None:
        if isinstance(target, ast.Name):
            self.names.constants[target.id] = value
        elif isinstance(target, ast.Tuple) and len(target.elts) == len(parts := list(items(value))):
            for element, part in zip(target.elts, parts, strict=True):
                self.bind(element, part)
        else:
            raise NotLiteral("a target that is not followed")

    def _call(self, node: ast.Call) -> Value:
        function = self.dotted(node.func)
        if function == "collections.defaultdict":
            return self._defaultdict(node)
        if function is not None:
            return self.budget.made_any(call_function(function, self._arguments(node), self._keywords(node)))
        if isinstance(node.func, ast.Attribute):
            try:
                receiver = self.value(node.func.value)
            except NotLiteral as error:
                raise NotLiteral(f"a call of {spoken(node.func)}") from error
            arguments = self._arguments(node)
            return self.budget.made_any(
                call_method(receiver, node.func.attr, arguments, self._keywords(node), self.budget)
            )
        raise NotLiteral(f"a call of {spoken(node.func)}")

    def _defaultdict(self, node: ast.Call) -> Value:
        match node.args:
            case [ast.Name(id="dict" | "list" | "str" as name) as factory, *rest] if self.dotted(factory):
                made = {"dict": dict, "list": list, "str": str}[name]
                return defaultdict(made, *self._elements(rest))
            case _:
                raise NotLiteral("a defaultdict of something unusual")

    def dotted(self, node: ast.expr) -> str | None:
        """The full name of a function that is followed, such as textwrap.dedent; None for any other."""
        match node:
            case ast.Name(id=name) if name in self.names.imported:
                return self.names.imported[name]
            case ast.Name(id=name) if name not in self.names.constants and name not in self.names.opaque:
                return f"builtins.{name}"
            case ast.Attribute(value=ast.Name(id=module), attr=attribute) if module in self.names.imported:
                return f"{self.names.imported[module]}.{attribute}"
            case _:
                return None

    def _arguments(self, node: ast.Call) -> list[Value]:
        return list(self._elements(node.args))

    def _keywords(self, node: ast.Call) -> dict[str, Value]:
        """A keyword is a key: `dict(model=os.environ["MODEL"])` leaves out that one alone."""
        by_name = isinstance(node.func, ast.Name) and node.func.id == "dict"
        lenient = by_name or (isinstance(node.func, ast.Attribute) and node.func.attr == "update")
        here, made = self._path, dict[str, Value]()
        for keyword in node.keywords:
            self._path = here
            if keyword.arg is None:
                made |= {str(key): value for key, value in self._mapping(keyword.value).items()}
                continue
            self._path = (*here, keyword.arg)
            self.lines[self._path] = keyword.value.lineno
            try:
                made[keyword.arg] = self.value(keyword.value)
            except NotLiteral as error:
                if not lenient:
                    raise
                self.leave(keyword.value.lineno, self._path, str(error))
        self._path = here
        return made

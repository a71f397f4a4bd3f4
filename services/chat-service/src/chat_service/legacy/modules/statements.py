"""Follows a module's statements in their order, as far as they make constants."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from chat_service.legacy.modules.calls import CHANGING, IMPORTABLE
from chat_service.legacy.modules.expressions import Evaluator
from chat_service.legacy.modules.names import Names, items, spoken
from chat_service.legacy.modules.values import LeftOut, NotLiteral, Path, Value


class Neighbors(Protocol):
    """The other modules that were given, by name; a shared constant may be imported from one."""

    def constants(self, module: str) -> Mapping[str, Value] | None: ...


class Follower:
    """`names` are the constants at the end; `left_out` is what was none."""

    def __init__(self, neighbors: Neighbors) -> None:
        self.names = Names()
        self.evaluator = Evaluator(self.names)
        self.lines: dict[str, int] = {}
        self._neighbors = neighbors

    @property
    def left_out(self) -> list[LeftOut]:
        return self.evaluator.left_out

    def follow(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            try:
                self._follow(statement)
            except (NotLiteral, RecursionError) as error:
                reason = str(error) if isinstance(error, NotLiteral) else "it is nested too deeply"
                self._give_up(statement, reason)

    def _follow(self, statement: ast.stmt) -> None:  # noqa: PLR0912 - one case a kind of statement
        match statement:
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign([target], value)
            case ast.AugAssign(target=target, op=op, value=value):
                read = _as_read(target)
                whole = ast.copy_location(ast.BinOp(left=read, op=op, right=value), statement)
                self._assign([target], whole)
            case ast.Expr(value=ast.Call() as call):
                self._call(call)
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.names.unknown(name, f"line {statement.lineno} defines it")
            case ast.If(test=test, body=body, orelse=orelse):
                if not _only_when_run(test):
                    self.follow(body if self.evaluator.evaluate(test, ()) else orelse)
            case ast.For(target=target, iter=iterated, body=body) if not _leaves_early(statement):
                for item in list(items(self.evaluator.evaluate(iterated, ()))):
                    self.evaluator.budget.step()
                    self.evaluator.bind(target, item)
                    self.follow(body)
            case ast.With(items=opened, body=body):
                for manager in opened:
                    self._unknown(manager.optional_vars, f"line {statement.lineno} opens it")
                self.follow(body)
            case ast.Try(body=body, orelse=orelse, finalbody=finalbody):
                self.follow([*body, *orelse, *finalbody])
            case ast.Delete(targets=targets):
                for target in targets:
                    self._delete(target)
            case ast.Expr() | ast.Pass() | ast.AnnAssign() | ast.Global() | ast.Assert():
                pass
            case _:
                raise NotLiteral(f"{type(statement).__name__} is not followed")

    def _assign(self, targets: list[ast.expr], node: ast.expr) -> None:
        first = targets[0]
        if isinstance(first, ast.Tuple) and isinstance(node, ast.Tuple) and _match(first.elts, node.elts):
            self._assign_each(first.elts, node.elts)
            return
        value = self.evaluator.evaluate(node, self._path_of(first) or ())
        for target in targets:
            self._bind(target, value)

    def _assign_each(self, targets: list[ast.expr], nodes: list[ast.expr]) -> None:
        """`A, B = "a", load()`: one that is no constant doesn't take the others along."""
        found: list[Value | NotLiteral] = []
        for target, node in zip(targets, nodes, strict=True):
            try:
                found.append(self.evaluator.evaluate(node, self._path_of(target) or ()))
            except NotLiteral as error:
                found.append(error)
        for target, value in zip(targets, found, strict=True):
            if isinstance(value, NotLiteral):
                self._unknown(target, str(value))
            else:
                self._bind(target, value)

    def _bind(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self.names.constant(name, value)
                self.lines[name] = target.lineno
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                parts = list(items(value))
                if len(parts) != len(elements) or any(_is_starred(element) for element in elements):
                    raise NotLiteral("parts that don't fit their names")
                for element, part in zip(elements, parts, strict=True):
                    self._bind(element, part)
            case ast.Subscript(value=base, slice=index):
                container, key = self.evaluator.value(base), self.evaluator.value(index)
                if not isinstance(container, dict):
                    raise NotLiteral("a part of something that is no dict")
                try:
                    container[key] = value
                except TypeError as error:
                    raise NotLiteral("a key that can't be one") from error
                path = self._path_of(target)
                if path:
                    self.evaluator.lines[path] = target.lineno
            case _:
                raise NotLiteral(f"{spoken(target)} belongs to an object")

    def _call(self, call: ast.Call) -> None:
        """`X.update(...)` and the like change X; any other call matters if X is handed to it."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in CHANGING:
            path = self._path_of(call.func.value) or (spoken(call.func.value),)
            try:
                self.evaluator.evaluate(call, path)
            except NotLiteral as error:
                self.left_out.append(LeftOut(call.lineno, path, f"{call.func.attr} with {error}"))
            return
        given = {
            node.id for node in ast.walk(call) if isinstance(node, ast.Name)
        } & self.names.constants.keys()
        for name in sorted(given):
            if isinstance(self.names.constants[name], dict | list):
                reason = f"{spoken(call.func)}(...) is not run; it may change {name}"
                self.left_out.append(LeftOut(call.lineno, (spoken(call.func),), reason))

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                self._import_name(alias.asname or alias.name.partition(".")[0], alias.name, statement.lineno)
            return
        module = statement.module or ""
        shared = self._neighbors.constants(module.rpartition(".")[2]) or {}
        for alias in statement.names:
            name = alias.asname or alias.name
            if alias.name == "*":
                for shared_name, value in shared.items():
                    self.names.constant(shared_name, value)
            elif alias.name in shared:
                self.names.constant(name, shared[alias.name])
            else:
                self._import_name(name, f"{module}.{alias.name}", statement.lineno)

    def _import_name(self, name: str, dotted: str, line: int) -> None:
        if dotted.partition(".")[0] in IMPORTABLE:
            self.names.alias(name, dotted)
        else:
            self.names.unknown(name, f"line {line} imports it")

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.names.forget(target.id)
        elif isinstance(target, ast.Subscript):
            container = self.evaluator.value(target.value)
            if isinstance(container, dict):
                container.pop(self.evaluator.value(target.slice), None)

    def _give_up(self, statement: ast.stmt, reason: str) -> None:
        """Whatever the statement sets, also under a condition, is no constant from here on."""
        for target in _targets(statement):
            self._unknown(target, reason)

    def _unknown(self, target: ast.expr | None, reason: str) -> None:
        match target:
            case None:
                pass
            case ast.Name(id=name):
                self.names.unknown(name, reason)
                self.left_out.append(LeftOut(target.lineno, (name,), reason))
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self._unknown(element, reason)
            case ast.Starred(value=value):
                self._unknown(value, reason)
            case _:
                path = self._path_of(target) or (spoken(target),)
                if isinstance(target, ast.Subscript):
                    self._forget_entry(target)
                self.left_out.append(LeftOut(target.lineno, path, reason))

    def _forget_entry(self, target: ast.Subscript) -> None:
        try:
            self._delete(target)
        except NotLiteral:
            return  # an entry of something unknown: there is nothing to forget

    def _path_of(self, target: ast.expr) -> Path | None:
        """Where an assignment puts its value, as far as the names and keys are constants."""
        match target:
            case ast.Name(id=name):
                return (name,)
            case ast.Subscript(value=base, slice=index):
                path = self._path_of(base)
                try:
                    return (*path, str(self.evaluator.value(index))) if path else None
                except NotLiteral:
                    return None
            case ast.Call(func=ast.Attribute(value=base, attr="setdefault"), args=[key, *_]):
                return self._path_of(ast.copy_location(ast.Subscript(value=base, slice=key), target))
            case _:
                return None


def _targets(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement sets, also inside its blocks, but not inside functions and classes."""
    match statement:
        case ast.Assign(targets=targets):
            yield from targets
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            yield target
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield target
        case ast.Match(cases=cases):
            for case in cases:
                for inner in case.body:
                    yield from _targets(inner)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return
    for block in ("body", "orelse", "finalbody"):
        for inner in getattr(statement, block, None) or ():
            yield from _targets(inner)
    for handler in getattr(statement, "handlers", ()):
        for inner in handler.body:
            yield from _targets(inner)


def _as_read(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    """An augmented assignment reads what it sets."""
    return target


def _match(targets: list[ast.expr], values: list[ast.expr]) -> bool:
    return len(targets) == len(values) and not any(_is_starred(node) for node in (*targets, *values))


def _leaves_early(loop: ast.For) -> bool:
    return any(isinstance(node, ast.Break | ast.Continue) for node in ast.walk(loop))


def _is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def _only_when_run(test: ast.expr) -> bool:
    """`if __name__ == "__main__"` and `if TYPE_CHECKING`: what is in there is no part of the module."""
    return any(
        isinstance(node, ast.Name) and node.id in ("__name__", "TYPE_CHECKING") for node in ast.walk(test)
    )

"""Follows a module's statements in their order, as far as they make constants."""

import ast
from collections.abc import Iterable, Mapping
from typing import Protocol

from legacy_import.modules.calls import CHANGING, IMPORTABLE
from legacy_import.modules.expressions import Evaluator
from legacy_import.modules.names import Names, items, spoken
from legacy_import.modules.shapes import (
    as_read,
    changes,
    is_plain,
    leaves_loop,
    match,
    only_when_run,
    root,
    shared_out,
    targets,
    targets_in,
)
from legacy_import.modules.values import LeftOut, NotLiteral, Path, Value


class Neighbors(Protocol):
    """The other modules that were given, by name; a shared constant may be imported from one."""

    def constants(self, module: str) -> Mapping[str, Value] | None: ...


_OF_A_WEEK = ("QUESTIONS", "SYSTEM_PROMPTS")


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


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
                if leaves_loop(statement):
                    raise NotLiteral(reason) from error

    def _follow(self, statement: ast.stmt) -> None:  # noqa: PLR0912 - one case a kind of statement
        match statement:
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign([target], value)
            case ast.AugAssign(target=changed, op=op, value=value):
                whole = ast.copy_location(ast.BinOp(left=as_read(changed), op=op, right=value), statement)
                self._assign([as_read(changed)], whole)
            case ast.Expr(value=ast.Call() as call):
                self._call(call)
            case ast.Expr(value=ast.NamedExpr(target=target, value=value)):
                self._assign([target], value)
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.names.unknown(name, f"line {statement.lineno} defines it")
                self._define(statement)
            case ast.If(test=test, body=body, orelse=orelse):
                if not only_when_run(test):
                    self.follow(body if self.evaluator.evaluate(test, ()) else orelse)
            case ast.For():
                self._loop(statement)
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue
            case ast.With(items=opened, body=body):
                for manager in opened:
                    self._unknown(manager.optional_vars, f"line {statement.lineno} opens it")
                self.follow(body)
            case ast.Try(body=body, orelse=orelse, finalbody=finalbody):
                self.follow([*body, *orelse, *finalbody])
            case ast.Delete(targets=targets):
                for deleted in targets:
                    self._delete(deleted)
            case ast.Expr() | ast.Pass() | ast.AnnAssign() | ast.Global() | ast.Assert():
                pass
            case _:
                raise NotLiteral(f"a statement with {type(statement).__name__.lower()} is not followed")

    def _loop(self, loop: ast.For) -> None:
        for item in list(items(self.evaluator.evaluate(loop.iter, ()))):
            self.evaluator.budget.step()
            self.evaluator.bind(loop.target, item)
            try:
                self.follow(loop.body)
            except _Continue:
                continue
            except _Break:
                return
        self.follow(loop.orelse)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """A plain class may hold constants; what else sets a week's own is said, and not run."""
        if isinstance(node, ast.ClassDef) and is_plain(node):
            inner = Follower(self._neighbors)
            inner.names = inner.evaluator.names = self.names.copy()
            inner.evaluator.budget = self.evaluator.budget
            inner.follow(node.body)
            own = {target.id for target in targets_in(node.body) if isinstance(target, ast.Name)}
            self.names.space(node.name, {n: v for n, v in inner.names.constants.items() if n in own})
            for left in inner.left_out:
                self.evaluator.leave(left.line, (f"{node.name}.{left.path[0]}", *left.path[1:]), left.reason)
        what = "class" if isinstance(node, ast.ClassDef) else "function"
        for target in targets_in(node.body):
            name = spoken(root(target))
            if name in _OF_A_WEEK:
                reason = f"the {what} {node.name} sets it, not the module itself"
                self.evaluator.leave(target.lineno, (name, "…"), reason)

    def _assign(self, targets: list[ast.expr], node: ast.expr) -> None:
        self._replace(targets, node)
        first = targets[0]
        if isinstance(first, ast.Tuple) and isinstance(node, ast.Tuple) and match(first.elts, node.elts):
            self._assign_each(first.elts, node.elts)
            return
        value = self.evaluator.evaluate(node, self._path_of(first) or ())
        for target in targets:
            self._bind(target, value)

    def _replace(self, targets: list[ast.expr], node: ast.expr) -> None:
        """What was left out under a name doesn't matter once the name is set anew without it."""
        read = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        for target in targets:
            path = self._path_of(target)
            if path and path[0] not in read:
                self.evaluator.set_anew(path)

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
                for element, part in shared_out(elements, list(items(value))):
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
                self.evaluator.leave(call.lineno, (*path, "…"), f"{call.func.attr} with {error}")
            return
        given = {
            node.id for node in ast.walk(call) if isinstance(node, ast.Name)
        } & self.names.constants.keys()
        for name in sorted(given):
            if isinstance(self.names.constants[name], dict | list):
                reason = f"{spoken(call.func)}(...) is not run; it may change {name}"
                self.evaluator.leave(call.lineno, (spoken(call.func),), reason)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                name, inside = alias.asname or alias.name, self._neighbors.constants(alias.name)
                if inside is not None:
                    self.names.space(name, inside)
                else:
                    self._import_name(name.partition(".")[0], alias.name, statement.lineno)
            return
        module = statement.module or ""
        given = self._neighbors.constants(module.rpartition(".")[2])
        shared = given or {}
        for alias in statement.names:
            name = alias.asname or alias.name
            inside = self._neighbors.constants(alias.name) if given is None else None
            if alias.name == "*":
                for shared_name, value in shared.items():
                    self.names.constant(shared_name, value)
            elif alias.name in shared:
                self.names.constant(name, shared[alias.name])
            elif inside is not None:
                self.names.space(name, inside)
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
        for target in targets(statement):
            self._unknown(target, reason)
        for changed, how in changes(statement):
            path = self._path_of(changed) or (spoken(root(changed)),)
            self.evaluator.leave(changed.lineno, (*path, "…"), f"{how}: {reason}")

    def _unknown(self, target: ast.expr | None, reason: str) -> None:
        match target:
            case None:
                pass
            case ast.Name(id=name):
                self.names.unknown(name, reason)
                self.evaluator.leave(target.lineno, (name,), reason)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self._unknown(element, reason)
            case ast.Starred(value=value):
                self._unknown(value, reason)
            case _:
                path = self._path_of(target) or (spoken(root(target)), "…")
                if isinstance(target, ast.Subscript):
                    self._forget_entry(target)
                self.evaluator.leave(target.lineno, path, reason)

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

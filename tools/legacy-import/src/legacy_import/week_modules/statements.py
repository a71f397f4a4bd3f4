"""Follows a module's statements in order and collects its constants."""

import ast
from collections.abc import Iterable, Mapping
from typing import Protocol

from legacy_import.week_modules.expressions import ExpressionEvaluator
from legacy_import.week_modules.operations import CHANGING, IMPORTABLE
from legacy_import.week_modules.syntax import (
    as_expression,
    changes,
    is_plain_class,
    is_run_only,
    leaves_loop,
    pair_up,
    root,
    targets,
    targets_in,
    unpack,
)
from legacy_import.week_modules.values import (
    NotConstant,
    Path,
    Scope,
    SkippedValue,
    Value,
    dotted_name,
    items,
)


class OtherModules(Protocol):
    """The other given modules, whose constants may be imported."""

    def constants(self, module: str) -> Mapping[str, Value] | None: ...


_WEEK_CONSTANTS = ("QUESTIONS", "SYSTEM_PROMPTS")


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class StatementEvaluator:
    """Evaluates a module's statements; afterwards `scope` holds its constants, `skipped` the other values."""

    def __init__(self, others: OtherModules) -> None:
        self.scope = Scope()
        self.expressions = ExpressionEvaluator(self.scope)
        self.lines: dict[str, int] = {}
        self._others = others

    @property
    def skipped(self) -> list[SkippedValue]:
        return self.expressions.skipped

    def evaluate(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            try:
                self._statement(statement)
            except (NotConstant, RecursionError) as error:
                reason = str(error) if isinstance(error, NotConstant) else "it is nested too deeply"
                self._mark_unknown(statement, reason)
                if leaves_loop(statement):
                    raise NotConstant(reason) from error

    def _statement(self, statement: ast.stmt) -> None:  # noqa: PLR0912 - one case per kind of statement
        match statement:
            case ast.Assign(targets=targets, value=value):
                self._assign(targets, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign([target], value)
            case ast.AugAssign(target=changed, op=op, value=value):
                whole = ast.copy_location(
                    ast.BinOp(left=as_expression(changed), op=op, right=value), statement
                )
                self._assign([as_expression(changed)], whole)
            case ast.Expr(value=ast.Call() as call):
                self._call(call)
            case ast.Expr(value=ast.NamedExpr(target=target, value=value)):
                self._assign([target], value)
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.scope.set_unknown(name, f"line {statement.lineno} defines it")
                self._define(statement)
            case ast.If(test=test, body=body, orelse=orelse):
                if not is_run_only(test):
                    self.evaluate(body if self.expressions.evaluate(test, ()) else orelse)
            case ast.For():
                self._loop(statement)
            case ast.Break():
                raise _Break
            case ast.Continue():
                raise _Continue
            case ast.With(items=opened, body=body):
                for manager in opened:
                    self._unknown(manager.optional_vars, f"line {statement.lineno} opens it")
                self.evaluate(body)
            case ast.Try(body=body, orelse=orelse, finalbody=finalbody):
                self.evaluate([*body, *orelse, *finalbody])
            case ast.Delete(targets=targets):
                for deleted in targets:
                    self._delete(deleted)
            case ast.Expr() | ast.Pass() | ast.AnnAssign() | ast.Global() | ast.Assert():
                pass
            case _:
                raise NotConstant(f"a statement with {type(statement).__name__.lower()} is not followed")

    def _loop(self, loop: ast.For) -> None:
        for item in list(items(self.expressions.evaluate(loop.iter, ()))):
            self.expressions.budget.step()
            self.expressions.bind(loop.target, item)
            try:
                self.evaluate(loop.body)
            except _Continue:
                continue
            except _Break:
                return
        self.evaluate(loop.orelse)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """Read the constants of a plain class; report functions and classes that set a week's constants."""
        if isinstance(node, ast.ClassDef) and is_plain_class(node):
            inner = StatementEvaluator(self._others)
            inner.scope = inner.expressions.scope = self.scope.copy()
            inner.expressions.budget = self.expressions.budget
            inner.evaluate(node.body)
            own = {target.id for target in targets_in(node.body) if isinstance(target, ast.Name)}
            self.scope.set_namespace(node.name, {n: v for n, v in inner.scope.constants.items() if n in own})
            for left in inner.skipped:
                self.expressions.skip(left.line, (f"{node.name}.{left.path[0]}", *left.path[1:]), left.reason)
        what = "class" if isinstance(node, ast.ClassDef) else "function"
        for target in targets_in(node.body):
            name = dotted_name(root(target))
            if name in _WEEK_CONSTANTS:
                reason = f"the {what} {node.name} sets it, not the module itself"
                self.expressions.skip(target.lineno, (name, "…"), reason)

    def _assign(self, targets: list[ast.expr], node: ast.expr) -> None:
        self._drop_skipped(targets, node)
        first = targets[0]
        if isinstance(first, ast.Tuple) and isinstance(node, ast.Tuple) and pair_up(first.elts, node.elts):
            self._assign_each(first.elts, node.elts)
            return
        value = self.expressions.evaluate(node, self._path_of(first) or ())
        for target in targets:
            self._bind(target, value)

    def _drop_skipped(self, targets: list[ast.expr], node: ast.expr) -> None:
        """Drop skipped values of names that are assigned without reading their old value."""
        read = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
        for target in targets:
            path = self._path_of(target)
            if path and path[0] not in read:
                self.expressions.forget_skipped(path)

    def _assign_each(self, targets: list[ast.expr], nodes: list[ast.expr]) -> None:
        """Evaluate `A, B = "a", load()`: each value by itself."""
        found: list[Value | NotConstant] = []
        for target, node in zip(targets, nodes, strict=True):
            try:
                found.append(self.expressions.evaluate(node, self._path_of(target) or ()))
            except NotConstant as error:
                found.append(error)
        for target, value in zip(targets, found, strict=True):
            if isinstance(value, NotConstant):
                self._unknown(target, str(value))
            else:
                self._bind(target, value)

    def _bind(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name(id=name):
                self.scope.set_constant(name, value)
                self.lines[name] = target.lineno
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element, part in unpack(elements, list(items(value))):
                    self._bind(element, part)
            case ast.Subscript(value=base, slice=index):
                container, key = self.expressions.value(base), self.expressions.value(index)
                if not isinstance(container, dict):
                    raise NotConstant("a part of something that is no dict")
                try:
                    container[key] = value
                except TypeError as error:
                    raise NotConstant("a key that can't be one") from error
                path = self._path_of(target)
                if path:
                    self.expressions.lines[path] = target.lineno
            case _:
                raise NotConstant(f"{dotted_name(target)} belongs to an object")

    def _call(self, call: ast.Call) -> None:
        """Follow `X.update(...)` and similar calls; report other calls that may change a constant."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in CHANGING:
            path = self._path_of(call.func.value) or (dotted_name(call.func.value),)
            try:
                self.expressions.evaluate(call, path)
            except NotConstant as error:
                self.expressions.skip(call.lineno, (*path, "…"), f"{call.func.attr} with {error}")
            return
        given = {
            node.id for node in ast.walk(call) if isinstance(node, ast.Name)
        } & self.scope.constants.keys()
        for name in sorted(given):
            if isinstance(self.scope.constants[name], dict | list):
                reason = f"{dotted_name(call.func)}(...) is not run; it may change {name}"
                self.expressions.skip(call.lineno, (dotted_name(call.func),), reason)

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        if isinstance(statement, ast.Import):
            for alias in statement.names:
                name, inside = alias.asname or alias.name, self._others.constants(alias.name)
                if inside is not None:
                    self.scope.set_namespace(name, inside)
                else:
                    self._import_name(name.partition(".")[0], alias.name, statement.lineno)
            return
        module = statement.module or ""
        given = self._others.constants(module.rpartition(".")[2])
        shared = given or {}
        for alias in statement.names:
            name = alias.asname or alias.name
            inside = self._others.constants(alias.name) if given is None else None
            if alias.name == "*":
                for shared_name, value in shared.items():
                    self.scope.set_constant(shared_name, value)
            elif alias.name in shared:
                self.scope.set_constant(name, shared[alias.name])
            elif inside is not None:
                self.scope.set_namespace(name, inside)
            else:
                self._import_name(name, f"{module}.{alias.name}", statement.lineno)

    def _import_name(self, name: str, dotted: str, line: int) -> None:
        if dotted.partition(".")[0] in IMPORTABLE:
            self.scope.set_import(name, dotted)
        else:
            self.scope.set_unknown(name, f"line {line} imports it")

    def _delete(self, target: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.scope.forget(target.id)
        elif isinstance(target, ast.Subscript):
            container = self.expressions.value(target.value)
            if isinstance(container, dict):
                container.pop(self.expressions.value(target.slice), None)

    def _mark_unknown(self, statement: ast.stmt, reason: str) -> None:
        """Mark all names that the statement may set as unknown."""
        for target in targets(statement):
            self._unknown(target, reason)
        for changed, how in changes(statement):
            path = self._path_of(changed) or (dotted_name(root(changed)),)
            self.expressions.skip(changed.lineno, (*path, "…"), f"{how}: {reason}")

    def _unknown(self, target: ast.expr | None, reason: str) -> None:
        match target:
            case None:
                pass
            case ast.Name(id=name):
                self.scope.set_unknown(name, reason)
                self.expressions.skip(target.lineno, (name,), reason)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                for element in elements:
                    self._unknown(element, reason)
            case ast.Starred(value=value):
                self._unknown(value, reason)
            case _:
                path = self._path_of(target) or (dotted_name(root(target)), "…")
                if isinstance(target, ast.Subscript):
                    self._forget_entry(target)
                self.expressions.skip(target.lineno, path, reason)

    def _forget_entry(self, target: ast.Subscript) -> None:
        try:
            self._delete(target)
        except NotConstant:
            return  # an entry of something unknown

    def _path_of(self, target: ast.expr) -> Path | None:
        """The path that an assignment sets; None unless all keys are constants."""
        match target:
            case ast.Name(id=name):
                return (name,)
            case ast.Subscript(value=base, slice=index):
                path = self._path_of(base)
                try:
                    return (*path, str(self.expressions.value(index))) if path else None
                except NotConstant:
                    return None
            case ast.Call(func=ast.Attribute(value=base, attr="setdefault"), args=[key, *_]):
                return self._path_of(ast.copy_location(ast.Subscript(value=base, slice=key), target))
            case _:
                return None

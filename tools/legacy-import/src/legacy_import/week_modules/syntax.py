"""Questions about the syntax of a statement: what it sets, what it contains."""

import ast
from collections.abc import Iterable, Iterator

from legacy_import.week_modules.operations import CHANGING
from legacy_import.week_modules.values import NotConstant, Value


def targets(statement: ast.stmt) -> Iterator[ast.expr]:
    """Targets that a statement sets, also in nested blocks, but not in functions and classes."""
    match statement:
        case ast.Assign(targets=targets):
            yield from targets
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
            yield target
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield target
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return
    yield from targets_in(blocks(statement))


def targets_in(statements: Iterable[ast.stmt]) -> Iterator[ast.expr]:
    for statement in statements:
        yield from targets(statement)


def blocks(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements nested in one."""
    for block in ("body", "orelse", "finalbody"):
        yield from getattr(statement, block, None) or ()
    for handler in getattr(statement, "handlers", ()):
        yield from handler.body
    for case in getattr(statement, "cases", ()):
        yield from case.body


def changes(statement: ast.stmt) -> Iterator[tuple[ast.expr, str]]:
    """X and method of each `X.update(...)` or similar call nested in a statement."""
    for inner in blocks(statement):
        match inner:
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=base, attr=how))) if how in CHANGING:
                yield base, how
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case _:
                yield from changes(inner)


def as_expression(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    """The target of an augmented assignment, as the expression that it reads."""
    return target


def pair_up(targets: list[ast.expr], values: list[ast.expr]) -> bool:
    return len(targets) == len(values) and not any(is_starred(node) for node in (*targets, *values))


def leaves_loop(statement: ast.stmt) -> bool:
    """Whether the statement contains a `break` or `continue` of an enclosing loop."""
    if isinstance(statement, ast.Break | ast.Continue):
        return True
    own = (ast.For, ast.While, ast.AsyncFor, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return not isinstance(statement, own) and any(map(leaves_loop, blocks(statement)))


def root(node: ast.expr) -> ast.expr:
    """The X of `X[1].update(...)`."""
    while True:
        match node:
            case ast.Subscript(value=inner) | ast.Call(func=inner):
                node = inner
            case ast.Attribute(value=inner) if not isinstance(inner, ast.Name):
                node = inner
            case ast.Attribute(value=inner, attr=attribute) if attribute in CHANGING:
                node = inner
            case _:
                return node


def is_plain_class(node: ast.ClassDef) -> bool:
    """Whether no base, keyword or decorator can change the class's constants, as Enum does."""
    bases = [base for base in node.bases if not (isinstance(base, ast.Name) and base.id == "object")]
    return not bases and not node.keywords and not node.decorator_list


def unpack(targets: list[ast.expr], parts: list[Value]) -> list[tuple[ast.expr, Value]]:
    """Pair targets with their values; a starred target gets the rest as a list."""
    starred = next((index for index, target in enumerate(targets) if is_starred(target)), None)
    if starred is not None and len(parts) >= len(targets) - 1:
        after = len(parts) - (len(targets) - starred - 1)
        parts = [*parts[:starred], parts[starred:after], *parts[after:]]
    if len(parts) != len(targets):
        raise NotConstant("parts that don't fit their names")
    plain = [target.value if isinstance(target, ast.Starred) else target for target in targets]
    return list(zip(plain, parts, strict=True))


def is_starred(node: ast.expr) -> bool:
    return isinstance(node, ast.Starred)


def is_run_only(test: ast.expr) -> bool:
    """Whether it tests `__name__` or `TYPE_CHECKING`, so that its block sets no constants of the module."""
    return any(
        isinstance(node, ast.Name) and node.id in ("__name__", "TYPE_CHECKING") for node in ast.walk(test)
    )

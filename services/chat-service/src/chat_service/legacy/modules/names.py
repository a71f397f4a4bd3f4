"""What is known at a point of a module, and how its parts are spoken of."""

import ast
from collections.abc import Iterator

from chat_service.legacy.modules.values import NotLiteral, Value


class Names:
    """What is known at this point of the module: constants, what is none and why, and what was imported."""

    def __init__(self) -> None:
        self.constants: dict[str, Value] = {}
        self.opaque: dict[str, str] = {}
        self.imported: dict[str, str] = {}

    def constant(self, name: str, value: Value) -> None:
        self.forget(name)
        self.constants[name] = value

    def unknown(self, name: str, reason: str) -> None:
        self.forget(name)
        self.opaque[name] = reason

    def alias(self, name: str, dotted: str) -> None:
        self.forget(name)
        self.imported[name] = dotted

    def forget(self, name: str) -> None:
        for known in (self.constants, self.opaque, self.imported):
            known.pop(name, None)


def items(value: Value) -> Iterator[Value]:
    if not isinstance(value, str | list | tuple | dict):
        raise NotLiteral("something is gone through that has no items")
    return iter(value)


def kind(node: ast.expr) -> str:
    return {"Lambda": "a lambda", "Await": "an await", "Attribute": f"the attribute {spoken(node)}"}.get(
        type(node).__name__, f"this kind of expression ({type(node).__name__})"
    )


def spoken(node: ast.expr) -> str:
    """A dotted name as it is written, never more: arguments may hold secrets."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=base, attr=attribute):
            return f"{spoken(base)}.{attribute}"
        case _:
            return "…"

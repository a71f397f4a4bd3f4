"""What is known at a point of a module, and how its parts are spoken of."""

import ast
from collections.abc import Iterator, Mapping

from legacy_import.modules.values import NotLiteral, Value


class Names:
    """What is known at this point of the module: constants, what is none and why, and what was imported.

    `spaces` are modules and classes by name, with the constants in them.
    """

    def __init__(self) -> None:
        self.constants: dict[str, Value] = {}
        self.opaque: dict[str, str] = {}
        self.imported: dict[str, str] = {}
        self.spaces: dict[str, Mapping[str, Value]] = {}

    def copy(self) -> "Names":
        """For a class: it sees what is outside of it, and what it sets stays inside."""
        found = Names()
        found.constants |= self.constants
        found.opaque |= self.opaque
        found.imported |= self.imported
        found.spaces |= self.spaces
        return found

    def constant(self, name: str, value: Value) -> None:
        self.forget(name)
        self.constants[name] = value

    def unknown(self, name: str, reason: str) -> None:
        self.forget(name)
        self.opaque[name] = reason

    def alias(self, name: str, dotted: str) -> None:
        self.forget(name)
        self.imported[name] = dotted

    def space(self, name: str, constants: Mapping[str, Value]) -> None:
        """A module or class, whose constants are known as `name.X`."""
        self.forget(name)
        self.spaces[name] = constants

    def forget(self, name: str) -> None:
        for known in (self.constants, self.opaque, self.imported, self.spaces):
            known.pop(name, None)


def items(value: Value) -> Iterator[Value]:
    if not isinstance(value, str | list | tuple | dict):
        raise NotLiteral("something is gone through that has no items")
    return iter(value)


def kind(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return f"a value of the kind {type(node.value).__name__}"
    return {
        "Lambda": "a lambda",
        "Await": "an await",
        "Set": "a set",
        "SetComp": "a set",
        "Attribute": f"the attribute {spoken(node)}",
    }.get(type(node).__name__, f"this kind of expression ({type(node).__name__})")


def spoken(node: ast.expr) -> str:
    """A dotted name as it is written, never more: arguments may hold secrets."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=base, attr=attribute):
            return f"{spoken(base)}.{attribute}"
        case _:
            return "…"

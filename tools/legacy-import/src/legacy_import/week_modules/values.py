"""Values of constants, the names known in a module, and the limits of an evaluation."""

import ast
from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import TypeVar

Value = str | int | float | bool | None | list["Value"] | tuple["Value", ...] | dict["Value", "Value"]
Path = tuple[str, ...]
"""Name of a constant, then keys as written, such as ("SYSTEM_PROMPTS", "5")."""

_Sized = TypeVar("_Sized", bound=Sized)

MAX_STEPS = 2_000_000
MAX_SIZE = 20_000_000


class NotConstant(Exception):
    """The value can't be determined without running the module; the message says why."""


@dataclass(frozen=True)
class SkippedValue:
    """A value of the module that is no constant."""

    line: int
    path: Path
    reason: str

    @property
    def name(self) -> str:
        return self.path[0] + "".join(f"[{key}]" for key in self.path[1:])


class Budget:
    """Limits steps and text size of an evaluation: few lines can describe more text than fits in memory."""

    def __init__(self) -> None:
        self._steps = 0
        self._size = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise NotConstant("the module describes too much")

    def spend(self, size: int) -> None:
        self._size += size
        if self._size > MAX_SIZE:
            raise NotConstant("the module describes too much text")

    def made(self, value: _Sized) -> _Sized:
        self.spend(len(value))
        return value

    def made_any(self, value: Value) -> Value:
        return self.made(value) if isinstance(value, str | list | tuple | dict) else value


class Scope:
    """Names at one point of a module.

    `constants`: values by name; `unknown`: why a name is no constant; `imported`:
    dotted names of followed functions and modules; `namespaces`: constants of
    modules and classes.
    """

    def __init__(self) -> None:
        self.constants: dict[str, Value] = {}
        self.unknown: dict[str, str] = {}
        self.imported: dict[str, str] = {}
        self.namespaces: dict[str, Mapping[str, Value]] = {}

    def copy(self) -> "Scope":
        """A copy for a class body, which sees the outer names but doesn't change them."""
        found = Scope()
        found.constants |= self.constants
        found.unknown |= self.unknown
        found.imported |= self.imported
        found.namespaces |= self.namespaces
        return found

    def set_constant(self, name: str, value: Value) -> None:
        self.forget(name)
        self.constants[name] = value

    def set_unknown(self, name: str, reason: str) -> None:
        self.forget(name)
        self.unknown[name] = reason

    def set_import(self, name: str, dotted: str) -> None:
        self.forget(name)
        self.imported[name] = dotted

    def set_namespace(self, name: str, constants: Mapping[str, Value]) -> None:
        """Set a module or class whose constants are read as `name.X`."""
        self.forget(name)
        self.namespaces[name] = constants

    def forget(self, name: str) -> None:
        for known in (self.constants, self.unknown, self.imported, self.namespaces):
            known.pop(name, None)


def items(value: Value) -> Iterator[Value]:
    if not isinstance(value, str | list | tuple | dict):
        raise NotConstant("iteration over something that has no items")
    return iter(value)


def expression_kind(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return f"a value of the kind {type(node.value).__name__}"
    return {
        "Lambda": "a lambda",
        "Await": "an await",
        "Set": "a set",
        "SetComp": "a set",
        "Attribute": f"the attribute {dotted_name(node)}",
    }.get(type(node).__name__, f"this kind of expression ({type(node).__name__})")


def dotted_name(node: ast.expr) -> str:
    """The dotted name as written, without arguments, since they may hold secrets."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=base, attr=attribute):
            return f"{dotted_name(base)}.{attribute}"
        case _:
            return "…"

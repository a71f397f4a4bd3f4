"""What a constant may be, how much of it, and why something is none."""

from collections.abc import Sized
from dataclasses import dataclass
from typing import TypeVar

Value = str | int | float | bool | None | list["Value"] | tuple["Value", ...] | dict["Value", "Value"]
Path = tuple[str, ...]
"""Where a value stands: the constant's name, then its keys as written, such as ("SYSTEM_PROMPTS", "5")."""

_Sized = TypeVar("_Sized", bound=Sized)

MAX_STEPS = 2_000_000
MAX_SIZE = 20_000_000


class NotLiteral(Exception):
    """Its value can't be known without running the module."""


@dataclass(frozen=True)
class LeftOut:
    """Something of the module that is no constant."""

    line: int
    path: Path
    reason: str

    @property
    def name(self) -> str:
        return self.path[0] + "".join(f"[{key}]" for key in self.path[1:])


class Budget:
    """A module of a few lines can describe more text than a machine holds: it is stopped in time."""

    def __init__(self) -> None:
        self._steps = 0
        self._size = 0

    def step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise NotLiteral("the module describes too much")

    def spend(self, size: int) -> None:
        self._size += size
        if self._size > MAX_SIZE:
            raise NotLiteral("the module describes too much text")

    def made(self, value: _Sized) -> _Sized:
        self.spend(len(value))
        return value

    def made_any(self, value: Value) -> Value:
        return self.made(value) if isinstance(value, str | list | tuple | dict) else value

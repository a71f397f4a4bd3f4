"""A Python file as text, into its constants."""

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from legacy_import.modules.statements import Follower, Neighbors
from legacy_import.modules.values import LeftOut, Path, Value

MAX_CHARACTERS = 8_000_000
_MOST_REPAIRS = 200
_LINE_END = re.compile(r"\r\n|\r|\n")
"""Where Python ends a line; `splitlines` also would at form feeds and inside of texts."""
_OLD_STATEMENT = re.compile(
    r"(?P<head>(?:.*?[:;])??\s*)((print|exec)(\s+[^\s(=.]|\s*>>)|raise\s+[\w.]+\s*,).*", re.DOTALL
)
_OLD_EXCEPT = re.compile(r"(?P<head>\s*except\s+[\w.()\s,]+?),\s*\w+\s*:(?P<tail>.*)")


class Unreadable(ValueError):
    """The file is no Python that can be read; says the line."""


@dataclass(frozen=True)
class Constants:
    """What a module fixes. `lines` say where; `repaired` are lines in Python 2 that were passed over."""

    values: Mapping[str, Value]
    lines: Mapping[Path, int]
    left_out: list[LeftOut]
    repaired: list[int] = field(default_factory=list)

    def line(self, *path: str) -> int:
        """The line where a value is set, or the nearest that is known."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


class NoNeighbors:
    def constants(self, module: str) -> None:  # noqa: ARG002
        return None


def read_constants(text: str, neighbors: Neighbors | None = None) -> Constants:
    """Follow the module's statements; run none. Raises Unreadable."""
    tree, repaired = _parse(text)
    follower = Follower(neighbors or NoNeighbors())
    try:
        follower.follow(tree.body)
    except (RecursionError, MemoryError) as error:
        raise Unreadable("it is nested too deeply to be read") from error
    lines = {(name,): line for name, line in follower.lines.items()} | follower.evaluator.lines
    return Constants(follower.names.constants, lines, follower.left_out, repaired)


def _parse(text: str) -> tuple[ast.Module, list[int]]:
    """The syntax tree; statements that only Python 2 knows are passed over, each named by its line."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(f"it has {len(text):,} characters; a week module has at most {MAX_CHARACTERS:,}")
    if "\x00" in text:
        line = len(_LINE_END.findall(text[: text.index("\x00")])) + 1
        raise Unreadable(f"line {line}: a null byte, which no text has; the file is damaged")
    lines = _LINE_END.split(text)
    repaired: list[int] = []
    while True:
        try:
            return _tree("\n".join(lines) + "\n" if repaired else text), repaired
        except SyntaxError as error:
            line = error.lineno or 0
            replaced = _modern(lines[line - 1]) if 0 < line <= len(lines) else None
            if replaced is None or line in repaired or len(repaired) == _MOST_REPAIRS:
                raise Unreadable(f"line {line}: {error.msg}") from error
            lines[line - 1] = replaced
            repaired.append(line)


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an odd escape in somebody's old text is no news
        try:
            return ast.parse(text)
        except (RecursionError, MemoryError) as error:
            raise Unreadable("it is nested too deeply to be read") from error
        except SyntaxError:
            raise
        except ValueError as error:
            raise Unreadable(str(error)) from error


def _modern(line: str) -> str | None:
    """The line without what Python 3 refuses; None where it is something else that is wrong."""
    old = _OLD_STATEMENT.fullmatch(line)
    if old is not None:
        return f"{old['head']}pass"
    handler = _OLD_EXCEPT.fullmatch(line)
    return f"{handler['head']}:{handler['tail']}" if handler is not None else None

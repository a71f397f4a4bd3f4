"""Reads the constants of a Python file given as text."""

import ast
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from legacy_import.week_modules.statements import OtherModules, StatementEvaluator
from legacy_import.week_modules.values import Path, SkippedValue, Value

MAX_CHARACTERS = 8_000_000
_MOST_REPAIRS = 200
_LINE_END = re.compile(r"\r\n|\r|\n")
"""Python's line ends; `str.splitlines` would also split at form feeds and inside strings."""
_OLD_STATEMENT = re.compile(
    r"(?P<head>(?:.*?[:;])??\s*)((print|exec)(\s+[^\s(=.]|\s*>>)|raise\s+[\w.]+\s*,).*", re.DOTALL
)
_OLD_EXCEPT = re.compile(r"(?P<head>\s*except\s+[\w.()\s,]+?),\s*\w+\s*:(?P<tail>.*)")


class Unreadable(ValueError):
    """The file can't be parsed as Python; the message names the line."""


@dataclass(frozen=True)
class Constants:
    """Constants of a module, and their lines. `python_2_lines`: ignored lines in Python 2 syntax."""

    values: Mapping[str, Value]
    lines: Mapping[Path, int]
    skipped: list[SkippedValue]
    python_2_lines: list[int] = field(default_factory=list)

    def line(self, *path: str) -> int:
        """The line that sets the value, or the nearest known one."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return 1


class NoOtherModules:
    def constants(self, module: str) -> None:  # noqa: ARG002
        return None


def read_constants(text: str, others: OtherModules | None = None) -> Constants:
    """Evaluate the module's statements without running it. Raises: Unreadable."""
    tree, python_2_lines = _parse(text)
    evaluator = StatementEvaluator(others or NoOtherModules())
    try:
        evaluator.evaluate(tree.body)
    except (RecursionError, MemoryError) as error:
        raise Unreadable("it is nested too deeply to be read") from error
    lines = {(name,): line for name, line in evaluator.lines.items()} | evaluator.expressions.lines
    return Constants(evaluator.scope.constants, lines, evaluator.skipped, python_2_lines)


def _parse(text: str) -> tuple[ast.Module, list[int]]:
    """The syntax tree, and the lines of Python 2 statements that were ignored. Raises: Unreadable."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable(f"it has {len(text):,} characters; a week module has at most {MAX_CHARACTERS:,}")
    if "\x00" in text:
        line = len(_LINE_END.findall(text[: text.index("\x00")])) + 1
        raise Unreadable(f"line {line}: a null byte, which no text has; the file is damaged")
    lines = _LINE_END.split(text)
    python_2_lines: list[int] = []
    while True:
        try:
            return _tree("\n".join(lines) + "\n" if python_2_lines else text), python_2_lines
        except SyntaxError as error:
            line = error.lineno or 0
            replaced = _as_python_3(lines[line - 1]) if 0 < line <= len(lines) else None
            if replaced is None or line in python_2_lines or len(python_2_lines) == _MOST_REPAIRS:
                raise Unreadable(f"line {line}: {error.msg}") from error
            lines[line - 1] = replaced
            python_2_lines.append(line)


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about invalid escape sequences, which don't matter here
        try:
            return ast.parse(text)
        except (RecursionError, MemoryError) as error:
            raise Unreadable("it is nested too deeply to be read") from error
        except SyntaxError:
            raise
        except ValueError as error:
            raise Unreadable(str(error)) from error


def _as_python_3(line: str) -> str | None:
    """The line in valid Python 3; None if it is no known Python 2 statement."""
    old = _OLD_STATEMENT.fullmatch(line)
    if old is not None:
        return f"{old['head']}pass"
    handler = _OLD_EXCEPT.fullmatch(line)
    return f"{handler['head']}:{handler['tail']}" if handler is not None else None

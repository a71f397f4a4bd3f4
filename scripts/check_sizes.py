"""Checks that no source file has more than 400 lines and no function more than 50.

Covers the code of libraries, services and tools; migrations may be longer.
Prints each violation and exits with 1 if there is one.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
ROOT = Path(__file__).parents[1]


def source_files() -> Iterator[Path]:
    for folder in ("libs", "services", "tools"):
        for path in sorted(ROOT.glob(f"{folder}/*/src/**/*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT)


def violations(path: Path) -> Iterator[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if lines > MAX_FILE_LINES:
        yield f"{path}: {lines} lines, more than {MAX_FILE_LINES}"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, more than {MAX_FUNCTION_LINES}"


found = [violation for path in source_files() for violation in violations(path)]
sys.stdout.writelines(f"{violation}\n" for violation in found)
sys.exit(bool(found))

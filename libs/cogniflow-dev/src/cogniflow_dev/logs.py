"""Reads the log files of the processes."""

import json
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_POLL_SECONDS = 0.3

# Names used by structlog and the gateway; letters used by MongoDB.
_LEVELS = {
    **{word: word.upper() for word in ("debug", "info", "warning", "error", "critical")},
    "warn": "WARNING",
    "D1": "DEBUG",
    "I": "INFO",
    "W": "WARNING",
    "E": "ERROR",
    "F": "CRITICAL",
}


def size_bytes(path: Path) -> int:
    """Bytes written to a log so far."""
    return path.stat().st_size if path.exists() else 0


def last_lines(path: Path, count: int, start: int = 0) -> list[str]:
    """The last lines of a log after byte `start`; empty if there is no log yet."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", errors="replace") as file:
        file.seek(start)
        return [line.rstrip("\n") for line in deque(file, maxlen=count)]


def follow(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Yield new lines of all files forever; survives rotation."""
    offsets = {path: path.stat().st_size for path in paths if path.exists()}
    while True:
        for path in paths:
            for line in _new_lines(path, offsets):
                yield path, line
        time.sleep(_POLL_SECONDS)


def format_line(line: str) -> str:
    """Format a JSON log line (service, MongoDB or gateway) for reading; return other lines unchanged."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    when = _time(_take(entry, "timestamp", "ts", "t"))
    level = _LEVELS.get(str(_take(entry, "level", "s")), "")
    message = _take(entry, "event", "msg")
    entry.pop("service", None)  # the file is named after it
    details = " ".join(f"{name}={_short(value)}" for name, value in entry.items())
    return " ".join(part for part in (when, f"{level:7}", str(message), details) if part).rstrip()


def _take(entry: dict[str, Any], *names: str) -> Any:
    return next((entry.pop(name) for name in names if name in entry), "")


def _time(value: Any) -> str:
    match value:
        case {"$date": str(text)} | str(text):
            return text
        case int() | float():
            return datetime.fromtimestamp(value, UTC).isoformat(timespec="milliseconds")
        case _:
            return ""


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _new_lines(path: Path, offsets: dict[Path, int]) -> list[str]:
    if not path.exists():
        return []
    start = offsets.get(path, 0)
    if path.stat().st_size < start:
        start = 0  # rotated
    with path.open("rb") as file:
        file.seek(start)
        text = file.read()
    complete = text[: text.rfind(b"\n") + 1]
    offsets[path] = start + len(complete)
    return complete.decode("utf-8", errors="replace").splitlines()

"""Log lines of every origin, made readable; and following files that grow and rotate."""

from pathlib import Path
from threading import Timer

import pytest

from cogniflow_dev.logs import follow, format_line, last_lines


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            '{"event": "started", "level": "info", "timestamp": "2026-01-02T03:04:05Z", "service": "a"}',
            "2026-01-02T03:04:05Z INFO    started",
        ),
        ('{"event": "stored", "level": "debug", "count": 3}', "DEBUG   stored count=3"),
        (
            '{"t": {"$date": "2026-01-02T03:04:05.678+00:00"}, "s": "W", "msg": "Slow query", "id": 1}',
            "2026-01-02T03:04:05.678+00:00 WARNING Slow query id=1",
        ),
        (
            '{"level": "error", "ts": 1767323045.5, "msg": "dial failed", "logger": "http"}',
            "2026-01-02T03:04:05.500+00:00 ERROR   dial failed logger=http",
        ),
        ("LOG:  database system is ready", "LOG:  database system is ready"),
        ("[1, 2]", "[1, 2]"),
        ('{"broken', '{"broken'),
    ],
)
def test_readable(line: str, expected: str) -> None:
    assert format_line(line) == expected


def test_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    assert last_lines(log, 3) == []
    log.write_text("one\ntwo\nthree\nfour\n")
    assert last_lines(log, 3) == ["two", "three", "four"]


def test_following_starts_at_the_end_waits_for_whole_lines_and_survives_rotation(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("long past and done\n")
    lines = follow([log])
    Timer(0.1, lambda: log.write_text("long past and done\nnew\nhal")).start()
    assert next(lines) == (log, "new")
    Timer(0.1, lambda: log.write_text("next\n")).start()
    assert next(lines) == (log, "next")

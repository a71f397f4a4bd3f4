"""JSON logs on standard output: one object per line, with the request id."""

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog

from cogniflow_kit.context import request_id

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_ROWS = re.compile(r"\n(?:DETAIL:|LINE \d+:)")
_SECRET_KEYS = frozenset({"authorization", "password", "refresh_token", "secret", "text", "token"})


@dataclass(frozen=True)
class _Output:
    """What `log_request` writes, as `configure_logging` set it."""

    service: str
    level: int
    stream: TextIO


_output: _Output | None = None


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in _SECRET_KEYS & event.keys():
        event[key] = "[redacted]"
    return event


def _add_request_id(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if (current := request_id.get()) is not None:
        event["request_id"] = current
    return event


def configure_logging(service: str, level: str) -> None:
    """Write the records of structlog and of the standard library in one format.

    Tracebacks omit local variables and database errors omit rows, which could
    hold passwords or text that a learner wrote.
    """
    global _output  # noqa: PLW0603 -- logging is configured once per process
    _output = _Output(service, logging.getLevelNamesMapping()[level], sys.stdout)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.ExceptionRenderer(
                    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
                ),
                _without_rows,
                _named(service),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("alembic", "dramatiq", "httpcore", "httpx", "pymongo"):
        logging.getLogger(noisy).setLevel("WARNING")


def log_request(id: str, method: str, path: str, status: int, seconds: float) -> None:  # noqa: A002
    """Write the log line of one finished request; `id` needs no quoting (see `accept_request_id`).

    Bypasses structlog and the standard library, which cost more than the rest
    of the middleware.
    """
    if _output is None or _output.level > logging.INFO:
        return
    now = datetime.now(UTC).isoformat()[:-6]
    stream = _output.stream
    if stream.closed:
        return  # pytest ends its capture of standard output before the last request of a test
    stream.write(
        f'{{"method": {_quoted(method)}, "path": {_quoted(path)}, "status": {status},'
        f' "ms": {round(seconds * 1000, 1)}, "event": "request", "request_id": "{id}",'
        f' "logger": "cogniflow_kit.middleware", "level": "info", "timestamp": "{now}Z",'
        f' "service": "{_output.service}"}}\n'
    )
    stream.flush()


def _without_rows(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Remove what PostgreSQL adds to an error: the row that violates a constraint, or the statement."""
    for raised in event.get("exception", ()):
        raised["exc_value"] = _ROWS.split(raised["exc_value"])[0]
    return event


def _named(service: str) -> structlog.types.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add

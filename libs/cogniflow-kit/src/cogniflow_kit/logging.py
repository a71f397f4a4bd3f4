"""JSON logs on standard output, one object a line, with the request id."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_ROWS = re.compile(r"\n(?:DETAIL:|LINE \d+:)")
_SECRET_KEYS = frozenset({"authorization", "password", "refresh_token", "secret", "text", "token"})


def _redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in _SECRET_KEYS & event.keys():
        event[key] = "[redacted]"
    return event


def configure_logging(service: str, level: str) -> None:
    """Send structlog's and the standard library's records down one pipe.

    Tracebacks carry no local variables, and database errors no rows: those
    would hold passwords and learners' words.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
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


def _without_rows(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut what PostgreSQL adds to an error: the row that broke a constraint, or the statement."""
    for raised in event.get("exception", ()):
        raised["exc_value"] = _ROWS.split(raised["exc_value"])[0]
    return event


def _named(service: str) -> structlog.types.Processor:
    def add(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    return add

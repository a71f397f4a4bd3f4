"""Logs are JSON, one object a line, and hold no secret."""

import json
import logging

import pytest
import structlog
from fastapi import APIRouter
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cogniflow_kit.logging import configure_logging
from cogniflow_kit.schemas import RequestBody, ResponseBody

SECRET = "hunter2"
router = APIRouter()


@router.get("/bug")
def bug() -> None:
    password = SECRET  # noqa: F841 -- a traceback with local variables would show it
    raise RuntimeError("a bug")


class Lines:
    """Logs as a service does; `read` gives what went out since, raw and parsed."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def start(self) -> None:
        configure_logging("kit-service", "INFO")
        self._capsys.readouterr()

    def read(self) -> tuple[str, list[dict]]:
        out = self._capsys.readouterr().out
        return out, [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def lines(capsys):
    return Lines(capsys)


@pytest.mark.parametrize("key", ["authorization", "password", "refresh_token", "secret", "text", "token"])
def test_secrets_by_name_are_blanked(lines, key):
    lines.start()
    structlog.get_logger("t").info("login", **{key: SECRET}, user="maja")
    out, [entry] = lines.read()
    assert SECRET not in out
    assert entry[key] == "[redacted]"
    assert entry["user"] == "maja"


def test_both_kinds_of_loggers_write_the_same(lines):
    lines.start()
    structlog.get_logger("ours").warning("one", count=1)
    logging.getLogger("theirs").warning("two %s", "things")
    _, [ours, theirs] = lines.read()
    assert (ours["event"], ours["count"]) == ("one", 1)
    assert theirs["event"] == "two things"
    for entry in (ours, theirs):
        assert entry["level"] == "warning"
        assert entry["service"] == "kit-service"
        assert entry["timestamp"].endswith("Z")


def test_a_line_stays_one_line(lines):
    lines.start()
    structlog.get_logger("t").info("a\nb", more='{"x":\n1}')
    out, [entry] = lines.read()
    assert out.count("\n") == 1
    assert entry["event"] == "a\nb"


def test_a_traceback_shows_no_values(make_client, lines):
    client = make_client(router)
    lines.start()
    client.get("/bug", headers={"X-Request-ID": "the-bug"})
    out, entries = lines.read()
    [entry] = [entry for entry in entries if entry["event"] == "request failed"]
    assert entry["request_id"] == "the-bug"
    assert "a bug" in str(entry["exception"])
    assert SECRET not in out


@pytest.mark.parametrize(
    "values",
    [
        {"id": None, "name": SECRET},
        {"id": "018f0000-0000-7000-8000-000000000000", "name": f"first\n\n{SECRET}"},
        {"id": "no id", "name": SECRET},
    ],
    ids=["a row in the error", "a value in the error", "the statement in the error"],
)
def test_a_failed_statement_is_logged_without_its_values(database, lines, values):
    insert = text("INSERT INTO things (name, id) VALUES (:name, :id), (:name, gen_random_uuid())")
    lines.start()
    try:
        with database.transaction() as session:
            session.execute(insert, values)
    except DBAPIError:
        logging.getLogger("t").exception("failed")
    out, [entry] = lines.read()
    assert "psycopg2.errors." in str(entry["exception"])
    assert SECRET not in out


@pytest.mark.parametrize("base", [RequestBody, ResponseBody])
def test_a_body_that_does_not_fit_is_logged_without_its_values(lines, base):
    class Count(base):
        count: int

    lines.start()
    try:
        Count.model_validate({"count": SECRET})
    except ValidationError:
        logging.getLogger("t").exception("failed")
    out, [entry] = lines.read()
    assert "valid integer" in str(entry["exception"])
    assert SECRET not in out

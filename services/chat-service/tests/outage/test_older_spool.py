"""A spool that an older release wrote is replayed into PostgreSQL, also after HTTP bodies have changed."""

import json
import shutil
import time
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from sqlalchemy import text

from chat_service import app
from chat_service.programs.content.catalog import read_cached_program
from chat_service.programs.content.publishing import add_version
from chat_service.programs.sessions import api as program_api
from chat_service.programs.sessions.schemas import AnswerOut
from cogniflow_dev.testing.tokens import headers
from cogniflow_kit.sql.database import Database

STORED = Path(__file__).parents[1] / "data" / "stored"
TABLES = [
    "sessions", "conversation_states", "user_progress", "turns", "conversation_messages", "user_answers",
    "question_completions", "intent_classifications",
]  # fmt: skip


class ChangedAnswer(AnswerOut):
    """The body of an answer in a later release, with a required field that no stored turn has."""

    mood: str


@pytest.fixture(params=["v1", "v2"])
def version(request):
    return request.param


@pytest.fixture
def older(lonely, spool_dir, version):
    """The session's rows in PostgreSQL and its turns in the spool, as written in that version."""
    rows = json.loads((STORED / version / "session-rows.json").read_text())
    program = read_cached_program((STORED / version / "program.json").read_bytes())
    database = Database(lonely.database_url.get_secret_value(), application="tests")
    with database.transaction() as db:
        db.execute(text("TRUNCATE sessions CASCADE"))
        there = text("SELECT program_id FROM program_versions WHERE version_id = :version_id")
        program_id = db.scalar(there, {"version_id": program.version_id})
        if program_id is None:
            program_id = add_version(db, program, "sample", published_by=None).program_id
        for session in rows["sessions"]:
            session["program_id"] = str(program_id)
        for table in TABLES:
            if rows[table]:
                columns = ", ".join(rows[table][0])
                db.execute(
                    text(
                        f"INSERT INTO {table} ({columns}) SELECT {columns}"
                        f" FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json))"
                    ),
                    {"rows": json.dumps(rows[table])},
                )
    database.close()
    shutil.copytree(STORED / version / "spool", spool_dir)
    return rows


@pytest.fixture
def as_owner(older, tokens):
    return headers(tokens.user(user_id=UUID(older["sessions"][0]["user_id"])))


@pytest.fixture
def changed_body(monkeypatch):
    """Serve the route of answers with that body."""
    answer_out, router = program_api.answer_out, APIRouter()
    monkeypatch.setattr(
        program_api, "answer_out", lambda answered: ChangedAnswer(**dict(answer_out(answered)), mood="calm")
    )
    path = "/api/programs/sessions/{session_id}/answer"
    router.post(path, response_model=ChangedAnswer)(program_api.answer_question)
    router.include_router(program_api.router)
    monkeypatch.setattr(app, "programs", router)


def read_after_replay(api, path, as_owner):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        answer = api.get(path, headers=as_owner)
        if answer.status_code == 200:
            session = answer.json()
            queued = any(message["queued"] for message in session["messages"])
            if session["stored"] and session["version"] == 10 and not queued:
                return session
        time.sleep(0.2)
    raise AssertionError("the spool was not replayed")


def without_times(session):
    messages = [{**message, "created_at": None} for message in session["messages"]]
    return {**session, "messages": messages, "last_turn": {**session["last_turn"], "turn_id": None}}


@pytest.mark.usefixtures("mongo", "changed_body")
def test_an_older_spool_is_replayed(serve, older, as_owner, rows, spool_dir):
    session_id = older["sessions"][0]["session_id"]
    path = f"/api/programs/sessions/{session_id}"
    with serve() as url, httpx.Client(base_url=url, timeout=10) as api:
        session = read_after_replay(api, path, as_owner)
        expected = json.loads((STORED / "v1" / "session-after-replay.json").read_text())
        assert without_times(session) == without_times(expected)
        assert list(spool_dir.glob("*.jsonl*")) == [], "nothing waits, nothing was set aside"

        completed = json.loads((STORED / "v1" / "completed-answers.json").read_text())
        queued = json.loads((STORED / "v1" / "queued-answers.json").read_text())
        texts = {
            "two": {"text": "Home"},
            "six": {"text": "Perhaps"},
            "seven": {"text": "Yes", "message_type": "voice", "recording_ref": "blob:7"},
        }
        for name, body in texts.items():
            answer = api.post(f"{path}/answer", json={**body, "client_message_id": name}, headers=as_owner)
            assert answer.status_code == 200, answer.text
            repeated, sent = answer.json(), (completed | queued)[name]
            ours = {"status": None, "turn_id": None, "sequence": None}
            assert repeated["status"] == "completed"
            assert repeated | ours == sent | ours | {"mood": "calm"}
    statuses = rows(
        "SELECT status, queued FROM turns WHERE session_id = :id ORDER BY sequence", id=UUID(session_id)
    )
    assert statuses == [("completed", False)] * 2 + [("completed", True)] * 7

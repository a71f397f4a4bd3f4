"""What learners leave behind: something in every store of every service, signed."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
from canary_people import Learner
from four_services import FourServices
from sqlalchemy import text

from chat_service.platform.retention.partitions import detach_before, retry_while_locked
from cogniflow_dev.stores import Stores

SESSION_KEY = "X-Session-Key"
DISTRESS = "I want to kill myself."


def live(learner: Learner, course_id: str) -> None:
    """Leave something in every store of every service."""
    sign = learner.sign
    profile = {"bio": f"bio-{sign}", "timezone": "Europe/Ljubljana"}
    learner.call("users", "PUT", "/api/profile", json=profile)
    learner.call("courses", "POST", f"/api/courses/{course_id}/enroll")
    outline = learner.call("courses", "GET", f"/api/courses/{course_id}/outline")
    lesson_id = outline["sections"][0]["lessons"][0]["id"]
    quiz = learner.call("courses", "GET", f"/api/lessons/{lesson_id}")["quizzes"][0]
    answers = [
        {"question_id": question["id"], "choice_ids": [question["choices"][0]["id"]]}
        for question in quiz["questions"]
    ]
    attempt = {"client_attempt_id": f"attempt-{sign}", "answers": answers}
    learner.call("courses", "POST", f"/api/quizzes/{quiz['id']}/attempts", json=attempt)
    learner.call("courses", "POST", f"/api/lessons/{lesson_id}/complete")
    asked = {"message": f"What is it? question-{sign}", "course_id": course_id}
    asked["client_message_id"] = str(uuid4())
    learner.call("chat", "POST", "/api/chat/message", json=asked)
    session = learner.call("chat", "POST", "/api/programs/driven/start")
    told = {"text": f"My proposal was rejected. answer-{sign}", "client_message_id": str(uuid4())}
    learner.call("chat", "POST", f"/api/programs/sessions/{session['id']}/answer", json=told)
    say(learner, session["id"], f"spoken-{sign}", message_type="voice", recording_ref=f"voice-{sign}")
    say(learner, session["id"], DISTRESS)
    learner.call("analytics", "PUT", "/api/presence")


def say(learner: Learner, session_id: str, words: str, **fields: Any) -> Any:
    body = {"text": words, "client_message_id": str(uuid4()), **fields}
    return learner.call("chat", "POST", f"/api/programs/sessions/{session_id}/answer", json=body)


def visit(platform: FourServices, learner: Learner) -> str:
    """Talk to the support intake without the account, then make the session its own; the key.

    The month in which the visitor spoke is cut off before that.
    """
    begun = platform.call("chat", "POST", "/api/programs/support-intake/start-anonymously").json()
    key, path = begun["session_key"], f"/api/programs/sessions/{begun['session']['id']}"
    for words in ("Yes", f"My sister visit-{learner.sign}"):
        body = {"text": words, "client_message_id": str(uuid4())}
        answer = platform.call("chat", "POST", f"{path}/answer", json=body, headers={SESSION_KEY: key})
        assert answer.is_success, answer.text
    cut_off_messages_of(platform, begun["session"]["id"])
    learner.call("chat", "POST", f"{path}/claim", extra={SESSION_KEY: key})
    say(learner, begun["session"]["id"], f"I can fix bikes, summed-{learner.sign}")
    learner.call("chat", "POST", f"{path}/summary")
    return str(key)


def cut_off_messages_of(platform: FourServices, session_id: str) -> None:
    """As if they were said years ago, in a month that has become an archive since."""
    database = platform.apps["chat"].state.database
    age = "UPDATE conversation_messages SET created_at = '2019-03-05Z' WHERE session_id = :session_id"
    with database.transaction() as session:
        session.execute(text(age), {"session_id": session_id})
    retry_while_locked(database, lambda session: detach_before(session, date(2019, 5, 1)))


def review(platform: FourServices, learner: Learner) -> None:
    """Somebody looks at what the safety check found, and writes down what was done."""
    admin = platform.person("admin").headers
    queue = platform.call("chat", "GET", "/api/safety/reviews?status=open", headers=admin).json()["items"]
    for waiting in queue:
        path = f"/api/safety/reviews/{waiting['id']}"
        if platform.call("chat", "GET", path, headers=admin).json()["user_id"] == str(learner.id):
            closing_note = {"outcome": "contacted", "note": f"Called back, note-{learner.sign}"}
            closed = platform.call("chat", "POST", f"{path}/close", json=closing_note, headers=admin)
            assert closed.is_success, closed.text


def diverge(platform: FourServices, stores: Stores, learners: Sequence[Learner], spool: Path) -> None:
    """Words that are said while PostgreSQL is away, and then fit their session no more, stay on disk."""
    sessions = []
    for learner in learners:
        [driven] = [
            found
            for found in learner.call("chat", "GET", "/api/programs/sessions")["items"]
            if found["program"] == "driven"
        ]
        learner.call("chat", "GET", f"/api/programs/sessions/{driven['id']}")
        sessions.append(driven["id"])
    with away(platform, stores) as admin:
        for learner, session_id in zip(learners, sessions, strict=True):
            assert say(learner, session_id, f"Nothing else. spool-{learner.sign}")["status"] == "queued"
        admin.execute(
            "UPDATE chat.sessions SET version = version + 7 WHERE session_id = ANY(%s::uuid[])", (sessions,)
        )
    deadline = time.monotonic() + 60
    while len(list(spool.glob("*.jsonl.*"))) < len(sessions):
        assert time.monotonic() < deadline, "what doesn't fit is set aside"
        time.sleep(0.2)


@contextmanager
def away(platform: FourServices, stores: Stores) -> Iterator[Any]:
    """No connection to chat-service's database, but for this one of an administrator."""
    name = platform.settings["chat"].database_url.get_secret_value().rpartition("/")[2]
    with closing(psycopg2.connect(stores.postgres.admin_url(name))) as connection:
        connection.autocommit = True
        with connection.cursor() as admin:
            admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> pg_backend_pid()",
                (name,),
            )
            try:
                yield admin
            finally:
                admin.execute(f"ALTER DATABASE {name} CONNECTION LIMIT -1")

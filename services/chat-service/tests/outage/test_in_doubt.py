"""PostgreSQL freezes right before a step, and carries it out late: before the replay comes or after it."""

import time
from dataclasses import dataclass
from uuid import uuid4

import pytest

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.replay import ReplayThread, SessionReplayer
from chat_service.programs.sessions.durable.sessions import DurableSessionStore, SessionGuard
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.turns import DurableTurnRunner
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.programs.sessions.stored_forms import read_reply
from chat_service.turns.model import Message
from cogniflow_kit.sql.database import Database

WORDS = "In Monday's meeting my proposal was rejected and I thought I'm not good enough."
LATER = "Maybe they had no time to read it before the meeting."


@dataclass(frozen=True)
class Freezing(CoachEngine):
    """Has PostgreSQL freeze before the message is claimed (`read`) or its turn completed (`answer`)."""

    postgres: object
    step: str

    def analyze(self, message, program_session):
        self._freeze("analyze")
        return super().analyze(message, program_session)

    def answer(self, message, program_session, analysis, renew):
        found = super().answer(message, program_session, analysis, renew)
        self._freeze("answer")
        return found

    def _freeze(self, step):
        if step == self.step:
            self.postgres.freeze()


@pytest.fixture
def database(lonely):
    database = Database(lonely.database_url.get_secret_value(), application="tests")
    yield database
    database.close()


@pytest.mark.parametrize("settle_s", [0.0, 1.5], ids=["at once", "after a while"])
@pytest.mark.parametrize("step", ["analyze", "answer"])
def test_a_step_that_comes_late_changes_nothing(postgres, database, spool_dir, rows, step, settle_s):
    catalog, spool, memory = Catalog(database), Spool(spool_dir), RecentSessions()
    storing = SessionReplayer(database, catalog, spool, memory)
    sessions = DurableSessionStore(database, catalog, spool, memory, storing, SessionGuard(spool, memory))
    take = DurableTurnRunner(SqlTurnStore(database, catalog), spool, memory, storing)
    replay = ReplayThread(database, spool, storing)
    spool.open()
    user_id = uuid4()
    session_id = sessions.start(StartRequest(user_id, "Ada"), "driven").session_id
    first = take(CoachEngine(), Message(user_id, session_id, "one", "f", WORDS))
    message = Message(user_id, session_id, "two", "f", LATER)
    try:
        told = take(Freezing(postgres, step), message)
        assert (first.queued, told.queued) == (False, True)
    finally:
        postgres.thaw()
    time.sleep(settle_s)
    deadline = time.monotonic() + 10
    while spool.waiting_turns and time.monotonic() < deadline:
        replay.once()
        time.sleep(0.05)
    time.sleep(1.5)  # what is late comes by now

    stored = rows(
        "SELECT sequence, client_message_id, status, queued, result FROM turns"
        " WHERE session_id = :id ORDER BY sequence",
        id=session_id,
    )
    assert [row[:4] for row in stored] == [(1, "one", "completed", False), (2, "two", "completed", True)]
    assert read_reply(stored[1][4]) == told.reply
    again = take(CoachEngine(), message)
    assert (again.queued, again.sequence, again.reply) == (False, 2, told.reply)
    counts = (
        "SELECT (SELECT count(*) FROM user_answers WHERE session_id = :id),"
        " (SELECT count(*) FROM conversation_messages WHERE session_id = :id AND sender = 'user'),"
        " (SELECT count(*) FROM outbox WHERE event->'data'->>'session_id' = CAST(:id AS text)"
        "  AND event->>'type' = 'program.answer_completed'),"
        " (SELECT version FROM sessions WHERE session_id = :id)"
    )
    assert rows(counts, id=session_id) == [(2, 2, 2, 3)]
    spool.close()

"""Lower bound for a program turn under the same server: its three statements with prepared values.

At the start, one session runs through the program, and the parameters of its
statements are recorded. Each request sends the next turn for another session.

With BARE_DRIVER=psycopg2 the statements go to psycopg2 alone: no pool, no
circuit breaker and no wait callback, which the `Database` of the kit has.
"""

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg2
from fastapi import FastAPI
from psycopg2.extensions import set_wait_callback
from psycopg2.extras import register_uuid
from sqlalchemy import make_url
from turn_storage import ANSWER

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.sql.sessions import SqlSessionStore
from chat_service.programs.sessions.sql.statements import BEGIN, COMPLETE, LOOK
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.store import StartRequest
from chat_service.turns.model import Message
from chat_service.turns.protocol import run_turn
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.prepared import PreparedStatement

Values = dict[str, Any]
_FRESH = (
    "turn_id", "message_id", "classification_id", "next_state_id", "next_progress_id", "response_message_id",
    "question_message_id", "answer_id", "response_id", "user_response_id", "validation_id", "completion_id",
    "summary_id",
)  # fmt: skip


class _Recording(Database):
    """Records the parameters of the turn statements."""

    def __init__(self, url: str) -> None:
        super().__init__(url, application="bench")
        self.sent: list[Values] = []

    def run_prepared(self, statement: PreparedStatement, values: Mapping[str, Any]) -> Any:
        self.sent.append(dict(values))
        return super().run_prepared(statement, values)


@dataclass
class _PlainConnection:
    """What PreparedStatement.run needs of a pooled connection."""

    driver_connection: Any
    info: dict[str, Any] = field(default_factory=dict)


class _PlainDriver:
    """One psycopg2 connection per thread; psycopg2 waits in C."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._local = threading.local()
        set_wait_callback(None)
        register_uuid()

    def run_prepared(self, statement: PreparedStatement, values: Mapping[str, Any]) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            driver = psycopg2.connect(self._url, application_name="bench")
            driver.autocommit = True
            connection = self._local.connection = _PlainConnection(driver)
        return statement.run(cast(Any, connection), values)


@dataclass
class _Session:
    """The program session of a caller, and the index of its next turn."""

    id: UUID
    user_id: UUID
    turn: int = 0


def _recorded() -> list[tuple[Values, Values, Values]]:
    """The parameters of each turn of a whole session: look, begin, complete."""
    recording = _Recording(os.environ["DATABASE_URL"])
    catalog = Catalog(recording)
    turns, user_id = SqlTurnStore(recording, catalog), new_id()
    session_id = SqlSessionStore(recording, catalog).start(StartRequest(user_id, "Maja"), "driven").session_id
    completed = False
    while not completed:
        message = Message(user_id, session_id, str(uuid4()), "fingerprint", ANSWER)
        reply = run_turn(turns, CoachEngine(), message).reply
        completed = reply is not None and reply.session_completed
    recording.close()
    return list(zip(recording.sent[::3], recording.sent[1::3], recording.sent[2::3], strict=True))


_database = Database(os.environ["DATABASE_URL"], application="bench")
_sessions = SqlSessionStore(_database, Catalog(_database))
_turns = _recorded()
_is_plain = os.environ.get("BARE_DRIVER") == "psycopg2"
_driver = _PlainDriver(os.environ["DATABASE_URL"]) if _is_plain else _database
_callers: dict[int, _Session] = {}
app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


@app.post("/turn/{caller}")
def turn(caller: int) -> dict[str, bool]:
    session = _callers.get(caller)
    if session is None or session.turn == len(_turns):
        user_id = new_id()
        begun = _sessions.start(StartRequest(user_id, "Maja"), "driven")
        session = _callers[caller] = _Session(begun.session_id, user_id)
    look, begin, complete = _turns[session.turn]
    ids = {name: new_id() for name in _FRESH}
    own = {
        **ids,
        "session_id": session.id,
        "user_id": session.user_id,
        "client_message_id": str(ids["turn_id"]),
    }
    facts = [{**fact, "id": str(new_id())} for fact in json.loads(complete["facts"])]
    _driver.run_prepared(LOOK, look | own)
    _driver.run_prepared(BEGIN, begin | own)
    if _driver.run_prepared(COMPLETE, complete | own | {"facts": json.dumps(facts)}) != 1:
        raise RuntimeError("the turn was not stored")
    session.turn += 1
    return {"stored": True}

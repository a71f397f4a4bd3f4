"""Takes turns of programs so that an outage of PostgreSQL shows in nothing but their status."""

import time

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.sessions.durable.fallback_store import PATIENCE_S, FallbackTurnStore
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.replay_session import SessionReplayer
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.schemas import AnswerOut
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.turn_runner import answer_out
from chat_service.turns.model import Message
from chat_service.turns.protocol import run_turn

REPLAY_S = 0.3
"""How long a turn waits for the replay of its session at most, and how long it helps with it."""
TURN_S = 1.5
"""How long both may take, and PostgreSQL after them."""
LEAST_S = 0.1


class DurableTurnRunner:
    """PostgreSQL first, the spool when it is away.

    When it is back, whoever goes on with a session stores first what waits of
    it, so that nobody can talk faster than the replay.
    """

    def __init__(
        self, stored: SqlTurnStore, spool: Spool, memory: RecentSessions, storing: SessionReplayer
    ) -> None:
        self._stored = stored
        self._spool = spool
        self._memory = memory
        self._storing = storing

    def __call__(self, engine: CoachEngine, message: Message) -> AnswerOut:
        session_id = message.conversation_id
        assert session_id is not None, "a session is begun before its first turn"
        until = time.monotonic() + TURN_S
        with self._spool.hold(session_id, REPLAY_S if self._spool.has(session_id) else 0):
            if self._spool.has(session_id) and self._storing.is_there.is_set():
                self._storing.store(session_id, REPLAY_S)
            patience_s = min(PATIENCE_S, max(LEAST_S, until - time.monotonic()))
            store = FallbackTurnStore(self._stored, self._spool, self._memory, message, patience_s)
            answer = answer_out(run_turn(store, engine, message))
            queued = self._spool.has(session_id)
        if not queued:
            return answer
        return answer.model_copy(update={"status": "queued", "turn_id": None, "sequence": None})

"""Takes turns of programmes so that an outage of PostgreSQL shows in nothing but their status."""

from chat_service.outage.memory import Memory
from chat_service.outage.spool import Spool
from chat_service.outage.storing import Storing
from chat_service.outage.turns import FallingBack
from chat_service.programs.engine import Coaching
from chat_service.programs.schemas import AnswerOut
from chat_service.programs.stores.sql_turns import SqlTurns
from chat_service.programs.taking import answer_out
from chat_service.turns.model import Message
from chat_service.turns.protocol import take_turn

REPLAY_S = 0.5
"""How long a turn waits for the replay of its session, and helps with it, at most."""


class DurableTurns:
    """PostgreSQL first, the spool when it is away.

    When it is back, whoever goes on with a session stores first what waits of
    it, so that nobody can talk faster than the replay.
    """

    def __init__(self, stored: SqlTurns, spool: Spool, memory: Memory, storing: Storing) -> None:
        self._stored = stored
        self._spool = spool
        self._memory = memory
        self._storing = storing

    def __call__(self, engine: Coaching, message: Message) -> AnswerOut:
        session_id = message.conversation_id
        assert session_id is not None, "a session is begun before its first turn"
        with self._spool.hold(session_id, REPLAY_S if self._spool.has(session_id) else 0):
            if self._spool.has(session_id) and self._storing.is_there.is_set():
                self._storing.store(session_id, REPLAY_S)
            store = FallingBack(self._stored, self._spool, self._memory, message)
            answer = answer_out(take_turn(store, engine, message))
            queued = self._spool.has(session_id)
        if not queued:
            return answer
        return answer.model_copy(update={"status": "queued", "turn_id": None, "sequence": None})

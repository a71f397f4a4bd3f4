"""Takes turns of programmes so that an outage of PostgreSQL shows in nothing but their status."""

from chat_service.outage.memory import Memory
from chat_service.outage.spool import Spool
from chat_service.outage.turns import FallingBack
from chat_service.programs.engine import Coaching
from chat_service.programs.schemas import AnswerOut
from chat_service.programs.stores.sql_turns import SqlTurns
from chat_service.programs.taking import answer_out
from chat_service.turns.model import Message
from chat_service.turns.protocol import take_turn


class DurableTurns:
    """PostgreSQL first, the spool when it is away."""

    def __init__(self, stored: SqlTurns, spool: Spool, memory: Memory) -> None:
        self._stored = stored
        self._spool = spool
        self._memory = memory

    def __call__(self, engine: Coaching, message: Message) -> AnswerOut:
        assert message.conversation_id is not None, "a session is begun before its first turn"
        with self._spool.hold(message.conversation_id):
            store = FallingBack(self._stored, self._spool, self._memory, message)
            answer = answer_out(take_turn(store, engine, message))
            queued = self._spool.has(message.conversation_id)
        if not queued:
            return answer
        return answer.model_copy(update={"status": "queued", "turn_id": None, "sequence": None})

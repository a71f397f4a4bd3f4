"""Reads a session while PostgreSQL is away, and what the spool has of it when it is there again."""

from typing import Any
from uuid import UUID

from chat_service.outage.memory import Memory
from chat_service.outage.spool import Spool, Spooled
from chat_service.outage.turns import PATIENCE_S
from chat_service.programs.catalog import Catalog
from chat_service.programs.errors import SessionNotFound
from chat_service.programs.place import ProgramPlace
from chat_service.programs.schemas import MessageOut
from chat_service.programs.store import Record
from chat_service.programs.stores.sql_sessions import SqlSessions
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.sql.database import Database, is_away
from cogniflow_kit.sql.deadline import within


class DurableSessions(SqlSessions):
    """PostgreSQL's sessions, and for reading what this process remembers of them."""

    def __init__(self, database: Database, catalog: Catalog, spool: Spool, memory: Memory) -> None:
        super().__init__(database, catalog)
        self._spool = spool
        self._memory = memory

    def read(self, session_id: UUID, user_id: UUID) -> Record:
        try:
            with within(PATIENCE_S):
                found = super().read(session_id, user_id)
        except Exception as error:
            if not is_away(error):
                raise
            found = self._recalled(session_id, user_id)
        else:
            ids = frozenset() if found.last_turn is None else frozenset({found.last_turn.client_message_id})
            self._memory.see(found.place.snapshot, ids)
        return _with_waiting(found, self._spool.turns(session_id))

    def _recalled(self, session_id: UUID, user_id: UUID) -> Record:
        known = self._memory.get(session_id)
        if known is None:
            raise Unavailable("The database is away; your session is there again as soon as it is back.")
        if known.snapshot.user_id != user_id:
            raise SessionNotFound
        # What waits in the spool is added below, from the state before it.
        place = ProgramPlace(known.snapshot, self._catalog.get(known.snapshot.version_id))
        return Record(place, [], None, stored=False)


def _with_waiting(found: Record, waiting: list[Spooled]) -> Record:
    """The session with its spooled turns; those that are stored by now are there already."""
    stored = found.place.snapshot.version if found.stored else 0
    waiting = [turn for turn in waiting if turn.snapshot.version > stored]
    if not waiting:
        return found
    said = [message for number, turn in enumerate(waiting) for message in _said(turn, found, number)]
    place = ProgramPlace(waiting[-1].snapshot, found.place.programme)
    return Record(place, [*found.messages, *said], found.last_turn, found.stored)


def _said(turn: Spooled, found: Record, number: int) -> list[MessageOut]:
    """What was said in a turn that waits; `turn_sequence` is the one it will most likely get."""
    last = found.last_turn.sequence if found.last_turn is not None else turn.base - 1 - number
    common: dict[str, Any] = {
        "run": turn.run,
        "week": turn.week,
        "turn_sequence": last + number + 1,
        "queued": True,
    }
    said = MessageOut(
        sender="user",
        message_text=turn.message.text,
        message_type=turn.message.message_type,
        recording_ref=turn.message.recording_ref,
        question_number=turn.question,
        created_at=turn.message.said_at,
        **common,
    )
    answer = MessageOut(
        sender="nova",
        message_text=turn.step.response,
        message_type="text",
        recording_ref=None,
        question_number=turn.question,
        created_at=turn.answered_at,
        **common,
    )
    asked = turn.reply.question if turn.asks else None
    question = (
        [
            answer.model_copy(
                update={"message_text": asked.text, "question_number": asked.number, "week": asked.week}
            )
        ]
        if asked
        else []
    )
    return [said, *([answer] if turn.step.response else []), *question]

"""Turns of programs in PostgreSQL: turn, words, state, answers and facts agree, or none is there."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text

from chat_service.fault_points import reach
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import MessageAnalysis, ProgramReply, TurnResult
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.facts import turn_events
from chat_service.programs.sessions.sql.statements import (
    BEGIN,
    COMPLETE,
    LOOK,
    begin_values,
    complete_values,
    look_values,
)
from chat_service.programs.sessions.stored_forms import StoredReply, StoredSession
from chat_service.programs.sessions.summary import summarize
from chat_service.stored_form import StoredForm, read_form
from chat_service.turns.model import LEASE, ClaimView, Message, Status
from chat_service.turns.model import Turn as AnyTurn
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database

_COLUMNS = """turn_id AS id, session_id AS conversation_id, sequence, fingerprint, status, epoch,
              lease_expires_at, result AS reply"""
_EXPIRED = "(status = 'running' AND lease_expires_at < now())"


def change(assignments: str, condition: str) -> TextClause:
    """Changes a turn where the condition holds and nobody claimed it since this epoch."""
    return text(
        f"UPDATE turns SET {assignments}"  # noqa: S608 -- all parts are constants of this module
        f" WHERE turn_id = :turn_id AND epoch = :epoch AND {condition} RETURNING {_COLUMNS}"
    )


_TAKE_OVER = change(
    "status = 'running', epoch = epoch + 1, lease_expires_at = now() + :lease",
    f"(status = 'failed' OR {_EXPIRED})",
)
_RENEW = change("lease_expires_at = now() + :lease", "status = 'running'")
_FAIL = change("status = 'failed', lease_expires_at = NULL", "status = 'running'")
_OVERDUE = text(f"SELECT {_COLUMNS} FROM turns WHERE {_EXPIRED} LIMIT :limit")  # noqa: S608 -- as above
_MESSAGE_IDS = text("SELECT array_agg(client_message_id) AS ids FROM turns WHERE session_id = :session_id")


Turn = AnyTurn[ProgramReply]


class _TurnRow(StoredForm):
    """`_COLUMNS` of a turn."""

    id: UUID
    conversation_id: UUID
    sequence: int
    fingerprint: str
    status: Status
    epoch: int
    lease_expires_at: datetime | None
    reply: StoredReply | None

    def turn(self) -> Turn:
        return Turn(
            self.id,
            self.conversation_id,
            self.sequence,
            self.fingerprint,
            self.status,
            self.epoch,
            self.lease_expires_at,
            self.reply.reply() if self.reply is not None else None,
        )


class _Look(StoredForm):
    """The row of LOOK. `message_ids` are those of all messages of the session, where they were asked for."""

    state: StoredSession
    repeated: _TurnRow | None
    newest: _TurnRow | None
    message_ids: frozenset[str] | None


class SqlTurnStore:
    """Three statements a turn; the database's clock times the leases.

    With `answered_at`, the turns come by the spool, from a time when
    PostgreSQL was away.
    """

    def __init__(self, database: Database, catalog: Catalog, *, answered_at: datetime | None = None) -> None:
        self._database = database
        self.catalog = catalog
        self._answered_at = answered_at

    def view(self, message: Message) -> ClaimView[ProgramSession, ProgramReply]:
        return self._claim_view(self._look(message))

    def view_with_message_ids(
        self, message: Message
    ) -> tuple[ClaimView[ProgramSession, ProgramReply], frozenset[str]]:
        """Also the ids of all messages of the session, in the same round trip."""
        found = self._look(message, with_ids=True)
        return self._claim_view(found), found.message_ids or frozenset()

    def _look(self, message: Message, *, with_ids: bool = False) -> _Look:
        found = self._database.run_prepared(LOOK, look_values(message, with_ids=with_ids))
        if found is None:
            raise SessionNotFound
        return read_form(_Look, found, "turn and session state")

    def _claim_view(self, found: _Look) -> ClaimView[ProgramSession, ProgramReply]:
        state = found.state.session_state()
        program_session = ProgramSession(state, self.catalog.get(state.version_id))
        repeated = found.repeated.turn() if found.repeated is not None else None
        newest = found.newest.turn() if found.newest is not None else None
        return ClaimView(program_session, repeated, newest)

    def message_ids(self, session_id: UUID) -> frozenset[str]:
        """Of all messages of the session."""
        row = self._database.run(_MESSAGE_IDS, {"session_id": session_id})
        return frozenset(row.ids if row is not None and row.ids is not None else ())

    def claim_turn(
        self, message: Message, program_session: ProgramSession, sequence: int, analysis: MessageAnalysis
    ) -> Turn | None:
        turn_id = new_id()
        values = begin_values(
            message, program_session, turn_id, sequence, analysis, queued=self._answered_at is not None
        )
        reach("claiming")
        lease_expires_at = self._database.run_prepared(BEGIN, values)
        if lease_expires_at is None:
            return None
        return Turn(
            turn_id,
            program_session.state.session_id,
            sequence,
            message.fingerprint,
            Status.RUNNING,
            epoch=1,
            lease_expires_at=lease_expires_at,
        )

    def reclaim(self, turn: Turn) -> Turn | None:
        return self._change(_TAKE_OVER, turn, lease=LEASE)

    def renew(self, turn: Turn) -> bool:
        return self._change(_RENEW, turn, lease=LEASE) is not None

    def complete(self, turn: Turn, program_session: ProgramSession, result: TurnResult) -> Turn | None:
        next_step = result.next_step
        answered_at = self._answered_at or utc_now()
        facts = turn_events(turn, program_session, result)
        values = complete_values(
            turn,
            program_session,
            result,
            answered_at=answered_at,
            summary=summarize(program_session.program, next_step.state)
            if next_step.session_completed
            else None,
            facts=[fact.model_copy(update={"occurred_at": answered_at}) for fact in facts],
        )
        reach("completing")
        if self._database.run_prepared(COMPLETE, values) != 1:
            return None
        return replace(turn, status=Status.COMPLETED, lease_expires_at=None, reply=result.reply)

    def fail(self, turn: Turn) -> bool:
        return self._change(_FAIL, turn) is not None

    def expired(self, limit: int) -> list[Turn]:
        with self._database.transaction() as db:
            return [_turn(row) for row in db.execute(_OVERDUE, {"limit": limit})]

    def _change(self, statement: TextClause, turn: Turn, **values: Any) -> Turn | None:
        row = self._database.run(statement, {"turn_id": turn.id, "epoch": turn.epoch, **values})
        return _turn(row) if row is not None else None


def _turn(row: Row[Any]) -> Turn:
    return read_form(_TurnRow, dict(row._mapping), "turn").turn()

"""A turn store that falls back from PostgreSQL to the spool, at whatever step PostgreSQL goes away."""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TypeVar

from chat_service.programs.coach.analysis import MessageAnalysis
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn_result import TurnResult
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.schemas import Reply
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.turns.model import LEASE, ClaimView, Message, Status, Turn
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import is_away
from cogniflow_kit.sql.deadline import within

Outcome = TypeVar("Outcome")

PATIENCE_S = 1.0
"""How long one turn waits for PostgreSQL at most, all its steps together."""


class FallbackTurnStore:
    """One turn's store; the caller holds the session's turns in the spool.

    What PostgreSQL doesn't take within the time is spooled, and so is
    everything of a session that has spooled turns already. A turn that was
    begun in PostgreSQL is completed in the spool with the very same answer,
    which is what its replay finds or stores.
    """

    def __init__(
        self, stored: SqlTurnStore, spool: Spool, memory: RecentSessions, message: Message, patience_s: float
    ) -> None:
        self._stored = stored
        self._spool = spool
        self._memory = memory
        self._message = message
        self._left_s = patience_s
        self._reading: MessageAnalysis | None = None
        self.queued = message.conversation_id is not None and spool.has(message.conversation_id)

    def view(self, message: Message) -> ClaimView[ProgramSession]:
        return self._try(lambda: self._seen(message), lambda: self._recalled(message))

    def claim_turn(
        self, message: Message, program_session: ProgramSession, sequence: int, analysis: MessageAnalysis
    ) -> Turn | None:
        self._reading = analysis
        return self._try(
            lambda: self._stored.claim_turn(message, program_session, sequence, analysis),
            lambda: _unstored(message, program_session, sequence),
        )

    def reclaim(self, turn: Turn) -> Turn | None:
        return self._try(lambda: self._stored.reclaim(turn), lambda: turn)

    def renew(self, turn: Turn) -> bool:
        return self._try(lambda: self._stored.renew(turn), lambda: True)

    def complete(self, turn: Turn, program_session: ProgramSession, result: TurnResult) -> Turn | None:
        completed = self._try(
            lambda: self._stored.complete(turn, program_session, result),
            lambda: self._append(turn, program_session, result),
        )
        if completed is not None:
            self._memory.completed(result.next_step.state, completed, self._message.client_message_id)
        return completed

    def fail(self, turn: Turn) -> bool:
        return self._try(lambda: self._stored.fail(turn), lambda: False)

    def expired(self, limit: int) -> list[Turn]:
        return self._stored.expired(limit)

    def _try(self, stored: Callable[[], Outcome], spooled: Callable[[], Outcome]) -> Outcome:
        if self.queued:
            return spooled()
        since = monotonic()
        try:
            with within(self._left_s):
                return stored()
        except Exception as error:
            if not is_away(error):
                raise
            self.queued = True
            return spooled()
        finally:
            self._left_s -= monotonic() - since

    def _seen(self, message: Message) -> ClaimView[ProgramSession]:
        assert message.conversation_id is not None, "a session is begun in PostgreSQL"
        if self._memory.get(message.conversation_id) is not None:
            claim_view = self._stored.view(message)
            self._memory.see(claim_view.conversation.state)
        else:
            claim_view, message_ids = self._stored.view_with_message_ids(message)
            self._memory.learn(claim_view.conversation.state, message_ids)
        return claim_view

    def _recalled(self, message: Message) -> ClaimView[ProgramSession]:
        assert message.conversation_id is not None, "a session is begun in PostgreSQL"
        known = self._memory.get(message.conversation_id)
        if known is None:
            raise Unavailable("The database is away; your session goes on as soon as it is back.")
        if known.state.user_id != message.user_id:
            raise SessionNotFound
        program_session = ProgramSession(
            known.state, self._stored.catalog.get(known.state.version_id), stored=False
        )
        if message.client_message_id not in known.message_ids:
            return ClaimView(program_session, None, None)
        if known.last is not None and known.last_message_id == message.client_message_id:
            return ClaimView(program_session, known.last, known.last)
        waiting = self._spool.turn(message)
        if waiting is not None:
            same = _completed(_unstored(waiting.message, program_session, waiting.base), waiting.reply)
            return ClaimView(program_session, same, same)
        raise Unavailable("The database is away; the answer to this message can be read when it is back.")

    def _append(self, turn: Turn, program_session: ProgramSession, result: TurnResult) -> Turn:
        assert self._reading is not None, "begun before it is completed"
        self._spool.append(
            SpooledTurn(
                message=self._message,
                risk=self._reading.risk,
                intent=self._reading.intent,
                step=result.step,
                base=program_session.state.version,
                week=program_session.week.week_number,
                run=program_session.week_state.run,
                question=program_session.week_state.question_number,
                asks=result.next_step.asks,
                snapshot=result.next_step.state,
                reply=result.reply,
                answered_at=utc_now(),
            )
        )
        return _completed(turn, result.reply)


def _unstored(message: Message, program_session: ProgramSession, sequence: int) -> Turn:
    return Turn(
        new_id(),
        program_session.state.session_id,
        sequence,
        message.fingerprint,
        Status.RUNNING,
        epoch=1,
        lease_expires_at=utc_now() + LEASE,
    )


def _completed(turn: Turn, reply: Reply) -> Turn:
    said = reply.model_dump(mode="json")
    return replace(turn, status=Status.COMPLETED, lease_expires_at=None, reply=said)

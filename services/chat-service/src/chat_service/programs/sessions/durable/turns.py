"""Runs program turns while PostgreSQL may be unavailable.

PostgreSQL is tried first; at whatever step it goes away, the turn falls back
to the spool. Clients see `status: queued` until the turn is stored.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn import MessageAnalysis, ProgramReply, TurnResult
from chat_service.programs.sessions.durable.recent_sessions import RecentSessions
from chat_service.programs.sessions.durable.replay import STORE_TIMEOUT_S, SessionReplayer
from chat_service.programs.sessions.durable.spool import Spool
from chat_service.programs.sessions.durable.spooled_turn import SpooledTurn
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.sql.turns import SqlTurnStore
from chat_service.programs.sessions.turn_runner import AnsweredMessage, answered_message
from chat_service.turns.model import LEASE, ClaimView, Message, Status
from chat_service.turns.model import Turn as AnyTurn
from chat_service.turns.protocol import run_turn
from cogniflow_kit.errors import Unavailable
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import is_away
from cogniflow_kit.sql.deadline import within

REPLAY_S = 0.3
"""How long a turn waits for the replay of its session at most, and how long it takes part in it."""
TURN_S = 1.5
"""How long the replay and PostgreSQL may take together."""
MIN_STORE_TIMEOUT_S = 0.1
"""How long PostgreSQL is given at least."""

Turn = AnyTurn[ProgramReply]
Outcome = TypeVar("Outcome")


class DurableTurnRunner:
    """Runs a turn in PostgreSQL, or in the spool while PostgreSQL is away.

    Once PostgreSQL is back, a turn first stores what waits of its session, so
    that a participant can't be faster than the replay.
    """

    def __init__(
        self, stored: SqlTurnStore, spool: Spool, memory: RecentSessions, replayer: SessionReplayer
    ) -> None:
        self._stored = stored
        self._spool = spool
        self._memory = memory
        self._replayer = replayer

    def __call__(self, engine: CoachEngine, message: Message) -> AnsweredMessage:
        session_id = message.conversation_id
        assert session_id is not None, "a session is begun before its first turn"
        until = time.monotonic() + TURN_S
        wait_s = REPLAY_S if self._spool.has_session(session_id) else 0
        with self._spool.lock_session(session_id, wait_s):
            if self._spool.has_session(session_id) and self._replayer.postgres_available.is_set():
                self._replayer.replay(session_id, REPLAY_S)
            timeout_s = min(STORE_TIMEOUT_S, max(MIN_STORE_TIMEOUT_S, until - time.monotonic()))
            store = FallbackTurnStore(self._stored, self._spool, self._memory, message, timeout_s)
            answered = answered_message(run_turn(store, engine, message))
            queued = self._spool.has_session(session_id)
        return replace(answered, queued=True, turn_id=None, sequence=None) if queued else answered


class FallbackTurnStore:
    """The store of one turn. The caller holds the session's lock in the spool.

    What PostgreSQL doesn't store within `timeout_s` seconds is spooled, and
    so is every turn of a session that has spooled turns. A turn claimed in
    PostgreSQL may be completed in the spool; its replay finds or stores the
    same reply.
    """

    def __init__(
        self, stored: SqlTurnStore, spool: Spool, memory: RecentSessions, message: Message, timeout_s: float
    ) -> None:
        self._stored = stored
        self._spool = spool
        self._memory = memory
        self._message = message
        self._left_s = timeout_s
        self._analysis: MessageAnalysis | None = None
        self.queued = message.conversation_id is not None and spool.has_session(message.conversation_id)

    def view(self, message: Message) -> ClaimView[ProgramSession, ProgramReply]:
        return self._try(lambda: self._view_stored(message), lambda: self._view_remembered(message))

    def claim_turn(
        self, message: Message, program_session: ProgramSession, sequence: int, analysis: MessageAnalysis
    ) -> Turn | None:
        self._analysis = analysis
        return self._try(
            lambda: self._stored.claim_turn(message, program_session, sequence, analysis),
            lambda: _claimed(message, program_session, sequence),
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
            self._memory.record_turn(result.next_step.state, completed, self._message.client_message_id)
        return completed

    def fail(self, turn: Turn) -> bool:
        return self._try(lambda: self._stored.fail(turn), lambda: False)

    def expired(self, limit: int) -> list[Turn]:
        return self._stored.expired(limit)

    def _try(self, stored: Callable[[], Outcome], spooled: Callable[[], Outcome]) -> Outcome:
        if self.queued:
            return spooled()
        since = time.monotonic()
        try:
            with within(self._left_s):
                return stored()
        except Exception as error:
            if not is_away(error):
                raise
            self.queued = True
            return spooled()
        finally:
            self._left_s -= time.monotonic() - since

    def _view_stored(self, message: Message) -> ClaimView[ProgramSession, ProgramReply]:
        assert message.conversation_id is not None, "a session is begun in PostgreSQL"
        if self._memory.get(message.conversation_id) is not None:
            claim_view = self._stored.view(message)
            self._memory.update_state(claim_view.conversation.state)
        else:
            claim_view, message_ids = self._stored.view_with_message_ids(message)
            self._memory.add(claim_view.conversation.state, message_ids)
        return claim_view

    def _view_remembered(self, message: Message) -> ClaimView[ProgramSession, ProgramReply]:
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
        waiting = self._spool.find_turn(message)
        if waiting is not None:
            same = _completed(_claimed(waiting.message, program_session, waiting.base_version), waiting.reply)
            return ClaimView(program_session, same, same)
        raise Unavailable("The database is away; the answer to this message can be read when it is back.")

    def _append(self, turn: Turn, program_session: ProgramSession, result: TurnResult) -> Turn:
        assert self._analysis is not None, "a turn is claimed before it is completed"
        self._spool.append(
            SpooledTurn(
                message=self._message,
                analysis=self._analysis,
                coach_reply=result.coach_reply,
                base_version=program_session.state.version,
                week=program_session.week.week_number,
                run=program_session.week_state.run,
                question_number=program_session.week_state.question_number,
                asks_question=result.next_step.asks_question,
                state=result.next_step.state,
                reply=result.reply,
                answered_at=utc_now(),
            )
        )
        return _completed(turn, result.reply)


def _claimed(message: Message, program_session: ProgramSession, sequence: int) -> Turn:
    return Turn(
        new_id(),
        program_session.state.session_id,
        sequence,
        message.fingerprint,
        Status.RUNNING,
        epoch=1,
        lease_expires_at=utc_now() + LEASE,
    )


def _completed(turn: Turn, reply: ProgramReply) -> Turn:
    return replace(turn, status=Status.COMPLETED, lease_expires_at=None, reply=reply)

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

    def look(self, message: Message) -> ClaimView[ProgramSession]:
        return self._try(lambda: self._seen(message), lambda: self._recalled(message))

    def begin(
        self, message: Message, place: ProgramSession, sequence: int, reading: MessageAnalysis
    ) -> Turn | None:
        self._reading = reading
        return self._try(
            lambda: self._stored.begin(message, place, sequence, reading),
            lambda: _unstored(message, place, sequence),
        )

    def take_over(self, turn: Turn) -> Turn | None:
        return self._try(lambda: self._stored.take_over(turn), lambda: turn)

    def renew(self, turn: Turn) -> bool:
        return self._try(lambda: self._stored.renew(turn), lambda: True)

    def complete(self, turn: Turn, place: ProgramSession, result: TurnResult) -> Turn | None:
        completed = self._try(
            lambda: self._stored.complete(turn, place, result),
            lambda: self._append(turn, place, result),
        )
        if completed is not None:
            self._memory.completed(result.following.snapshot, completed, self._message.client_message_id)
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
            sight = self._stored.look(message)
            self._memory.see(sight.place.snapshot)
        else:
            sight, message_ids = self._stored.look_with_ids(message)
            self._memory.learn(sight.place.snapshot, message_ids)
        return sight

    def _recalled(self, message: Message) -> ClaimView[ProgramSession]:
        assert message.conversation_id is not None, "a session is begun in PostgreSQL"
        known = self._memory.get(message.conversation_id)
        if known is None:
            raise Unavailable("The database is away; your session goes on as soon as it is back.")
        if known.snapshot.user_id != message.user_id:
            raise SessionNotFound
        place = ProgramSession(
            known.snapshot, self._stored.catalog.get(known.snapshot.version_id), stored=False
        )
        if message.client_message_id not in known.message_ids:
            return ClaimView(place, None, None)
        if known.last is not None and known.last_message_id == message.client_message_id:
            return ClaimView(place, known.last, known.last)
        waiting = self._spool.turn(message)
        if waiting is not None:
            same = _completed(_unstored(waiting.message, place, waiting.base), waiting.reply)
            return ClaimView(place, same, same)
        raise Unavailable("The database is away; the answer to this message can be read when it is back.")

    def _append(self, turn: Turn, place: ProgramSession, result: TurnResult) -> Turn:
        assert self._reading is not None, "begun before it is completed"
        self._spool.append(
            SpooledTurn(
                message=self._message,
                risk=self._reading.risk,
                intent=self._reading.intent,
                step=result.step,
                base=place.snapshot.version,
                week=place.week.week_number,
                run=place.open_week.run,
                question=place.open_week.question_number,
                asks=result.following.asks,
                snapshot=result.following.snapshot,
                reply=result.reply,
                answered_at=utc_now(),
            )
        )
        return _completed(turn, result.reply)


def _unstored(message: Message, place: ProgramSession, sequence: int) -> Turn:
    return Turn(
        new_id(),
        place.snapshot.session_id,
        sequence,
        message.fingerprint,
        Status.RUNNING,
        epoch=1,
        lease_expires_at=utc_now() + LEASE,
    )


def _completed(turn: Turn, reply: Reply) -> Turn:
    said = reply.model_dump(mode="json")
    return replace(turn, status=Status.COMPLETED, lease_expires_at=None, reply=said)

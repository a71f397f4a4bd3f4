"""The turn store in memory, with the guarantees that PostgreSQL's constraints give."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from chat_service.programs.coach.session_state import ProgramSession, WeekState
from chat_service.programs.coach.turn import MessageAnalysis, ProgramReply, TurnResult
from chat_service.programs.sessions.memory.store import (
    MemoryMessage,
    MemorySession,
    MemoryStore,
    MemoryTurn,
    MemoryWeek,
)
from chat_service.programs.sessions.turn_messages import QuestionPosition, coach_message, participant_message
from chat_service.turns.model import LEASE, ClaimView, Message, Status
from chat_service.turns.model import Turn as AnyTurn
from cogniflow_kit.ids import new_id, utc_now

log = structlog.stdlib.get_logger(__name__)

Turn = AnyTurn[ProgramReply]


class MemoryTurnStore:
    """Each method is atomic: it runs under the store's lock."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def view(self, message: Message) -> ClaimView[ProgramSession, ProgramReply]:
        with self._store.session(message.conversation_id, message.user_id) as stored:
            last = stored.last.turn if stored.last is not None else None
            return ClaimView(stored.program_session, stored.turn(message.client_message_id), last)

    def claim_turn(
        self, message: Message, program_session: ProgramSession, sequence: int, analysis: MessageAnalysis
    ) -> Turn | None:
        with self._store.session(message.conversation_id, message.user_id) as stored:
            last = stored.last.turn if stored.last is not None else None
            if stored.turn(message.client_message_id) is not None or _is_taken(last, sequence):
                return None
            if last is not None and _is_free(last):
                stored.put(replace(last, status=Status.ABANDONED, lease_expires_at=None))
            turn = Turn(
                new_id(),
                program_session.state.session_id,
                sequence,
                message.fingerprint,
                Status.RUNNING,
                epoch=1,
                lease_expires_at=utc_now() + LEASE,
            )
            stored.turns.append(MemoryTurn(message.client_message_id, turn))
            stored.messages.append(_participant_message(message, program_session, sequence))
        if analysis.risk is not None:
            log.warning(
                "nobody will review this detection, it is kept in memory alone",
                session_id=str(turn.conversation_id),
                severity=analysis.risk.severity,
            )
        return turn

    def reclaim(self, turn: Turn) -> Turn | None:
        again = {"status": Status.RUNNING, "epoch": turn.epoch + 1, "lease_expires_at": utc_now() + LEASE}
        return self._change(turn, _is_free, **again)

    def renew(self, turn: Turn) -> bool:
        return self._change(turn, _is_running, lease_expires_at=utc_now() + LEASE) is not None

    def complete(self, turn: Turn, program_session: ProgramSession, result: TurnResult) -> Turn | None:
        with self._store.sessions() as sessions:
            stored = sessions.get(turn.conversation_id)
            if stored is None or not _is_ours(stored, turn) or stored.state.completed:
                return None
            if stored.state.version != program_session.state.version:
                return None
            _update_state(stored, program_session, result)
            stored.messages += _coach_messages(turn, program_session, result)
            return stored.put(
                replace(turn, status=Status.COMPLETED, lease_expires_at=None, reply=result.reply)
            )

    def fail(self, turn: Turn) -> bool:
        return self._change(turn, _is_running, status=Status.FAILED, lease_expires_at=None) is not None

    def expired(self, limit: int) -> list[Turn]:
        with self._store.sessions() as sessions:
            turns = [stored.last.turn for stored in sessions.values() if stored.last is not None]
        overdue = [turn for turn in turns if turn.status is Status.RUNNING and _is_free(turn)]
        return overdue[:limit]

    def _change(self, turn: Turn, condition: Callable[[Turn], bool], **changes: Any) -> Turn | None:
        """Change the turn if the condition holds and it was not claimed since this epoch."""
        with self._store.sessions() as sessions:
            stored = sessions.get(turn.conversation_id)
            now = next((k.turn for k in stored.turns if k.turn.id == turn.id), None) if stored else None
            if stored is None or now is None or now.epoch != turn.epoch or not condition(now):
                return None
            return stored.put(replace(now, **changes))


def _is_taken(last: Turn | None, sequence: int) -> bool:
    """Whether the sequence number exists, or a running turn holds the conversation."""
    if last is None:
        return False
    return last.sequence >= sequence or (_is_running(last) and not _is_free(last))


def _is_running(turn: Turn) -> bool:
    return turn.status is Status.RUNNING


def _is_free(turn: Turn) -> bool:
    """Failed, or running and expired."""
    return turn.status is Status.FAILED or (_is_running(turn) and not turn.holds_conversation(utc_now()))


def _is_ours(stored: MemorySession, turn: Turn) -> bool:
    now = next((k.turn for k in stored.turns if k.turn.id == turn.id), None)
    return now is not None and _is_running(now) and now.epoch == turn.epoch


def _update_state(stored: MemorySession, before: ProgramSession, result: TurnResult) -> None:
    """Set the state after the turn; a pause or a claim during the turn stays."""
    now, next_step = utc_now(), result.next_step
    stored.state = replace(
        next_step.state,
        paused_at=stored.state.paused_at,
        user_id=stored.state.user_id,
        anonymous=stored.state.anonymous,
    )
    stored.last_activity = now
    stored.completed_at = now if next_step.session_completed else None
    left = replace(before.week_state, data=result.coach_reply.answers)
    for state in (left, *next_step.state.weeks):
        _store_week(stored, state)


def _store_week(stored: MemorySession, state: WeekState) -> None:
    now = utc_now()
    for number, week in enumerate(stored.weeks):
        if (week.state.week_id, week.state.run) == (state.week_id, state.run):
            done = (week.completed_at or now) if state.is_completed else None
            stored.weeks[number] = MemoryWeek(state, week.started_at, done)
            return
    stored.weeks.append(MemoryWeek(state, now, now if state.is_completed else None))


def _participant_message(message: Message, program_session: ProgramSession, sequence: int) -> MemoryMessage:
    session_message = participant_message(message, _position(program_session), sequence)
    return MemoryMessage(session_message, iteration=program_session.context.iteration)


def _coach_messages(turn: Turn, program_session: ProgramSession, result: TurnResult) -> list[MemoryMessage]:
    coach_reply, next_step, now = result.coach_reply, result.next_step, utc_now()
    messages = []
    if coach_reply.response:
        response = coach_message(coach_reply.response, _position(program_session), turn.sequence, now)
        scenario = result.reply.scenario if coach_reply.is_attempt or result.reply.skipped else None
        messages.append(MemoryMessage(response, scenario, coach_reply.iteration))
    if next_step.asks_question and next_step.text is not None:
        after = ProgramSession(next_step.state, program_session.program)
        question = coach_message(next_step.text, _position(after), turn.sequence, now)
        messages.append(MemoryMessage(question))
    return messages


def _position(program_session: ProgramSession) -> QuestionPosition:
    context = program_session.context
    return QuestionPosition(
        context.week.week_number, program_session.week_state.run, context.question.question_number
    )

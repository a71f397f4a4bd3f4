"""Turns of programs in memory, with the promises that PostgreSQL's constraints give."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog

from chat_service.programs.coach.analysis import MessageAnalysis
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.coach.turn_result import TurnResult
from chat_service.programs.sessions.memory.store import (
    KeptMessage,
    KeptSession,
    KeptTurn,
    KeptWeek,
    MemoryStore,
)
from chat_service.programs.sessions.schemas import MessageOut
from chat_service.turns.model import LEASE, ClaimView, Message, Status, Turn
from cogniflow_kit.ids import new_id, utc_now

log = structlog.stdlib.get_logger(__name__)


class MemoryTurnStore:
    """Each method is whole or not at all: nothing in it can fail halfway."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def look(self, message: Message) -> ClaimView[ProgramSession]:
        with self._store.session(message.conversation_id, message.user_id) as kept:
            last = kept.last.turn if kept.last is not None else None
            return ClaimView(kept.place, kept.turn(message.client_message_id), last)

    def begin(
        self, message: Message, place: ProgramSession, sequence: int, reading: MessageAnalysis
    ) -> Turn | None:
        with self._store.session(message.conversation_id, message.user_id) as kept:
            last = kept.last.turn if kept.last is not None else None
            if kept.turn(message.client_message_id) is not None or _is_taken(last, sequence):
                return None
            if last is not None and _is_free(last):
                kept.put(replace(last, status=Status.ABANDONED, lease_expires_at=None))
            turn = Turn(
                new_id(),
                place.snapshot.session_id,
                sequence,
                message.fingerprint,
                Status.RUNNING,
                epoch=1,
                lease_expires_at=utc_now() + LEASE,
            )
            kept.turns.append(KeptTurn(message.client_message_id, turn))
            kept.messages.append(_words(message, place, sequence))
        if reading.risk is not None:
            log.warning(
                "nobody will review this detection, it is kept in memory alone",
                session_id=str(turn.conversation_id),
                severity=reading.risk.severity,
            )
        return turn

    def take_over(self, turn: Turn) -> Turn | None:
        again = {"status": Status.RUNNING, "epoch": turn.epoch + 1, "lease_expires_at": utc_now() + LEASE}
        return self._change(turn, _is_free, **again)

    def renew(self, turn: Turn) -> bool:
        return self._change(turn, _is_running, lease_expires_at=utc_now() + LEASE) is not None

    def complete(self, turn: Turn, place: ProgramSession, result: TurnResult) -> Turn | None:
        with self._store.sessions() as sessions:
            kept = sessions.get(turn.conversation_id)
            if kept is None or not _is_ours(kept, turn) or kept.snapshot.completed:
                return None
            if kept.snapshot.version != place.snapshot.version:
                return None
            _move(kept, place, result)
            kept.messages += _said(turn, place, result)
            reply = result.reply.model_dump(mode="json")
            return kept.put(replace(turn, status=Status.COMPLETED, lease_expires_at=None, reply=reply))

    def fail(self, turn: Turn) -> bool:
        return self._change(turn, _is_running, status=Status.FAILED, lease_expires_at=None) is not None

    def expired(self, limit: int) -> list[Turn]:
        with self._store.sessions() as sessions:
            turns = [kept.last.turn for kept in sessions.values() if kept.last is not None]
        overdue = [turn for turn in turns if turn.status is Status.RUNNING and _is_free(turn)]
        return overdue[:limit]

    def _change(self, turn: Turn, condition: Callable[[Turn], bool], **changes: Any) -> Turn | None:
        """Where the condition holds and nobody claimed it since this epoch."""
        with self._store.sessions() as sessions:
            kept = sessions.get(turn.conversation_id)
            now = next((k.turn for k in kept.turns if k.turn.id == turn.id), None) if kept else None
            if kept is None or now is None or now.epoch != turn.epoch or not condition(now):
                return None
            return kept.put(replace(now, **changes))


def _is_taken(last: Turn | None, sequence: int) -> bool:
    """Whether the number is, or the conversation by a turn that somebody is at."""
    if last is None:
        return False
    return last.sequence >= sequence or (_is_running(last) and not _is_free(last))


def _is_running(turn: Turn) -> bool:
    return turn.status is Status.RUNNING


def _is_free(turn: Turn) -> bool:
    """Failed, or running and expired."""
    return turn.status is Status.FAILED or (_is_running(turn) and not turn.holds_conversation(utc_now()))


def _is_ours(kept: KeptSession, turn: Turn) -> bool:
    now = next((k.turn for k in kept.turns if k.turn.id == turn.id), None)
    return now is not None and _is_running(now) and now.epoch == turn.epoch


def _move(kept: KeptSession, before: ProgramSession, result: TurnResult) -> None:
    """The state after the turn. What was paused or claimed meanwhile stays so."""
    now, following = utc_now(), result.following
    kept.snapshot = following.snapshot.model_copy(
        update={
            "paused_at": kept.snapshot.paused_at,
            "user_id": kept.snapshot.user_id,
            "anonymous": kept.snapshot.anonymous,
        }
    )
    kept.last_activity = now
    kept.completed_at = now if following.session_completed else None
    left = before.open_week.model_copy(update={"data": result.step.state})
    for state in (left, *following.snapshot.weeks):
        _keep_week(kept, state)


def _keep_week(kept: KeptSession, state: Any) -> None:
    now = utc_now()
    for number, week in enumerate(kept.weeks):
        if (week.state.week_id, week.state.run) == (state.week_id, state.run):
            done = (week.completed_at or now) if state.is_completed else None
            kept.weeks[number] = KeptWeek(state, week.started_at, done)
            return
    kept.weeks.append(KeptWeek(state, now, now if state.is_completed else None))


def _words(message: Message, place: ProgramSession, sequence: int) -> KeptMessage:
    standing = place.standing
    said = MessageOut(
        sender="user",
        message_text=message.text,
        message_type=message.message_type,
        recording_ref=message.recording_ref,
        week=standing.week.week_number,
        run=place.open_week.run,
        question_number=standing.question.question_number,
        turn_sequence=sequence,
        created_at=message.said_at,
    )
    return KeptMessage(said, iteration=standing.iteration)


def _said(turn: Turn, place: ProgramSession, result: TurnResult) -> list[KeptMessage]:
    step, following, standing = result.step, result.following, place.standing
    response = MessageOut(
        sender="nova",
        message_text=step.response,
        message_type="text",
        recording_ref=None,
        week=standing.week.week_number,
        run=place.open_week.run,
        question_number=standing.question.question_number,
        turn_sequence=turn.sequence,
        created_at=utc_now(),
    )
    scenario = result.reply.scenario if step.counts or result.reply.skipped else None
    said = [KeptMessage(response, scenario, step.iteration)] if step.response else []
    if following.asks and following.question is not None:
        opened = following.snapshot.state_of(following.week.week_id)
        asked = response.model_copy(
            update={
                "message_text": following.text,
                "week": following.week.week_number,
                "run": opened.run if opened is not None else 1,
                "question_number": following.question.question_number,
            }
        )
        said.append(KeptMessage(asked))
    return said

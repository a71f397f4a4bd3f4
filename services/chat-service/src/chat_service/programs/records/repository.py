"""Queries on recorded program sessions and their summaries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.coach.session_state import SessionState
from chat_service.programs.records.record import (
    RecordedAnswer,
    RecordedMessage,
    RecordedWeek,
    SessionRecord,
)
from chat_service.programs.sessions.errors import SessionNotFound
from chat_service.programs.sessions.sql.statements import read_session_state
from chat_service.programs.sessions.summary import Summary, unquoted
from cogniflow_kit.ids import new_id

_Position = tuple[int, int, int]
"""Week number, run and question number."""


@dataclass(frozen=True)
class StoredSummary:
    summary: Summary
    generated_at: datetime


def read_record(db: Session, session_id: UUID, user_id: UUID) -> SessionRecord:
    """Read the whole program session. Raises: SessionNotFound (also for another participant's)"""
    head = _head(db, session_id, user_id)
    messages = _messages(db, session_id)
    return SessionRecord(
        session_id=session_id,
        program=head.slug,
        program_version=head.program_version,
        title=head.title,
        coach=head.coach,
        participant=head.name,
        locale=head.locale,
        started_at=head.created_at,
        completed_at=head.completion_time,
        weeks=_weeks(db, session_id),
        messages=messages,
        answers=_answers(db, session_id, _asked(messages), head.name),
    )


def read_snapshot(db: Session, session_id: UUID, user_id: UUID) -> SessionState:
    """Read the session state. Raises: SessionNotFound (also for another participant's)"""
    found = read_session_state(db, session_id, user_id)
    if found is None:
        raise SessionNotFound
    return found


def newest_complete(db: Session, session_id: UUID, user_id: UUID) -> StoredSummary | None:
    """Return the newest complete summary of the participant's own session."""
    row = db.execute(
        select(tables.SessionSummary.summary_data, tables.SessionSummary.generated_at)
        .where(
            tables.SessionSummary.session_id == session_id,
            tables.SessionSummary.user_id == user_id,
            tables.SessionSummary.summary_type == "complete",
            # Summaries imported from older systems have negative numbers and another form.
            tables.SessionSummary.session_version > 0,
        )
        .order_by(tables.SessionSummary.session_version.desc())
        .limit(1)
    ).first()
    return None if row is None else StoredSummary(Summary.model_validate(row[0]), row[1])


def keep_summary(
    db: Session, session_id: UUID, user_id: UUID, summary: Summary
) -> tuple[StoredSummary, bool]:
    """Store the summary unless one of this type and session version exists.

    Returns the stored summary and whether it is new.
    Raises: SessionNotFound (the session was deleted in the meantime)
    """
    _prevent_deletion(db, session_id, user_id)
    same = {
        "session_id": session_id,
        "summary_type": summary.summary_type,
        "session_version": summary.session_version,
    }
    generated_at = db.scalar(
        insert(tables.SessionSummary)
        .values(summary_id=new_id(), user_id=user_id, summary_data=summary.model_dump(mode="json"), **same)
        .on_conflict_do_nothing()
        .returning(tables.SessionSummary.generated_at)
    )
    if generated_at is not None:
        return StoredSummary(summary, generated_at), True
    stored = db.execute(
        select(tables.SessionSummary.summary_data, tables.SessionSummary.generated_at).filter_by(**same)
    ).one()
    return StoredSummary(Summary.model_validate(stored[0]), stored[1]), False


def _prevent_deletion(db: Session, session_id: UUID, user_id: UUID) -> None:
    """Lock the session against deletion until this transaction ends."""
    own = select(tables.ProgramSession.session_id).where(
        tables.ProgramSession.session_id == session_id, tables.ProgramSession.user_id == user_id
    )
    if db.scalar(own.with_for_update(read=True, key_share=True)) is None:
        raise SessionNotFound


def _head(db: Session, session_id: UUID, user_id: UUID) -> Row[Any]:
    found = db.execute(
        select(
            tables.Program.slug,
            tables.ProgramVersion.version.label("program_version"),
            tables.ProgramVersion.title,
            tables.ProgramVersion.coach,
            tables.ProgramSession.name,
            tables.ProgramSession.locale,
            tables.ProgramSession.created_at,
            tables.ProgramSession.completion_time,
        )
        .join(tables.Program, tables.Program.program_id == tables.ProgramSession.program_id)
        .join(tables.ProgramVersion, tables.ProgramVersion.version_id == tables.ProgramSession.version_id)
        .where(tables.ProgramSession.session_id == session_id, tables.ProgramSession.user_id == user_id)
    ).first()
    if found is None:
        raise SessionNotFound
    return cast("Row[Any]", found)


def _weeks(db: Session, session_id: UUID) -> tuple[RecordedWeek, ...]:
    rows = db.execute(
        select(
            tables.Week.week_number,
            tables.Week.title,
            tables.UserProgress.run,
            tables.UserProgress.started_at,
            tables.UserProgress.completed_at,
            tables.UserProgress.metadata_,
        )
        .join(tables.Week, tables.Week.week_id == tables.UserProgress.week_id)
        .where(tables.UserProgress.session_id == session_id)
        .order_by(tables.Week.week_number, tables.UserProgress.run)
    )
    return tuple(RecordedWeek(*row) for row in rows)


def _messages(db: Session, session_id: UUID) -> tuple[RecordedMessage, ...]:
    rows = db.execute(
        select(
            tables.ConversationMessage.sender,
            tables.ConversationMessage.message_text,
            tables.ConversationMessage.message_type,
            tables.ConversationMessage.recording_ref,
            tables.Week.week_number,
            tables.Week.title,
            tables.ConversationMessage.run,
            tables.Question.question_number,
            tables.ConversationMessage.scenario_classification,
            tables.ConversationMessage.iteration_number,
            tables.ConversationMessage.created_at,
        )
        .join(tables.Week, tables.Week.week_id == tables.ConversationMessage.week_id)
        .outerjoin(tables.Question, tables.Question.question_id == tables.ConversationMessage.question_id)
        .where(tables.ConversationMessage.session_id == session_id)
        .order_by(tables.ConversationMessage.turn_sequence, tables.ConversationMessage.position)
    )
    return tuple(RecordedMessage(*row) for row in rows)


def _answers(
    db: Session, session_id: UUID, asked: dict[_Position, str], name: str
) -> tuple[RecordedAnswer, ...]:
    rows = db.execute(_answers_statement(session_id))
    return tuple(
        RecordedAnswer(
            week_number=row.week_number,
            run=row.run,
            question_number=row.question_number,
            question_text=asked.get(
                (row.week_number, row.run, row.question_number), unquoted(row.question_text, name)
            ),
            attempts=tuple(row.attempts or ()),
            completed=row.done is not None,
            skipped=bool(row.skipped),
        )
        for row in rows
    )


def _answers_statement(session_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select every question that has answers or is completed, by week, run and question number."""
    answered = (
        select(
            tables.UserAnswer.question_id,
            tables.UserAnswer.run,
            func.array_agg(
                aggregate_order_by(tables.UserAnswer.answer_text, tables.UserAnswer.answer_id)
            ).label("attempts"),
        )
        .where(tables.UserAnswer.session_id == session_id)
        .group_by(tables.UserAnswer.question_id, tables.UserAnswer.run)
        .subquery()
    )
    skipped = tables.QuestionCompletion.metadata_["skipped"].as_boolean()
    done = (
        select(tables.QuestionCompletion.question_id, tables.QuestionCompletion.run, skipped.label("skipped"))
        .where(tables.QuestionCompletion.session_id == session_id)
        .subquery()
    )
    same = and_(answered.c.question_id == done.c.question_id, answered.c.run == done.c.run)
    run = func.coalesce(answered.c.run, done.c.run).label("run")
    return (
        select(
            tables.Week.week_number,
            run,
            tables.Question.question_number,
            tables.Question.question_text,
            answered.c.attempts,
            done.c.question_id.label("done"),
            done.c.skipped,
        )
        .select_from(answered.join(done, same, full=True))
        .join(
            tables.Question,
            tables.Question.question_id == func.coalesce(answered.c.question_id, done.c.question_id),
        )
        .join(tables.Week, tables.Week.week_id == tables.Question.week_id)
        .order_by(tables.Week.week_number, run, tables.Question.question_number)
    )


def _asked(messages: tuple[RecordedMessage, ...]) -> dict[_Position, str]:
    """Return the text of each question as the coach asked it: the coach's first message of that question."""
    asked: dict[_Position, str] = {}
    for message in messages:
        if message.sender == "nova" and message.question_number is not None:
            asked.setdefault((message.week_number, message.run, message.question_number), message.text)
    return asked

"""Reads sessions as they are written down, and keeps their summaries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, and_, func, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import Session

from chat_service.programs.errors import SessionNotFound
from chat_service.programs.place import Snapshot
from chat_service.programs.stores.statements import SNAPSHOT
from chat_service.records.record import (
    RecordedAnswer,
    RecordedMessage,
    RecordedWeek,
    SessionRecord,
)
from chat_service.records.summary import Summary, unquoted
from chat_service.tables import (
    ConversationMessage,
    Program,
    ProgramSession,
    ProgramVersion,
    Question,
    QuestionCompletion,
    SessionSummary,
    UserAnswer,
    UserProgress,
    Week,
)
from cogniflow_kit.ids import new_id

_SNAPSHOT = text(f"SELECT CAST(row_to_json(snapshot) AS text) FROM ({SNAPSHOT}) snapshot")  # noqa: S608
_Place = tuple[int, int, int]
"""Week number, run and question number."""


@dataclass(frozen=True)
class StoredSummary:
    summary: Summary
    generated_at: datetime


def read_record(session: Session, session_id: UUID, user_id: UUID) -> SessionRecord:
    """The whole session. Raises SessionNotFound, also for somebody else's."""
    head = _head(session, session_id, user_id)
    messages = _messages(session, session_id)
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
        weeks=_weeks(session, session_id),
        messages=messages,
        answers=_answers(session, session_id, _asked(messages), head.name),
    )


def read_snapshot(session: Session, session_id: UUID, user_id: UUID) -> Snapshot:
    """The session's state. Raises SessionNotFound, also for somebody else's."""
    found = session.scalar(_SNAPSHOT, {"session_id": session_id, "user_id": user_id})
    if found is None:
        raise SessionNotFound
    return Snapshot.model_validate_json(found)


def newest_complete(session: Session, session_id: UUID, user_id: UUID) -> StoredSummary | None:
    """The newest complete summary of the user's own session."""
    row = session.execute(
        select(SessionSummary.summary_data, SessionSummary.generated_at)
        .where(
            SessionSummary.session_id == session_id,
            SessionSummary.user_id == user_id,
            SessionSummary.summary_type == "complete",
            # Summaries taken over from older systems have negative numbers, and a form of their own.
            SessionSummary.session_version > 0,
        )
        .order_by(SessionSummary.session_version.desc())
        .limit(1)
    ).first()
    return None if row is None else StoredSummary(Summary.model_validate(row[0]), row[1])


def keep_summary(
    session: Session, session_id: UUID, user_id: UUID, summary: Summary
) -> tuple[StoredSummary, bool]:
    """The summary of this type and session version as it is stored, and whether it is new.

    Raises SessionNotFound when the session was deleted meanwhile.
    """
    _hold(session, session_id, user_id)
    same = {
        "session_id": session_id,
        "summary_type": summary.summary_type,
        "session_version": summary.session_version,
    }
    generated_at = session.scalar(
        insert(SessionSummary)
        .values(summary_id=new_id(), user_id=user_id, summary_data=summary.model_dump(mode="json"), **same)
        .on_conflict_do_nothing()
        .returning(SessionSummary.generated_at)
    )
    if generated_at is not None:
        return StoredSummary(summary, generated_at), True
    stored = session.execute(
        select(SessionSummary.summary_data, SessionSummary.generated_at).filter_by(**same)
    ).one()
    return StoredSummary(Summary.model_validate(stored[0]), stored[1]), False


def _hold(session: Session, session_id: UUID, user_id: UUID) -> None:
    """Keep the session from being deleted until this transaction ends."""
    own = select(ProgramSession.session_id).where(
        ProgramSession.session_id == session_id, ProgramSession.user_id == user_id
    )
    if session.scalar(own.with_for_update(read=True, key_share=True)) is None:
        raise SessionNotFound


def _head(session: Session, session_id: UUID, user_id: UUID) -> Row[Any]:
    found = session.execute(
        select(
            Program.slug,
            ProgramVersion.version.label("program_version"),
            ProgramVersion.title,
            ProgramVersion.coach,
            ProgramSession.name,
            ProgramSession.locale,
            ProgramSession.created_at,
            ProgramSession.completion_time,
        )
        .join(Program, Program.program_id == ProgramSession.program_id)
        .join(ProgramVersion, ProgramVersion.version_id == ProgramSession.version_id)
        .where(ProgramSession.session_id == session_id, ProgramSession.user_id == user_id)
    ).first()
    if found is None:
        raise SessionNotFound
    return cast("Row[Any]", found)


def _weeks(session: Session, session_id: UUID) -> tuple[RecordedWeek, ...]:
    rows = session.execute(
        select(
            Week.week_number,
            Week.title,
            UserProgress.run,
            UserProgress.started_at,
            UserProgress.completed_at,
            UserProgress.metadata_,
        )
        .join(Week, Week.week_id == UserProgress.week_id)
        .where(UserProgress.session_id == session_id)
        .order_by(Week.week_number, UserProgress.run)
    )
    return tuple(RecordedWeek(*row) for row in rows)


def _messages(session: Session, session_id: UUID) -> tuple[RecordedMessage, ...]:
    rows = session.execute(
        select(
            ConversationMessage.sender,
            ConversationMessage.message_text,
            ConversationMessage.message_type,
            ConversationMessage.recording_ref,
            Week.week_number,
            Week.title,
            ConversationMessage.run,
            Question.question_number,
            ConversationMessage.scenario_classification,
            ConversationMessage.iteration_number,
            ConversationMessage.created_at,
        )
        .join(Week, Week.week_id == ConversationMessage.week_id)
        .outerjoin(Question, Question.question_id == ConversationMessage.question_id)
        .where(ConversationMessage.session_id == session_id)
        .order_by(ConversationMessage.turn_sequence, ConversationMessage.position)
    )
    return tuple(RecordedMessage(*row) for row in rows)


def _answers(
    session: Session, session_id: UUID, asked: dict[_Place, str], name: str
) -> tuple[RecordedAnswer, ...]:
    said = (
        select(
            UserAnswer.question_id,
            UserAnswer.run,
            func.array_agg(aggregate_order_by(UserAnswer.answer_text, UserAnswer.answer_id)).label(
                "attempts"
            ),
        )
        .where(UserAnswer.session_id == session_id)
        .group_by(UserAnswer.question_id, UserAnswer.run)
        .subquery()
    )
    skipped = QuestionCompletion.metadata_["skipped"].as_boolean()
    done = (
        select(QuestionCompletion.question_id, QuestionCompletion.run, skipped.label("skipped"))
        .where(QuestionCompletion.session_id == session_id)
        .subquery()
    )
    same = and_(said.c.question_id == done.c.question_id, said.c.run == done.c.run)
    run = func.coalesce(said.c.run, done.c.run).label("run")
    rows = session.execute(
        select(
            Week.week_number,
            run,
            Question.question_number,
            Question.question_text,
            said.c.attempts,
            done.c.question_id.label("done"),
            done.c.skipped,
        )
        .select_from(said.join(done, same, full=True))
        .join(Question, Question.question_id == func.coalesce(said.c.question_id, done.c.question_id))
        .join(Week, Week.week_id == Question.week_id)
        .order_by(Week.week_number, run, Question.question_number)
    )
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


def _asked(messages: tuple[RecordedMessage, ...]) -> dict[_Place, str]:
    """Each question as the coach put it: what is said first in its place."""
    asked: dict[_Place, str] = {}
    for message in messages:
        if message.sender == "nova" and message.question_number is not None:
            asked.setdefault((message.week_number, message.run, message.question_number), message.text)
    return asked

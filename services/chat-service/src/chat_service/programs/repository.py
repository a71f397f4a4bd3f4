"""Queries on programmes and sessions that are no part of a turn."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from chat_service.learners import Learner
from chat_service.programs.coach import Standing
from chat_service.programs.content import Programme
from chat_service.programs.errors import ProgrammeNotFound
from chat_service.programs.schemas import LastTurn, MessageOut, WeekProgress
from chat_service.programs.state import ConversationData
from chat_service.tables import (
    ConversationMessage,
    ConversationState,
    Program,
    ProgramSession,
    ProgramTurn,
    ProgramVersion,
    Question,
    QuestionCompletion,
    UserProgress,
    Week,
)
from cogniflow_kit.ids import new_id


class ProgramRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def page(self, user_id: UUID, after: UUID | None, limit: int) -> list[Row[Any]]:
        newest = (
            select(ProgramVersion)
            .ext(distinct_on(ProgramVersion.program_id))
            .order_by(ProgramVersion.program_id, ProgramVersion.version.desc())
            .subquery()
        )
        weeks = select(func.count()).where(Week.version_id == newest.c.version_id).scalar_subquery()
        open_session = and_(
            ProgramSession.program_id == Program.program_id,
            ProgramSession.user_id == user_id,
            ProgramSession.completed.is_(False),
        )
        programs = (
            select(
                Program.program_id.label("id"),
                Program.slug,
                newest.c.title,
                newest.c.description,
                newest.c.version,
                weeks.label("weeks"),
                ProgramSession.session_id,
            )
            .join(newest, newest.c.program_id == Program.program_id)
            .outerjoin(ProgramSession, open_session)
            .order_by(Program.program_id)
            .limit(limit + 1)
        )
        if after is not None:
            programs = programs.where(Program.program_id > after)
        return list(self._session.execute(programs))

    def newest_version(self, slug: str) -> UUID:
        """Raises ProgrammeNotFound."""
        found = self._session.scalar(
            select(ProgramVersion.version_id)
            .join(Program)
            .where(Program.slug == slug)
            .order_by(ProgramVersion.version.desc())
            .limit(1)
        )
        if found is None:
            raise ProgrammeNotFound
        return found

    def open_session(self, user_id: UUID, slug: str) -> UUID | None:
        found: UUID | None = self._session.scalar(
            select(ProgramSession.session_id)
            .join(Program, Program.program_id == ProgramSession.program_id)
            .where(
                ProgramSession.user_id == user_id,
                ProgramSession.completed.is_(False),
                Program.slug == slug,
            )
        )
        return found

    def begin(self, learner: Learner, programme: Programme) -> UUID | None:
        """A new session at its first question; None when another request has just begun one."""
        week = programme.weeks[0]
        question = week.question(1)
        program_id = select(ProgramVersion.program_id).where(
            ProgramVersion.version_id == programme.version_id
        )
        session_id: UUID | None = self._session.scalar(
            insert(ProgramSession)
            .values(
                session_id=new_id(),
                user_id=learner.id,
                program_id=program_id.scalar_subquery(),
                version_id=programme.version_id,
                current_week_id=week.week_id,
                name=learner.name,
            )
            .on_conflict_do_nothing()
            .returning(ProgramSession.session_id)
        )
        if session_id is None:
            return None
        own = {"session_id": session_id, "user_id": learner.id, "week_id": week.week_id}
        standing = Standing(programme, week, question, ConversationData(), learner.name)
        self._session.add_all(
            [
                ConversationState(**own, conversation_data={}),
                UserProgress(**own),
                ConversationMessage(
                    **own,
                    question_id=question.question_id,
                    turn_sequence=0,
                    position=1,
                    sender="nova",
                    message_text=standing.text(question.question_text),
                ),
            ]
        )
        self._session.flush()
        return session_id

    def messages(self, session_id: UUID) -> list[MessageOut]:
        said = (
            select(
                ConversationMessage.sender,
                ConversationMessage.message_text,
                Question.question_number,
                ConversationMessage.turn_sequence,
                ConversationMessage.created_at,
            )
            .outerjoin(Question, Question.question_id == ConversationMessage.question_id)
            .where(ConversationMessage.session_id == session_id)
            .order_by(ConversationMessage.turn_sequence, ConversationMessage.position)
        )
        return [MessageOut.model_validate(row) for row in self._session.execute(said)]

    def progress(self, session_id: UUID, programme: Programme) -> list[WeekProgress]:
        counts = self._session.execute(
            select(Question.week_id, func.count())
            .join(QuestionCompletion, QuestionCompletion.question_id == Question.question_id)
            .where(QuestionCompletion.session_id == session_id)
            .group_by(Question.week_id)
        )
        completed: dict[UUID, int] = dict(counts.all())
        return [
            WeekProgress(
                week=week.week_number,
                title=week.title,
                questions=len(week.questions),
                questions_completed=completed.get(week.week_id, 0),
                is_completed=completed.get(week.week_id, 0) == len(week.questions),
            )
            for week in programme.weeks
            if week.is_active
        ]

    def last_turn(self, session_id: UUID) -> LastTurn | None:
        newest = (
            select(ProgramTurn)
            .where(ProgramTurn.session_id == session_id)
            .order_by(ProgramTurn.sequence.desc())
            .limit(1)
        )
        row = self._session.scalars(newest).first()
        return LastTurn.model_validate(row) if row else None

"""A session as a turn or a reader finds it: one query, with the programme from the process's cache."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from chat_service.programs.catalog import Catalog
from chat_service.programs.coach import Standing
from chat_service.programs.errors import SessionNotFound
from chat_service.programs.state import ConversationData
from chat_service.tables import ConversationState, ProgramSession


@dataclass(frozen=True)
class ProgramPlace:
    """`version` counts the changes of the session's state and fences its next one."""

    session_id: UUID
    user_id: UUID
    version: int
    completed: bool
    standing: Standing


def read_place(session: Session, catalog: Catalog, session_id: UUID | None, user_id: UUID) -> ProgramPlace:
    """Raises SessionNotFound, also for somebody else's session."""
    current_week = and_(
        ConversationState.session_id == ProgramSession.session_id,
        ConversationState.week_id == ProgramSession.current_week_id,
    )
    found = session.execute(
        select(ProgramSession, ConversationState)
        .join(ConversationState, current_week)
        .where(ProgramSession.session_id == session_id, ProgramSession.user_id == user_id)
    ).first()
    if found is None:
        raise SessionNotFound
    row, state = found
    programme = catalog.get(session, row.version_id)
    week = programme.week(row.current_week_id)
    standing = Standing(
        programme=programme,
        week=week,
        question=week.question(state.current_question_number),
        state=ConversationData.model_validate(state.conversation_data),
        name=row.name,
    )
    return ProgramPlace(row.session_id, row.user_id, row.version, row.completed, standing)

"""The session store in PostgreSQL."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.coach.session_state import ProgramSession
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.model import Program
from chat_service.programs.content.version_labels import PRODUCTION
from chat_service.programs.sessions.errors import (
    AlreadyTakingPart,
    ProgramNotFound,
    SessionNotFound,
    StartKeyReused,
    TooManyStarts,
)
from chat_service.programs.sessions.experiments import version_to_start
from chat_service.programs.sessions.facts import started
from chat_service.programs.sessions.sql.statements import read_session_state
from chat_service.programs.sessions.store import (
    ListedProgram,
    ListedSession,
    NewestTurn,
    SessionHistory,
    SessionMessage,
    StartRequest,
    StartResult,
    new_program_session,
)
from chat_service.stored_form import fields_of
from chat_service.turns.model import Status
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import record

_OWNED = (
    "conversation_messages", "user_answers", "nova_responses", "validation_logs", "intent_classifications",
    "risk_detections", "question_completions", "conversation_states", "user_progress", "user_responses",
    "session_summaries",
)  # fmt: skip
# The session's assignment moves along; an account that has an assignment keeps its own.
_ASSIGN = text(
    "INSERT INTO experiment_assignments (experiment_id, user_id, version_id, assigned_at)"
    " SELECT a.experiment_id, :user_id, a.version_id, a.assigned_at"
    " FROM experiment_assignments a JOIN sessions s USING (experiment_id)"
    " WHERE s.session_id = :session_id AND a.user_id = :participant ON CONFLICT DO NOTHING"
)
_UNASSIGN = text(
    "DELETE FROM experiment_assignments a USING sessions s"
    " WHERE s.session_id = :session_id AND a.experiment_id = s.experiment_id AND a.user_id = :participant"
)
ANONYMOUS_WINDOW = timedelta(hours=1)


class SqlSessionStore:
    """Each method is one transaction."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedProgram]:
        """Programs with a production version; one more than `limit` when there are more."""
        weeks = (
            select(func.count())
            .where(tables.Week.version_id == tables.ProgramVersion.version_id, tables.Week.is_active)
            .scalar_subquery()
        )
        open_session = and_(
            tables.ProgramSession.program_id == tables.Program.program_id,
            tables.ProgramSession.user_id == user_id,
            tables.ProgramSession.completed.is_(False),
        )
        found = (
            select(
                tables.Program.program_id.label("id"),
                tables.Program.slug,
                tables.ProgramVersion.title,
                tables.ProgramVersion.description,
                tables.ProgramVersion.coach,
                tables.ProgramVersion.locale,
                tables.ProgramVersion.anonymous,
                tables.ProgramVersion.version,
                weeks.label("weeks"),
                tables.ProgramSession.session_id,
            )
            .join(
                tables.ProgramLabel,
                and_(
                    tables.ProgramLabel.program_id == tables.Program.program_id,
                    tables.ProgramLabel.label == PRODUCTION,
                ),
            )
            .join(tables.ProgramVersion, tables.ProgramVersion.version_id == tables.ProgramLabel.version_id)
            .outerjoin(tables.ProgramSession, open_session)
            .order_by(tables.Program.program_id)
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(tables.Program.program_id > after)
        with self._database.transaction() as db:
            return [ListedProgram(**row._mapping) for row in db.execute(found)]

    def program(self, slug: str) -> Program:
        """The production version. Raises: ProgramNotFound."""
        labelled = (
            select(tables.ProgramLabel.version_id)
            .join(tables.Program, tables.Program.program_id == tables.ProgramLabel.program_id)
            .where(tables.Program.slug == slug, tables.ProgramLabel.label == PRODUCTION)
        )
        with self._database.transaction() as db:
            version_id = db.scalar(labelled)
        if version_id is None:
            raise ProgramNotFound
        return self._catalog.get(version_id)

    def start(self, request: StartRequest, slug: str) -> StartResult:
        """The session started with this key, else the open one of this program, else a new one."""
        with self._database.transaction() as db:
            found = _find_started(db, request, slug)
            if found is None:
                if request.anonymous and request.hourly_limit is not None:
                    _limit_anonymous(db, request.hourly_limit)
                beginning = version_to_start(db, slug, request.id)
                program = self._catalog.get(beginning.version_id)
                found = _insert_session(db, request, program, beginning.experiment_id)
        if found is None:
            return self.start(request, slug)  # another request has just started one
        return found

    def read(self, session_id: UUID, user_id: UUID) -> SessionHistory:
        """Raises: SessionNotFound (also for another participant's session)."""
        with self._database.transaction() as db:
            program_session = self._program_session(db, session_id, user_id)
            return SessionHistory(program_session, _messages(db, session_id), _newest_turn(db, session_id))

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:  # noqa: ARG002 -- needs a query
        return None

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[ListedSession]:
        """The caller's sessions, newest first, one more than `limit` when there is more."""
        found = (
            select(
                tables.ProgramSession.session_id.label("id"),
                tables.Program.slug.label("program"),
                tables.ProgramVersion.title,
                tables.ProgramVersion.version,
                tables.Week.week_number.label("week"),
                tables.ProgramSession.completed,
                tables.ProgramSession.paused_at.is_not(None).label("paused"),
                tables.ProgramSession.created_at,
                tables.ProgramSession.last_activity,
            )
            .join(tables.Program, tables.Program.program_id == tables.ProgramSession.program_id)
            .join(tables.ProgramVersion, tables.ProgramVersion.version_id == tables.ProgramSession.version_id)
            .join(tables.Week, tables.Week.week_id == tables.ProgramSession.current_week_id)
            .where(tables.ProgramSession.user_id == user_id)
            .order_by(tables.ProgramSession.session_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(tables.ProgramSession.session_id < after)
        with self._database.transaction() as db:
            return [ListedSession(**row._mapping) for row in db.execute(found)]

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None:
        """Pause or resume; no effect where it is so already. Raises: SessionNotFound."""
        now_paused = func.coalesce(tables.ProgramSession.paused_at, func.now()) if paused else None
        changed = (
            update(tables.ProgramSession)
            .where(tables.ProgramSession.session_id == session_id, tables.ProgramSession.user_id == user_id)
            .values(paused_at=now_paused)
            .returning(tables.ProgramSession.session_id)
        )
        with self._database.transaction() as db:
            if db.scalar(changed) is None:
                raise SessionNotFound

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None:
        """Move an anonymous session and all its rows to an account; no effect where it is done already.

        Raises: SessionNotFound, AlreadyTakingPart (the account has an open session of the program).
        """
        values = {"session_id": session_id, "participant": participant_id, "user_id": user_id}
        with self._database.transaction() as db:
            owner = db.scalar(
                text("SELECT user_id FROM sessions WHERE session_id = :session_id FOR UPDATE"), values
            )
            if owner == user_id:
                return
            if owner != participant_id:
                raise SessionNotFound
            try:
                db.execute(
                    text(
                        "UPDATE sessions SET user_id = :user_id, anonymous = false, start_key = NULL"
                        " WHERE session_id = :session_id"
                    ),
                    values,
                )
            except IntegrityError as error:
                raise AlreadyTakingPart from error
            for table in _OWNED:
                own = f"UPDATE {table} SET user_id = :user_id WHERE session_id = :session_id"  # noqa: S608
                db.execute(text(own), values)
            db.execute(_ASSIGN, values)
            db.execute(_UNASSIGN, values)

    def _program_session(self, db: Session, session_id: UUID, user_id: UUID) -> ProgramSession:
        session_state = read_session_state(db, session_id, user_id)
        if session_state is None:
            raise SessionNotFound
        return ProgramSession(session_state, self._catalog.get(session_state.version_id))


def _find_started(db: Session, request: StartRequest, slug: str) -> StartResult | None:
    """The session started with the same key, else the open one."""
    sessions = (
        select(
            tables.ProgramSession.session_id,
            tables.ProgramSession.name,
            tables.ProgramSession.locale,
            tables.Program.slug,
        )
        .join(tables.Program, tables.Program.program_id == tables.ProgramSession.program_id)
        .where(tables.ProgramSession.user_id == request.id)
    )
    if request.key is not None:
        repeated = db.execute(sessions.where(tables.ProgramSession.start_key == request.key)).first()
        if repeated is not None:
            if not request.asks_for(repeated.slug, repeated.name, repeated.locale, slug=slug):
                raise StartKeyReused
            return StartResult(repeated.session_id, is_new=False, is_repeated=True)
    is_open = db.execute(
        sessions.where(tables.Program.slug == slug, tables.ProgramSession.completed.is_(False))
    ).first()
    return StartResult(is_open.session_id, is_new=False) if is_open is not None else None


def _limit_anonymous(db: Session, hourly_limit: int) -> None:
    """The limit is for the whole installation, not for each participant."""
    since = func.now() - ANONYMOUS_WINDOW
    recent = select(func.count()).where(
        tables.ProgramSession.anonymous,
        tables.ProgramSession.created_at > since,
    )
    if (db.scalar(recent) or 0) >= hourly_limit:
        raise TooManyStarts


def _insert_session(
    db: Session, request: StartRequest, program: Program, experiment_id: UUID | None
) -> StartResult | None:
    """Insert a session at its first question; None when another request has just started one."""
    program_session = new_program_session(request, program, experiment_id)
    session_state, question = program_session.state, program_session.context.question
    program_id = select(tables.ProgramVersion.program_id).where(
        tables.ProgramVersion.version_id == program.version_id
    )
    added = db.scalar(
        insert(tables.ProgramSession)
        .values(
            **{name: value for name, value in fields_of(session_state).items() if name != "weeks"},
            program_id=program_id.scalar_subquery(),
            start_key=request.key,
            fsm_state=question.fsm_state,
        )
        .on_conflict_do_nothing()
        .returning(tables.ProgramSession.session_id)
    )
    if added is None:
        return None
    own = {
        "session_id": session_state.session_id,
        "user_id": session_state.user_id,
        "week_id": session_state.current_week_id,
    }
    db.add_all([tables.ConversationState(**own, conversation_data={}), tables.UserProgress(**own)])
    db.add(
        tables.ConversationMessage(
            **own,
            question_id=question.question_id,
            turn_sequence=0,
            position=1,
            sender="nova",
            message_text=program_session.context.text(question.question_text),
        )
    )
    db.flush()
    record(db, started(session_state, program.slug))
    return StartResult(session_state.session_id, is_new=True)


def _messages(db: Session, session_id: UUID) -> list[SessionMessage]:
    messages = (
        select(
            tables.ConversationMessage.sender,
            tables.ConversationMessage.message_text,
            tables.ConversationMessage.message_type,
            tables.ConversationMessage.recording_ref,
            tables.Week.week_number.label("week"),
            tables.ConversationMessage.run,
            tables.Question.question_number,
            tables.ConversationMessage.turn_sequence,
            tables.ConversationMessage.created_at,
        )
        .join(tables.Week, tables.Week.week_id == tables.ConversationMessage.week_id)
        .outerjoin(tables.Question, tables.Question.question_id == tables.ConversationMessage.question_id)
        .where(tables.ConversationMessage.session_id == session_id)
        .order_by(tables.ConversationMessage.turn_sequence, tables.ConversationMessage.position)
    )
    return [SessionMessage(**row._mapping) for row in db.execute(messages)]


def _newest_turn(db: Session, session_id: UUID) -> NewestTurn | None:
    newest = (
        select(
            tables.ProgramTurn.turn_id,
            tables.ProgramTurn.sequence,
            tables.ProgramTurn.client_message_id,
            tables.ProgramTurn.status,
        )
        .where(tables.ProgramTurn.session_id == session_id)
        .order_by(tables.ProgramTurn.sequence.desc())
        .limit(1)
    )
    row = db.execute(newest).first()
    return NewestTurn(row.turn_id, row.sequence, row.client_message_id, Status(row.status)) if row else None

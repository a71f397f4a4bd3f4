"""Sessions of programmes in PostgreSQL: what is no turn."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chat_service.programs.catalog import Catalog
from chat_service.programs.content import Programme
from chat_service.programs.errors import (
    AlreadyTakingPart,
    ProgrammeNotFound,
    SessionNotFound,
    StartKeyReused,
    TooManyStarts,
)
from chat_service.programs.facts import started
from chat_service.programs.labels import PRODUCTION, version_to_begin
from chat_service.programs.place import ProgramPlace, Snapshot, WeekState
from chat_service.programs.schemas import LastTurn, MessageOut, ProgramOut, SessionListed
from chat_service.programs.store import Beginner, Record, Started
from chat_service.programs.stores.statements import SNAPSHOT
from chat_service.tables import (
    ConversationMessage,
    ConversationState,
    Program,
    ProgramLabel,
    ProgramSession,
    ProgramTurn,
    ProgramVersion,
    Question,
    UserProgress,
    Week,
)
from cogniflow_kit.ids import new_id, utc_now
from cogniflow_kit.sql.database import Database
from cogniflow_kit.sql.outbox import record

_READ = text(f"SELECT CAST(row_to_json(found) AS text) AS snapshot FROM ({SNAPSHOT}) found")  # noqa: S608
_OWNED = (
    "conversation_messages", "user_answers", "nova_responses", "validation_logs", "intent_classifications",
    "risk_detections", "question_completions", "conversation_states", "user_progress", "user_responses",
    "session_summaries",
)  # fmt: skip
# What the session was begun under goes along; an account that has been assigned already stays with that.
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


class SqlSessions:
    """Each method is one transaction."""

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._database = database
        self._catalog = catalog

    def programs(self, user_id: UUID, after: UUID | None, limit: int) -> list[ProgramOut]:
        """What can be begun, in its production version; one more than `limit` when there is more."""
        weeks = (
            select(func.count())
            .where(Week.version_id == ProgramVersion.version_id, Week.is_active)
            .scalar_subquery()
        )
        open_session = and_(
            ProgramSession.program_id == Program.program_id,
            ProgramSession.user_id == user_id,
            ProgramSession.completed.is_(False),
        )
        found = (
            select(
                Program.program_id.label("id"),
                Program.slug,
                ProgramVersion.title,
                ProgramVersion.description,
                ProgramVersion.coach,
                ProgramVersion.locale,
                ProgramVersion.anonymous,
                ProgramVersion.version,
                weeks.label("weeks"),
                ProgramSession.session_id,
            )
            .join(
                ProgramLabel,
                and_(ProgramLabel.program_id == Program.program_id, ProgramLabel.label == PRODUCTION),
            )
            .join(ProgramVersion, ProgramVersion.version_id == ProgramLabel.version_id)
            .outerjoin(ProgramSession, open_session)
            .order_by(Program.program_id)
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(Program.program_id > after)
        with self._database.transaction() as session:
            return [ProgramOut.model_validate(row) for row in session.execute(found)]

    def programme(self, slug: str) -> Programme:
        """Its production version. Raises ProgrammeNotFound."""
        labelled = (
            select(ProgramLabel.version_id)
            .join(Program, Program.program_id == ProgramLabel.program_id)
            .where(Program.slug == slug, ProgramLabel.label == PRODUCTION)
        )
        with self._database.transaction() as session:
            version_id = session.scalar(labelled)
        if version_id is None:
            raise ProgrammeNotFound
        return self._catalog.get(version_id)

    def start(self, beginner: Beginner, slug: str) -> Started:
        """The open session of this programme, the one begun with this key, or a new one."""
        with self._database.transaction() as session:
            found = _begun(session, beginner, slug)
            if found is None:
                if beginner.anonymous and beginner.hourly_limit is not None:
                    _limit_anonymous(session, beginner.hourly_limit)
                beginning = version_to_begin(session, slug, beginner.id)
                programme = self._catalog.get(beginning.version_id)
                found = _begin(session, beginner, programme, beginning.experiment_id)
        if found is None:
            return self.start(beginner, slug)  # another request has just begun one
        return found

    def read(self, session_id: UUID, user_id: UUID) -> Record:
        """Raises SessionNotFound, also for somebody else's session."""
        with self._database.transaction() as session:
            place = self._place(session, session_id, user_id)
            return Record(place, _messages(session, session_id), _last_turn(session, session_id))

    def locale(self, session_id: UUID, user_id: UUID) -> str | None:  # noqa: ARG002 -- it would have to ask
        return None

    def listed(self, user_id: UUID, after: UUID | None, limit: int) -> list[SessionListed]:
        """The caller's sessions, newest first, one more than `limit` when there is more."""
        found = (
            select(
                ProgramSession.session_id.label("id"),
                Program.slug.label("program"),
                ProgramVersion.title,
                ProgramVersion.version,
                Week.week_number.label("week"),
                ProgramSession.completed,
                ProgramSession.paused_at.is_not(None).label("paused"),
                ProgramSession.created_at,
                ProgramSession.last_activity,
            )
            .join(Program, Program.program_id == ProgramSession.program_id)
            .join(ProgramVersion, ProgramVersion.version_id == ProgramSession.version_id)
            .join(Week, Week.week_id == ProgramSession.current_week_id)
            .where(ProgramSession.user_id == user_id)
            .order_by(ProgramSession.session_id.desc())
            .limit(limit + 1)
        )
        if after is not None:
            found = found.where(ProgramSession.session_id < after)
        with self._database.transaction() as session:
            return [SessionListed.model_validate(row) for row in session.execute(found)]

    def set_paused(self, session_id: UUID, user_id: UUID, *, paused: bool) -> None:
        """Pause or go on; being so already changes nothing. Raises SessionNotFound."""
        now_paused = func.coalesce(ProgramSession.paused_at, func.now()) if paused else None
        changed = (
            update(ProgramSession)
            .where(ProgramSession.session_id == session_id, ProgramSession.user_id == user_id)
            .values(paused_at=now_paused)
            .returning(ProgramSession.session_id)
        )
        with self._database.transaction() as session:
            if session.scalar(changed) is None:
                raise SessionNotFound

    def claim(self, session_id: UUID, participant_id: UUID, user_id: UUID) -> None:
        """Make an anonymous session an account's, with all that belongs to it. Done already: nothing.

        Raises SessionNotFound, and AlreadyTakingPart beside an open session of the account.
        """
        values = {"session_id": session_id, "participant": participant_id, "user_id": user_id}
        with self._database.transaction() as session:
            owner = session.scalar(
                text("SELECT user_id FROM sessions WHERE session_id = :session_id FOR UPDATE"), values
            )
            if owner == user_id:
                return
            if owner != participant_id:
                raise SessionNotFound
            try:
                session.execute(
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
                session.execute(text(own), values)
            session.execute(_ASSIGN, values)
            session.execute(_UNASSIGN, values)

    def _place(self, session: Session, session_id: UUID, user_id: UUID) -> ProgramPlace:
        found = session.scalar(_READ, {"session_id": session_id, "user_id": user_id})
        if found is None:
            raise SessionNotFound
        snapshot = Snapshot.model_validate_json(found)
        return ProgramPlace(snapshot, self._catalog.get(snapshot.version_id))


def _begun(session: Session, beginner: Beginner, slug: str) -> Started | None:
    """What this beginner has begun: with the same key, else what is open."""
    sessions = (
        select(ProgramSession.session_id, ProgramSession.name, ProgramSession.locale, Program.slug)
        .join(Program, Program.program_id == ProgramSession.program_id)
        .where(ProgramSession.user_id == beginner.id)
    )
    if beginner.key is not None:
        repeated = session.execute(sessions.where(ProgramSession.start_key == beginner.key)).first()
        if repeated is not None:
            if not beginner.asks_for(repeated.slug, repeated.name, repeated.locale, slug=slug):
                raise StartKeyReused
            return Started(repeated.session_id, is_new=False, is_repeated=True)
    is_open = session.execute(
        sessions.where(Program.slug == slug, ProgramSession.completed.is_(False))
    ).first()
    return Started(is_open.session_id, is_new=False) if is_open is not None else None


def _limit_anonymous(session: Session, hourly_limit: int) -> None:
    """Nobody is told apart here, so that the limit is one for the whole installation."""
    since = func.now() - ANONYMOUS_WINDOW
    recent = select(func.count()).where(
        # The index is on the last activity, which is never before the start.
        ProgramSession.anonymous,
        ProgramSession.last_activity > since,
        ProgramSession.created_at > since,
    )
    if (session.scalar(recent) or 0) >= hourly_limit:
        raise TooManyStarts


def _begin(
    session: Session, beginner: Beginner, programme: Programme, experiment_id: UUID | None
) -> Started | None:
    """A new session at its first question; None when another request has just begun one."""
    place = opening(beginner, programme, experiment_id)
    snapshot, question = place.snapshot, place.standing.question
    program_id = select(ProgramVersion.program_id).where(ProgramVersion.version_id == programme.version_id)
    added = session.scalar(
        insert(ProgramSession)
        .values(
            **snapshot.model_dump(exclude={"weeks"}),
            program_id=program_id.scalar_subquery(),
            start_key=beginner.key,
            fsm_state=question.place,
        )
        .on_conflict_do_nothing()
        .returning(ProgramSession.session_id)
    )
    if added is None:
        return None
    own = {
        "session_id": snapshot.session_id,
        "user_id": snapshot.user_id,
        "week_id": snapshot.current_week_id,
    }
    session.add_all([ConversationState(**own, conversation_data={}), UserProgress(**own)])
    session.add(
        ConversationMessage(
            **own,
            question_id=question.question_id,
            turn_sequence=0,
            position=1,
            sender="nova",
            message_text=place.standing.text(question.question_text),
        )
    )
    session.flush()
    record(session, started(snapshot, programme.slug))
    return Started(snapshot.session_id, is_new=True)


def opening(beginner: Beginner, programme: Programme, experiment_id: UUID | None = None) -> ProgramPlace:
    """A session before its first answer."""
    week = programme.weeks[0]
    snapshot = Snapshot(
        session_id=new_id(),
        user_id=beginner.id,
        version_id=programme.version_id,
        current_week_id=week.week_id,
        experiment_id=experiment_id,
        name=beginner.name,
        locale=beginner.locale or programme.locale,
        anonymous=beginner.anonymous,
        created_at=utc_now(),
        weeks=[WeekState(week_id=week.week_id)],
    )
    return ProgramPlace(snapshot, programme)


def _messages(session: Session, session_id: UUID) -> list[MessageOut]:
    said = (
        select(
            ConversationMessage.sender,
            ConversationMessage.message_text,
            ConversationMessage.message_type,
            ConversationMessage.recording_ref,
            Week.week_number.label("week"),
            ConversationMessage.run,
            Question.question_number,
            ConversationMessage.turn_sequence,
            ConversationMessage.created_at,
        )
        .join(Week, Week.week_id == ConversationMessage.week_id)
        .outerjoin(Question, Question.question_id == ConversationMessage.question_id)
        .where(ConversationMessage.session_id == session_id)
        .order_by(ConversationMessage.turn_sequence, ConversationMessage.position)
    )
    return [MessageOut.model_validate(row) for row in session.execute(said)]


def _last_turn(session: Session, session_id: UUID) -> LastTurn | None:
    newest = (
        select(ProgramTurn)
        .where(ProgramTurn.session_id == session_id)
        .order_by(ProgramTurn.sequence.desc())
        .limit(1)
    )
    row = session.scalars(newest).first()
    return LastTurn.model_validate(row) if row else None

"""Moves running sessions to another version: each in its own transaction, none with a turn under way."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.authoring.move_plan import MoveBlocker, MovePlan, open_text, plan, spot
from chat_service.programs.authoring.repository import AuthoringRepository
from chat_service.programs.authoring.schemas import Fate, Obstacle, SessionMoveOut, SpotOut
from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.model import Program
from chat_service.programs.sessions.sql.statements import read_session_state
from chat_service.turns.errors import TurnInProgress, TurnsWaiting
from cogniflow_kit.sql.database import Database

_LOCK = text("SELECT FROM sessions WHERE session_id = :session_id FOR UPDATE")
_REKEY = [
    text(
        f"UPDATE {table} state SET week_id = new.week_id FROM weeks old"  # noqa: S608 -- names known here
        " JOIN weeks new ON new.week_number = old.week_number AND new.version_id = :version_id"
        " WHERE old.week_id = state.week_id AND state.session_id = :session_id"
    )
    for table in ("conversation_states", "user_progress")
]


@dataclass(frozen=True)
class Candidate:
    """A running session on another version."""

    id: UUID
    user_id: UUID


class SessionMover:
    """A dry run computes what an application would do, and changes nothing."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        changing: Callable[[UUID], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._changing = changing

    def find(
        self, slug: str, number: int, from_version: int | None, after: UUID | None, limit: int
    ) -> tuple[Program, int, list[Candidate]]:
        """The version to move to, how many sessions run on others, and some of them, one more than `limit`.

        Raises ProgramNotFound and VersionNotFound.
        """
        with self._database.transaction() as session:
            repository = AuthoringRepository(session)
            program_id = repository.program(slug)
            target = repository.version(program_id, number)
            others = [
                tables.ProgramSession.program_id == program_id,
                tables.ProgramSession.completed.is_(False),
            ]
            if from_version is not None:
                others.append(
                    tables.ProgramSession.version_id == repository.version(program_id, from_version)
                )
            others.append(tables.ProgramSession.version_id != target)
            total = (
                session.scalar(select(func.count()).select_from(tables.ProgramSession).where(*others)) or 0
            )
            if after is not None:
                others.append(tables.ProgramSession.session_id > after)
            found = session.execute(
                select(tables.ProgramSession.session_id, tables.ProgramSession.user_id)
                .where(*others)
                .order_by(tables.ProgramSession.session_id)
                .limit(limit + 1)
            )
            candidates = [Candidate(*row) for row in found]
        return self._catalog.get(target), total, candidates

    def move(self, candidate: Candidate, new: Program, *, dry_run: bool) -> SessionMoveOut:
        """What becomes of this session; done at once unless it is a dry run."""
        if dry_run:
            return self._move(candidate, new, dry_run=True)
        try:
            with self._changing(candidate.id):
                return self._move(candidate, new, dry_run=False)
        except (TurnInProgress, TurnsWaiting):
            return SessionMoveOut(session_id=candidate.id, obstacle=Obstacle.RUNNING_TURN)

    def _move(self, candidate: Candidate, new: Program, *, dry_run: bool) -> SessionMoveOut:
        with self._database.transaction() as session:
            if not dry_run:
                session.execute(_LOCK, {"session_id": candidate.id})
            session_state = read_session_state(session, candidate.id, candidate.user_id)
            if session_state is None or session_state.completed or session_state.version_id == new.version_id:
                return SessionMoveOut(session_id=candidate.id, obstacle=Obstacle.CHANGED_MEANWHILE)
            program_session = ProgramSession(session_state, self._catalog.get(session_state.version_id))
            planned = plan(program_session, new)
            obstacle = _circumstance(session, session_state) or planned.obstacle
            if obstacle is None and not dry_run:
                _apply(session, program_session, planned)
        stands_at = planned.stands_at if obstacle is None else None
        return SessionMoveOut(
            session_id=candidate.id,
            from_version=program_session.program.version,
            at=SpotOut.model_validate(spot(program_session)),
            fate=Fate(planned.fate),
            stands_at=SpotOut.model_validate(stands_at) if stands_at else None,
            changed_answers=[SpotOut.model_validate(one) for one in planned.changed_answers],
            obstacle=Obstacle(obstacle) if obstacle else None,
            moved=obstacle is None and not dry_run,
        )


def _circumstance(session: Session, session_state: SessionState) -> MoveBlocker | None:
    """What keeps a session on its version whatever the new one is like."""
    running = exists().where(
        tables.ProgramTurn.session_id == session_state.session_id, tables.ProgramTurn.status == "running"
    )
    experimenting = exists().where(
        tables.Experiment.experiment_id == session_state.experiment_id, tables.Experiment.status == "running"
    )
    has_turn, in_experiment = session.execute(select(running, experimenting)).one()
    if has_turn:
        return MoveBlocker.RUNNING_TURN
    return MoveBlocker.IN_EXPERIMENT if in_experiment else None


def _apply(session: Session, before: ProgramSession, planned: MovePlan) -> None:
    program_session = planned.program_session
    assert program_session is not None, "a plan without an obstacle has a place"
    session_state = program_session.state
    own = {"session_id": session_state.session_id, "version_id": session_state.version_id}
    session.execute(
        update(tables.ProgramSession)
        .where(
            tables.ProgramSession.session_id == session_state.session_id,
            tables.ProgramSession.version == session_state.version,
        )
        .values(
            version=tables.ProgramSession.version + 1,
            version_id=session_state.version_id,
            current_week_id=session_state.current_week_id,
            fsm_state=program_session.context.question.fsm_state,
            # Whoever was moved says nothing more about the version that an experiment gave them.
            experiment_id=None,
        )
    )
    for statement in _REKEY:
        session.execute(statement, own)
    for state in session_state.weeks:
        if planned.opens and state.week_id == session_state.current_week_id:
            _open_week(session, session_state, state)
        else:
            _keep(session, session_state.session_id, state)
    if open_text(program_session) != open_text(before):
        _ask(session, program_session)


def _keep(session: Session, session_id: UUID, state: WeekState) -> None:
    """The state that was carried over, in both of its places."""
    for table, more in (
        (tables.ConversationState, {"conversation_data": state.data.model_dump(exclude_defaults=True)}),
        (tables.UserProgress, {"metadata_": state.data.choices}),
    ):
        session.execute(
            update(table)
            .where(table.session_id == session_id, table.week_id == state.week_id, table.run == state.run)
            .values(current_question_number=state.question_number, is_completed=state.is_completed, **more)
        )


def _open_week(session: Session, session_state: SessionState, state: WeekState) -> None:
    own = {"session_id": session_state.session_id, "user_id": session_state.user_id, "week_id": state.week_id}
    session.add_all([tables.ConversationState(**own, conversation_data={}), tables.UserProgress(**own)])


def _ask(session: Session, program_session: ProgramSession) -> None:
    """The record shows which question the next answer answers: behind all that was said so far."""
    session_state = program_session.state
    last = select(
        tables.ConversationMessage.turn_sequence.label("turn_sequence"),
        (tables.ConversationMessage.position + 1).label("position"),
    ).where(tables.ConversationMessage.session_id == session_state.session_id)
    newest = last.order_by(
        tables.ConversationMessage.turn_sequence.desc(), tables.ConversationMessage.position.desc()
    ).limit(1)
    said = session.execute(newest).first()
    session.add(
        tables.ConversationMessage(
            session_id=session_state.session_id,
            user_id=session_state.user_id,
            week_id=session_state.current_week_id,
            question_id=program_session.context.question.question_id,
            run=program_session.week_state.run,
            turn_sequence=said.turn_sequence if said else 0,
            position=said.position if said else 1,
            sender="nova",
            message_text=program_session.context.text(open_text(program_session)),
        )
    )
    session.flush()

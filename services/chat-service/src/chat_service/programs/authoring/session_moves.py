"""Moves running program sessions to another version, each in its own transaction, none during a turn."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from uuid import UUID

from chat_service.programs.authoring.move_plan import (
    MoveBlocker,
    MoveOutcome,
    QuestionPosition,
    open_position,
    plan_move,
)
from chat_service.programs.authoring.repository import AuthoringRepository
from chat_service.programs.authoring.session_moves_repository import SessionMoveRepository
from chat_service.programs.coach.session_state import ProgramSession, SessionState
from chat_service.programs.content.catalog import Catalog
from chat_service.programs.content.model import Program
from chat_service.turns.errors import TurnInProgress, TurnsWaiting
from cogniflow_kit.sql.database import Database


@dataclass(frozen=True)
class MoveCandidate:
    """A running program session on another version. `id` is the session's."""

    id: UUID
    user_id: UUID


@dataclass(frozen=True)
class SessionMove:
    """What a move does, or did, to one program session.

    `at`: its open question. `outcome`: what the new version has in its place.
    `continues_at`: its open question after the move; None when a `blocker`
    keeps it on its version.
    """

    session_id: UUID
    from_version: int | None = None
    at: QuestionPosition | None = None
    outcome: MoveOutcome | None = None
    continues_at: QuestionPosition | None = None
    changed_answers: list[QuestionPosition] = field(default_factory=list)
    blocker: MoveBlocker | None = None
    moved: bool = False


class SessionMover:
    """Finds program sessions and moves them. A dry run computes the same and writes nothing.

    `changing`: the guard of sessions that are also kept outside PostgreSQL,
    entered while a session is moved.
    """

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
    ) -> tuple[Program, int, list[MoveCandidate]]:
        """Return the target version, the number of sessions on others, and a page of these sessions.

        The page has one more than `limit` when there are more.
        Raises: ProgramNotFound, VersionNotFound
        """
        with self._database.transaction() as db:
            authoring = AuthoringRepository(db)
            program_id = authoring.program(slug)
            target = authoring.version(program_id, number)
            source = authoring.version(program_id, from_version) if from_version is not None else None
            total, found = SessionMoveRepository(db).on_other_versions(
                program_id, target, source, after, limit
            )
        return self._catalog.get(target), total, [MoveCandidate(*ids) for ids in found]

    def move(self, candidate: MoveCandidate, new: Program, *, dry_run: bool) -> SessionMove:
        """Move one program session to the version `new`; with `dry_run`, only compute the effect."""
        if dry_run:
            return self._move(candidate, new, dry_run=True)
        try:
            with self._changing(candidate.id):
                return self._move(candidate, new, dry_run=False)
        except (TurnInProgress, TurnsWaiting):
            return SessionMove(candidate.id, blocker=MoveBlocker.RUNNING_TURN)

    def _move(self, candidate: MoveCandidate, new: Program, *, dry_run: bool) -> SessionMove:
        with self._database.transaction() as db:
            repository = SessionMoveRepository(db)
            if not dry_run:
                repository.lock(candidate.id)
            state = repository.read(candidate.id, candidate.user_id)
            if state is None or state.completed or state.version_id == new.version_id:
                return SessionMove(candidate.id, blocker=MoveBlocker.CHANGED_MEANWHILE)
            program_session = ProgramSession(state, self._catalog.get(state.version_id))
            plan = plan_move(program_session, new)
            blocker = _running_blocker(repository, state) or plan.blocker
            if blocker is None and not dry_run:
                repository.apply(program_session, plan)
        return SessionMove(
            candidate.id,
            from_version=program_session.program.version,
            at=open_position(program_session),
            outcome=plan.outcome,
            continues_at=plan.continues_at if blocker is None else None,
            changed_answers=plan.changed_answers,
            blocker=blocker,
            moved=blocker is None and not dry_run,
        )


def _running_blocker(repository: SessionMoveRepository, state: SessionState) -> MoveBlocker | None:
    """Return what blocks a move regardless of the new version's content."""
    has_turn, has_experiment = repository.running(state)
    if has_turn:
        return MoveBlocker.RUNNING_TURN
    return MoveBlocker.IN_EXPERIMENT if has_experiment else None

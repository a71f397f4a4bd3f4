"""Statements that find program sessions to move, and that write a moved session."""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, text, update
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.authoring.move_plan import MovePlan, open_text
from chat_service.programs.coach.session_state import ProgramSession, SessionState, WeekState
from chat_service.programs.sessions.sql.statements import read_session_state
from chat_service.programs.sessions.stored_forms import stored_answers

_LOCK = text("SELECT FROM sessions WHERE session_id = :session_id FOR UPDATE")
_REPLACE_WEEK_IDS = [
    text(
        f"UPDATE {table} state SET week_id = new.week_id FROM weeks old"  # noqa: S608 -- two constant names
        " JOIN weeks new ON new.week_number = old.week_number AND new.version_id = :version_id"
        " WHERE old.week_id = state.week_id AND state.session_id = :session_id"
    )
    for table in ("conversation_states", "user_progress")
]


class SessionMoveRepository:
    def __init__(self, db: Session) -> None:
        self._db = db

    def on_other_versions(
        self, program_id: UUID, target: UUID, source: UUID | None, after: UUID | None, limit: int
    ) -> tuple[int, list[tuple[UUID, UUID]]]:
        """Find running program sessions on versions other than `target`; with `source`, only on that one.

        Returns their number, and (session id, user id) of a page of them, one
        more than `limit` when there are more.
        """
        conditions = [
            tables.ProgramSession.program_id == program_id,
            tables.ProgramSession.completed.is_(False),
        ]
        if source is not None:
            conditions.append(tables.ProgramSession.version_id == source)
        conditions.append(tables.ProgramSession.version_id != target)
        total = self._db.scalar(select(func.count()).select_from(tables.ProgramSession).where(*conditions))
        if after is not None:
            conditions.append(tables.ProgramSession.session_id > after)
        found = self._db.execute(
            select(tables.ProgramSession.session_id, tables.ProgramSession.user_id)
            .where(*conditions)
            .order_by(tables.ProgramSession.session_id)
            .limit(limit + 1)
        )
        return total or 0, [(row.session_id, row.user_id) for row in found]

    def lock(self, session_id: UUID) -> None:
        self._db.execute(_LOCK, {"session_id": session_id})

    def read(self, session_id: UUID, user_id: UUID) -> SessionState | None:
        return read_session_state(self._db, session_id, user_id)

    def running(self, state: SessionState) -> tuple[bool, bool]:
        """Return whether the session has a running turn, and whether its experiment is running."""
        turn = exists().where(
            tables.ProgramTurn.session_id == state.session_id, tables.ProgramTurn.status == "running"
        )
        experiment = exists().where(
            tables.Experiment.experiment_id == state.experiment_id, tables.Experiment.status == "running"
        )
        has_turn, has_experiment = self._db.execute(select(turn, experiment)).one()
        return has_turn, has_experiment

    def apply(self, before: ProgramSession, plan: MovePlan) -> None:
        """Write the planned session: its version, its weeks, and its open question as the coach's message."""
        moved = plan.program_session
        assert moved is not None, "set in a plan without a blocker"
        state = moved.state
        self._update_session(moved)
        for statement in _REPLACE_WEEK_IDS:
            self._db.execute(statement, {"session_id": state.session_id, "version_id": state.version_id})
        for week_state in state.weeks:
            if plan.opens and week_state.week_id == state.current_week_id:
                self._insert_week(state, week_state)
            else:
                self._update_week(state.session_id, week_state)
        if open_text(moved) != open_text(before):
            self._add_question_message(moved)

    def _update_session(self, moved: ProgramSession) -> None:
        self._db.execute(
            update(tables.ProgramSession)
            .where(
                tables.ProgramSession.session_id == moved.state.session_id,
                tables.ProgramSession.version == moved.state.version,
            )
            .values(
                version=tables.ProgramSession.version + 1,
                version_id=moved.state.version_id,
                current_week_id=moved.state.current_week_id,
                fsm_state=moved.context.question.fsm_state,
                # A moved session no longer counts for the version that the experiment assigned.
                experiment_id=None,
            )
        )

    def _update_week(self, session_id: UUID, state: WeekState) -> None:
        """Write the week state to both of its tables."""
        columns: tuple[tuple[Any, dict[str, Any]], ...] = (
            (tables.ConversationState, {"conversation_data": stored_answers(state.data)}),
            (tables.UserProgress, {"metadata_": state.data.choices}),
        )
        for table, values in columns:
            self._db.execute(
                update(table)
                .where(table.session_id == session_id, table.week_id == state.week_id, table.run == state.run)
                .values(
                    current_question_number=state.question_number, is_completed=state.is_completed, **values
                )
            )

    def _insert_week(self, session_state: SessionState, state: WeekState) -> None:
        own = {
            "session_id": session_state.session_id,
            "user_id": session_state.user_id,
            "week_id": state.week_id,
        }
        self._db.add_all([tables.ConversationState(**own, conversation_data={}), tables.UserProgress(**own)])

    def _add_question_message(self, moved: ProgramSession) -> None:
        """Append the open question to the transcript, so that the next answer follows its question."""
        state, messages = moved.state, tables.ConversationMessage
        last = self._db.execute(
            select(messages.turn_sequence, messages.position)
            .where(messages.session_id == state.session_id)
            .order_by(messages.turn_sequence.desc(), messages.position.desc())
            .limit(1)
        ).first()
        self._db.add(
            tables.ConversationMessage(
                session_id=state.session_id,
                user_id=state.user_id,
                week_id=state.current_week_id,
                question_id=moved.context.question.question_id,
                run=moved.week_state.run,
                turn_sequence=last.turn_sequence if last else 0,
                position=last.position + 1 if last else 1,
                sender="nova",
                message_text=moved.context.text(open_text(moved)),
            )
        )
        self._db.flush()

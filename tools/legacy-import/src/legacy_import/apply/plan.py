"""The plan of one program session: its weeks, its position, its turns and rows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from chat_service import tables
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.programs.content.catalog import read_version
from chat_service.programs.content.model import Program, Question, Week
from chat_service.programs.content.version_labels import PRODUCTION
from chat_service.programs.sessions.stored_forms import read_answers, stored_answers
from chat_service.safety.detection.detector import detect_risk
from legacy_import.apply.rows import PlannedRows, legacy_uuid


@dataclass(frozen=True)
class TargetProgram:
    """The program that imported sessions continue: its production version, else its newest."""

    program_id: UUID
    program: Program

    def week(self, number: int) -> Week | None:
        """The active week named `Week {number}` (weeks may have been renumbered), else week `number`."""
        active = self.program.active_weeks
        named = (week for week in active if week.name == f"Week {number}")
        return next(named, None) or next((week for week in active if week.week_number == number), None)


def find_target_program(session: Session, slug: str) -> TargetProgram | None:
    """None if there is no such program."""
    production = and_(
        tables.ProgramLabel.program_id == tables.Program.program_id,
        tables.ProgramLabel.version_id == tables.ProgramVersion.version_id,
        tables.ProgramLabel.label == PRODUCTION,
    )
    found = session.execute(
        select(tables.Program.program_id, tables.ProgramVersion.version_id)
        .join(tables.ProgramVersion, tables.ProgramVersion.program_id == tables.Program.program_id)
        .outerjoin(tables.ProgramLabel, production)
        .where(tables.Program.slug == slug)
        .order_by(tables.ProgramLabel.label.is_(None), tables.ProgramVersion.version.desc())
        .limit(1)
    ).first()
    if found is None:
        return None
    return TargetProgram(found.program_id, read_version(session, found.version_id))


NOT_KEPT = "your earlier answer"
"""Quoted by texts in place of an answer whose text the older system didn't store."""

NAMELESS = "you"


class SessionSkipped(Exception):
    """The session is stored already and must not change; the message says why."""


_USED_SINCE = "the session was continued in CogniFlow after its import"
_OTHER_SESSION = "another session has the same id; use --namespace to distinguish two systems"


@dataclass
class WeekPlan:
    week: Week
    question: int = 1
    completed: bool = False
    data: WeekAnswers = field(default_factory=WeekAnswers)

    def passed(self, number: int) -> bool:
        return self.completed or number < self.question or self.data.is_completed(number)


@dataclass
class SessionPlan:
    """A program session to write. `turns`: sequence by turn id; new turns follow the stored ones."""

    legacy_id: str
    session_id: UUID
    user_id: UUID
    target: TargetProgram
    now: datetime
    name: str = NAMELESS
    created_at: datetime | None = None
    last_activity: datetime | None = None
    completed: bool = False
    completion_time: datetime | None = None
    current: int = 1
    weeks: dict[int, WeekPlan] = field(default_factory=dict)
    turns: dict[UUID, int] = field(default_factory=dict)
    rows: PlannedRows = field(default_factory=PlannedRows)

    @property
    def at(self) -> datetime:
        return self.last_activity or self.now

    @property
    def keys(self) -> dict[str, Any]:
        return {"session_id": self.session_id, "user_id": self.user_id}

    def week(self, week: Week) -> WeekPlan:
        return self.weeks.setdefault(week.week_number, WeekPlan(week))

    def has_completed(self, week: Week) -> bool:
        plan = self.weeks.get(week.week_number)
        return plan is not None and plan.completed

    def move_to(self, week: Week, question: int) -> None:
        """Continue at this question, unless the session is in a later week already."""
        if week.week_number >= self.current:
            self.current = week.week_number
            self.week(week).question = max(1, min(question, len(week.questions)))

    def record_activity(self, moment: datetime | None) -> None:
        """Extend the session's time range to this time."""
        if moment is not None:
            self.created_at = min(self.created_at or moment, moment)
            self.last_activity = max(self.last_activity or moment, moment)

    def turn(self, turn_id: UUID, at: datetime, *, answered: bool) -> int:
        """Plan a turn and return its sequence; a known turn keeps its sequence."""
        sequence = self.turns.setdefault(turn_id, max(self.turns.values(), default=0) + 1)
        self.rows.put(
            "turns",
            turn_id=turn_id,
            session_id=self.session_id,
            sequence=sequence,
            client_message_id=f"legacy-{turn_id}",
            fingerprint="legacy",
            status="completed" if answered else "abandoned",
            epoch=1,
            created_at=at,
            completed_at=at if answered else None,
        )
        return sequence

    def check_message(self, turn_id: UUID, text: str) -> None:
        """Run the present safety check on an old message; a finding becomes a detection to review."""
        risk = detect_risk(text, self.target.program.locale)
        if risk is None:
            return
        detection_id = legacy_uuid("check", turn_id)
        self.rows.add(
            "risk_detections",
            **self.keys,
            detection_id=detection_id,
            turn_id=turn_id,
            category=risk.category,
            severity=risk.severity,
            subject=risk.subject,
            resources_shown=False,
            detected_at=self.now,
        )
        review_id = legacy_uuid("review", turn_id)
        self.rows.add("risk_reviews", review_id=review_id, detection_id=detection_id, status="open")

    def finish(self) -> None:
        """Determine where the session continues, fill in missing answers, and add the rows."""
        while (here := self.weeks.get(self.current)) is not None and here.completed:
            later = [week for week in self.target.program.active_weeks if week.week_number > self.current]
            if not later:
                self.completed = True
                break
            self.current = later[0].week_number
            self.week(later[0])
        for week in self.target.program.active_weeks:
            if week.week_number <= self.current:
                self._fill_missing_answers(self.week(week))
        self._write_rows()

    def _fill_missing_answers(self, plan: WeekPlan) -> None:
        """Fill in answers and choices of passed questions, since later texts may quote them."""
        earlier = plan.week.week_number < self.current
        for question in plan.week.questions:
            number, data = question.question_number, plan.data
            if not earlier and not plan.passed(number):
                continue
            if not earlier and not data.answers_to(number):
                plan.data = data = replace(data, answers={**data.answers, str(number): [NOT_KEPT]})
            if question.keeps is not None and question.keeps not in data.choices:
                plan.data = data.with_choice(question.keeps, data.answer_texts().get(number, NOT_KEPT))

    def _write_rows(self) -> None:
        current = self.weeks[self.current]
        question: Question = current.week.question(current.question)
        self.rows.put(
            "sessions",
            **self.keys,
            program_id=self.target.program_id,
            version_id=self.target.program.version_id,
            current_week_id=current.week.week_id,
            name=self.name,
            locale=self.target.program.locale,
            anonymous=False,
            origin="legacy",
            legacy_id=self.legacy_id,
            fsm_state=question.fsm_state,
            created_at=self.created_at or self.at,
            last_activity=self.at,
            completed=self.completed,
            completion_time=(self.completion_time or self.at) if self.completed else None,
        )
        for plan in self.weeks.values():
            week = {**self.keys, "week_id": plan.week.week_id, "current_question_number": plan.question}
            self.rows.put(
                "user_progress",
                **week,
                progress_id=legacy_uuid("progress", self.session_id, plan.week.week_id),
                started_at=self.created_at or self.at,
                completed_at=self.at if plan.completed else None,
                is_completed=plan.completed,
                metadata=dict(plan.data.choices),
            )
            self.rows.put(
                "conversation_states",
                **week,
                state_id=legacy_uuid("state", self.session_id, plan.week.week_id),
                is_completed=plan.completed,
                conversation_data=stored_answers(plan.data),
                updated_at=self.at,
            )


class SessionPlanner:
    """Creates session plans, from scratch or from what an earlier import stored."""

    def __init__(
        self,
        session: Session,
        target: TargetProgram,
        namespace: str,
        accounts: Mapping[str, UUID],
        now: datetime,
    ) -> None:
        self._session = session
        self._target = target
        self._namespace = namespace
        self._accounts = accounts
        self._now = now
        self._owners: set[UUID] = set()

    def plan(self, legacy_id: str) -> SessionPlan:
        """Raises: SessionSkipped, if the session was used since its import."""
        full_id = f"{self._namespace}:{legacy_id}" if self._namespace else legacy_id
        session_id = legacy_uuid("session", self._target.program.slug, full_id)
        user_id = self._accounts.get(full_id, self._accounts.get(legacy_id)) or legacy_uuid(
            "participant", full_id
        )
        plan = SessionPlan(full_id, session_id, user_id, self._target, self._now)
        stored = self._session.scalars(
            select(tables.ProgramSession)
            .where(tables.ProgramSession.session_id == session_id)
            .with_for_update()
        ).first()
        if stored is None:
            plan.user_id = self._free_owner(plan)
            self._owners.add(plan.user_id)
            return plan
        if stored.version != 1 or stored.origin != "legacy":
            raise SessionSkipped(_USED_SINCE)
        return self._continue(plan, stored)

    def check_same(self, plan: SessionPlan) -> None:
        """Raises: SessionSkipped, if stored messages differ from those planned under the same ids."""
        planned = plan.rows.added.get("conversation_messages", {})
        stored = self._session.execute(
            select(tables.ConversationMessage.message_id, tables.ConversationMessage.message_text).where(
                tables.ConversationMessage.session_id == plan.session_id
            )
        )
        if any(row_id in planned and planned[row_id]["message_text"] != said for row_id, said in stored):
            raise SessionSkipped(_OTHER_SESSION)

    def _free_owner(self, plan: SessionPlan) -> UUID:
        """The account, unless it has an open session of the program; then an anonymous participant."""
        beside = select(tables.ProgramSession.session_id).where(
            tables.ProgramSession.user_id == plan.user_id,
            tables.ProgramSession.program_id == self._target.program_id,
            tables.ProgramSession.completed.is_(False),
        )
        taken = plan.user_id in self._owners or self._session.scalar(beside) is not None
        return legacy_uuid("participant", plan.legacy_id) if taken else plan.user_id

    def _continue(self, plan: SessionPlan, stored: tables.ProgramSession) -> SessionPlan:
        if stored.version_id != plan.target.program.version_id:
            plan.target = TargetProgram(stored.program_id, read_version(self._session, stored.version_id))
        by_id = {week.week_id: week for week in plan.target.program.weeks}
        plan.user_id, plan.name = stored.user_id, stored.name
        plan.created_at, plan.last_activity = stored.created_at, stored.last_activity
        plan.completed, plan.completion_time = stored.completed, stored.completion_time
        plan.current = by_id[stored.current_week_id].week_number
        for state in self._rows_of(tables.ConversationState, plan.session_id):
            week = by_id[state.week_id]
            data = read_answers(state.conversation_data)
            plan.weeks[week.week_number] = WeekPlan(
                week, state.current_question_number, state.is_completed, _without_placeholders(data)
            )
        plan.turns = {
            turn.turn_id: turn.sequence for turn in self._rows_of(tables.ProgramTurn, plan.session_id)
        }
        return plan

    def _rows_of(self, table: Any, session_id: UUID) -> Iterable[Any]:
        return self._session.scalars(select(table).where(table.session_id == session_id))


def _without_placeholders(data: WeekAnswers) -> WeekAnswers:
    answers = {number: said for number, said in data.answers.items() if said != [NOT_KEPT]}
    choices = {key: said for key, said in data.choices.items() if said != NOT_KEPT}
    return replace(data, answers=answers, choices=choices)

"""Stored forms of program sessions: the reply of a turn, the answers of a week, the state of a session.

Replies are stored in `turns.result`, answers in
`conversation_states.conversation_data`. `durable/spooled_turn.py` has the
form of a turn in the spool. Sample files of each version are in
`tests/data/stored/`.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from chat_service.programs.coach.intents import Kind
from chat_service.programs.coach.session_state import SessionState, WeekState
from chat_service.programs.coach.turn import AskedQuestion, ProgramReply
from chat_service.programs.coach.week_answers import WeekAnswers
from chat_service.stored_form import RewrittenForm, StoredForm, StoredResource, fields_of, read_form

FORM_VERSION = 2
"""The version that this release writes."""
Version = Literal[1, 2]


class StoredQuestion(StoredForm):
    week: int
    number: int
    text: str
    question_type: str
    step: str | None
    choices: list[str]
    skippable: bool
    iteration: int


class StoredReply(StoredForm):
    """The reply of a completed turn. Version 1 has the same fields without `form_version`."""

    form_version: Version = 1
    resources: list[StoredResource]
    response: str
    intent: Kind
    scenario: str | None
    missing: list[str]
    skipped: bool
    question_completed: bool
    week_completed: bool
    session_completed: bool
    question: StoredQuestion | None
    version: int

    def reply(self) -> ProgramReply:
        return ProgramReply(
            resources=[resource.resource() for resource in self.resources],
            response=self.response,
            intent=self.intent,
            scenario=self.scenario,
            missing=self.missing,
            skipped=self.skipped,
            question_completed=self.question_completed,
            week_completed=self.week_completed,
            session_completed=self.session_completed,
            question=AskedQuestion(**self.question.model_dump()) if self.question is not None else None,
            version=self.version,
        )


def write_reply(reply: ProgramReply) -> str:
    """JSON for `turns.result`."""
    return stored_reply(reply).model_dump_json()


def read_reply(stored: Mapping[str, Any]) -> ProgramReply:
    """Raises: UnreadableForm."""
    return read_form(StoredReply, stored, "reply of a turn").reply()


def stored_reply(reply: ProgramReply) -> StoredReply:
    fields = {name: getattr(reply, name) for name in StoredReply.model_fields if name != "form_version"}
    return StoredReply.model_validate(
        {
            "form_version": FORM_VERSION,
            **fields,
            "resources": [resource.model_dump() for resource in reply.resources],
            "question": asdict(reply.question) if reply.question is not None else None,
        }
    )


def _count(replies: object) -> object:
    return len(replies) if isinstance(replies, list) else replies


ReplyCount = Annotated[int, BeforeValidator(_count)]
"""How often the coach replied to a question. Version 1 has the texts of the replies instead."""


class AnswerFields(RewrittenForm):
    answers: dict[str, list[str]] = Field(default={})
    nova_responses: dict[str, ReplyCount] = Field(default={})
    iteration_count: dict[str, int] = Field(default={})
    question_completed: dict[str, bool] = Field(default={})
    scenario: dict[str, str] = Field(default={})
    followups: dict[str, str] = Field(default={})
    chosen: dict[str, str] = Field(default={})
    choices: dict[str, str] = Field(default={})

    def week_answers(self) -> WeekAnswers:
        return WeekAnswers(
            answers=self.answers,
            nova_responses=self.nova_responses,
            iteration_count=self.iteration_count,
            question_completed=self.question_completed,
            scenario=self.scenario,
            followups=self.followups,
            chosen=self.chosen,
            choices=self.choices,
        )


class StoredAnswers(AnswerFields):
    """The answers of a week; empty fields are left out. `{}` is a week without answers, in every version."""

    form_version: Version = 1


def stored_answers(answers: WeekAnswers) -> dict[str, Any]:
    """The value of `conversation_states.conversation_data`."""
    fields = {name: value for name in AnswerFields.model_fields if (value := getattr(answers, name))}
    return {"form_version": FORM_VERSION, **fields}


def read_answers(stored: str | bytes | Mapping[str, Any]) -> WeekAnswers:
    """Raises: UnreadableForm."""
    return read_form(StoredAnswers, stored, "conversation data").week_answers()


class StoredWeek(RewrittenForm):
    """A row of `conversation_states`."""

    week_id: UUID
    run: int
    question_number: int
    is_completed: bool
    data: StoredAnswers

    def week_state(self) -> WeekState:
        return WeekState(
            self.week_id, self.run, self.question_number, self.is_completed, self.data.week_answers()
        )


class StoredSession(RewrittenForm):
    """A session's row with its weeks, as `sql/statements.py` selects it; also part of a spooled turn."""

    session_id: UUID
    user_id: UUID
    version_id: UUID
    current_week_id: UUID
    experiment_id: UUID | None
    name: str
    locale: str
    anonymous: bool
    version: int
    completed: bool
    paused_at: datetime | None
    created_at: datetime
    weeks: list[StoredWeek]

    def session_state(self) -> SessionState:
        fields = {name: getattr(self, name) for name in StoredSession.model_fields if name != "weeks"}
        return SessionState(**fields, weeks=[week.week_state() for week in self.weeks])


def parse_session_state(stored: str | bytes) -> SessionState:
    """Raises: UnreadableForm."""
    return read_form(StoredSession, stored, "session state").session_state()


def stored_session(state: SessionState) -> dict[str, Any]:
    """The fields of StoredSession."""
    weeks = [{**fields_of(week), "data": stored_answers(week.data)} for week in state.weeks]
    return {**fields_of(state), "weeks": weeks}

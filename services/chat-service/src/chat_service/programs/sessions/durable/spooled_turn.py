"""A completed turn that waits for PostgreSQL, and its stored form: one line of JSON in the spool."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.intents import Intent, Kind, Method
from chat_service.programs.coach.judging import ClassificationMethod, Validation
from chat_service.programs.coach.session_state import SessionState
from chat_service.programs.coach.turn import MessageAnalysis, ProgramReply
from chat_service.programs.sessions.stored_forms import (
    AnswerFields,
    StoredReply,
    StoredSession,
    stored_reply,
    stored_session,
)
from chat_service.safety.detection.risk import Category, Risk, Severity, Subject
from chat_service.stored_form import RewrittenForm, StoredResource, UnreadableForm, fields_of, read_form
from chat_service.turns.model import Message

FORM_VERSION = 2
"""The version that this release writes."""


@dataclass(frozen=True)
class SpooledTurn:
    """A completed turn that waits for PostgreSQL.

    `base_version` is the session's version before the turn; `week`, `run` and
    `question_number` are the question that the message answered. `state` is
    the session's state after the turn; `asks_question`: the turn asks the
    next question.
    """

    message: Message
    analysis: MessageAnalysis
    coach_reply: CoachReply
    base_version: int
    week: int
    run: int
    question_number: int
    asks_question: bool
    state: SessionState
    reply: ProgramReply
    answered_at: datetime


class StoredIntent(RewrittenForm):
    kind: Kind
    method: Method
    confidence: float

    def intent(self) -> Intent:
        return Intent(self.kind, self.method, self.confidence)


class StoredRisk(RewrittenForm):
    category: Category
    severity: Severity
    subject: Subject
    language: str = "en"

    def risk(self) -> Risk:
        return Risk(self.category, self.severity, self.subject, self.language)


class StoredValidation(RewrittenForm):
    missing: list[str]
    ask: str | None


class StoredMessage(RewrittenForm):
    user_id: UUID
    conversation_id: UUID
    client_message_id: str
    fingerprint: str
    text: str
    said_at: datetime
    message_type: Literal["text", "voice"]
    recording_ref: str | None

    def message(self) -> Message:
        return Message(**dict(self))


class StoredCoachReply(RewrittenForm):
    kind: Literal["answer", "skip", "aside", "restart"]
    answer: str
    intent: StoredIntent
    iteration: int
    state: AnswerFields
    response: str
    prompt_id: UUID | None
    validation: StoredValidation | None
    classification_method: ClassificationMethod | None
    classification_confidence: float | None
    resources: list[StoredResource]
    restarts: int | None
    answered_by: Literal["rules", "model"]
    fallback: str | None

    def coach_reply(self) -> CoachReply:
        validation = self.validation
        return CoachReply(
            kind=self.kind,
            message_text=self.answer,
            intent=self.intent.intent(),
            iteration=self.iteration,
            answers=self.state.week_answers(),
            response=self.response,
            prompt_id=self.prompt_id,
            validation=Validation(validation.missing, validation.ask) if validation is not None else None,
            classification_method=self.classification_method,
            classification_confidence=self.classification_confidence,
            resources=[resource.resource() for resource in self.resources],
            restarts=self.restarts,
            answered_by=self.answered_by,
            fallback=self.fallback,
        )


class StoredSpooledTurn(RewrittenForm):
    """A line of the spool.

    In version 1 `step` has the whole prompt and the classification with its
    prompt; in version 2 the prompt's id and the classification's method and
    confidence.
    """

    form_version: Literal[1, 2] = 1
    message: StoredMessage
    risk: StoredRisk | None
    intent: StoredIntent
    step: StoredCoachReply
    base: int
    week: int
    run: int
    question: int
    asks: bool
    snapshot: StoredSession
    reply: StoredReply
    answered_at: datetime

    def spooled_turn(self) -> SpooledTurn:
        return SpooledTurn(
            message=self.message.message(),
            analysis=MessageAnalysis(
                self.risk.risk() if self.risk is not None else None, self.intent.intent()
            ),
            coach_reply=self.step.coach_reply(),
            base_version=self.base,
            week=self.week,
            run=self.run,
            question_number=self.question,
            asks_question=self.asks,
            state=self.snapshot.session_state(),
            reply=self.reply.reply(),
            answered_at=self.answered_at,
        )


def read_spooled_turn(line: bytes) -> SpooledTurn:
    """Raises: UnreadableForm."""
    what = "turn in the spool"
    try:
        stored = json.loads(line)
        if stored.get("form_version", 1) == 1:
            _upgrade_step(stored["step"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableForm(what, type(error).__name__) from None
    return read_form(StoredSpooledTurn, stored, what).spooled_turn()


def _upgrade_step(step: dict[str, Any]) -> None:
    """From version 1 to version 2."""
    prompt, classification = step.pop("prompt"), step.pop("classification") or {}
    step["prompt_id"] = prompt["prompt_id"] if prompt is not None else None
    step["classification_method"] = classification.get("method")
    step["classification_confidence"] = classification.get("confidence")


def write_spooled_turn(turn: SpooledTurn) -> bytes:
    """One line of JSON, with its end."""
    risk, coach_reply = turn.analysis.risk, turn.coach_reply
    stored = StoredSpooledTurn.model_validate(
        {
            "form_version": FORM_VERSION,
            "message": fields_of(turn.message),
            "risk": fields_of(risk) if risk is not None else None,
            "intent": fields_of(turn.analysis.intent),
            "step": _stored_step(coach_reply),
            "base": turn.base_version,
            "week": turn.week,
            "run": turn.run,
            "question": turn.question_number,
            "asks": turn.asks_question,
            "snapshot": stored_session(turn.state),
            "reply": stored_reply(turn.reply),
            "answered_at": turn.answered_at,
        }
    )
    return stored.model_dump_json().encode() + b"\n"


def _stored_step(coach_reply: CoachReply) -> dict[str, Any]:
    fields = fields_of(coach_reply)
    message_text, answers = fields.pop("message_text"), fields.pop("answers")
    validation = coach_reply.validation
    return {
        **fields,
        "answer": message_text,
        "state": fields_of(answers),
        "intent": fields_of(coach_reply.intent),
        "validation": fields_of(validation) if validation is not None else None,
        "resources": [resource.model_dump() for resource in coach_reply.resources],
    }

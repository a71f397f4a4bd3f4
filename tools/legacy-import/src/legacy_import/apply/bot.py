"""Plans the rows of the bot's sessions and the events of its usage counts."""

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chat_service.programs.content.model import SKIPPED, Question, Week
from chat_service.safety.detection.detector import detect_risk
from cogniflow_kit.events import Event
from legacy_import.apply.plan import SessionPlan
from legacy_import.apply.rows import PlannedRows, legacy_uuid
from legacy_import.conversions import clean_json
from legacy_import.ledger import Ledger
from legacy_import.records import BotRow, BotSession

UNCLASSIFIED = "unclassified"
"""Category of an old detection whose phrase the present check doesn't recognize."""


class BotSessionPlanner:
    """Plans one session of the intake bot: messages, responses, detections, intents, summaries."""

    def __init__(self, plan: SessionPlan, found: BotSession, ledger: Ledger, *, check_safety: bool) -> None:
        self._plan = plan
        self._found = found
        self._ledger = ledger
        self._check_safety = check_safety
        self._user_messages: list[tuple[UUID, str, datetime]] = []
        self._detected: set[UUID] = set()

    @property
    def _week(self) -> Week:
        return self._plan.target.program.active_weeks[0]

    def plan(self) -> None:
        self._times()
        self._messages()
        self._responses()
        self._session()
        for row in self._found.detections:
            self._detection(row)
        for row in self._found.intents:
            self._intent(row)
        for number, row in enumerate(self._found.summaries, start=1):
            self._summary(row, number)
        if self._check_safety:
            self._check_messages()

    def _times(self) -> None:
        """Give messages without a time that of the message before, then sort them by time."""
        unknown = sum(row.values["at"] is None for row in self._found.messages)
        if unknown:
            message = f"{unknown} messages without a time get that of the message before"
            self._ledger.warn(self._plan.legacy_id, message)
        session = self._found.session.values if self._found.session else {}
        for name in ("created_at", "last_activity", "completion_time"):
            self._plan.record_activity(session.get(name))
        last = next((row.values["at"] for row in self._found.messages if row.values["at"]), None)
        last = last or self._plan.created_at or self._plan.now
        for row in self._found.messages:
            last = row.values["at"] = row.values["at"] or last
            self._plan.record_activity(last)
        self._found.messages.sort(key=lambda row: row.values["at"])

    def _messages(self) -> None:
        """Each user message begins a turn; bot messages before the first one belong to turn 0."""
        turn_id, sequence, position = None, 0, 1
        rows = self._found.messages
        for index, row in enumerate(rows):
            sender, text, at = row.values["sender"], row.values["text"], row.values["at"]
            if sender == "user":
                turn_id = legacy_uuid("turn", self._plan.session_id, row.key)
                answered = index + 1 < len(rows) and rows[index + 1].values["sender"] == "nova"
                sequence = self._plan.turn(turn_id, at, answered=answered)
                position = 0
                self._user_messages.append((turn_id, text, at))
            self._plan.rows.add(
                "conversation_messages",
                **self._plan.keys,
                message_id=legacy_uuid("message", self._plan.session_id, row.key),
                week_id=self._week.week_id,
                turn_sequence=sequence,
                position=position,
                sender=sender,
                message_text=text,
                created_at=at,
            )
            position += 1
            self._ledger.count_imported("chat_history")

    def _responses(self) -> None:
        """The answer of each step, with its state and completion."""
        steps = {question.step: question for question in self._week.questions if question.step}
        seen: set[str] = set()
        for row in self._found.responses:
            step = row.values["step"]
            if step in seen:
                self._ledger.skip("user_responses", row.place, f"the step {step} is there twice")
            elif step not in steps:
                self._ledger.skip("user_responses", row.place, "the program has no such step")
            else:
                seen.add(step)
                self._response(row, steps[step])
                self._ledger.count_imported("user_responses")

    def _response(self, row: BotRow, question: Question) -> None:
        plan, here, number = self._plan, self._plan.week(self._week), str(question.question_number)
        text, attempts, at = (
            row.values["response"],
            row.values["attempt_count"],
            row.values["at"] or self._plan.at,
        )
        plan.rows.put(
            "user_responses",
            **plan.keys,
            response_id=legacy_uuid("user_response", plan.session_id, question.step),
            step=question.step,
            response=text,
            attempt_count=attempts,
            created_at=at,
            updated_at=at,
        )
        data = here.data
        here.data = replace(
            data,
            question_completed={**data.question_completed, number: True},
            iteration_count={**data.iteration_count, number: attempts},
            scenario=data.scenario if text is not None else {**data.scenario, number: SKIPPED},
            answers=data.answers if text is None else {**data.answers, number: [text]},
        )
        plan.rows.put(
            "question_completions",
            **plan.keys,
            completion_id=legacy_uuid("completion", plan.session_id, question.question_id),
            question_id=question.question_id,
            completed_at=at,
            iteration_count=attempts,
            scenario_classification=SKIPPED if text is None else None,
        )

    def _session(self) -> None:
        """Continue at the step of the FSM state, else at the first step without an answer."""
        plan, row = self._plan, self._found.session
        here = plan.week(self._week)
        steps = {question.fsm_state: question.question_number for question in self._week.questions}
        numbers = sorted(steps.values())
        open_question = next((n for n in numbers if not here.data.is_completed(n)), numbers[-1])
        if row is not None:
            self._ledger.count_imported("sessions")
            state = row.values["fsm_state"]
            if row.values["completed"]:
                here.completed = True
                plan.completion_time = row.values["completion_time"]
            elif state in steps:
                open_question = steps[state]
            elif state:
                self._ledger.warn(
                    row.place,
                    f"the program has no step {state!r}; the session continues at its first open one",
                )
        elif not self._found.responses:
            self._ledger.note(plan.legacy_id, "its step is unknown; it continues at the first question")
        plan.move_to(self._week, open_question)

    def _turn_about(self, text: str, at: datetime | None, row: BotRow) -> UUID:
        """The turn that a detection or intent refers to: same text, else the last message until then."""
        same = [turn for turn, message, _ in self._user_messages if text and message == text]
        until = [turn for turn, _, said_at in self._user_messages if at is None or said_at <= at]
        if same or until or self._user_messages:
            return (same or until or [self._user_messages[0][0]])[-1]
        turn_id = legacy_uuid("turn", self._plan.session_id, "finding", row.key)
        self._plan.turn(turn_id, at or self._plan.at, answered=False)
        return turn_id

    def _detection(self, row: BotRow) -> None:
        values, at = row.values, row.values["at"] or self._plan.at
        risk = detect_risk(values["phrase"]) or detect_risk(values["text"])
        turn_id = self._turn_about(values["text"], values["at"], row)
        self._detected.add(turn_id)
        self._plan.rows.add(
            "risk_detections",
            **self._plan.keys,
            detection_id=legacy_uuid("detection", self._plan.session_id, row.key),
            turn_id=turn_id,
            category=risk.category if risk else UNCLASSIFIED,
            severity=risk.severity if risk else "high",
            subject=risk.subject if risk else "self",
            resources_shown=values["resources_shown"],
            detected_at=at,
        )
        self._ledger.count_imported("risk_detections")

    def _intent(self, row: BotRow) -> None:
        values = row.values
        self._plan.rows.add(
            "intent_classifications",
            **self._plan.keys,
            classification_id=legacy_uuid("intent", self._plan.session_id, row.key),
            turn_id=self._turn_about(values["text"], values["at"], row),
            classified_intent=values["intent"],
            confidence=values["confidence"],
            method=values["method"],
            fsm_state=values["fsm_state"],
            created_at=values["at"] or self._plan.at,
        )
        self._ledger.count_imported("intent_classifications")

    def _summary(self, row: BotRow, number: int) -> None:
        """Kept in its old form; negative versions distinguish it from CogniFlow's own summaries."""
        self._plan.rows.add(
            "session_summaries",
            **self._plan.keys,
            summary_id=legacy_uuid("summary", self._plan.session_id, row.key),
            summary_type=row.values["summary_type"],
            summary_data=row.values["data"],
            session_version=-number,
            generated_at=row.values["at"] or self._plan.at,
        )
        self._ledger.count_imported("session_summaries")

    def _check_messages(self) -> None:
        for turn_id, text, _ in self._user_messages:
            if turn_id not in self._detected:
                self._plan.check_message(turn_id, text)


TYPE = "legacy.analytics"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_RESERVED = frozenset({"event_type", "session_count", "course_id"})


def plan_event(row: BotRow, namespace: str, rows: PlannedRows, ledger: Ledger) -> None:
    if row.values["at"] is None:
        ledger.skip("analytics", row.place, "it has no plausible time")
        return
    fields, dropped = _event_fields(row.values["event_data"])
    if dropped:
        message = f"{dropped} fields of event_data hold words or lists; only numbers and short names leave"
        ledger.note(row.place, message)
    event = Event(
        id=legacy_uuid(
            "analytics", namespace, row.key, row.values["event_type"], row.values["at"].isoformat()
        ),
        type=TYPE,
        occurred_at=row.values["at"],
        data={
            **fields,
            "event_type": row.values["event_type"][:200],
            "session_count": row.values["session_count"],
        },
    )
    rows.add("outbox", id=event.id, event=event.model_dump(mode="json"))
    ledger.count_imported("analytics")


def _event_fields(raw: object) -> tuple[dict[str, Any], int]:
    """The fields that may leave the service, and the number of others: events hold no free text."""
    if isinstance(raw, str):
        try:
            raw = clean_json(json.loads(raw))
        except (ValueError, RecursionError):
            return {}, 1
    if not isinstance(raw, dict):
        return {}, int(raw is not None)
    kept = {
        name: value
        for name, value in raw.items()
        if _NAME.fullmatch(name) and name not in _RESERVED and _may_leave(value)
    }
    return kept, len(raw) - len(kept)


def _may_leave(value: object) -> bool:
    match value:
        case bool() | None | float():
            return True
        case int():
            return -(2**63) <= value < 2**63
        case str():
            return _WORD.fullmatch(value) is not None
        case _:
            return False

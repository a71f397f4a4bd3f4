"""A session of the intake bot: what was said turn by turn, the steps, and what was noticed."""

from datetime import datetime
from uuid import UUID

from chat_service.programs.content.model import SKIPPED, Question, Week
from chat_service.safety.detection.check import check
from legacy_import.apply.findings import add_finding
from legacy_import.apply.identity import legacy_uuid
from legacy_import.apply.plan import SessionPlan
from legacy_import.ledger import Ledger
from legacy_import.records import BotSession, Row

UNCLASSIFIED = "unclassified"
"""The category of an old detection in whose phrase today's check finds nothing."""


class BotPlan:
    def __init__(self, plan: SessionPlan, found: BotSession, ledger: Ledger, *, check_safety: bool) -> None:
        self._plan = plan
        self._found = found
        self._ledger = ledger
        self._check_safety = check_safety
        self._said: list[tuple[UUID, str, datetime]] = []
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
        """A message without a time has that of the one before; all are told in the order of their times."""
        unknown = sum(row.values["at"] is None for row in self._found.messages)
        if unknown:
            message = f"{unknown} messages without a time have that of the one before"
            self._ledger.warn(self._plan.legacy_id, message)
        session = self._found.session.values if self._found.session else {}
        for name in ("created_at", "last_activity", "completion_time"):
            self._plan.seen(session.get(name))
        last = next((row.values["at"] for row in self._found.messages if row.values["at"]), None)
        last = last or self._plan.created_at or self._plan.now
        for row in self._found.messages:
            last = row.values["at"] = row.values["at"] or last
            self._plan.seen(last)
        self._found.messages.sort(key=lambda row: row.values["at"])

    def _messages(self) -> None:
        """Each message of the user begins a turn; what the bot said before the first is turn 0."""
        turn_id, sequence, position = None, 0, 1
        rows = self._found.messages
        for index, row in enumerate(rows):
            sender, text, at = row.values["sender"], row.values["text"], row.values["at"]
            if sender == "user":
                turn_id = legacy_uuid("turn", self._plan.session_id, row.key)
                answered = index + 1 < len(rows) and rows[index + 1].values["sender"] == "nova"
                sequence = self._plan.turn(turn_id, at, answered=answered)
                position = 0
                self._said.append((turn_id, text, at))
            self._plan.rows.add(
                "conversation_messages",
                **self._plan.own,
                message_id=legacy_uuid("message", self._plan.session_id, row.key),
                week_id=self._week.week_id,
                turn_sequence=sequence,
                position=position,
                sender=sender,
                message_text=text,
                created_at=at,
            )
            position += 1
            self._ledger.take("chat_history")

    def _responses(self) -> None:
        """The answer of each step; the state and the completion say the same."""
        steps = {question.step: question for question in self._week.questions if question.step}
        seen: set[str] = set()
        for row in self._found.responses:
            step = row.values["step"]
            if step in seen:
                self._ledger.leave("user_responses", row.place, f"the step {step} is there twice")
            elif step not in steps:
                self._ledger.leave("user_responses", row.place, "the program has no such step")
            else:
                seen.add(step)
                self._response(row, steps[step])
                self._ledger.take("user_responses")

    def _response(self, row: Row, question: Question) -> None:
        plan, here, number = self._plan, self._plan.week(self._week), str(question.question_number)
        text, attempts, at = (
            row.values["response"],
            row.values["attempt_count"],
            row.values["at"] or self._plan.at,
        )
        plan.rows.put(
            "user_responses",
            **plan.own,
            response_id=legacy_uuid("user_response", plan.session_id, question.step),
            step=question.step,
            response=text,
            attempt_count=attempts,
            created_at=at,
            updated_at=at,
        )
        data = here.data.model_dump()
        data["question_completed"][number] = True
        data["iteration_count"][number] = attempts
        if text is None:
            data["scenario"][number] = SKIPPED
        else:
            data["answers"][number] = [text]
        here.data = here.data.model_validate(data)
        plan.rows.put(
            "question_completions",
            **plan.own,
            completion_id=legacy_uuid("completion", plan.session_id, question.question_id),
            question_id=question.question_id,
            completed_at=at,
            iteration_count=attempts,
            scenario_classification=SKIPPED if text is None else None,
        )

    def _session(self) -> None:
        """Where it stands: at the step of its FSM state, else at the first step without an answer."""
        plan, row = self._plan, self._found.session
        here = plan.week(self._week)
        steps = {question.fsm_state: question.question_number for question in self._week.questions}
        numbers = sorted(steps.values())
        open_question = next((n for n in numbers if not here.data.is_completed(n)), numbers[-1])
        if row is not None:
            self._ledger.take("sessions")
            state = row.values["fsm_state"]
            if row.values["completed"]:
                here.completed = True
                plan.completion_time = row.values["completion_time"]
            elif state in steps:
                open_question = steps[state]
            elif state:
                self._ledger.warn(
                    row.place, f"the program has no step {state!r}; it goes on at its first open one"
                )
        elif not self._found.responses:
            self._ledger.note(plan.legacy_id, "nothing tells its step: it goes on at the first question")
        plan.stand(self._week, open_question)

    def _turn_of(self, text: str, at: datetime | None, row: Row) -> UUID:
        """The turn that a finding is about: the same words, else the last message until then."""
        same = [turn for turn, said, _ in self._said if text and said == text]
        until = [turn for turn, _, said_at in self._said if at is None or said_at <= at]
        if same or until or self._said:
            return (same or until or [self._said[0][0]])[-1]
        turn_id = legacy_uuid("turn", self._plan.session_id, "finding", row.key)
        self._plan.turn(turn_id, at or self._plan.at, answered=False)
        return turn_id

    def _detection(self, row: Row) -> None:
        values, at = row.values, row.values["at"] or self._plan.at
        risk = check(values["phrase"]) or check(values["text"])
        turn_id = self._turn_of(values["text"], values["at"], row)
        self._detected.add(turn_id)
        self._plan.rows.add(
            "risk_detections",
            **self._plan.own,
            detection_id=legacy_uuid("detection", self._plan.session_id, row.key),
            turn_id=turn_id,
            category=risk.category if risk else UNCLASSIFIED,
            severity=risk.severity if risk else "high",
            subject=risk.subject if risk else "self",
            resources_shown=values["resources_shown"],
            detected_at=at,
        )
        self._ledger.take("risk_detections")

    def _intent(self, row: Row) -> None:
        values = row.values
        self._plan.rows.add(
            "intent_classifications",
            **self._plan.own,
            classification_id=legacy_uuid("intent", self._plan.session_id, row.key),
            turn_id=self._turn_of(values["text"], values["at"], row),
            classified_intent=values["intent"],
            confidence=values["confidence"],
            method=values["method"],
            fsm_state=values["fsm_state"],
            created_at=values["at"] or self._plan.at,
        )
        self._ledger.take("intent_classifications")

    def _summary(self, row: Row, number: int) -> None:
        """Its form is the old system's own; a negative version sets it apart from summaries made here."""
        self._plan.rows.add(
            "session_summaries",
            **self._plan.own,
            summary_id=legacy_uuid("summary", self._plan.session_id, row.key),
            summary_type=row.values["summary_type"],
            summary_data=row.values["data"],
            session_version=-number,
            generated_at=row.values["at"] or self._plan.at,
        )
        self._ledger.take("session_summaries")

    def _check_messages(self) -> None:
        for turn_id, text, _ in self._said:
            if turn_id not in self._detected:
                add_finding(self._plan, turn_id, text)

"""The rows that PostgreSQL has for a program session, and the rows that it must have after its turns.

The expected rows follow from the turns alone: each completed turn, in order,
starts from the state that the turn before it led to.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from chat_service.programs.coach.engine import CoachEngine
from chat_service.programs.coach.session_state import ProgramSession, SessionState
from chat_service.programs.content.model import SKIPPED
from chat_service.turns.model import Message

Rows = dict[str, list[tuple[Any, ...]]]

STORED = {
    "messages": "SELECT turn_sequence, position, sender, week_id, run, question_id, message_text,"
    " iteration_number, scenario_classification FROM conversation_messages"
    " WHERE session_id = :id ORDER BY turn_sequence, position",
    "intents": "SELECT sequence, classified_intent, i.fsm_state FROM intent_classifications i"
    " JOIN turns USING (turn_id) WHERE i.session_id = :id ORDER BY sequence",
    "risks": "SELECT sequence, category, r.status FROM risk_detections d JOIN turns USING (turn_id)"
    " LEFT JOIN risk_reviews r USING (detection_id) WHERE d.session_id = :id ORDER BY sequence",
    "answers": "SELECT sequence, run, question_id, answer_text, iteration_number FROM user_answers a"
    " JOIN turns USING (turn_id) WHERE a.session_id = :id ORDER BY sequence",
    "responses": "SELECT sequence, n.run, n.question_id, message_text, n.prompt_used_id FROM nova_responses n"
    " JOIN turns USING (turn_id) JOIN conversation_messages m"
    " ON m.session_id = n.session_id AND turn_sequence = sequence AND position = 1"
    " WHERE n.session_id = :id ORDER BY sequence",
    "validations": "SELECT sequence, validation_result, missing_items FROM validation_logs v"
    " JOIN turns USING (turn_id) WHERE v.session_id = :id ORDER BY sequence",
    "completions": "SELECT question_id, run, iteration_count, scenario_classification"
    " FROM question_completions WHERE session_id = :id ORDER BY question_id, run",
    "steps": "SELECT step, response, attempt_count FROM user_responses WHERE session_id = :id ORDER BY step",
    "states": "SELECT week_id, run, current_question_number, is_completed, conversation_data - 'form_version'"
    " FROM conversation_states WHERE session_id = :id ORDER BY week_id, run",
    "progress": "SELECT week_id, run, current_question_number, is_completed, metadata"
    " FROM user_progress WHERE session_id = :id ORDER BY week_id, run",
    "summaries": "SELECT summary_type, summary_data->'session_version' FROM session_summaries"
    " WHERE session_id = :id",
    "facts": "SELECT event->'data'->>'turn_id' FROM outbox"
    " WHERE event->'data'->>'session_id' = CAST(:id AS text)"
    " AND event->>'type' = 'program.answer_completed' ORDER BY 1",
    "session": "SELECT current_week_id, fsm_state, completed FROM sessions WHERE session_id = :id",
}


def stored(session: Session, session_id: UUID) -> Rows:
    values = {"id": session_id}
    return {
        name: [tuple(row) for row in session.execute(text(query), values)] for name, query in STORED.items()
    }


class Expected:
    """The rows after the turns added so far, in order; `program_session` is the state they lead to."""

    def __init__(self, opening: ProgramSession) -> None:
        self.program_session = opening
        self._rows: Rows = {name: [] for name in STORED}
        self._steps: dict[str, tuple[Any, ...]] = {}
        self._states: dict[tuple[UUID, int], tuple[Any, ...]] = {}
        self._fsm_state = opening.context.question.fsm_state
        self._keep(opening.state)
        question = opening.context.question
        first = (0, 1, "nova", opening.week.week_id, 1, question.question_id)
        self._rows["messages"].append((*first, opening.context.text(question.question_text), None, None))

    def claimed(self, sequence: int, message: Message, engine: CoachEngine) -> None:
        """Add the rows of a claim: the message and its analysis."""
        context, analysis = self.program_session.context, engine.analyze(message, self.program_session)
        where = (context.week.week_id, self.program_session.week_state.run, context.question.question_id)
        self._rows["messages"].append((sequence, 0, "user", *where, message.text, context.iteration, None))
        if analysis.intent.kind != "restart":
            self._rows["intents"].append((sequence, analysis.intent.kind, context.question.fsm_state))
        if analysis.risk is not None:
            self._rows["risks"].append((sequence, analysis.risk.category, "open"))

    def completed(self, sequence: int, turn_id: UUID, message: Message, engine: CoachEngine) -> None:
        """Add the rows of a completed turn: the answer and everything that follows from it."""
        program_session, rows = self.program_session, self._rows
        result = engine.answer(
            message, program_session, engine.analyze(message, program_session), lambda: None
        )
        coach_reply, next_step = result.coach_reply, result.next_step
        week, run, question = (
            program_session.week.week_id,
            program_session.week_state.run,
            program_session.context.question,
        )
        skipped = coach_reply.kind == "skip"
        scenario = SKIPPED if skipped else coach_reply.scenario(question) if coach_reply.is_attempt else None
        if coach_reply.response:
            own = (week, run, question.question_id, coach_reply.response, coach_reply.iteration, scenario)
            rows["messages"].append((sequence, 1, "nova", *own))
        if next_step.asks_question:
            opened = next_step.state.state_of(next_step.week.week_id)
            asked = (next_step.week.week_id, opened.run, next_step.question.question_id, next_step.text)
            rows["messages"].append((sequence, 2, "nova", *asked, None, None))
        if coach_reply.is_attempt:
            own = (run, question.question_id, coach_reply.message_text, coach_reply.iteration)
            rows["answers"].append((sequence, *own))
            rows["facts"].append((str(turn_id),))
        if coach_reply.is_attempt or skipped:
            prompt_id = coach_reply.prompt_id
            rows["responses"].append((sequence, run, question.question_id, coach_reply.response, prompt_id))
            if question.step is not None:
                told = None if skipped else coach_reply.answers.answer_texts()[question.question_number]
                attempts = coach_reply.answers.iterations(question.question_number)
                self._steps[question.step] = (question.step, told, attempts)
        if coach_reply.validation is not None:
            result_word = "complete" if coach_reply.validation.complete else "incomplete"
            rows["validations"].append((sequence, result_word, coach_reply.validation.missing))
        if coach_reply.completes(question):
            attempts = coach_reply.answers.iterations(question.question_number)
            rows["completions"].append((question.question_id, run, attempts, scenario))
        if next_step.session_completed:
            rows["summaries"].append(("complete", next_step.state.version))
        self._fsm_state = next_step.fsm_state
        self._keep(next_step.state)
        self.program_session = ProgramSession(next_step.state, program_session.program)

    def _keep(self, session_state: SessionState) -> None:
        for week in session_state.weeks:
            data = {name: value for name, value in vars(week.data).items() if value}
            self._states[week.week_id, week.run] = (week.question_number, week.is_completed, data)

    def rows(self) -> Rows:
        session_state = self.program_session.state
        states = sorted(self._states.items())
        kept = [(*key, number, done, data.get("choices", {})) for key, (number, done, data) in states]
        return {
            **self._rows,
            "completions": _sorted(self._rows["completions"]),
            "facts": _sorted(self._rows["facts"]),
            "steps": _sorted(self._steps.values()),
            "states": [(*key, *state) for key, state in states],
            "progress": kept,
            "session": [(session_state.current_week_id, self._fsm_state, session_state.completed)],
        }


def _sorted(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: row[:2])

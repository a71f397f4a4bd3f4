"""The two writes of a programme's turn, each one statement: all of it is stored, or nothing.

One statement costs one round trip instead of ten, and its first part decides
for the rest: where it changes no row, nothing else is written.
"""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chat_service.programs.coach import Step
from chat_service.programs.place import ProgramPlace
from chat_service.programs.progress import Next
from chat_service.safety.check import Risk
from chat_service.turns.model import LEASE, Message, Turn
from cogniflow_kit.ids import new_id

BEGIN = text("""
WITH turn AS (
    INSERT INTO turns (turn_id, session_id, sequence, client_message_id, fingerprint, status, epoch,
                       lease_expires_at)
    VALUES (:turn_id, :session_id, :sequence, :client_message_id, :fingerprint, 'running', 1, now() + :lease)
    ON CONFLICT DO NOTHING
    RETURNING turn_id, session_id, lease_expires_at
), message AS (
    INSERT INTO conversation_messages (message_id, session_id, user_id, week_id, question_id, turn_sequence,
                                       position, sender, message_text, iteration_number)
    SELECT :message_id, session_id, :user_id, :week_id, :question_id, :sequence, 0, 'user', :text, :iteration
    FROM turn
), risk AS (
    INSERT INTO risk_detections (detection_id, session_id, user_id, turn_id, category, severity)
    SELECT :detection_id, session_id, :user_id, turn_id, :category, :severity
    FROM turn WHERE CAST(:category AS text) IS NOT NULL
)
SELECT lease_expires_at FROM turn
""")

COMPLETE = text("""
WITH unchanged AS (
    SELECT session_id FROM sessions
    WHERE session_id = :session_id AND version = :version AND NOT completed FOR UPDATE
), turn AS (
    UPDATE turns SET status = 'completed', result = CAST(:reply AS jsonb), completed_at = now(),
           lease_expires_at = NULL
    FROM unchanged
    WHERE turns.session_id = unchanged.session_id
      AND turn_id = :turn_id AND epoch = :epoch AND status = 'running'
    RETURNING turns.session_id, sequence
), moved AS (
    UPDATE sessions SET version = sessions.version + 1, last_activity = now(),
           current_week_id = :next_week_id, completed = :session_completed,
           completion_time = CASE WHEN :session_completed THEN now() END
    FROM turn WHERE sessions.session_id = turn.session_id
    RETURNING sessions.session_id, sessions.user_id, turn.sequence
), state AS (
    UPDATE conversation_states SET conversation_data = CAST(:data AS jsonb), updated_at = now(),
           current_question_number = :question_number
    FROM moved
    WHERE conversation_states.session_id = moved.session_id AND week_id = :week_id
), progress AS (
    UPDATE user_progress SET current_question_number = :question_number, is_completed = :week_completed,
           completed_at = CASE WHEN :week_completed THEN now() END
    FROM moved
    WHERE user_progress.session_id = moved.session_id AND week_id = :week_id
), next_state AS (
    INSERT INTO conversation_states (state_id, session_id, user_id, week_id, conversation_data)
    SELECT :next_state_id, session_id, user_id, :next_week_id, '{}'
    FROM moved WHERE :week_id <> :next_week_id
), next_progress AS (
    INSERT INTO user_progress (progress_id, session_id, user_id, week_id)
    SELECT :next_progress_id, session_id, user_id, :next_week_id
    FROM moved WHERE :week_id <> :next_week_id
), response_message AS (
    INSERT INTO conversation_messages (message_id, session_id, user_id, week_id, question_id, turn_sequence,
                                       position, sender, message_text, prompt_used_id,
                                       scenario_classification, iteration_number)
    SELECT :response_message_id, session_id, user_id, :week_id, :question_id, sequence, 1, 'nova', :response,
           :prompt_id, :scenario, :iteration
    FROM moved
), question_message AS (
    INSERT INTO conversation_messages (message_id, session_id, user_id, week_id, question_id, turn_sequence,
                                       position, sender, message_text)
    SELECT :question_message_id, session_id, user_id, :next_week_id, :next_question_id, sequence, 2, 'nova',
           :next_question
    FROM moved WHERE :question_completed AND CAST(:next_question AS text) IS NOT NULL
), answer AS (
    INSERT INTO user_answers (answer_id, session_id, user_id, question_id, turn_id, answer_text,
                              iteration_number, is_complete)
    SELECT :answer_id, session_id, user_id, :question_id, :turn_id, :text, :iteration, :is_complete
    FROM moved WHERE :is_answer
), response AS (
    INSERT INTO nova_responses (response_id, session_id, user_id, question_id, turn_id, response_text,
                                prompt_used_id, scenario_classification, iteration_number)
    SELECT :response_id, session_id, user_id, :question_id, :turn_id, :response, :prompt_id,
           :scenario, :iteration
    FROM moved WHERE :is_answer
), validation AS (
    INSERT INTO validation_logs (validation_id, session_id, user_id, question_id, turn_id, validation_result,
                                 missing_items, user_responses)
    SELECT :validation_id, session_id, user_id, :question_id, :turn_id, :validation_result,
           CAST(:missing_items AS jsonb), :user_responses
    FROM moved WHERE CAST(:validation_result AS text) IS NOT NULL
), completion AS (
    INSERT INTO question_completions (completion_id, session_id, user_id, question_id, iteration_count,
                                      scenario_classification)
    SELECT :completion_id, session_id, user_id, :question_id, :iteration, :scenario
    FROM moved WHERE :question_completed
)
SELECT count(*) FROM moved
""")


def begin_values(
    message: Message, place: ProgramPlace, turn_id: UUID, sequence: int, risk: Risk | None
) -> dict[str, Any]:
    standing = place.standing
    return {
        "turn_id": turn_id,
        "session_id": place.session_id,
        "user_id": place.user_id,
        "week_id": standing.week.week_id,
        "question_id": standing.question.question_id,
        "sequence": sequence,
        "client_message_id": message.client_message_id,
        "fingerprint": message.fingerprint,
        "lease": LEASE,
        "message_id": new_id(),
        "text": message.text,
        "iteration": standing.iteration,
        "detection_id": new_id(),
        "category": risk.category if risk else None,
        "severity": risk.severity if risk else None,
    }


def complete_values(
    turn: Turn, place: ProgramPlace, step: Step, following: Next, reply: str
) -> dict[str, Any]:
    """`reply` is the JSON that a repetition of the message gets."""
    week, question = place.standing.week, place.standing.question
    same_week = following.question is not None and not following.week_completed
    validation = step.validation
    ids = ("next_state_id", "next_progress_id", "response_message_id", "question_message_id", "answer_id",
           "response_id", "validation_id", "completion_id")  # fmt: skip
    return {
        **{name: new_id() for name in ids},
        "session_id": place.session_id,
        "turn_id": turn.id,
        "epoch": turn.epoch,
        "version": place.version,
        "reply": reply,
        "data": step.state.model_dump_json(),
        "text": step.answer,
        "is_answer": step.is_answer,
        "is_complete": validation is None or validation.complete,
        "iteration": step.iteration,
        "response": step.response,
        "prompt_id": step.prompt.prompt_id if step.prompt else None,
        "scenario": step.scenario(question),
        "validation_result": ("complete" if validation.complete else "incomplete") if validation else None,
        "missing_items": json.dumps(validation.missing if validation else []),
        "user_responses": f"answers: {step.iteration}",
        "week_id": week.week_id,
        "question_id": question.question_id,
        "question_completed": step.is_answer and step.completes(question),
        "question_number": following.question.question_number
        if same_week and following.question
        else question.question_number,
        "week_completed": following.week_completed,
        "session_completed": following.session_completed,
        "next_week_id": following.week.week_id,
        "next_question_id": following.question.question_id if following.question else None,
        "next_question": following.text,
    }

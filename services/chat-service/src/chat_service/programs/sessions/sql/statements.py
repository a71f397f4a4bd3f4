"""A program's turn in three statements: LOOK, BEGIN, COMPLETE. Each is one round trip and one transaction.

In the two writes the first part decides for the rest: where it changes no
row, nothing else is written. A connection prepares each statement once,
because PostgreSQL needs longer to plan COMPLETE than to execute it.
"""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from chat_service.programs.coach.coach import CoachReply
from chat_service.programs.coach.next_step import NextStep
from chat_service.programs.coach.session_state import ProgramSession, SessionState
from chat_service.programs.coach.turn import MessageAnalysis, ProgramReply, TurnResult
from chat_service.programs.content.model import SKIPPED
from chat_service.programs.sessions.stored_forms import parse_session_state, stored_answers, write_reply
from chat_service.programs.sessions.summary import Summary
from chat_service.turns.model import LEASE, Message, Turn
from cogniflow_kit.events import Event
from cogniflow_kit.ids import new_id
from cogniflow_kit.sql.prepared import PreparedStatement

SNAPSHOT = """
    SELECT s.session_id, s.user_id, s.version_id, s.current_week_id, s.experiment_id, s.name, s.locale,
           s.anonymous, s.version, s.completed, s.paused_at, s.created_at, (
        SELECT json_agg(newest) FROM (
            SELECT DISTINCT ON (week_id) week_id, run, current_question_number AS question_number,
                   is_completed, conversation_data AS data
            FROM conversation_states WHERE session_id = s.session_id ORDER BY week_id, run DESC
        ) newest
    ) AS weeks
    FROM sessions s WHERE s.session_id = :session_id AND s.user_id = :user_id
"""
"""The columns are the fields of `stored_forms.StoredSession`."""

_SNAPSHOT_JSON = text(f"SELECT CAST(row_to_json(snapshot) AS text) FROM ({SNAPSHOT}) snapshot")  # noqa: S608

LOOK = PreparedStatement(f"""
WITH snapshot AS ({SNAPSHOT}), recent AS (
    SELECT turn_id AS id, session_id AS conversation_id, sequence, fingerprint, status, epoch,
           lease_expires_at, result AS reply, client_message_id = :client_message_id AS is_same
    FROM turns WHERE session_id = (SELECT session_id FROM snapshot) AND (
        client_message_id = :client_message_id
        OR sequence = (SELECT max(sequence) FROM turns WHERE session_id = :session_id)
    )
)
SELECT CAST(json_build_object(
    'state', row_to_json(snapshot),
    'repeated', (SELECT row_to_json(recent) FROM recent WHERE is_same),
    'newest', (SELECT row_to_json(recent) FROM recent ORDER BY sequence DESC LIMIT 1),
    'message_ids', CASE WHEN :with_ids THEN
        (SELECT json_agg(client_message_id) FROM turns WHERE session_id = :session_id)
    END
) AS text)
FROM snapshot
""")  # noqa: S608 -- both parts are constants of this module

BEGIN = PreparedStatement("""
WITH own AS (
    SELECT session_id FROM sessions
    WHERE session_id = :session_id AND user_id = :user_id FOR KEY SHARE
), broken AS (
    UPDATE turns SET status = 'abandoned', lease_expires_at = NULL FROM own
    WHERE turns.session_id = own.session_id AND sequence = :sequence - 1
      AND (status = 'failed' OR (status = 'running' AND lease_expires_at < now()))
    RETURNING turn_id
), turn AS (
    INSERT INTO turns (
        turn_id, session_id, sequence, client_message_id, fingerprint, status, epoch, lease_expires_at,
        queued, created_at
    )
    SELECT :turn_id, session_id, :sequence, :client_message_id, :fingerprint, 'running', 1, now() + :lease,
           :queued, :said_at
    FROM own WHERE (SELECT count(*) FROM broken) >= 0 -- which is always so, once it has been looked at
    ON CONFLICT DO NOTHING
    RETURNING turn_id, session_id, lease_expires_at
), message AS (
    INSERT INTO conversation_messages (
        message_id, session_id, user_id, week_id, question_id, run, turn_sequence, position, sender,
        message_text, message_type, recording_ref, iteration_number, created_at
    )
    SELECT :message_id, session_id, :user_id, :week_id, :question_id, :run, :sequence, 0, 'user', :text,
           :message_type, :recording_ref, :iteration, :said_at
    FROM turn
), intent AS (
    INSERT INTO intent_classifications (
        classification_id, session_id, user_id, turn_id, classified_intent, confidence, method,
        fsm_state
    )
    SELECT :classification_id, session_id, :user_id, turn_id, :intent, :confidence, :method, :fsm_state
    FROM turn WHERE CAST(:method AS varchar) IS NOT NULL
), risk AS (
    INSERT INTO risk_detections (
        detection_id, session_id, user_id, turn_id, category, severity, subject
    )
    SELECT :detection_id, session_id, :user_id, turn_id, :category, :severity, :subject
    FROM turn WHERE CAST(:category AS varchar) IS NOT NULL
    RETURNING detection_id
), review AS (
    INSERT INTO risk_reviews (review_id, detection_id) SELECT :review_id, detection_id FROM risk
)
SELECT lease_expires_at FROM turn
""")

COMPLETE = PreparedStatement("""
WITH unchanged AS (
    SELECT session_id FROM sessions
    WHERE session_id = :session_id AND version = :version AND NOT completed FOR UPDATE
), turn AS (
    UPDATE turns SET status = 'completed', result = CAST(:reply AS jsonb), completed_at = now(),
           lease_expires_at = NULL, answered_by = :answered_by, fallback = :fallback
    FROM unchanged
    WHERE turns.session_id = unchanged.session_id
      AND turn_id = :turn_id AND epoch = :epoch AND status = 'running'
    RETURNING turns.session_id, sequence
), moved AS (
    UPDATE sessions SET version = sessions.version + 1, last_activity = now(), fsm_state = :fsm_state,
           current_week_id = :next_week_id, completed = :session_completed,
           completion_time = CASE WHEN :session_completed THEN now() END
    FROM turn WHERE sessions.session_id = turn.session_id
    RETURNING sessions.session_id, sessions.user_id, turn.sequence
), state AS (
    UPDATE conversation_states SET conversation_data = CAST(:data AS jsonb), updated_at = now(),
           current_question_number = :question_number, is_completed = :week_completed
    FROM moved
    WHERE conversation_states.session_id = moved.session_id AND week_id = :week_id AND run = :run
), progress AS (
    UPDATE user_progress SET current_question_number = :question_number, is_completed = :week_completed,
           completed_at = CASE WHEN :week_completed THEN now() END, metadata = CAST(:kept AS jsonb)
    FROM moved
    WHERE user_progress.session_id = moved.session_id AND week_id = :week_id AND run = :run
), next_state AS (
    INSERT INTO conversation_states (
        state_id, session_id, user_id, week_id, run, conversation_data
    )
    SELECT :next_state_id, session_id, user_id, :next_week_id, :next_run, '{}' FROM moved WHERE :opens_week
), next_progress AS (
    INSERT INTO user_progress (
        progress_id, session_id, user_id, week_id, run
    )
    SELECT :next_progress_id, session_id, user_id, :next_week_id, :next_run FROM moved WHERE :opens_week
), response_message AS (
    INSERT INTO conversation_messages (
        message_id, session_id, user_id, week_id, question_id, run, turn_sequence, position, sender,
        message_text, prompt_used_id, scenario_classification, classification_method,
        classification_confidence, iteration_number, created_at
    )
    SELECT :response_message_id, session_id, user_id, :week_id, :question_id, :run, sequence, 1, 'nova',
           :response, :prompt_id, :scenario, :method, :confidence, :iteration, :answered_at
    FROM moved WHERE CAST(:response AS varchar) <> ''
), question_message AS (
    INSERT INTO conversation_messages (
        message_id, session_id, user_id, week_id, question_id, run, turn_sequence, position, sender,
        message_text, created_at
    )
    SELECT :question_message_id, session_id, user_id, :next_week_id, :next_question_id, :next_run, sequence,
           2, 'nova', :next_question, :answered_at
    FROM moved WHERE :asks
), answer AS (
    INSERT INTO user_answers (
        answer_id, session_id, user_id, question_id, turn_id, run, answer_text, iteration_number,
        is_complete
    )
    SELECT :answer_id, session_id, user_id, :question_id, :turn_id, :run, :text, :iteration, :is_complete
    FROM moved WHERE :counts
), response AS (
    INSERT INTO nova_responses (
        response_id, session_id, user_id, question_id, turn_id, run, prompt_used_id,
        scenario_classification, iteration_number
    )
    SELECT :response_id, session_id, user_id, :question_id, :turn_id, :run, :prompt_id, :scenario, :iteration
    FROM moved WHERE :counts OR :skipped
), user_response AS (
    INSERT INTO user_responses (
        response_id, session_id, user_id, step, response, attempt_count
    )
    SELECT :user_response_id, session_id, user_id, :step, :user_response, :attempts
    FROM moved WHERE CAST(:step AS varchar) IS NOT NULL AND (:counts OR :skipped)
    ON CONFLICT (session_id, step) DO UPDATE
    SET response = excluded.response, attempt_count = excluded.attempt_count, updated_at = now()
), validation AS (
    INSERT INTO validation_logs (
        validation_id, session_id, user_id, question_id, turn_id, validation_result, missing_items,
        user_responses
    )
    SELECT :validation_id, session_id, user_id, :question_id, :turn_id, :validation_result,
           CAST(:missing_items AS jsonb), :user_responses
    FROM moved WHERE CAST(:validation_result AS varchar) IS NOT NULL
), completion AS (
    INSERT INTO question_completions (
        completion_id, session_id, user_id, question_id, run, iteration_count, scenario_classification,
        metadata
    )
    SELECT :completion_id, session_id, user_id, :question_id, :run, :attempts, :scenario,
           jsonb_build_object('skipped', CAST(:skipped AS boolean))
    FROM moved WHERE :question_completed
), summary AS (
    INSERT INTO session_summaries (
        summary_id, session_id, user_id, summary_type, summary_data, session_version
    )
    SELECT :summary_id, session_id, user_id, 'complete', CAST(:summary AS jsonb), :version + 1
    FROM moved WHERE :session_completed
), facts AS (
    INSERT INTO outbox (
        id, event
    )
    SELECT CAST(fact->>'id' AS uuid), fact FROM moved, jsonb_array_elements(CAST(:facts AS jsonb)) AS fact
)
SELECT count(*) FROM moved
""")


def read_session_state(db: Session, session_id: UUID, user_id: UUID) -> SessionState | None:
    """The state of the user's own session; None where there is none."""
    found = db.scalar(_SNAPSHOT_JSON, {"session_id": session_id, "user_id": user_id})
    return parse_session_state(found) if found is not None else None


def look_values(message: Message, *, with_ids: bool = False) -> dict[str, Any]:
    return {
        "session_id": message.conversation_id,
        "user_id": message.user_id,
        "client_message_id": message.client_message_id,
        "with_ids": with_ids,
    }


def begin_values(
    message: Message,
    program_session: ProgramSession,
    turn_id: UUID,
    sequence: int,
    analysis: MessageAnalysis,
    *,
    queued: bool,
) -> dict[str, Any]:
    context, risk, intent = program_session.context, analysis.risk, analysis.intent
    return {
        "turn_id": turn_id,
        "session_id": program_session.state.session_id,
        "user_id": program_session.state.user_id,
        "week_id": context.week.week_id,
        "question_id": context.question.question_id,
        "run": program_session.week_state.run,
        "sequence": sequence,
        "client_message_id": message.client_message_id,
        "fingerprint": message.fingerprint,
        "lease": LEASE,
        "queued": queued,
        "said_at": message.said_at,
        "message_id": new_id(),
        "text": message.text,
        "message_type": message.message_type,
        "recording_ref": message.recording_ref,
        "iteration": context.iteration,
        "classification_id": new_id(),
        "intent": intent.kind,
        "confidence": intent.confidence,
        "method": intent.method if intent.kind != "restart" else None,
        "fsm_state": context.question.fsm_state,
        "detection_id": new_id(),
        "review_id": new_id(),
        "category": risk.category if risk else None,
        "severity": risk.severity if risk else None,
        "subject": risk.subject if risk else None,
    }


def complete_values(
    turn: Turn[ProgramReply],
    program_session: ProgramSession,
    result: TurnResult,
    *,
    answered_at: datetime,
    summary: Summary | None,
    facts: list[Event],
) -> dict[str, Any]:
    """The summary is stored at the session's end; a repetition of the message gets the same reply."""
    coach_reply = result.coach_reply
    return {
        "session_id": program_session.state.session_id,
        "turn_id": turn.id,
        "epoch": turn.epoch,
        "version": program_session.state.version,
        "reply": write_reply(result.reply),
        "answered_at": answered_at,
        "answered_by": coach_reply.answered_by,
        "fallback": coach_reply.fallback,
        "summary": summary.model_dump_json() if summary else None,
        "facts": json.dumps([fact.model_dump(mode="json") for fact in facts]),
        **_ids(),
        **_attempt_values(program_session, coach_reply),
        **_validated(coach_reply),
        **_led_to(program_session, coach_reply, result.next_step),
    }


def _ids() -> dict[str, UUID]:
    names = ("next_state", "next_progress", "response_message", "question_message", "answer", "response",
             "user_response", "validation", "completion", "summary")  # fmt: skip
    return {f"{name}_id": new_id() for name in names}


def _attempt_values(program_session: ProgramSession, coach_reply: CoachReply) -> dict[str, Any]:
    question, answers = program_session.context.question, coach_reply.answers
    skipped = coach_reply.kind == "skip"
    user_response = answers.answer_texts().get(question.question_number)
    return {
        "data": json.dumps(stored_answers(answers), ensure_ascii=False),
        "kept": json.dumps(answers.choices),
        "text": coach_reply.message_text,
        "counts": coach_reply.is_attempt,
        "skipped": skipped,
        "iteration": coach_reply.iteration,
        "attempts": answers.iterations(question.question_number),
        "step": question.step,
        "user_response": None if skipped else user_response,
        "response": coach_reply.response,
        "prompt_id": coach_reply.prompt_id,
        "scenario": SKIPPED
        if skipped
        else coach_reply.scenario(question)
        if coach_reply.is_attempt
        else None,
        "method": coach_reply.classification_method,
        "confidence": coach_reply.classification_confidence,
    }


def _validated(coach_reply: CoachReply) -> dict[str, Any]:
    validation = coach_reply.validation
    result = None if validation is None else "complete" if validation.complete else "incomplete"
    return {
        "is_complete": validation is None or validation.complete,
        "validation_result": result,
        "missing_items": json.dumps(validation.missing if validation else []),
        "user_responses": f"answers: {coach_reply.iteration}",
    }


def _led_to(program_session: ProgramSession, coach_reply: CoachReply, next_step: NextStep) -> dict[str, Any]:
    session_state, before = next_step.state, program_session.week_state
    state = session_state.state_of(before.week_id)
    if state is None or state.run != before.run:
        state = before
    opened = session_state.state_of(session_state.current_week_id)
    assert opened is not None, "the current week has been begun"
    return {
        "week_id": before.week_id,
        "run": before.run,
        "question_id": program_session.context.question.question_id,
        "question_number": state.question_number,
        "question_completed": coach_reply.completes(program_session.context.question),
        "week_completed": next_step.week_completed,
        "session_completed": next_step.session_completed,
        "fsm_state": next_step.fsm_state,
        "next_week_id": session_state.current_week_id,
        "next_run": opened.run,
        "opens_week": next_step.opens_week,
        "asks": next_step.asks_question,
        "next_question_id": next_step.question.question_id if next_step.question else None,
        "next_question": next_step.text,
    }

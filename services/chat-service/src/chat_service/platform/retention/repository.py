"""Statements of the retention job: find what is due, lock it, check it again, delete it.

A turn begins with FOR KEY SHARE on its program session and so waits for the
FOR UPDATE of these statements: no turn begins in a locked session. A turn that
began between the first look and the lock is seen by the second look, which is
a statement of its own. Program sessions imported from older systems are never
deleted; their risk detections are.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from chat_service.tables import RetentionRun

TRANSCRIPT_GRACE = "1 hour"
"""How long the transcript of a completed program session can still be fetched before it is removed."""

_RUNNING = """EXISTS (
    SELECT FROM turns
    WHERE turns.session_id = s.session_id AND status = 'running' AND lease_expires_at > now()
)"""
_LOCK = "FOR UPDATE OF s SKIP LOCKED"
_CHOSEN = "s.session_id = ANY(CAST(:ids AS uuid[]))"

_SESSION_DAYS = "coalesce(CAST(v.retention->>'sessions_days' AS integer), :sessions_days)"
_SESSION_UNTIL = f"now() - make_interval(days => {_SESSION_DAYS})"
# No session is active before it is created, so the first comparison can use the index on created_at.
_SESSIONS_DUE = f"""
FROM sessions s JOIN program_versions v USING (version_id)
WHERE s.anonymous AND s.origin <> 'legacy'
  AND s.created_at < now() - make_interval(days => (
      SELECT least(min(CAST(retention->>'sessions_days' AS integer)), :sessions_days) FROM program_versions
  ))
  AND s.last_activity < {_SESSION_UNTIL}
  AND NOT {_RUNNING}
  AND NOT EXISTS (
      SELECT FROM turns WHERE turns.session_id = s.session_id AND turns.created_at >= {_SESSION_UNTIL}
  )
  AND NOT EXISTS (
      SELECT FROM risk_detections d JOIN risk_reviews r USING (detection_id)
      WHERE d.session_id = s.session_id AND r.status = 'open'
        AND d.detected_at >= now() - make_interval(days => :open_reviews_days)
  )
"""  # noqa: S608 -- all parts are constants of this module
LOCK_SESSIONS = text(f"SELECT s.session_id {_SESSIONS_DUE} ORDER BY s.last_activity LIMIT :batch {_LOCK}")
STILL_DUE_SESSIONS = text(f"SELECT s.session_id, s.user_id {_SESSIONS_DUE} AND {_CHOSEN}")
DELETE_SESSIONS = text("DELETE FROM sessions WHERE session_id = ANY(CAST(:ids AS uuid[]))")
DELETE_ASSIGNMENTS = text("""
DELETE FROM experiment_assignments a WHERE a.user_id = ANY(CAST(:user_ids AS uuid[]))
  AND NOT EXISTS (SELECT FROM sessions WHERE sessions.user_id = a.user_id)
""")

_TRANSCRIPTS_DUE = f"""
FROM sessions s JOIN program_versions v USING (version_id)
WHERE s.completed AND s.transcript_removed_at IS NULL AND s.origin <> 'legacy'
  AND coalesce(v.retention->>'transcript_at_completion', :transcript) = 'remove'
  AND s.completion_time < now() - interval '{TRANSCRIPT_GRACE}'
  AND NOT {_RUNNING}
"""
LOCK_TRANSCRIPTS = text(f"SELECT s.session_id {_TRANSCRIPTS_DUE} LIMIT :batch {_LOCK}")
STILL_DUE_TRANSCRIPTS = text(f"SELECT s.session_id {_TRANSCRIPTS_DUE} AND {_CHOSEN}")

OF_PROGRAM_SESSIONS = "WHERE session_id = ANY(CAST(:ids AS uuid[]))"
TRANSCRIPT_TABLES = (
    "conversation_messages",
    "user_answers",
    "nova_responses",
    "user_responses",
    "session_summaries",
)
"""Tables whose rows contain text of messages and nothing that has to stay."""
REMOVE_TRANSCRIPTS = (
    *(text(f"DELETE FROM {table} {OF_PROGRAM_SESSIONS}") for table in TRANSCRIPT_TABLES),  # noqa: S608
    text(
        "UPDATE conversation_states SET conversation_data = conversation_data"  # noqa: S608
        f" - ARRAY['answers', 'nova_responses', 'followups', 'chosen', 'choices'] {OF_PROGRAM_SESSIONS}"
    ),
    text(f"UPDATE user_progress SET metadata = '{{}}' {OF_PROGRAM_SESSIONS}"),  # noqa: S608
    # A fingerprint would allow guessing short messages.
    text(f"UPDATE turns SET result = NULL, fingerprint = '' {OF_PROGRAM_SESSIONS}"),  # noqa: S608
    text(f"UPDATE sessions SET transcript_removed_at = now() {OF_PROGRAM_SESSIONS}"),  # noqa: S608
)
"""Question numbers, scenarios, times and skips stay."""

DELETE_DETECTIONS = text("""
DELETE FROM risk_detections WHERE detection_id IN (
    SELECT d.detection_id
    FROM risk_detections d
    JOIN sessions s USING (session_id)
    JOIN program_versions v USING (version_id)
    LEFT JOIN risk_reviews r USING (detection_id)
    WHERE d.detected_at < now() - make_interval(days => (
          SELECT least(min(CAST(retention->>'detections_days' AS integer)), :detections_days)
          FROM program_versions
      ))
      AND d.detected_at < now() - make_interval(days => coalesce(
          CAST(v.retention->>'detections_days' AS integer), :detections_days
      ))
      AND (r.status IS DISTINCT FROM 'open'
           OR d.detected_at < now() - make_interval(days => :open_reviews_days))
    ORDER BY d.detected_at LIMIT :batch
    FOR UPDATE OF d SKIP LOCKED
)
""")

INSERT_RUN = text("INSERT INTO retention_runs (run_id, counts) VALUES (:run_id, '{}')")
ADD_COUNT = text("""
UPDATE retention_runs SET counts = counts || jsonb_build_object(
    CAST(:kind AS text), coalesce(CAST(counts->>CAST(:kind AS text) AS integer), 0) + :count
) WHERE run_id = :run_id
""")
FINISH_RUN = text("UPDATE retention_runs SET finished_at = now() WHERE run_id = :run_id RETURNING counts")
DELETE_OLD_RUNS = text("DELETE FROM retention_runs WHERE started_at < now() - interval '1 year'")


def list_runs(db: Session, after: UUID | None, limit: int) -> list[Row[Any]]:
    """Return runs, newest first, one more than `limit` when there are more."""
    runs = (
        select(
            RetentionRun.run_id.label("id"),
            RetentionRun.started_at,
            RetentionRun.finished_at,
            RetentionRun.counts,
        )
        .order_by(RetentionRun.run_id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        runs = runs.where(RetentionRun.run_id < after)
    return list(db.execute(runs))

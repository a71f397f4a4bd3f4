"""What is due, and how it goes. A session is locked first, then looked at again, then cleared up.

A turn begins with FOR KEY SHARE on its session, which waits for our FOR
UPDATE: behind the lock nobody begins one. What was begun between the first
look and the lock shows in the second, which is a statement of its own.
Sessions that were taken over from older systems are left alone, with their
words; detections in them aren't.
"""

from sqlalchemy import text

GRACE = "1 hour"
"""How long a completed session's transcript can still be fetched before it is removed."""

_RUNNING = """EXISTS (
    SELECT FROM turns
    WHERE turns.session_id = s.session_id AND status = 'running' AND lease_expires_at > now()
)"""
_LOCK = "FOR UPDATE OF s SKIP LOCKED"
_CHOSEN = "s.session_id = ANY(CAST(:ids AS uuid[]))"

_SESSION_DAYS = "coalesce(CAST(v.retention->>'sessions_days' AS integer), :sessions_days)"
_SESSION_UNTIL = f"now() - make_interval(days => {_SESSION_DAYS})"
# The first comparison is for the index.
_SESSIONS_DUE = f"""
FROM sessions s JOIN program_versions v USING (version_id)
WHERE s.anonymous AND s.origin <> 'legacy'
  AND s.last_activity < now() - make_interval(days => (
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
FORGET_PARTICIPANTS = text("""
DELETE FROM experiment_assignments a WHERE a.user_id = ANY(CAST(:user_ids AS uuid[]))
  AND NOT EXISTS (SELECT FROM sessions WHERE sessions.user_id = a.user_id)
""")

_TRANSCRIPTS_DUE = f"""
FROM sessions s JOIN program_versions v USING (version_id)
WHERE s.completed AND s.transcript_removed_at IS NULL AND s.origin <> 'legacy'
  AND coalesce(v.retention->>'transcript_at_completion', :transcript) = 'remove'
  AND s.completion_time < now() - interval '{GRACE}'
  AND NOT {_RUNNING}
"""
LOCK_TRANSCRIPTS = text(f"SELECT s.session_id {_TRANSCRIPTS_DUE} LIMIT :batch {_LOCK}")
STILL_DUE_TRANSCRIPTS = text(f"SELECT s.session_id {_TRANSCRIPTS_DUE} AND {_CHOSEN}")

OF_SESSIONS = "WHERE session_id = ANY(CAST(:ids AS uuid[]))"
WORDS = ("conversation_messages", "user_answers", "nova_responses", "user_responses", "session_summaries")
"""Tables whose rows are words alone."""
REMOVE_WORDS = (
    *(text(f"DELETE FROM {table} {OF_SESSIONS}") for table in WORDS),  # noqa: S608
    text(
        "UPDATE conversation_states SET conversation_data = conversation_data"  # noqa: S608
        f" - ARRAY['answers', 'nova_responses', 'followups', 'chosen', 'choices'] {OF_SESSIONS}"
    ),
    text(f"UPDATE user_progress SET metadata = '{{}}' {OF_SESSIONS}"),  # noqa: S608
    # A fingerprint would confirm a guess at short words.
    text(f"UPDATE turns SET result = NULL, fingerprint = '' {OF_SESSIONS}"),  # noqa: S608
    text(f"UPDATE sessions SET transcript_removed_at = now() {OF_SESSIONS}"),  # noqa: S608
)
"""Numbers, scenarios, times and what was skipped stay."""

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

BEGIN_RUN = text("INSERT INTO retention_runs (run_id, counts) VALUES (:run_id, '{}')")
COUNT = text("""
UPDATE retention_runs SET counts = counts || jsonb_build_object(
    CAST(:kind AS text), coalesce(CAST(counts->>CAST(:kind AS text) AS integer), 0) + :count
) WHERE run_id = :run_id
""")
END_RUN = text("UPDATE retention_runs SET finished_at = now() WHERE run_id = :run_id RETURNING counts")
FORGET_RUNS = text("DELETE FROM retention_runs WHERE started_at < now() - interval '1 year'")
